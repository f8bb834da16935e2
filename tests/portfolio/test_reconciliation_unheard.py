"""An entry that filled on a day nobody listened: what it left says what it traded.

The broker forgets executions at midnight, but takes an entry's exits away with it. If they
still work, the entry has traded.
"""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import GroupId
from ibkr_trader.orders.bracket_orders import bracket_of
from ibkr_trader.orders.group import OrderGroup
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.reconciliation import reconcile
from ibkr_trader.portfolio.snapshot import BrokerSnapshot
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import AT, accepted, bracket_specs, later, written
from tests.portfolio.stage import ENTRY, S, held, settle, snapshot, status, theirs

TOMORROW = later(24 * 3600)
PARTS = bracket_specs()
HISTORY = [
    ev.SyncEvent(at=AT, epoch=1, positions=()),
    *(written(part, kind="bracket") for part in PARTS),
    *(accepted(part, perm_id=9000 + number) for number, part in enumerate(PARTS)),
]


def morning(quantity: int, *, exits: bool = True) -> BrokerSnapshot:
    """Return the next day's state: the entry is gone, its exits may work, so much is held."""
    _, target, stop = PARTS
    working = (theirs(target, perm_id=9001), theirs(stop, perm_id=9002)) if exits else ()
    return snapshot(*working, at=TOMORROW, positions=(held(quantity),))


@pytest.mark.parametrize(
    ("quantity", "end", "traded"),
    [(10, S.FILLED, 10), (25, S.FILLED, 10), (4, S.EXPIRED, 4), (0, S.EXPIRED, 0),
     (-10, S.EXPIRED, 0)],
)  # fmt: skip
def test_what_it_traded_is_what_is_held_and_at_most_its_size(
    quantity: int, end: S, traded: int
) -> None:
    after, _ = settle(fold(HISTORY), morning(quantity))
    entry = after.closed[ENTRY]
    assert (entry.status, int(entry.reported_filled)) == (end, traded)


def test_without_its_exits_it_may_have_been_cancelled() -> None:
    after, _ = settle(fold(HISTORY), morning(10, exits=False))
    assert status(after, ENTRY) is S.EXPIRED
    assert after.closed[ENTRY].reported_filled == 0


def test_its_group_keeps_the_exits() -> None:
    group: OrderGroup = bracket_of(GroupId("memo-1"), PARTS, {})
    outcome = reconcile(fold(HISTORY), morning(10), Evidence())
    asked: list[str] = []
    for event in (*HISTORY, *outcome.events):
        step = group.react(event)
        group = step.group
        asked += [type(command).__name__ for command in step.commands]
    assert asked == []
