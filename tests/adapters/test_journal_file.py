"""A journal that is not what it was is refused, never replaced by an empty one."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.core.errors import ConfigError, JournalError
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from ibkr_trader.core.ids import is_install
from tests.adapters.journal_parts import NOW, note, open_journal, order, submit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


def test_files_and_folders_are_private(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note()])
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes) == {"journal.db", "journal.db-wal", "journal.db-shm", "journal.db-head"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_prefix_is_drawn_within_its_family_once(path: Path, tmp_path: Path) -> None:
    with open_journal(path, family="k7qav") as journal:
        first = journal.state.install
    with open_journal(path, family="other") as journal:
        assert journal.state.install == first
    with open_journal(tmp_path / "sim2" / "journal.db", family="k7qav") as journal:
        second = journal.state.install
    assert first[:5] == second[:5] == "k7qav"
    assert first != second
    assert is_install(first)
    assert len(first) == len(second) == 9


def test_a_readable_file_is_made_private(path: Path) -> None:
    open_journal(path).close()
    path.chmod(0o644)
    open_journal(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    open_journal(path).close()
    elsewhere = tmp_path / "elsewhere.db"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="link"):
        open_journal(path)


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_mark_that_is_no_file_is_refused(path: Path, tmp_path: Path, is_folder: bool) -> None:
    open_journal(path).close()
    mark = path.with_name("journal.db-head")
    mark.unlink()
    if is_folder:
        mark.mkdir()
    else:
        mark.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is not a file" if is_folder else "is a link"):
        open_journal(path)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_others_can_write_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)
    with pytest.raises(ConfigError, match="other users"):
        open_journal(path)


def test_an_empty_file_is_damage_not_a_new_journal(path: Path) -> None:
    open_journal(path).close()
    os.truncate(path, 0)
    with pytest.raises(JournalError, match="damaged: the file is empty"):
        open_journal(path)
    assert path.stat().st_size == 0


def test_a_lost_file_is_damage_while_its_companions_remain(path: Path) -> None:
    open_journal(path).close()
    path.unlink()
    with pytest.raises(JournalError, match=r"journal\.db-head is still there"):
        open_journal(path)


def test_a_lost_write_ahead_log_is_noticed(path: Path, tmp_path: Path) -> None:
    with open_journal(path) as journal:
        journal.append([note()])
        copy = tmp_path / "copy"
        shutil.copytree(path.parent, copy)  # as kill -9 would leave it
    copy.chmod(0o700)
    (copy / "journal.db-wal").unlink()
    with pytest.raises(JournalError, match=r"missing|damaged"):
        open_journal(copy / "journal.db")


def test_an_older_copy_of_the_file_alone_is_noticed(path: Path, tmp_path: Path) -> None:
    open_journal(path).close()
    shutil.copy(path, tmp_path / "backup.db")
    with open_journal(path) as journal:
        journal.append([note()])
    shutil.copy(tmp_path / "backup.db", path)
    with pytest.raises(JournalError, match="records 2 to 3 are missing"):
        open_journal(path)


def test_another_journal_in_its_place_is_noticed(path: Path, tmp_path: Path) -> None:
    open_journal(path).close()
    open_journal(tmp_path / "other" / "journal.db").close()
    shutil.copy(tmp_path / "other" / "journal.db", path)
    with pytest.raises(JournalError, match="record 1 is not the one that was written"):
        open_journal(path)


@pytest.mark.parametrize("line", ["nonsense", "00000000000000000001 abc\n", "\xff" * 90])
def test_an_unreadable_mark_is_said(path: Path, line: str) -> None:
    open_journal(path).close()
    path.with_name("journal.db-head").write_bytes(line.encode("latin-1"))
    with pytest.raises(JournalError, match="mark"):
        open_journal(path)


def test_a_garbage_file_is_refused_and_left_alone(path: Path) -> None:
    open_journal(path).close()
    garbage = os.urandom(8192)
    path.write_bytes(garbage)
    with pytest.raises(JournalError, match="damaged"):
        open_journal(path)
    assert path.read_bytes() == garbage


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("healthy") / "journal.db"
    with open_journal(path) as journal:
        for number in range(1, 25):
            spec = order(journal.state.install, number, number)
            journal.append([submit(spec), note("x" * 100)])
            journal.append([NewOrderEvent(at=NOW, order_id=spec.order_id, spec=spec)])
            alive = (order(journal.state.install, 1, 1).order_id, spec.order_id)
            if number % 10 == 0:
                journal.append([CheckpointEvent(at=NOW, live=alive)])
    path.with_name("journal.db-head").chmod(0o600)
    return path


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_flipped_bit_or_a_cut_is_noticed_or_harmless(healthy: Path, data: st.DataObject) -> None:
    """Whatever happens to the file, no wrong message and no wrong number comes out of it."""
    good = bytearray(healthy.read_bytes())
    copy = healthy.with_name("copy.db")
    at = data.draw(st.integers(0, len(good) - 1))
    if data.draw(st.booleans()):
        good[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del good[at:]
    for leftover in healthy.parent.glob("copy.db*"):
        leftover.unlink()
    copy.write_bytes(good)
    shutil.copy(healthy.with_name("journal.db-head"), healthy.with_name("copy.db-head"))
    with open_journal(healthy, read_only=True) as original:
        expected, state = list(original.messages()), original.state
        resumed = list(original.resume())
    try:
        with open_journal(copy, read_only=True) as journal:
            assert journal.state == state
            assert list(journal.resume()) == resumed
            assert list(journal.messages()) == expected
    except JournalError:
        pass
