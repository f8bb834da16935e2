"""The flag file: whatever lies there halts, and only the one that was seen is taken away."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from ibkr_trader.adapters.kill_flag import NAME, HaltFile
from ibkr_trader.execution.ports import KillNote


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / NAME


@pytest.fixture
def flag(path: Path) -> HaltFile:
    path.parent.mkdir()
    return HaltFile(path)


def seen(flag: HaltFile) -> KillNote:
    note = flag.seen()
    assert note is not None
    return note


def test_without_a_file_nothing_is_halted(flag: HaltFile) -> None:
    assert (flag.reason(), flag.seen()) == ("", None)


def test_what_is_put_there_is_read_by_the_next(flag: HaltFile, path: Path) -> None:
    assert flag.put("odd fills", origin="cli", by="me", at="now", keeps_entries=True) == ""
    note = seen(HaltFile(path))
    assert (note.reason, note.origin, note.keeps_entries) == ("odd fills", "cli", True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]  # nothing half made is left


def test_the_folder_is_made_if_it_is_missing(path: Path) -> None:
    assert HaltFile(path).put("early", origin="cli") == ""
    assert HaltFile(path).reason() == "early"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file HALT is there"),
        (b"  \n", "the file HALT is there"),
        (b"fed day\n", "fed day"),
        (b'{"reason": 7}', '{"reason": 7}'),
        (b'{"reason":"","origin":""}', "the file HALT"),
        (b"\x1b[31mred\x00\xff\xe2\x80\xae", "[31mred�"),
        (b"x" * 1_000_000, "x" * 199 + "…"),
        (b'{"reason": "half', '{"reason": "half'),
    ],
)
def test_any_content_halts(flag: HaltFile, path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    assert flag.reason() == reason
    assert seen(flag).keeps_entries is False
    assert seen(flag).origin == "the file HALT"


def a_link(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def a_link_to_a_file(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("a secret")
    path.symlink_to(other)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def unreadable(path: Path) -> None:
    path.touch(mode=0o000)


@pytest.mark.parametrize("make", [a_link, a_link_to_a_file, a_folder, a_pipe, unreadable])
def test_whatever_lies_there_halts_and_can_be_taken_away(
    flag: HaltFile, path: Path, make: object
) -> None:
    assert callable(make)
    make(path)
    assert flag.reason() == "the file HALT is there"
    assert flag.remove(seen(flag)) == ""
    assert flag.reason() == ""
    assert not os.path.lexists(path)


def test_what_cannot_be_looked_for_halts(flag: HaltFile, path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("not a folder")
    assert "cannot be looked for: Not a directory" in flag.reason()
    assert seen(flag).mark == ()


def test_a_change_is_seen_and_its_absence_too(flag: HaltFile, path: Path) -> None:
    flag.put("one", origin="cli")
    assert flag.reason() == "one"
    flag.put("two", origin="cli")
    assert flag.reason() == "two"
    path.unlink()
    assert flag.reason() == ""


def test_of_two_halts_the_stricter_stays(flag: HaltFile) -> None:
    flag.put("all of it", origin="cli")
    flag.put("softly", origin="cli", keeps_entries=True)
    assert seen(flag).keeps_entries is False
    flag.put("once more", origin="cli")
    assert seen(flag).keeps_entries is False


@pytest.mark.parametrize("newer", ["put", "touch", "replace"])
def test_a_newer_flag_is_not_taken_away(flag: HaltFile, path: Path, newer: str) -> None:
    flag.put("the first", origin="cli")
    old = seen(flag)
    if newer == "put":
        HaltFile(path).put("the first", origin="cli")
    elif newer == "touch":
        os.utime(path, ns=(1, old.mark[2] + 1))
    else:
        path.unlink()
        path.touch()
    assert "somebody has halted again meanwhile" in flag.remove(old)
    assert path.exists()
    assert flag.reason() != ""
    assert [one.name for one in path.parent.iterdir()] == [NAME]


def test_one_put_there_while_another_is_taken_away_stays(
    flag: HaltFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag.put("the first", origin="cli")
    old, rename = seen(flag), os.rename

    def late(source: Path, target: Path) -> None:
        rename(source, target)
        monkeypatch.setattr(os, "rename", rename)
        flag.put("the second", origin="SIGUSR1")

    monkeypatch.setattr(os, "rename", late)
    assert flag.remove(old) == ""
    assert flag.reason() == "the second"


def test_a_folder_with_something_in_it_stays_and_halts(flag: HaltFile, path: Path) -> None:
    path.mkdir()
    (path / "inside").touch()
    assert "cannot be removed: Directory not empty" in flag.remove(seen(flag))
    assert flag.reason() != ""
    assert flag.put("by hand", origin="cli") == ""  # it is there, so it halts


def test_what_is_gone_already_is_gone(flag: HaltFile, path: Path) -> None:
    flag.put("odd", origin="cli")
    note = seen(flag)
    path.unlink()
    assert flag.remove(note) == ""


def test_a_full_disk_has_room_for_a_name(
    flag: HaltFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    assert flag.put("odd", origin="cli") == ""
    assert flag.reason() == "the file HALT is there"
    assert [one.name for one in path.parent.iterdir()] == [NAME]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    trouble = HaltFile(blocked / NAME).put("odd", origin="cli")
    assert trouble.endswith(f"{NAME} cannot be written: File exists")


def test_it_is_on_disk_before_it_returns(
    flag: HaltFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(path.exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    flag.put("odd", origin="cli")
    assert synced == [False, True]  # the content before the name, and then the name


@pytest.mark.parametrize("is_there", [True, False])
def test_a_look_costs_next_to_nothing(flag: HaltFile, *, is_there: bool) -> None:
    if is_there:
        flag.put("odd", origin="cli")
    flag.reason()
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(1_000):
            flag.reason()
        best = min(best, time.perf_counter() - began)
    assert best / 1_000 < 20e-6, "the goal is 3 µs on a quiet machine; see bench_risk"
