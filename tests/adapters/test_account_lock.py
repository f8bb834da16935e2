"""Two processes never trade one account, and a dead one never blocks a living."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ibkr_trader.adapters.account_lock import (
    AccountLock,
    Holder,
    account_path,
    holder,
    lock_paths,
    runtime_folder,
)
from ibkr_trader.core.errors import AccountLocked, ConfigError

HOLD = """
import sys
from pathlib import Path
from ibkr_trader.adapters.account_lock import AccountLock
with AccountLock(*map(Path, sys.argv[1:])).acquire():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(*paths: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, *map(str, paths)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "account.lock"


def test_it_is_held_until_released(path: Path) -> None:
    lock = AccountLock(path)
    assert not lock.is_held
    with lock.acquire():
        assert lock.is_held
        assert holder(path) == Holder(pid=os.getpid(), command=own_command())
    assert not lock.is_held
    assert holder(path) is None
    lock.release()


def own_command() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]


def test_another_process_is_named(path: Path) -> None:
    waited: list[Holder] = []
    with held_elsewhere(path) as process:
        with pytest.raises(AccountLocked, match=rf"process {process.pid} \(-c .*account.lock\)"):
            AccountLock(path).acquire(timeout=0.12, on_wait=waited.append)
        assert [one.pid for one in waited] == [process.pid]  # told once


def test_kill_9_frees_it(path: Path) -> None:
    with held_elsewhere(path) as process:
        process.kill()
        process.wait()
        with AccountLock(path).acquire() as lock:
            assert lock.is_held


def test_it_waits_for_the_holder_to_end(path: Path) -> None:
    with held_elsewhere(path) as process:

        def end(_: Holder) -> None:
            process.kill()
            process.wait()

        AccountLock(path).acquire(timeout=20, on_wait=end).release()


def test_a_holder_that_will_stay_is_not_waited_for(path: Path) -> None:
    answers = iter([False, False, True])
    with held_elsewhere(path) as process, pytest.raises(AccountLocked, match=str(process.pid)):
        AccountLock(path).acquire(timeout=50, is_vain=lambda: next(answers))
    assert list(answers) == []


def test_all_of_its_files_or_none(tmp_path: Path) -> None:
    mine, shared = tmp_path / "a" / "x.lock", tmp_path / "b" / "y.lock"
    with held_elsewhere(shared):
        with pytest.raises(AccountLocked):
            AccountLock(mine, shared).acquire()
        assert holder(mine) is None


@pytest.mark.parametrize("note", [b"", b"\xff\x00garbage", b'{"pid":"x"}', b"x" * 10_000])
def test_a_stale_or_garbled_file_never_blocks(path: Path, note: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(note)
    with AccountLock(path).acquire():
        assert holder(path) == Holder(pid=os.getpid(), command=own_command())


def test_an_unknown_holder_is_another_process(path: Path) -> None:
    with held_elsewhere(path):
        path.write_bytes(b"garbage")
        with pytest.raises(AccountLocked, match="another process is trading"):
            AccountLock(path).acquire()


def test_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="link"):
        AccountLock(path).acquire()


def test_a_folder_is_refused(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)
    path.parent.chmod(0o700)
    with pytest.raises(ConfigError, match="is not a file"):
        AccountLock(path).acquire()
    with pytest.raises(ConfigError, match="is not a file"):
        holder(path)


def test_nobody_holds_what_does_not_exist(path: Path) -> None:
    assert holder(path) is None


def test_the_runtime_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert runtime_folder() == Path("/run/user/1000/ibkr-trader")


def test_an_endpoint_has_one_file_however_it_is_spelled(tmp_path: Path) -> None:
    data, runtime = tmp_path / "data", tmp_path / "run"
    one = lock_paths(data, runtime, endpoint=("127.0.0.1", 7497, 1))
    assert one[0] == data / "account.lock"
    assert one == lock_paths(data, runtime, endpoint=("localhost", 7497, 1))
    others = {
        lock_paths(data, runtime, endpoint=endpoint)[1]
        for endpoint in (("127.0.0.1", 7497, 2), ("127.0.0.1", 7496, 1), ("10.0.0.1", 7497, 1))
    }
    assert len(others | {one[1]}) == 4


def test_an_account_at_a_gateway_has_one_file_and_no_name(tmp_path: Path) -> None:
    one = account_path(tmp_path, endpoint=("127.0.0.1", 7497), account="DU0000000")
    assert one == account_path(tmp_path, endpoint=("LOCALHOST", 7497), account="DU0000000")
    assert one != account_path(tmp_path, endpoint=("127.0.0.1", 7496), account="DU0000000")
    assert one != account_path(tmp_path, endpoint=("127.0.0.1", 7497), account="DU0000001")
    assert "DU0000000" not in one.name
