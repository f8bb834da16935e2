"""The highest epoch seen survives, and a file that cannot be trusted is not taken for none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.adapters.lease_memory import EpochMemory, MemoryUnusable

KEY = "lease:{SIM0000001}"


def test_an_epoch_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "epoch"
    assert EpochMemory(path, KEY).highest() == 0
    EpochMemory(path, KEY).note(41)
    EpochMemory(path, KEY).note(42)
    assert EpochMemory(path, KEY).highest() == 42
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"42", b"42 \n", b"-1 k\n", b"x k\n", b"1 k\nmore", b"\xff k\n", b"1" * 19 + b" k\n"],
)
def test_a_damaged_file_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "epoch"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MemoryUnusable, match="damaged") as refused:
        EpochMemory(path, "k").highest()
    assert refused.value.hint


def test_what_was_noted_is_read_again_however_long_its_key(tmp_path: Path) -> None:
    key = "k" * 200
    EpochMemory(tmp_path / "epoch", key).note(42)
    assert EpochMemory(tmp_path / "epoch", key).highest() == 42


def test_another_leases_file_is_not_ours(tmp_path: Path) -> None:
    EpochMemory(tmp_path / "epoch", "one").note(1)
    with pytest.raises(MemoryUnusable, match="lease one"):
        EpochMemory(tmp_path / "epoch", "two").highest()


def test_a_file_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    (tmp_path / "is_folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "is_folder", tmp_path / "link", tmp_path / ("a" * 300)):
        with pytest.raises(MemoryUnusable):
            EpochMemory(path, KEY).highest()
    with pytest.raises(MemoryUnusable):
        EpochMemory(tmp_path / "nowhere" / "epoch", KEY).note(1)
