"""S10 and S11: what the guard approves stays within limits, whichever orders then fill."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain, combinations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, Side
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderSpec
from ibkr_trader.risk.proposal import changed_spec
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import RiskView
from tests.risk.world import D, bracket, held, limit, limits, modify, review, spec, stop, view

SHARES, EQUITY_SHARE = D(50), D("0.006")  # 6,000 of a million: 40 shares at 150
LIMITS = limits(
    max_position_size=SHARES,
    max_symbol_share=EQUITY_SHARE,
    max_working_per_side=99,
    max_working=999,
)
# Not UNKNOWN, which would keep everything else out: it has a property of its own.
LIVE = [OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.PENDING_CANCEL]


def ends(orders: list[Order], position: Decimal) -> list[Decimal]:
    """Where every allowed subset of the orders leads, one by one."""
    ids = {order.order_id for order in orders}
    found = []
    for chosen in chain.from_iterable(combinations(orders, n) for n in range(len(orders) + 1)):
        filled = {order.order_id for order in chosen}
        groups = [order.spec.oca_group for order in chosen if order.spec.oca_group]
        parents = {order.spec.parent_id for order in chosen} & ids
        if len(groups) == len(set(groups)) and parents <= filled:
            signed = (order.remaining * order.spec.side.sign for order in chosen)
            found.append(sum(signed, position))
    return found


def world(orders: list[Order], position: Decimal) -> RiskView:
    parts = [held(str(position))] if position else []
    return view(*parts, *orders, limits=LIMITS)


@st.composite
def submissions(draw: st.DrawFn, number: int) -> SubmitOrders:
    """A bracket, a single order, or a pair of which one cancels the other."""
    group, size = f"t-{number}", draw(st.integers(1, 45))
    side = draw(st.sampled_from(list(Side)))
    match draw(st.sampled_from(["bracket", "market", "limit", "stop", "pair"])):
        case "bracket":
            entry = spec(side, size, f"{group}-entry", role=OrderRole.ENTRY)
            exits = ("145", "155") if side is Side.BUY else ("155", "145")
            command = bracket(size, entry=entry, loss=exits[0], profit=exits[1], group=group)
            return _numbered(*command.orders)
        case "market":
            return _numbered(spec(side, size, f"{group}-single"))
        case "limit":
            price = str(149 if side is Side.BUY else 151)
            return _numbered(limit(side, size, price, f"{group}-single"))
        case "stop":
            price = str(155 if side is Side.BUY else 145)
            return _numbered(stop(side, size, price, f"{group}-single"))
        case _:
            both = {"oca_group": group, "oca_type": OcaType.CANCEL}
            other = draw(st.integers(1, 45))
            return _numbered(
                limit("BUY", size, "145", f"{group}-a", **both),
                limit("SELL", other, "155", f"{group}-b", **both),
            )


def _numbered(*orders: OrderSpec) -> SubmitOrders:
    numbered = (
        msgspec.structs.replace(order, broker_order_id=n) for n, order in enumerate(orders, 1)
    )
    return SubmitOrders(group_id=GroupId(orders[0].group_id), orders=tuple(numbered))


def after(
    command: SubmitOrders | ModifyOrder, orders: list[Order], status: OrderStatus
) -> list[Order]:
    """The book once `command` is under way."""
    if isinstance(command, SubmitOrders):
        return [*orders, *(Order(spec=one, status=status) for one in command.orders)]
    return [
        msgspec.structs.replace(order, desired=changed_spec(order, command))
        if order.order_id == command.order_id
        else order
        for order in orders
    ]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_limits_hold_for_every_subset_of_working_orders_filling(data: st.DataObject) -> None:
    orders: list[Order] = []
    position = D(data.draw(st.integers(-30, 30)))
    for number in range(data.draw(st.integers(1, 4))):
        command: SubmitOrders | ModifyOrder = data.draw(submissions(number))
        is_change = data.draw(st.booleans())
        if orders and is_change:
            chosen = data.draw(st.integers(0, len(orders) - 1))
            command = modify(orders[chosen], quantity=data.draw(st.integers(1, 60)))
        if isinstance(review(command, world(orders, position)), Approved):
            orders = after(command, orders, data.draw(st.sampled_from(LIVE)))
        for end in ends(orders, position):
            assert abs(end) <= SHARES
            assert abs(end) * 150 <= max(EQUITY_SHARE * 1_000_000, abs(position) * 150)
        orders, position = fill_some(data, orders, position)


def fill_some(
    data: st.DataObject, orders: list[Order], position: Decimal
) -> tuple[list[Order], Decimal]:
    """Let one order that may fill do so, with what follows for its group."""
    ids = {order.order_id for order in orders}
    ready = [order for order in orders if order.spec.parent_id not in ids]
    if not ready or data.draw(st.booleans()):
        return orders, position
    done = data.draw(st.sampled_from(ready))
    gone = {done.order_id} | {
        order.order_id
        for order in orders
        if order.spec.oca_group and order.spec.oca_group == done.spec.oca_group
    }
    kept = [order for order in orders if order.order_id not in gone]
    return kept, position + done.remaining * done.spec.side.sign


@st.composite
def closers(draw: st.DrawFn, side: Side) -> list[Order]:
    """Exits that work already, some of them alternatives, some of unknown fate."""
    return [
        Order(
            spec=stop(
                side,
                draw(st.integers(1, 20)),
                "145" if side is Side.SELL else "155",
                f"o-{n}-stop",
                role=OrderRole.STOP,
                oca_group=draw(st.sampled_from(["", "x"])),
                oca_type=None,
            ),
            status=draw(st.sampled_from([*LIVE, OrderStatus.UNKNOWN, OrderStatus.INACTIVE])),
        )
        for n in range(draw(st.integers(0, 4)))
    ]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_approved_close_never_turns_the_position_round(data: st.DataObject) -> None:
    position = D(data.draw(st.integers(-40, 40)))
    side = Side.SELL if position >= 0 else Side.BUY
    working = data.draw(closers(side))
    oca = data.draw(st.sampled_from(["", "x"]))
    order = spec(
        side,
        data.draw(st.integers(1, 45)),
        "t-1-close",
        role=OrderRole.CLOSE,
        oca_group=oca,
        oca_type=OcaType.CANCEL if oca else None,
    )
    close = SubmitOrders(group_id=GroupId("t-1"), orders=(order,), reduces=True)
    verdict = review(close, world(working, position))
    # How far beyond flat, on the other side, some subset leads: before, after, and alone.
    book = after(close, working, OrderStatus.PENDING)
    worst_before, worst = beyond(ends(working, position), side), beyond(ends(book, position), side)
    alone = beyond([position + order.quantity * side.sign], side)
    if isinstance(verdict, Approved):
        assert verdict.reduces
        assert alone == 0
        assert worst == worst_before  # and so 0, unless others have gone too far already
    else:
        assert alone > 0 or worst > worst_before


def beyond(ends: list[Decimal], side: Side) -> Decimal:
    return max(Decimal(0), *(end * side.sign for end in ends))


def test_the_whole_position_may_be_closed_when_nothing_else_works() -> None:
    close = SubmitOrders(
        group_id=GroupId("t-1"), orders=(spec("SELL", 40, OrderId("t-1-close")),), reduces=True
    )
    assert isinstance(review(close, world([], D(40))), Approved)
