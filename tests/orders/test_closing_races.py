"""A closing against a broker that does as it likes, and a process that forgets.

Whatever fills, is refused or is lost, and however often it begins again from what is on
record: the position is never turned round by us, and it ends flat with no order left, or
with the reason and whatever stop could be had.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec
from ibkr_trader.orders.closing import Closing
from tests.orders.samples import AAPL, ACCOUNT, bracket_specs, spec

S = OrderStatus
TEN = Decimal(10)
GROUP = GroupId("memo-9")
EXITS = {"memo-1-target": "memo-1-stop", "memo-1-stop": "memo-1-target"}
ANSWERS = (S.SUBMITTED, S.SUBMITTED, S.INACTIVE, S.REJECTED, S.DENIED, S.NOT_SENT)
MOST = 40


class Desk:
    """Ten held under a bracket, perhaps an entry that works or was lost; a closing of it all."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.held = TEN
        self.orders: dict[OrderId, Order] = {}
        self.closing = Closing(group_id=GROUP, contract=AAPL, account=ACCOUNT)
        entry, target, stop = bracket_specs()
        self.put(entry, S.FILLED, filled=TEN)
        self.put(target, S.SUBMITTED)
        self.put(stop, S.PRESUBMITTED)
        if self.draw(st.booleans()):
            more = spec(OrderRole.ENTRY, group=GroupId("memo-2"), quantity=Decimal(5))
            self.put(more, self.draw(st.sampled_from((S.SUBMITTED, S.UNKNOWN))))

    def draw(self, what: st.SearchStrategy[Any]) -> Any:
        return self.data.draw(what)

    def put(self, terms: OrderSpec, status: S, **more: Any) -> None:
        self.orders[terms.order_id] = Order(spec=terms, status=status, **more)

    def change(self, order: Order, **more: Any) -> Order:
        changed = msgspec.structs.replace(order, **more)
        self.orders[order.order_id] = changed
        return changed

    def live(self) -> list[Order]:
        return [order for order in self.orders.values() if not order.status.is_closed]

    def step(self) -> tuple[bool, str]:
        """Do what the closing says; it may be begun anew from its record afterwards."""
        step = self.closing.step(self.held, self.orders.values())
        self.closing = step.closing
        for command in step.commands:
            if isinstance(command, CancelOrder):
                order = self.orders[command.order_id]
                # Of what nobody can account for a cancel may find nothing.
                is_lost = order.status is S.UNKNOWN and self.draw(st.booleans())
                self.change(order, status=S.UNKNOWN if is_lost else S.PENDING_CANCEL)
            elif isinstance(command, SubmitOrders):
                (terms,) = command.orders
                if terms.role is OrderRole.CLOSE:
                    beside = [o for o in self.live() if o.status is not S.UNKNOWN]
                    assert not beside, "a close beside another order of ours"
                self.put(terms, self.draw(st.sampled_from(ANSWERS)))
        if self.draw(st.integers(0, 4)) == 0:
            self.closing = msgspec.structs.replace(self.closing, asked={})
        return step.is_over, step.trouble

    def let_the_broker_act(self) -> None:
        live = self.live()
        if not live:
            return
        order = self.draw(st.sampled_from(live))
        if self.draw(st.booleans()):
            order = self.trade(order, self.draw(st.integers(1, int(order.remaining))))
        if order.status is S.PENDING_CANCEL and self.draw(st.booleans()):
            # It is over, or the cancel was refused, and it works on.
            end = self.draw(st.sampled_from((S.CANCELLED, S.CANCELLED, S.SUBMITTED)))
            self.change(order, status=end)

    def trade(self, order: Order, quantity: int) -> Order:
        self.held += order.spec.side.sign * quantity
        filled = order.filled + quantity
        is_done = filled == order.spec.quantity
        status = S.FILLED if is_done else order.status
        sibling = self.orders.get(OrderId(EXITS.get(order.order_id, "")))
        if sibling is not None and not sibling.status.is_closed:
            left = sibling.spec.quantity - quantity  # the broker's own link
            terms = msgspec.structs.replace(sibling.spec, quantity=left)
            is_spent = left <= sibling.filled
            self.change(sibling, spec=terms, status=S.CANCELLED if is_spent else sibling.status)
        return self.change(order, filled=filled, status=status)


@settings(max_examples=50)
@given(st.data())
def test_s14_it_is_never_turned_round_and_ends_flat_or_with_a_reason(data: st.DataObject) -> None:
    desk = Desk(data)
    for _ in range(MOST):
        is_over, trouble = desk.step()
        assert desk.held >= 0
        if is_over:
            break
        desk.let_the_broker_act()
        assert desk.held >= 0
    else:
        return  # a broker that never answers: it is still waited for
    ours = desk.live()
    if trouble:
        assert desk.held
        known = [o for o in ours if o.status is not S.UNKNOWN]
        assert all(o.spec.side is Side.SELL and o.remaining <= desk.held for o in known)
    else:
        assert not desk.held
        assert not ours
