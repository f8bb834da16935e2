"""Whatever order trades, dies or is heard of late: an OCO group keeps its bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, Side
from ibkr_trader.orders.members import traded
from ibkr_trader.orders.oco_legs import Legs, OnRace
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.oco_policy import surplus
from tests.orders.oco_stage import Play, cancelled, entries, exits, leg, stop_leg
from tests.orders.samples import accepted, fill, filled, later, working, written

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command

ZERO = Decimal(0)
ASKED: dict[str, tuple[OCOOrderRequest, int]] = {
    "entries on both sides": (entries(), 0),
    "entries on one side": (
        OCOOrderRequest(order_a=leg(Side.BUY, "145"), order_b=stop_leg(Side.BUY, "155")),
        0,
    ),
    "entries that share": (
        OCOOrderRequest(
            order_a=leg(Side.BUY, "145"),
            order_b=stop_leg(Side.BUY, "155"),
            oca_type=OcaType.REDUCE,
        ),
        0,
    ),
    "exits": (exits(), 10),
    "exits at two levels": (
        OCOOrderRequest(
            order_a=leg(Side.SELL, "155", 4),
            order_b=leg(Side.SELL, "160", 3),
            more=(stop_leg(Side.SELL, "145"),),
        ),
        10,
    ),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fill", "fill", "cancel", "reject", "status", "wait", "answer"]),
        st.integers(min_value=0, max_value=4),
        st.integers(min_value=1, max_value=10),
    ),
    max_size=25,
)


class World:
    """A broker that does what it is asked, late, and lets anything trade before it does."""

    def __init__(self, asked: OCOOrderRequest, held: int) -> None:
        self.play = Play(asked, held)
        self.waiting: list[Command] = []
        self.closings = 0
        self.seconds = 0.0

    def hear(self, *events: ev.BaseEvent) -> None:
        self.waiting += self.play.hear(*events)

    def do(self, what: str, which: int, amount: int) -> None:
        self.seconds += 0.2
        at, group = later(self.seconds), self.play.group
        order = group.members[which % len(group.members)]
        left = int(order.spec.quantity - traded(order))
        match what:
            case "wait":
                self.seconds += 2
                self.hear(ev.TimeEvent(at=later(self.seconds)))
            case "answer":
                self.answer()
            case _ if order.status.is_closed or not left:
                return
            case "fill":
                side = order.spec.side
                key = f"{order.order_id} {self.seconds}"
                told = fill(min(amount, left), key=key, order_id=order.order_id, side=side, at=at)
                self.hear(filled(told))
            case "cancel":
                self.hear(cancelled(order.order_id, at=at))
            case "reject" if not traded(order):
                self.hear(ev.RejectEvent(at=at, order_id=order.order_id, code=201, reason="no"))
            case _:
                self.hear(working(order.order_id, int(order.filled), at=at))

    def answer(self) -> None:
        """Do what was asked for first."""
        if not self.waiting:
            return
        command, at = self.waiting.pop(0), later(self.seconds)
        match command:
            case CancelOrder(order_id=order_id):
                self.hear(cancelled(order_id, at=at))
            case ModifyOrder(order_id=order_id, quantity=size):
                assert size is not None
                order = self.play.group.orders[order_id]
                if size > traded(order) and not order.status.is_closed:
                    self.hear(accepted(msgspec.structs.replace(order.spec, quantity=size), at=at))
            case SubmitOrders(orders=orders):
                (spec,) = orders
                if spec.order_id in self.play.group.orders:
                    return  # an id is used once: the guard denies it
                self.closings += 1
                told = fill(
                    int(spec.quantity), key="close", order_id=spec.order_id, side=spec.side, at=at
                )
                self.hear(written(spec, at=at, kind="oco"), filled(told))

    def rest(self) -> None:
        """Let everything that is asked for be done, until nothing is."""
        for _ in range(12):
            self.seconds += 6
            self.hear(ev.TimeEvent(at=later(self.seconds)))
            while self.waiting:
                self.answer()


@settings(max_examples=100, deadline=None)
@given(
    story=st.sampled_from(sorted(ASKED)),
    steps=STEPS,
    on_race=st.sampled_from(list(OnRace)),
)
def test_a_group_at_rest_keeps_its_bounds(story: str, steps: list[Any], on_race: OnRace) -> None:
    asked, held = ASKED[story]
    world = World(msgspec.structs.replace(asked, on_race=on_race), held)
    for step in steps:
        world.do(*step)
    world.rest()
    group = world.play.group
    assert world.closings <= (1 if on_race is OnRace.FLATTEN else 0)
    if on_race is OnRace.FLATTEN and not surplus_came_late(world):
        assert surplus(group) == 0
    live = [order for order in group.members if not order.status.is_closed]
    if group.legs is Legs.EXITS:
        most = (max((o.remaining for o in live if group.sets[o.order_id] == k), default=ZERO)
                for k in group.sizes)  # fmt: skip
        assert sum(most) <= max(ZERO, held - sum(map(traded, group.members)))
    elif any(map(traded, group.members)):
        room = 10 - sum(map(traded, group.members))
        shares = group.oca_type is not OcaType.CANCEL
        assert all(o.remaining <= room for o in live) if shares else len(live) <= 1
    elif any(order.status.is_closed for order in group.members):
        assert not live  # no lone entry
    assert group.is_closed or live


def surplus_came_late(world: World) -> bool:
    """Whether something traded after the one closing order was made: a person has to look."""
    return world.closings > 0 and any("too many" in message for message in world.play.messages[-2:])
