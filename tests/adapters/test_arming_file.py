"""The arming file counts only as it was written: by us, whole, for this desk and this boot."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters import arming_file
from ibkr_trader.adapters.arming_file import (
    ARMING_FILE,
    ArmingFile,
    Binding,
    ConfigFile,
    digest_of,
    machine_uptime,
    this_boot,
    this_host,
)
from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.execution.arming_watch import Lease

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
BINDING = Binding(
    profile="live", account="U0000000", config="abc", host="here", boot="boot-1", uid=os.geteuid()
)
LEASE = Lease(until=NOW + timedelta(hours=8), deadline=1000.0 + 8 * 3600, waived=("order size",))


class Machine:
    """One machine with its clocks, and the file in one of its folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / ARMING_FILE
        self.clock = ManualClock(NOW)
        self.up = 1000.0
        self.config = ConfigFile(None, "")

    def file(self, **changes: object) -> ArmingFile:
        return ArmingFile(
            self.folder,
            binding=msgspec.structs.replace(BINDING, **changes),
            config=self.config,
            clock=self.clock,  # type: ignore[arg-type] # it tells the time
            uptime=lambda: self.up,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    one = Machine(tmp_path)
    one.file().write(LEASE)
    return one


def test_it_is_read_as_it_was_written(machine: Machine) -> None:
    assert machine.file().read() == LEASE
    assert machine.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in machine.folder.iterdir()] == [ARMING_FILE]
    machine.file().write(LEASE)  # again, in its place
    machine.file().remove()
    assert machine.file().read() == ""
    machine.file().remove()


def test_every_flipped_bit_is_noticed(machine: Machine) -> None:
    whole = machine.path.read_bytes()
    for place in range(len(whole) - 1):  # the last byte is the line's end
        for bit in (0x01, 0x10, 0x80):
            flipped = bytearray(whole)
            flipped[place] ^= bit
            machine.path.write_bytes(bytes(flipped))
            assert isinstance(machine.file().read(), str), (place, bit)
    machine.path.write_bytes(whole)
    assert machine.file().read() == LEASE


@pytest.mark.parametrize("length", [0, 1, 50, 300])
def test_a_half_of_it_is_none(machine: Machine, length: int) -> None:
    machine.path.write_bytes(machine.path.read_bytes()[:length])
    assert machine.file().read() == f"{machine.path} is damaged"


def test_a_longer_time_written_by_hand_is_noticed(machine: Machine) -> None:
    page = json.loads(machine.path.read_bytes())
    page["lease"]["until"] = "2027-01-01T00:00:00Z"
    machine.path.write_text(json.dumps(page))
    assert machine.file().read() == f"{machine.path} is damaged"


def test_even_sealed_it_is_for_twelve_hours_at_most(machine: Machine) -> None:
    long = Lease(until=NOW + timedelta(hours=13), deadline=1e9)
    machine.file().write(long)
    assert "is for longer than 12:00:00" in str(machine.file().read())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o400, 0o700])
def test_another_mode_is_not_trusted(machine: Machine, mode: int) -> None:
    machine.path.chmod(mode)
    assert machine.file().read() == (
        f"{machine.path} has mode {mode:04o}, and only 0600 is trusted"
    )
    assert machine.path.stat().st_mode & 0o777 == mode, "and nobody mends it"


def test_links_are_not_followed(machine: Machine) -> None:
    real = machine.folder / "elsewhere"
    machine.path.rename(real)
    machine.path.symlink_to(real)
    assert "is a link" in str(machine.file().read())
    machine.path.unlink()
    os.link(real, machine.path)
    assert f"{machine.path} is no file of its own" in str(machine.file().read())
    machine.path.unlink()
    os.mkfifo(machine.path, 0o600)
    assert machine.file().read() == f"{machine.path} is no file"
    machine.path.unlink()
    machine.path.mkdir()
    assert isinstance(machine.file().read(), str)


def test_a_strangers_file_is_not_ours(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert "belongs to another user" in str(machine.file().read())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"profile": "paper"}, "it was made for another profile"),
        ({"account": "U0000001"}, "it was made for another account"),
        ({"config": "xyz"}, "the configuration was changed"),
        ({"host": "there"}, "it was made on another machine"),
        ({"boot": "boot-2"}, "the machine was started again"),
        ({"uid": -1}, "it was made by another user"),
    ],
)
def test_it_is_for_one_desk_on_one_run_of_one_machine(
    machine: Machine, change: dict[str, object], why: str
) -> None:
    assert machine.file(**change).read() == why


@pytest.mark.parametrize(
    ("wall", "up", "why"),
    [
        (8 * 3600 - 1, 8 * 3600 - 1, None),
        (8 * 3600, 10, "the armed time is over"),
        (10, 8 * 3600, "the armed time is over"),
        (-3600, 10, "the machine's clock was set back"),
        (10, -1, "the machine's clock was set back"),
    ],
)
def test_it_ends_by_either_clock(machine: Machine, wall: float, up: float, why: str | None) -> None:
    machine.clock.jump(NOW + timedelta(seconds=wall))
    machine.up += up
    assert machine.file().read() == (why or LEASE)


def test_a_changed_configuration_file_is_noticed(machine: Machine) -> None:
    path = machine.folder / "config.toml"
    path.write_text("allow_live = true\n")
    machine.config = ConfigFile(path, digest_of(path))
    assert machine.file().changed() == ""
    path.write_text("allow_live = true\n# and a remark\n")
    assert machine.file().changed() == f"{path} was changed since it was read"
    path.unlink()
    assert "was changed" in machine.file().changed()
    assert (digest_of(None), digest_of(path)) == ("", "")


def test_what_cannot_be_kept_or_removed_is_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="cannot be written"):
        machine.file().write(LEASE)
    machine.folder.mkdir()
    machine.path.mkdir()
    with pytest.raises(ConfigError, match="cannot be removed") as refused:
        machine.file().remove()
    assert refused.value.hint == f"rm {machine.path}"
    with pytest.raises(ConfigError, match="cannot be written"):
        machine.file().write(LEASE)
    assert [path.name for path in machine.folder.iterdir()] == [ARMING_FILE]


def test_a_machine_that_does_not_tell_its_starts_apart_keeps_nothing(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="does not say when it was started"):
        machine.file(boot="").write(LEASE)


def test_this_machine_has_a_name_and_tells_its_starts_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert this_host()
    assert this_boot() == this_boot() != ""
    assert 0 < machine_uptime() <= machine_uptime()
    monkeypatch.setattr(arming_file, "_MACHINE_ID", tmp_path / "none")
    monkeypatch.setattr(arming_file, "_BOOT_ID", tmp_path / "none")
    assert this_host()
    assert isinstance(this_boot(), str)
