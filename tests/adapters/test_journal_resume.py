"""What a restart reads, where the indexes that lead it there are damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters.journal_audit import audit
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from ibkr_trader.core.models import OrderId
from tests.adapters.journal_parts import NOW, note, open_journal, order, submit

PAGE = 4096
BY_ORDER, CHECKPOINTS = 4, 5  # the pages of the two indexes; each has one
BITS = tuple(1 << bit for bit in range(8))


def written(path: Path) -> None:
    """Write two orders, a checkpoint at which both live, and a little more."""
    with open_journal(path) as journal:
        specs = [order(journal.state.install, number, number) for number in (1, 2)]
        for spec in specs:
            new = NewOrderEvent(at=NOW, order_id=spec.order_id, spec=spec)
            journal.append([submit(spec), new, new])
        live = tuple(OrderId(name) for one in specs for name in (one.group_id, one.order_id))
        journal.append([CheckpointEvent(at=NOW, live=live)])
        journal.append([note("afterwards")])


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("healthy") / "sim" / "journal.db"
    written(path)
    return path


def resumed(path: Path) -> list[object] | None:
    """What a start is given; None if the journal is refused."""
    try:
        with open_journal(path, read_only=True) as journal:
            return list(journal.resume())
    except JournalError:
        return None


def damaged(
    healthy: Path, folder: Path, page: int, masks: tuple[int, ...]
) -> Iterator[tuple[int, Path]]:
    """Yield the journal with one byte of that page turned so, for each that is not empty."""
    content = healthy.read_bytes()
    first = (page - 1) * PAGE
    for at in range(first, first + PAGE):
        for mask in masks if content[at] else ():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(healthy.parent, folder)
            other = folder / healthy.name
            other.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
            yield at, other


@pytest.mark.parametrize(("page", "masks"), [(BY_ORDER, (0xFF,)), (CHECKPOINTS, BITS)])
def test_a_byte_of_an_index_is_noticed_or_what_is_read_is_what_was_written(
    healthy: Path, tmp_path: Path, page: int, masks: tuple[int, ...]
) -> None:
    truth, noticed = resumed(healthy), 0
    assert truth is not None
    assert len(truth) == 8
    for at, path in damaged(healthy, tmp_path / "damaged", page, masks):
        found = resumed(path)
        assert found is None or found == truth or _is_more(found, truth), at
        noticed += found is None
    assert noticed > 5


def _is_more(found: list[object], truth: list[object]) -> bool:
    """Whether it is read from further back: slower, and nothing is missing."""
    return [one for one in found if one in truth] == truth


def test_a_journal_of_an_older_version_says_nothing_of_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_before: Callable[..., object] = lambda header, *_, **__: header  # noqa: E731
    monkeypatch.setattr("ibkr_trader.adapters.journal.noted", as_before)
    path = tmp_path / "sim" / "journal.db"
    written(path)
    found = resumed(path)
    assert found is not None
    assert len(found) == 8
    assert not audit(path).faults
