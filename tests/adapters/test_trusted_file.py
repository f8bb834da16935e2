"""What is believed of a file that a person keeps, and how a change of it shows."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ibkr_trader.adapters import trusted_file
from ibkr_trader.adapters.trusted_file import mark_of, read_trusted

MOST = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kept.json"
    path.write_bytes(b"{}")
    path.chmod(0o600)
    os.utime(path, ns=(1, 1))
    return path


def why(path: Path, *, is_ours_alone: bool = False) -> str:
    found = read_trusted(path, MOST, is_ours_alone=is_ours_alone)
    assert bool(found.why) is not bool(found.data)
    return found.why


def test_a_file_of_ours_is_read_whole(path: Path) -> None:
    assert read_trusted(path, MOST) == (b"{}", mark_of(path), "")
    assert read_trusted(path, MOST, is_ours_alone=True).data == b"{}"
    path.write_bytes(b"x" * MOST)
    assert len(read_trusted(path, MOST).data) == MOST


def test_a_missing_file_is_no_fault(path: Path) -> None:
    path.unlink()
    assert mark_of(path) is None
    with pytest.raises(FileNotFoundError):
        read_trusted(path, MOST)


@pytest.mark.parametrize(
    ("mode", "loosely", "strictly"),
    [
        (0o600, "", ""),
        (0o644, "", "has mode 0644, and only 0600 is trusted"),
        (0o640, "", "has mode 0640, and only 0600 is trusted"),
        (0o400, "", "has mode 0400, and only 0600 is trusted"),
        (
            0o602,
            "can be written by everybody: take that away with chmod o-w",
            "has mode 0602, and only 0600 is trusted",
        ),
    ],
)
def test_the_mode_decides(mode: int, loosely: str, strictly: str, path: Path) -> None:
    path.chmod(mode)
    assert (why(path), why(path, is_ours_alone=True)) == (loosely, strictly)


def test_links_and_second_names(path: Path) -> None:
    link, second = path.with_name("link"), path.with_name("second")
    link.symlink_to(path)
    assert "is a link, and links are not followed" in why(link)
    os.link(path, second)
    assert why(second) == ""
    assert "is no file of its own" in why(second, is_ours_alone=True)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert why(tmp_path / "pipe") == why(tmp_path) == "is no file"


def test_a_strangers_file_is_not_believed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    stranger = f"belongs to another user (uid {owner}) and is not trusted"
    assert why(path) == ("" if owner == 0 else stranger)  # root's is believed
    assert why(path, is_ours_alone=True) == stranger


def test_a_file_that_is_too_large_or_grows_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"x" * (MOST + 1))
    assert "is larger than 100 bytes" in why(path)
    path.write_bytes(b"{}")

    def grow(*_: object, **__: object) -> str:
        path.write_bytes(b"x" * (MOST + 1))
        return ""

    monkeypatch.setattr(trusted_file, "_untrusted", grow)
    assert "is larger than 100 bytes" in why(path)


def test_a_disk_that_fails_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail)
    assert why(path) == "cannot be read: Input/output error"


def test_a_path_that_leads_nowhere_has_a_mark_and_a_reason(path: Path) -> None:
    below = path / "kept.json"
    assert mark_of(below) == ("unreadable", errno.ENOTDIR)
    assert why(below) == "cannot be read: Not a directory"


def test_whoever_changes_it_changes_its_mark(path: Path) -> None:
    marks = [mark_of(path)]
    path.chmod(0o666)
    marks.append(mark_of(path))
    path.write_bytes(b"{ }")
    marks.append(mark_of(path))
    assert len(set(marks)) == 3


def test_what_was_written_just_now_is_read_again(path: Path) -> None:
    """A second write within one step of the disk's clock would leave no trace in its times."""
    path.write_bytes(b"{}")
    assert read_trusted(path, MOST).mark != mark_of(path)
    os.utime(path, ns=(1, 1))
    assert read_trusted(path, MOST).mark == mark_of(path)
