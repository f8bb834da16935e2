"""Which orders a person means."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import AT, accepted, bracket_specs, spec, written

BRACKET = bracket_specs(GroupId("memo-17"))
OLD = spec(group=GroupId("memo-3"), order_id=OrderId("memo-3-single"), broker_order_id=55)
FOREIGN = spec(order_id=OrderId("foreign-2"), group=GroupId("foreign-2"), broker_order_id=17)
UNNUMBERED = spec(group=GroupId("desk-84"), order_id=OrderId("desk-84-single"), broker_order_id=0)
STATE = fold(
    [
        written(UNNUMBERED),
        *(written(one, kind="bracket") for one in BRACKET),
        accepted(BRACKET[2], perm_id=777_001),
        written(OLD),
        ev.CancelEvent(at=AT, order_id=OLD.order_id),
        accepted(FOREIGN, perm_id=888_001, is_foreign=True),
    ]
)
ENTRY, TARGET, STOP = (one.order_id for one in BRACKET)

MEANT: dict[str, tuple[str, ...]] = {
    "memo-17-stop": (STOP,),
    " 17-stop ": (STOP,),
    "memo-17": (ENTRY, TARGET, STOP),
    "777001": (STOP,),
    "#2": (TARGET,),  # a number at the broker is written with a sign
    "2": (),  # and without it means a group of ours, of which there is no second
    "17": (ENTRY, TARGET, STOP),  # the group, not the stranger's seventeenth order
    "#17": (FOREIGN.order_id,),
    "foreign-2": (FOREIGN.order_id,),
    "foreign": (FOREIGN.order_id,),
    "17-s": (STOP,),
    "memo-17-": (ENTRY, TARGET, STOP),
    "#55": (OLD.order_id,),
    "55": (),
    "3-": (OLD.order_id,),
    "3": (OLD.order_id,),  # the group, not the stop that is third at the broker
    "memo": (ENTRY, TARGET, STOP),  # what is live, rather than what is past
    "desk": (UNNUMBERED.order_id,),
    "0": (),
    "8": (),  # a number is never the beginning of another
    "nobody": (),
    "": (),
    "  ": (),
}


@pytest.mark.parametrize("text", MEANT)
def test_finding(text: str) -> None:
    assert STATE.find(text) == MEANT[text]
