"""What cancelled orders would be today: same prices, same links, today's size."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import GroupId, Order, OrderId, OrderRequest, Position, PriceBand
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.cover_orders import Market
from ibkr_trader.orders.joining import JoinRequest
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.portfolio.replacing import Piece, pieces, through
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.undoing import Act, Story
from tests.orders.samples import AAPL, ACCOUNT, AT, GROUP, MSFT, bracket_specs, order, values
from tests.orders.test_coverage import stop, target

S = OrderStatus
ENTRY, TARGET, STOP = bracket_specs()
QUOTE = Market((PriceBand(Decimal(0), Decimal("0.01")),), Decimal("149.99"), Decimal("150.01"))


def ended(spec: Any, *, filled: int = 0, status: S = S.CANCELLED, **terms: Any) -> Order:
    return Order(spec=msgspec.structs.replace(spec, **terms), status=status, filled=Decimal(filled))


def again(
    *orders: Order, held: int = 0, live: tuple[Order, ...] = (), exits: tuple[str, ...] = ()
) -> list[Piece]:
    """Return the pieces of an act that took away the cancelled ones among `orders`."""
    ids = tuple(o.order_id for o in orders if o.status.is_closed)
    act = Act(orders=ids, at=AT, last_at=AT, origin="cli")
    story = Story(act=act, orders={one.order_id: one for one in orders})
    position = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(held), average_cost=Decimal(150)
    )
    alive = [*live, *(one for one in orders if one.status.is_open)]
    state = PortfolioState(
        orders={one.order_id: one for one in alive},
        positions={AAPL.con_id: position} if held else {},
    )
    known = frozenset(OrderId(name) for name in exits)
    return pieces(story, state, known_exits=known)


def the_one(found: list[Piece]) -> Piece:
    (piece,) = found
    return piece


def test_a_bracket_that_had_not_begun_comes_back_whole() -> None:
    request = the_one(again(ended(ENTRY), ended(TARGET), ended(STOP))).request
    assert isinstance(request, BracketOrderRequest)
    request.validate()
    assert values(request.parent.limit_price, request.parent.quantity) == (150, 10)
    assert request.stop_loss.stop_price == 145
    assert [one.limit_price for one in request.targets] == [155]
    assert request.exit_time_in_force is TimeInForce.GTC


def test_the_exits_of_a_bracket_come_back_linked_and_sized_to_what_is_held() -> None:
    piece = the_one(
        again(ended(ENTRY, filled=10, status=S.FILLED), ended(TARGET), ended(STOP), held=6)
    )
    request = piece.request
    assert isinstance(request, OCOOrderRequest)
    request.validate()
    assert [values(leg.order_type, leg.quantity, leg.side) for leg in request.legs] == [
        (OrderType.STOP, 6, Side.SELL),
        (OrderType.LIMIT, 6, Side.SELL),
    ]
    assert (request.oca_type, request.exit_time_in_force) == (OcaType.REDUCE, TimeInForce.GTC)
    assert (piece.ends, piece.takes, piece.contract) == (True, (), AAPL)


def test_an_entry_that_had_traded_in_part_comes_back_for_the_rest_beside_its_exits() -> None:
    rest, part = again(ended(ENTRY, filled=4), ended(TARGET), ended(STOP), held=4)
    assert isinstance(rest.request, BracketOrderRequest)
    assert {rest.request.parent.quantity, rest.request.stop_loss.quantity} == {Decimal(6)}
    assert isinstance(part.request, OCOOrderRequest)
    assert {leg.quantity for leg in part.request.legs} == {Decimal(4)}


LINK: dict[str, Any] = {"oca_group": "1258", "oca_type": OcaType.REDUCE}


def test_an_exit_joins_those_that_still_work_under_their_name_at_the_broker() -> None:
    alive = ended(TARGET, status=S.SUBMITTED, **LINK)
    piece = the_one(again(ended(STOP), alive, held=6))
    request = piece.request
    assert isinstance(request, JoinRequest)
    request.validate()
    assert (request.role, request.oca_group, request.oca_type) == (
        OrderRole.STOP, "1258", OcaType.REDUCE,
    )  # fmt: skip
    assert values(request.order.stop_price, request.order.quantity, piece.takes) == (145, 6, ())
    assert through(piece, QUOTE) == ""
    back = the_one(again(ended(TARGET), ended(STOP, status=S.PRESUBMITTED, **LINK), held=10))
    assert isinstance(back.request, JoinRequest)
    assert back.request.role is OrderRole.TARGET


def test_several_exits_join_together_and_count_once() -> None:
    alive = target(2, "memo-1-target.3", **LINK)
    elsewhere = stop(8, "memo-2-stop", status=S.CANCELLED)
    elsewhere = msgspec.structs.replace(
        elsewhere, spec=msgspec.structs.replace(elsewhere.spec, group_id=GroupId("memo-2"))
    )
    found = again(
        ended(STOP, quantity=Decimal(8)),
        ended(TARGET, quantity=Decimal(8)),
        alive,
        elsewhere,
        held=10,
    )
    sizes = [
        request.order.quantity if isinstance(request, JoinRequest) else request.quantity
        for piece in found
        if isinstance(request := piece.request, JoinRequest | OrderRequest)
    ]
    assert sizes == [8, 8]
    assert found[-1].trouble == "other exits end all 10 AAPL already"


def test_an_exit_finds_the_others_by_their_name_whatever_their_group() -> None:
    moved = stop(10, "memo-2-stop", **LINK)
    piece = the_one(again(ended(TARGET, **LINK), held=10, live=(moved,)))
    assert isinstance(piece.request, JoinRequest)
    theirs = stop(10, "foreign-2", is_foreign=True, **LINK)
    piece = the_one(again(ended(TARGET, **LINK), held=10, live=(theirs,)))
    assert piece.trouble == "other exits end all 10 AAPL already"


def test_a_stop_that_works_is_not_taken_away_for_a_target() -> None:
    piece = the_one(again(ended(TARGET), ended(STOP, status=S.PRESUBMITTED), held=10))
    assert (piece.request, piece.trouble) == (
        None, "it cannot be linked to 1-stop, which works",
    )  # fmt: skip


def test_a_stop_takes_the_target_that_still_works_along_if_no_name_links_it() -> None:
    piece = the_one(again(ended(STOP), ended(TARGET, status=S.SUBMITTED), held=10))
    assert isinstance(piece.request, OCOOrderRequest)
    assert piece.takes == (TARGET.order_id,)
    assert {leg.quantity for leg in piece.request.legs} == {Decimal(10)}


def test_a_stop_alone_comes_back_alone() -> None:
    request = the_one(again(ended(STOP), held=10)).request
    assert isinstance(request, OrderRequest)
    assert values(request.order_type, request.stop_price, request.quantity) == (
        OrderType.STOP,
        145,
        10,
    )
    assert request.time_in_force is TimeInForce.GTC


def test_several_targets_share_what_is_held_in_their_order() -> None:
    goals = [
        target(5, f"memo-1-target{n}", status=S.CANCELLED, limit_price=Decimal(155 + number))
        for number, n in enumerate(("", ".2"))
    ]
    request = the_one(again(stop(status=S.CANCELLED), *goals, held=7)).request
    assert isinstance(request, OCOOrderRequest)
    assert [values(leg.limit_price, leg.quantity) for leg in request.legs] == [
        (None, 7), (155, 5), (156, 2),
    ]  # fmt: skip


def test_the_group_keeps_its_own_kind_of_link() -> None:
    linked: dict[str, Any] = {
        "oca_group": "x",
        "oca_type": OcaType.REDUCE_NO_BLOCK,
        "status": S.CANCELLED,
    }
    request = the_one(again(stop(**linked), target(**linked), held=10)).request
    assert isinstance(request, OCOOrderRequest)
    assert request.oca_type is OcaType.REDUCE_NO_BLOCK


@pytest.mark.parametrize(
    ("held", "live", "trouble"),
    [
        (0, (), "AAPL is not held any more"),
        (-10, (), "AAPL is held the other way round now"),
        (10, (stop(10, "memo-7-stop"),), "other exits end all 10 AAPL already"),
        (10, (stop(10, "foreign-7", is_foreign=True),), "other exits end all 10 AAPL already"),
    ],
)
def test_what_has_nothing_to_end_does_not_come_back(
    held: int, live: tuple[Order, ...], trouble: str
) -> None:
    piece = the_one(again(ended(STOP), ended(TARGET), held=held, live=live))
    assert (piece.request, piece.trouble) == (None, trouble)


def test_other_exits_leave_less_room() -> None:
    elsewhere = stop(10, "memo-8-stop", contract=MSFT)
    found = again(ended(STOP), held=10, live=(stop(4, "memo-7-stop"), elsewhere))
    request = the_one(found).request
    assert isinstance(request, OrderRequest)
    assert request.quantity == 6


def test_two_groups_do_not_end_the_same_shares_twice() -> None:
    first = stop(8, status=S.CANCELLED)
    second = stop(8, "memo-2-stop", status=S.CANCELLED)
    second = msgspec.structs.replace(
        second, spec=msgspec.structs.replace(second.spec, group_id=GroupId("memo-2"))
    )
    one, other = (piece.request for piece in again(first, second, held=10))
    assert isinstance(one, OrderRequest)
    assert isinstance(other, OrderRequest)
    assert values(one.quantity, other.quantity) == (8, 2)


def test_stops_that_nothing_links_are_left_to_a_person() -> None:
    both = (stop(4, status=S.CANCELLED), stop(4, "memo-1-stop.2", status=S.CANCELLED))
    piece = the_one(again(*both, held=10))
    assert (piece.request, piece.trouble) == (
        None, "2 exits of AAPL that nothing links: place them again",
    )  # fmt: skip
    assert isinstance(the_one(again(*both, held=4)).request, OrderRequest)


def test_a_single_order_comes_back_for_what_it_had_left() -> None:
    piece = the_one(again(order(S.CANCELLED, filled=Decimal(4))))
    assert isinstance(piece.request, OrderRequest)
    assert values(piece.request.quantity, piece.request.limit_price, piece.request.symbol) == (
        6, 150, "AAPL",
    )  # fmt: skip
    assert not piece.ends


def test_a_single_order_that_only_ended_something_is_sized_like_an_exit() -> None:
    lone = stop(10, "memo-1-single", role=OrderRole.SINGLE, status=S.CANCELLED)
    piece = the_one(again(lone, held=3, exits=("memo-1-single",)))
    assert isinstance(piece.request, OrderRequest)
    assert values(piece.request.quantity, piece.ends) == (3, True)


def test_entries_of_which_one_is_wanted_come_back_linked() -> None:
    legs = [
        order(
            S.CANCELLED,
            order_id=OrderId(f"memo-1-entry{copy}"),
            role=OrderRole.ENTRY,
            oca_group="x",
            oca_type=OcaType.CANCEL,
            limit_price=Decimal(price),
            side=side,
        )
        for copy, price, side in (("", 145, Side.BUY), (".2", 155, Side.SELL))
    ]
    request = the_one(again(*legs)).request
    assert isinstance(request, OCOOrderRequest)
    request.validate()
    assert (request.oca_type, len(request.legs)) == (OcaType.CANCEL, 2)
    apart = [msgspec.structs.replace(o, spec=msgspec.structs.replace(o.spec, oca_group=n))
             for n, o in enumerate_names(legs)]  # fmt: skip
    assert [type(piece.request) for piece in again(*apart)] == [OrderRequest, OrderRequest]


def enumerate_names(legs: list[Order]) -> list[tuple[str, Order]]:
    return [(f"group {number}", leg) for number, leg in enumerate(legs)]


def test_an_entry_whose_stop_is_not_part_of_it_comes_back_alone() -> None:
    piece = the_one(again(ended(ENTRY), ended(TARGET)))
    assert isinstance(piece.request, OrderRequest)


def test_a_trail_begins_anew_where_the_market_is() -> None:
    trail = stop(order_type=OrderType.TRAIL, trail_percent=Decimal(2), status=S.CANCELLED)
    request = the_one(again(trail, held=10)).request
    assert isinstance(request, OrderRequest)
    request.validate()
    assert values(request.trail_percent, request.stop_price) == (2, None)


@pytest.mark.parametrize(
    ("order_type", "side", "at", "is_through"),
    [
        (OrderType.STOP, Side.SELL, "149.98", False),
        (OrderType.STOP, Side.SELL, "149.99", True),
        (OrderType.STOP, Side.BUY, "150.02", False),
        (OrderType.STOP, Side.BUY, "150.01", True),
        (OrderType.LIMIT, Side.SELL, "150.00", False),
        (OrderType.LIMIT, Side.SELL, "149.99", True),
        (OrderType.LIMIT, Side.BUY, "150.00", False),
        (OrderType.LIMIT, Side.BUY, "150.01", True),
        (OrderType.TRAIL, Side.SELL, "", False),
    ],
)
def test_what_the_market_has_passed_is_found(
    order_type: OrderType, side: Side, at: str, *, is_through: bool
) -> None:
    is_stop = order_type is OrderType.STOP
    request = OrderRequest(
        symbol="AAPL",
        quantity=Decimal(10),
        side=side,
        order_type=order_type,
        stop_price=Decimal(at) if is_stop else None,
        limit_price=Decimal(at) if at and not is_stop else None,
        trail_percent=None if at else Decimal(2),
    )
    piece = Piece(group_id=GROUP, contract=AAPL, request=request, ends=True)
    assert bool(through(piece, QUOTE)) is is_through
    opening = msgspec.structs.replace(piece, ends=False)
    assert through(opening, QUOTE) == ""


def test_of_a_pair_either_may_be_passed_and_a_bracket_is_for_the_guard() -> None:
    pair = the_one(again(ended(STOP), ended(TARGET, limit_price=Decimal(149)), held=10))
    assert through(pair, QUOTE) == (
        "the limit at 149.00 would trade at once: the market is at 149.99"
    )
    bracket = the_one(again(ended(ENTRY), ended(TARGET), ended(STOP)))
    assert through(bracket, QUOTE) == ""
    assert through(msgspec.structs.replace(bracket, ends=True), QUOTE) == ""
    assert through(msgspec.structs.replace(pair, request=None), QUOTE) == ""
