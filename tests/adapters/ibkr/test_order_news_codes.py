"""One test for each code of the table: what it does to an order, whatever was asked of it."""

from __future__ import annotations

import pytest

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.error_codes import ERROR_RULES, Kind
from ibkr_trader.adapters.ibkr.order_news import OrderNews
from ibkr_trader.adapters.ibkr.roster import Roster
from ibkr_trader.core import events as ev
from tests.orders.samples import AT, spec

INERT = (ev.WarningEvent,) * 4
# What a code of a kind is evidence of, of an order that is new, works, is changed, is cancelled.
MEANS: dict[Kind, tuple[type[ev.OrderEvent], ...]] = {
    Kind.REJECT: (ev.RejectEvent, ev.RejectEvent, ev.ModifyRejectEvent, ev.RejectEvent),
    Kind.REFUSE: (ev.RejectEvent, ev.WarningEvent, ev.ModifyRejectEvent, ev.CancelRejectEvent),
    Kind.CONFIG: (ev.RejectEvent, ev.WarningEvent, ev.ModifyRejectEvent, ev.CancelRejectEvent),
    Kind.DUPLICATE_ID: (ev.RejectEvent, ev.WarningEvent, ev.WarningEvent, ev.WarningEvent),
    Kind.PACING: (ev.UnknownEvent, ev.WarningEvent, ev.WarningEvent, ev.WarningEvent),
    Kind.CANCELLED: (ev.CancelEvent,) * 4,
    Kind.MODIFY_REFUSED: (ev.ModifyRejectEvent,) * 4,
    Kind.CANCEL_REFUSED: (ev.CancelRejectEvent,) * 4,
}


def evidence(code: int) -> tuple[type[ev.OrderEvent], ...]:
    """What the code is read as, of an order that is new, works, is changed, is cancelled."""
    found: list[type[ev.OrderEvent]] = []
    for situation in ("new", "works", "changed", "cancelled"):
        roster = Roster(install="memo", client_id=1)
        entry = roster.add(spec(), parent_number=0)
        entry.is_acked = situation != "new"
        entry.wanted = spec(limit_price=None) if situation == "changed" else None
        entry.is_cancelling = situation == "cancelled"
        report = m.ErrorReport(request_id=entry.number, code=code, text=f"text of {code}")
        (event,) = OrderNews(roster, now=lambda: AT).error(entry, report)
        assert f"text of {code}" in getattr(event, "reason", "")
        found.append(type(event))
    return tuple(found)


@pytest.mark.parametrize("code", ERROR_RULES)
def test_a_code_is_read_as_its_kind_says(code: int) -> None:
    assert evidence(code) == MEANS.get(ERROR_RULES[code].kind, INERT)


def test_a_number_used_before_is_the_answer_to_a_change_that_came_too_late() -> None:
    """The order ended as its change was on the way: TWS takes that for a new one."""
    roster = Roster(install="memo", client_id=1)
    entry = roster.add(spec(), parent_number=0)
    entry.is_acked = entry.is_closed = True
    entry.wanted = spec(limit_price=None)
    report = m.ErrorReport(request_id=entry.number, code=103, text="Duplicate order ID.")
    (event,) = OrderNews(roster, now=lambda: AT).error(entry, report)
    assert isinstance(event, ev.ModifyRejectEvent)
    (event,) = OrderNews(roster, now=lambda: AT).error(entry, report)
    assert isinstance(event, ev.WarningEvent), "its change was answered: this is of something else"


@pytest.mark.parametrize("code", [0, 7, 555, 2199, 10233, 99_999])
def test_a_code_that_nobody_knows_is_a_remark(code: int) -> None:
    assert evidence(code) == INERT
