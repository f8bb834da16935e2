"""The machine's part: each finding on a machine where it is so, as far as one can be had."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.cli import machine_checkup
from ibkr_trader.cli.checkup import Check, Findings
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.machine_checkup import examine_machine
from ibkr_trader.config import Settings, load


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load({"profile": "sim", "data_dir": str(tmp_path)})
    tmp_path.chmod(0o700)
    found.place.folder.mkdir(mode=0o700)
    (found.place.folder / "journal.db").touch(mode=0o600)
    return found


def examined(settings: Settings) -> dict[str, Check]:
    found = Findings()
    examine_machine(settings, found)
    assert (found.exit is Exit.DONE) == all(one.state != "FAIL" for one in found.checks)
    return {one.name: one for one in found.checks}


def test_a_machine_in_order(settings: Settings) -> None:
    found = examined(settings)
    assert set(found) == {
        *("disk space", "durable writes", "file permissions", "time zones", "client library"),
    }
    assert {one.state for one in found.values()} <= {"ok", "warn"}
    assert found["file permissions"].state == "ok"
    assert found["time zones"].text == "America/New_York is known, with summer time"
    assert " ms for a page" in found["durable writes"].text
    assert [path.name for path in settings.place.folder.iterdir()] == ["journal.db"]


@pytest.mark.parametrize(("mode", "state"), [(0o640, "warn"), (0o660, "FAIL"), (0o602, "FAIL")])
def test_a_file_that_others_can_reach(settings: Settings, mode: int, state: str) -> None:
    path = settings.place.folder / "journal.db"
    path.chmod(mode)
    check = examined(settings)["file permissions"]
    assert (check.state, check.text.split(" and ")[0]) == (state, f"{path} has mode {mode:04o}")
    assert check.fix.endswith(f"chmod -R go-rwx {settings.data_dir}")


def test_what_somebody_can_write_in_comes_first(settings: Settings) -> None:
    (settings.place.folder / "journal.db").chmod(0o640)
    other = settings.place.folder / "z"
    other.touch()
    other.chmod(0o666)
    check = examined(settings)["file permissions"]
    assert check.state == "FAIL"
    assert str(other) in check.text
    assert "; 2 like it" in check.text


def test_a_strangers_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert examined(settings)["file permissions"].state == "FAIL"


def test_a_disk_that_is_nearly_full(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=99_000_000))
    check = examined(settings)["disk space"]
    assert (check.state, check.text) == ("FAIL", "99 MB are free; 100 MB are needed")
    roomy = msgspec.structs.replace(settings.risk, min_disk_free=99_000_000)
    assert examined(msgspec.structs.replace(settings, risk=roomy))["disk space"].state == "ok"


def test_a_folder_that_cannot_be_written(settings: Settings) -> None:
    gone = msgspec.structs.replace(settings, data_dir=settings.data_dir / "sim" / "journal.db")
    found = Findings()
    machine_checkup._durability(gone.place.folder, found)
    (check,) = found.checks
    assert (check.name, check.state) == ("durable writes", "FAIL")


def test_a_slow_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checkup, "_SLOW_WRITE", -1.0)
    assert examined(settings)["durable writes"].state == "warn"


def test_zones_that_are_missing_or_wrong(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_checkup, "NEW_YORK", "Nowhere/Atall")
    assert "is unknown" in examined(settings)["time zones"].text
    monkeypatch.setattr(machine_checkup, "ZoneInfo", lambda _: ZoneInfo("UTC"))
    assert "has odd hours" in examined(settings)["time zones"].text


def test_another_version_of_the_library(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_checkup, "version", lambda _: "1.0")
    check = examined(settings)["client library"]
    if settings.client_library == "ib_insync":
        assert (check.state, check.fix) == ("warn", "pip install ib_insync==0.9.86")
    absent = msgspec.structs.replace(settings, client_library="no-such-library")
    monkeypatch.undo()
    assert examined(absent)["client library"].text == "no-such-library says no version"


def test_the_limit_is_a_number_of_bytes(settings: Settings) -> None:
    assert settings.risk.min_disk_free == Decimal(100_000_000)
