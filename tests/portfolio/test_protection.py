"""What protects a position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.models import GroupId, Order, OrderId, Position, Quote
from ibkr_trader.orders.cover_orders import Market
from ibkr_trader.portfolio.protection import (
    Protection,
    Standing,
    flat,
    last_lost,
    opened_here,
    protection,
    protections,
    scenes,
    standings,
)
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    order,
    values,
    working,
    written,
)


def held(quantity: int, mark: str | None = "152", cost: str = "150") -> Position:
    return Position(
        account=ACCOUNT,
        contract=AAPL,
        quantity=Decimal(quantity),
        average_cost=Decimal(cost),
        market_price=Decimal(mark) if mark else None,
    )


def exit_order(name: str = "stop", quantity: int = 10, **changes: Any) -> Order:
    terms: dict[str, Any] = {
        "order_id": OrderId(name),
        "side": Side.SELL,
        "quantity": Decimal(quantity),
        "order_type": OrderType.STOP,
        "limit_price": None,
        "stop_price": Decimal(145),
    }
    status = changes.pop("status", OrderStatus.SUBMITTED)
    return order(status, **(terms | changes))


def target(name: str = "target", price: str = "155", **changes: Any) -> Order:
    terms: dict[str, Any] = {
        "order_type": OrderType.LIMIT,
        "limit_price": Decimal(price),
        "stop_price": None,
    }
    return exit_order(name, **(terms | changes))


def test_a_protected_long() -> None:
    found = protection(held(10), [target(oca_group="x"), exit_order(oca_group="x")])
    assert found == Protection(
        position=held(10),
        stop=Decimal(145),
        target=Decimal(155),
        covered=Decimal(10),
        coverage=Decimal(1),
        closing=Decimal(10),
        distance=Decimal(7),
        distance_fraction=Decimal(7) / 152,
        risk=Decimal(5),
        r=Decimal(2) / 5,
        orders=(OrderId("stop"), OrderId("target")),
        remarks=((OrderId("stop"), "ends with the day"),),
    )
    assert found.is_covered
    assert found.is_exact


def test_a_protected_short() -> None:
    found = protection(
        held(-10, "148"),
        [
            exit_order(side=Side.BUY, stop_price=Decimal(155)),
            target(side=Side.BUY, price="140"),
        ],
    )
    assert values(found.stop, found.target, found.distance, found.r) == (
        155, 140, 7, Decimal(2) / 5,
    )  # fmt: skip


def test_a_naked_position() -> None:
    found = protection(held(10), [])
    assert values(found.stop, found.target, found.covered, found.coverage) == (None, None, 0, 0)
    assert (found.distance, found.distance_fraction, found.risk, found.r) == (None,) * 4
    assert not found.is_covered


@pytest.mark.parametrize(
    "beside",
    [
        exit_order(side=Side.BUY),
        exit_order(contract=MSFT),
        exit_order(status=OrderStatus.UNKNOWN),
        exit_order(status=OrderStatus.PENDING),
        exit_order(status=OrderStatus.INACTIVE),
        exit_order(status=OrderStatus.CANCELLED),
    ],
)
def test_what_may_not_work_protects_nobody(beside: Order) -> None:
    assert protection(held(10), [beside]).covered == 0


def test_of_exits_of_which_one_trades_the_largest_counts() -> None:
    """Stops in one group are not added up, nor are the two exits of an entry."""
    group = [exit_order("a", 6, oca_group="x"), exit_order("b", 4, oca_group="x")]
    assert protection(held(10), group).covered == 6
    parent = OrderId("memo-1-entry")
    pair = [exit_order("a", 10, parent_id=parent), target("b", parent_id=parent)]
    assert protection(held(10), pair).closing == 10
    alone = [exit_order("a", 6), exit_order("b", 6)]
    found = protection(held(10), alone)
    assert values(found.covered, found.closing) == (10, 12)


def test_the_nearest_prices_are_told() -> None:
    found = protection(
        held(10),
        [
            exit_order("a", 5),
            exit_order("b", 5, stop_price=Decimal(148)),
            target("c", "155"),
            target("d", "154", order_type=OrderType.MARKET_IF_TOUCHED, limit_price=None,
                   stop_price=Decimal(154)),
            exit_order("e", 1, order_type=OrderType.TRAIL, stop_price=None),
            exit_order("f", 1, order_type=OrderType.MARKET, stop_price=None),
        ],
    )  # fmt: skip
    assert values(found.stop, found.target) == (148, 154)
    assert found.orders == ("a", "b", "e", "c", "d")


def test_without_a_price_there_is_no_distance() -> None:
    found = protection(held(10, None), [exit_order()])
    assert (found.distance, found.distance_fraction, found.r) == (None, None, None)
    assert found.risk == 5


def test_a_stop_beyond_the_cost_has_nothing_left_to_risk() -> None:
    found = protection(held(10), [exit_order(stop_price=Decimal(151))])
    assert values(found.risk, found.r) == (-1, None)
    assert protection(held(10), [exit_order(stop_price=Decimal(150))]).r is None


def test_every_position_has_its_line() -> None:
    entry, goal, stop = bracket_specs()
    state = fold(
        [
            *(written(one) for one in (entry, goal, stop)),
            *(accepted(one) for one in (entry, goal, stop)),
            filled(fill(10, order_id=entry.order_id)),
            working(goal.order_id),
            ev.PositionReportEvent(at=AT, position=held(10)),
        ]
    )
    found = protections(state)
    assert found.keys() == {AAPL.con_id}
    assert found[AAPL.con_id].is_covered
    assert found[AAPL.con_id].closing == 10


def test_nothing_held_is_nothing_to_cover() -> None:
    assert protection(held(0), []).coverage == 0


# -- since when, and whose -----------------------------------------------------------------


def at(seconds: float, position: Position) -> Position:
    return msgspec.structs.replace(position, updated_at=later(seconds))


def test_since_when_a_stop_is_missing_is_a_fact() -> None:
    gone = exit_order("a", status=OrderStatus.CANCELLED, updated_at=later(30))
    older = exit_order("b", status=OrderStatus.EXPIRED, updated_at=later(20))
    elsewhere = [
        exit_order("c", status=OrderStatus.CANCELLED, updated_at=later(90), contract=MSFT),
        exit_order("d", status=OrderStatus.CANCELLED, updated_at=later(90), side=Side.BUY),
        target("e", status=OrderStatus.CANCELLED, updated_at=later(90)),
        exit_order("f", status=OrderStatus.CANCELLED),
    ]
    position = at(10, held(10))
    assert protection(position, [], [gone, older, *elsewhere]).naked_since == later(30)
    assert protection(position, []).naked_since == later(10)
    assert protection(at(40, held(10)), [], [gone]).naked_since == later(40)
    assert protection(held(10), []).naked_since is None
    assert protection(position, [exit_order()], [gone]).naked_since is None


def test_exits_beyond_the_position_are_a_surplus() -> None:
    found = protection(held(4), [exit_order()])
    assert values(found.covered, found.surplus, found.closing) == (4, 6, 10)
    assert found.is_covered
    assert not found.is_exact


def bought(quantity: int, key: str, order_id: str = "memo-1-single", **more: Any) -> ev.FillEvent:
    side = Side.BUY if quantity > 0 else Side.SELL
    return filled(fill(abs(quantity), key=key, order_id=order_id, side=side, **more))


@pytest.mark.parametrize(
    ("base", "trades", "ours"),
    [
        (0, [(10, "memo")], 10),
        (10, [], 0),
        (10, [(5, "memo")], 5),
        (0, [(10, "memo"), (5, "foreign")], 10),
        (0, [(10, "memo"), (5, "foreign"), (-4, "foreign")], 10),
        (0, [(10, "memo"), (5, "foreign"), (-8, "foreign")], 7),
        (0, [(10, "memo"), (-4, "memo")], 6),
        (10, [(5, "memo"), (-8, "memo")], 0),
        (10, [(-15, "memo")], 5),
        (10, [(-15, "foreign")], 0),
        (0, [(-10, "memo")], 10),
    ],
)
def test_what_of_a_position_we_have_opened(
    base: int, trades: list[tuple[int, str]], ours: int
) -> None:
    start = ev.SyncEvent(at=AT, epoch=1, positions=(held(base),) if base else ())
    state = fold(
        [
            start,
            *(
                bought(quantity, f"e{n}", f"{who}-1-single", at=later(n))
                for n, (quantity, who) in enumerate(trades)
            ),
        ]
    )
    (position,) = state.positions.values()
    assert opened_here(state, position) == ours


def test_what_somebody_else_has_opened_stays_his_after_a_recount() -> None:
    """The execution that comes last was heard of first: the ledger is told anew."""
    foreign = bought(5, "e2", "foreign-1-single", at=later(2))
    state = fold([ev.SyncEvent(at=AT, epoch=1, positions=()), foreign, bought(10, "e1", at=AT)])
    (position,) = state.positions.values()
    assert opened_here(state, position) == 10


def test_a_scene_is_all_there_is_to_know_of_a_contract() -> None:
    stop = bracket_specs()[2]
    lone = msgspec.structs.replace(stop, contract=MSFT, order_id=OrderId("memo-2-stop"))
    state = fold(
        [
            ev.SyncEvent(at=AT, epoch=1, positions=()),
            bought(10, "e1", at=later(3)),
            written(stop, at=later(4)),
            accepted(lone),
            ev.ExpireEvent(at=later(5), order_id=stop.order_id),
        ]
    )
    market = Market((), Decimal(1), Decimal(2))
    naked, orphan = scenes(state, {AAPL.con_id: market})
    (one,) = scenes(
        state, {AAPL.con_id: market}, found={AAPL.con_id: standings(state)[AAPL.con_id]}
    )
    assert one == naked
    (gone,) = scenes(state, found={MSFT.con_id: flat(MSFT)})
    assert values(gone.held, gone.orders, gone.is_known) == (0, (), True)
    assert values(naked.held, naked.cost, naked.ours) == (10, 150, 10)
    assert (naked.since, naked.market, naked.orders) == (later(5), market, ())
    assert [order.order_id for order in naked.lost] == [stop.order_id]
    assert (naked.is_known, naked.is_closing) == (True, False)
    assert values(orphan.contract, orphan.held, orphan.market) == (MSFT, 0, None)
    assert [order.order_id for order in orphan.orders] == ["memo-2-stop"]
    covered = scenes(state.apply(accepted(stop, from_snapshot=True)))[0]
    assert (covered.lost, covered.since) == ((), None)


def test_a_scene_says_what_is_not_certain() -> None:
    start = fold([bought(10, "e1")])
    assert not scenes(start)[0].is_known  # nobody has said what was held before
    synced = start.apply(ev.SyncEvent(at=AT, epoch=1, positions=(held(10),)))
    assert scenes(synced)[0].is_known
    doubted = synced.apply(ev.PositionReportEvent(at=AT, position=held(4)))
    assert not scenes(doubted)[0].is_known
    asked = ev.CloseRequestEvent(at=AT, group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT)
    assert scenes(synced.apply(asked))[0].is_closing


def test_a_price_is_no_news_unless_an_order_minds_it() -> None:
    def stood(stop: Order, mark: str) -> Standing:
        quote = Quote(contract=AAPL, at=AT, last=Decimal(mark))
        start = ev.SyncEvent(at=AT, epoch=1, positions=(held(10),))
        state = fold([start, accepted(stop.spec), ev.PriceEvent(at=AT, contract=AAPL, quote=quote)])
        return standings(state)[AAPL.con_id]

    plain = exit_order("memo-1-stop")
    assert stood(plain, "150") == stood(plain, "151")
    limited = exit_order(
        "memo-1-stop", order_type=OrderType.STOP_LIMIT, limit_price=Decimal("144.5")
    )
    assert stood(limited, "150") != stood(limited, "144")
    assert stood(limited, "144").mark == 144


def test_of_the_stops_that_were_lost_the_last_one_of_what_is_held_stays_known() -> None:
    first, last, elsewhere = (
        exit_order(name, status=OrderStatus.CANCELLED, updated_at=later(at))
        for at, name in enumerate(("first", "last", "elsewhere"))
    )
    other = msgspec.structs.replace(elsewhere.spec, contract=MSFT)
    elsewhere = msgspec.structs.replace(elsewhere, spec=other)
    assert last_lost([held(10)], [last, first, elsewhere]) == {"last": last}
    assert last_lost([], [last]) == {}


def test_it_outlives_the_day_as_long_as_something_is_held() -> None:
    entry, _, stop = bracket_specs()
    asked = ev.CancelRequestEvent(at=later(2), order_id=stop.order_id, origin="cli")
    gone = ev.CancelEvent(at=later(3), order_id=stop.order_id)
    bought = filled(fill(10, order_id=entry.order_id, at=later(1)))
    state = fold([written(entry), written(stop), accepted(stop), bought, asked, gone])
    assert state.begin_day(later(60)).closed.keys() == {stop.order_id}
    sold = filled(fill(10, key="s", order_id=OrderId("tws-1"), side=Side.SELL, at=later(4)))
    assert not state.apply(sold).begin_day(later(60)).closed
