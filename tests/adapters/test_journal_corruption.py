"""S31: one byte that is not what it was, in any of the journal's files, is noticed or harmless.

Harmless means that what a desk is given is what was written: the same messages, the same numbers.
Positions are drawn with a seed, over every file alike; `every byte` of a small mark is tried.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ibkr_trader.adapters.journal_audit import audit
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from ibkr_trader.execution.ports import JournalState
from tests.adapters.journal_parts import NOW, note, open_journal, order, submit

DRAWS = 60  # of each file
FILES = ("journal.db", "journal.db-000002", "journal.db-000002-wal", "journal.db-head")


class Truth(NamedTuple):
    """A folder as a kill has left it, and what its journal says."""

    folder: Path
    state: JournalState
    resumed: list[object]
    messages: list[object]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    path = tmp_path_factory.mktemp("healthy") / "sim" / "journal.db"
    copy = path.parent.with_name("copy")
    with open_journal(path) as journal:
        install = journal.state.install
        specs = [order(install, number, number) for number in range(1, 5)]
        for spec in specs:
            new = NewOrderEvent(at=NOW, order_id=spec.order_id, spec=spec)
            journal.append([submit(spec), new, note("x" * 100)])
        journal.segment_bytes = 0
        journal.append([CheckpointEvent(at=NOW, live=(specs[0].order_id,))])
        journal.segment_bytes = None
        journal.append([note(str(number)) for number in range(6)])
        shutil.copytree(path.parent, copy)
        shm = copy / "journal.db-000002-shm"
        shm.unlink(missing_ok=True)
        with open_journal(path, read_only=True) as reader:
            return Truth(copy, reader.state, list(reader.resume()), list(reader.messages()))


def damaged(truth: Truth, name: str, content: bytes, tmp_path: Path) -> Path:
    """Return a copy of the journal in which one file is another."""
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(truth.folder, folder)
    (folder / name).chmod(0o600)
    (folder / name).write_bytes(content)
    return folder / "journal.db"


def is_noticed(path: Path, truth: Truth) -> bool:
    """Whether a start or `audit verify` refuses it; if neither does, it must be as it was."""
    try:
        with open_journal(path, read_only=True) as journal:
            given = (journal.state, list(journal.resume()), list(journal.messages()))
    except JournalError:
        return True
    assert given == (truth.state, truth.resumed, truth.messages), path
    return bool(audit(path).faults)


def flips(content: bytes, seed: str) -> Iterator[bytes]:
    drawn = random.Random(seed)  # noqa: S311 - which bits, and the same each time
    for _ in range(DRAWS):
        at, bit = drawn.randrange(len(content)), drawn.randrange(8)
        yield content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_noticed_or_harmless(truth: Truth, name: str, tmp_path: Path) -> None:
    content = (truth.folder / name).read_bytes()
    assert content
    noticed = sum(
        is_noticed(damaged(truth, name, one, tmp_path), truth) for one in flips(content, name)
    )
    assert noticed > DRAWS // 10  # most of a page is empty: what is in it was found


@pytest.mark.parametrize("name", FILES)
def test_a_cut_is_noticed_or_harmless(truth: Truth, name: str, tmp_path: Path) -> None:
    content = (truth.folder / name).read_bytes()
    drawn = random.Random(name)  # noqa: S311 - as above
    cuts = {0, 1, len(content) // 2, len(content) - 1}
    cuts |= {drawn.randrange(len(content)) for _ in range(30)}
    noticed = sum(
        is_noticed(damaged(truth, name, content[:cut], tmp_path), truth) for cut in sorted(cuts)
    )
    assert noticed >= len(cuts) // 2


def test_every_byte_of_the_mark_counts(truth: Truth, tmp_path: Path) -> None:
    """But for its last, the end of the line."""
    content = (truth.folder / "journal.db-head").read_bytes()
    for at in range(len(content) - 1):
        other = content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]
        assert is_noticed(damaged(truth, "journal.db-head", other, tmp_path), truth), at


def test_a_lost_or_empty_file_of_them_is_noticed(truth: Truth, tmp_path: Path) -> None:
    for name in FILES[:3]:
        path = damaged(truth, name, b"", tmp_path)
        path.with_name(name).unlink()
        assert is_noticed(path, truth), name
