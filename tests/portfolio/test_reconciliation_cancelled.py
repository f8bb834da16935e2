"""What the broker does not show although its cancel was asked for: nobody knows of either."""

from __future__ import annotations

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import AT, bracket_specs, spec, values
from tests.portfolio.stage import ENTRY, ID, STOP, TARGET, S, missed, sent, settle, snapshot, status


def test_it_is_unknown_and_proven_absent_like_any_other() -> None:
    asked = ev.CancelRequestEvent(at=AT, order_id=ID)
    after, outcome = settle(fold([asked], sent(spec())), snapshot())
    assert values(status(after), outcome.unresolved) == (S.UNKNOWN, (ID,))
    gone, _ = settle(after, snapshot(), missed(ID))
    assert status(gone) is S.NOT_SENT


def test_its_cancel_is_not_asked_for_again_before_it_is_there() -> None:
    asked = ev.CancelRequestEvent(at=AT, order_id=ENTRY)
    after, outcome = settle(fold([asked], sent(*bracket_specs())), snapshot())
    assert set(outcome.cancels) == {TARGET, STOP}
    assert after.orders[ENTRY].is_unwanted, "it is, once it comes alive"
