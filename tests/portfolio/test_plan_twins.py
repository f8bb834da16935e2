"""What a plan does about an order that lives twice."""

from __future__ import annotations

import msgspec

from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.ids import twin_id
from ibkr_trader.core.models import ZERO, GroupId
from ibkr_trader.orders.cover_scene import Scene
from ibkr_trader.portfolio.plan_steps import StepKind
from ibkr_trader.portfolio.plan_twins import twin_steps, without_twins
from ibkr_trader.portfolio.state import fold
from ibkr_trader.portfolio.twins import named
from tests.orders.samples import AAPL, accepted, spec

STOP = spec(OrderRole.STOP, group=GroupId("k7qav-17"))
TWIN = msgspec.structs.replace(named(STOP, twin_id(9)), broker_order_id=-7)
STATE = fold([accepted(STOP), accepted(TWIN, perm_id=9)])


def test_the_second_one_is_cancelled_by_its_own_number() -> None:
    (step,) = twin_steps(STATE, client_id=1)
    assert (step.kind, step.symbol, step.con_id) == (StepKind.CANCEL, "AAPL", AAPL.con_id)
    assert step.action == CancelOrder(order_id=TWIN.order_id, broker_order_id=-7)
    assert step.line == (
        "cancel-twin-9: cancel twin-9  BUY 10 LIMIT 150.00: it is 17-stop a second time, and both "
        "would trade; if it is refused, use TWS"
    )


def test_the_rest_of_the_plan_is_made_without_it() -> None:
    scene = Scene(contract=AAPL, held=ZERO, cost=ZERO, orders=tuple(STATE.orders.values()))
    assert [one.order_id for one in without_twins(scene).orders] == [STOP.order_id]


def test_one_whose_number_another_client_gave_is_left_to_who_can_cancel_it() -> None:
    """Sent with our connection, the number might be that of another order of ours."""
    other = msgspec.structs.replace(TWIN, broker_order_id=900)
    state = fold([accepted(STOP), accepted(other, perm_id=9, client_id=7)])
    (step,) = twin_steps(state, client_id=1)
    assert (step.kind, step.action, step.orders) == (StepKind.DRIFT, None, (TWIN.order_id,))
    assert step.next == "cancel it in TWS, or as client 7, which placed it"
    (step,) = twin_steps(state, client_id=7)
    assert step.action == CancelOrder(order_id=TWIN.order_id, broker_order_id=900)
