"""A look at the broker, and what it may not have seen: a change of ours, and what was claimed."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import accepted, later, spec
from tests.portfolio.stage import ID, S, sent, settle, snapshot, status, theirs


def test_terms_from_before_a_change_under_way_do_not_end_it() -> None:
    """Orders were stated, and then ours was changed: the answer cannot refuse the change."""
    tighter = spec(limit_price=Decimal(151))
    asked = ev.ModifyEvent(at=later(58), order_id=ID, spec=tighter)
    before = fold([accepted(spec()), asked], sent(spec()))
    just = Evidence(just_changed=frozenset({ID}))
    after, _ = settle(before, snapshot(theirs(spec())), just)
    assert status(after) is S.PENDING_MODIFY
    assert after.orders[ID].desired == tighter
    after, _ = settle(before, snapshot(theirs(spec())))
    assert after.orders[ID].desired is None  # it was asked for before: so this is the answer


def test_what_is_called_filled_meanwhile_may_be_missing_in_the_positions() -> None:
    done = ev.DoneEvent(at=later(58), order_id=ID, filled=Decimal(10))
    before = fold([accepted(spec()), done], sent(spec()))
    after, _ = settle(before, snapshot(), Evidence(just_claimed=frozenset({ID})))
    assert set(after.unheard) == {ID}
    after, _ = settle(before, snapshot())
    assert after.unheard == {}
