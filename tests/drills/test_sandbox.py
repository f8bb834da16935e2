"""What goes along into a sandbox, and what stays behind; and that nothing outside is touched."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader import config
from ibkr_trader.adapters.account_lock import AccountLock, lock_paths, runtime_folder
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.config import Profile, Settings
from ibkr_trader.drills.drill import DRILLS
from ibkr_trader.drills.rehearsal import Cast, Outcome, run
from ibkr_trader.drills.sandbox import sandboxed

LIVE = """
profile = "live"
port = {port}
account = "U0000001"
allow_live = true
readonly = false

[risk]
max_order_quantity = 7
blackouts = ["23:40-00:20"]

[protection]
policy = "attach"

[lease]
url = "redis://127.0.0.1:{port}/0"

[signals.file]
path = "signals.jsonl"

[sinks.webhook]
url = "http://127.0.0.1:{port}/hook"
"""


class Door:
    """A port at which nobody may knock."""

    def __init__(self) -> None:
        self.knocks = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.knocks += 1
            peer.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def door() -> Iterator[Door]:
    found = Door()
    yield found
    found.close()


@pytest.fixture
def live(tmp_path: Path, door: Door) -> Settings:
    """The settings of somebody who trades real money, at a gateway that must hear nothing."""
    file = tmp_path / "config.toml"
    file.write_text(LIVE.format(port=door.port))
    file.chmod(0o600)
    data = tmp_path / "data"
    (data / "live").mkdir(mode=0o700, parents=True)
    data.chmod(0o700)
    (data / "symbol_limits.json").write_text('{"symbol_limits": {}, "default_limits": {}}')
    (data / "symbol_limits.json").chmod(0o600)
    environ = {"IBKR_CONFIG": str(file)}
    return config.load({"data_dir": str(data)}, environ=environ, cwd=tmp_path)


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file below a folder, with when it was last written and what it says."""
    return {
        str(one.relative_to(folder)): (one.stat().st_mtime_ns, one.read_bytes())
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def test_what_limits_a_desk_goes_along_and_its_account_stays(
    live: Settings, tmp_path: Path
) -> None:
    mine = sandboxed(live, tmp_path / "sandbox")
    assert (mine.profile, mine.host, mine.port, mine.account) == (
        Profile.SIM,
        "127.0.0.1",
        None,
        None,
    )
    assert (mine.allow_live, mine.lease, mine.metrics) == (False, None, None)
    assert (dict(mine.outside.sources), dict(mine.outside.sinks)) == ({}, {})
    assert mine.outside.admission == live.outside.admission
    assert (mine.risk, mine.protection) == (live.risk, live.protection)
    assert mine.risk.max_order_quantity == Decimal(7)
    assert not mine.risk.allow_shorts, "as live has it, where nothing else is said"
    assert mine.data_dir == tmp_path / "sandbox"


def test_files_that_limit_are_copied_and_private(live: Settings, tmp_path: Path) -> None:
    before = files(live.data_dir)
    mine = sandboxed(live, tmp_path / "sandbox")
    copied = mine.data_dir / "symbol_limits.json"
    assert copied.read_text() == (live.data_dir / "symbol_limits.json").read_text()
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600
    assert not (mine.data_dir / "sectors.json").exists()
    assert files(live.data_dir) == before


@pytest.mark.parametrize("name", ["hand-close", "trader-killed", "halt-switch", "disk-full"])
def test_a_drill_beside_a_live_trader_touches_nothing_of_its(
    name: str, live: Settings, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = live.place.folder
    header = SessionHeader(version="0", config_hash="", command="run", user="nobody")
    endpoint = (live.host, live.port or 0, live.client_id)
    with (
        AccountLock(*lock_paths(folder, runtime_folder(), endpoint=endpoint)).acquire(timeout=0),
        SqliteJournal(live.place.journal, clock=SystemClock(), header=header),
    ):
        HaltFile(live.place.kill_flag).put("by its owner", origin="test")
        before = files(live.data_dir)
        result = run(DRILLS[name], Cast(settings=live))
        assert result.outcome is Outcome.PASS, result.reasons
        assert files(live.data_dir) == before
    assert door.knocks == 0


def test_the_watch_at_the_door_would_have_noticed(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.port)) as knock:
        knock.recv(1)
    assert door.knocks == 1


def test_settings_of_a_sandbox_name_no_file_of_the_users(live: Settings, tmp_path: Path) -> None:
    mine = sandboxed(live, tmp_path / "sandbox")
    text = repr(msgspec.structs.asdict(mine))
    assert str(live.data_dir) not in text
    assert "U0000001" not in text
