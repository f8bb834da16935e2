"""From each wish to what came of it: done, nothing to do, refused, failed, unknown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Outcome, Side, TradingState
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import is_covered
from ibkr_trader.execution.wishing import Came, Wishing
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk
from ibkr_trader.rules.wishes import Add, Enter, Exit, LetTrail, MoveStop, StopTrading, Tell
from tests.execution.parts import AAPL, DeafBroker, FallibleBroker, request
from tests.execution.strategy_stage import StrategyFloor, entries, told

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.rules.wishes import Wish

D = Decimal
SIDES = [Side.BUY, Side.SELL]
LATE = timedelta(seconds=1)


def enter(side: Side = Side.BUY, number: int = 10, **more: Any) -> Enter:
    """Enter with a stop and a target five away."""
    usual: dict[str, Any] = {
        "stop": D(150) - 5 * side.sign,
        "targets": (D(150) + 5 * side.sign,),
        "size": FixedQuantity(D(number)),
    }
    return Enter(symbol="AAPL", side=side, **{**usual, **more})


async def done(desk: Strategist, wish: Wish, **more: Any) -> Came:
    wishing = Wishing(desk.trader, origin="rule:s/r", cause="d1", timeout=2.0, **more)
    return await wishing.carry_out(wish)


async def held(floor: StrategyFloor, desk: Strategist, side: Side = Side.BUY, **more: Any) -> None:
    """Hold ten on a side, under a bracket."""
    came = await done(desk, enter(side, **more))
    assert came.outcome is Outcome.ACTED, came
    await floor.filled(desk, 10 * side.sign)


def working(desk: Strategist, kind: OrderType) -> list[Order]:
    orders = desk.trader.portfolio.orders.values()
    return [order for order in orders if order.spec.order_type is kind]


def why(came: Came) -> str:
    return "; ".join(came.reasons)


# -- entering -----------------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
async def test_an_entry_is_a_bracket_with_its_origin_and_its_cause(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, enter(side))
        assert came.outcome is Outcome.ACTED
        assert "size 10" in why(came)
        (entry,) = entries(desk)
        assert (entry.spec.side, entry.spec.quantity) == (side, D(10))
        assert (entry.origin, entry.correlation_id) == ("rule:s/r", "d1")
        assert entry.order_id in came.order_ids
        await floor.filled(desk, 10 * side.sign)
        (stop,), (target,) = working(desk, OrderType.STOP), working(desk, OrderType.LIMIT)
        assert (stop.spec.side, stop.spec.stop_price) == (side.opposite, D(150) - 5 * side.sign)
        assert (target.spec.side, target.spec.limit_price) == (
            side.opposite, D(150) + 5 * side.sign,
        )  # fmt: skip


async def test_what_is_so_already_is_left_alone() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await done(desk, enter(limit=D(140), stop=D(135)))
        waits = await done(desk, enter())
        assert (waits.outcome, "works already" in why(waits)) == (Outcome.NOTHING, True)
        floor.move(desk.trader, "139.98", "139.99")
        await floor.filled(desk, 10)
        again = await done(desk, enter())
        assert (again.outcome, why(again)) == (Outcome.NOTHING, "AAPL is held long already: +10")
        assert len(entries(desk)) == 1


@pytest.mark.parametrize("side", SIDES)
async def test_no_wish_flips_a_position_unless_it_says_close_first(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk, side)
        refused = await done(desk, enter(side.opposite))
        assert (refused.outcome, "never flips" in why(refused)) == (Outcome.REFUSED, True)
        assert len(entries(desk)) == 1
        came = await floor.closing(desk, done(desk, enter(side.opposite, reverses=True)))
        assert came.outcome is Outcome.ACTED, came
        await floor.filled(desk, 10 * side.opposite.sign)
        (stop,) = working(desk, OrderType.STOP)
        assert stop.spec.side is side


async def test_what_was_closed_on_the_way_is_told_though_it_was_not_entered() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk)
        wish = enter(Side.SELL, stop=None, reverses=True)
        came = await floor.closing(desk, done(desk, wish))
        assert (came.outcome, "stop belongs" in why(came)) == (Outcome.FAILED, True)
        assert why(came).endswith("done before: 1-target, 1-stop, 2-close")
        assert not desk.trader.portfolio.positions
        assert "k7qav-2-close" in came.order_ids


async def test_a_signal_that_is_too_old_enters_nothing_and_closes_nothing_first() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        now = floor.clock.now()
        late = await done(desk, enter(), valid_until=now - LATE)
        assert (late.outcome, "too old" in why(late)) == (Outcome.REFUSED, True)
        assert (await done(desk, enter(), valid_until=now)).outcome is Outcome.ACTED
        await floor.filled(desk, 10)
        wish = enter(Side.SELL, reverses=True)
        late = await done(desk, wish, valid_until=now - LATE)
        assert (late.outcome, late.order_ids) == (Outcome.REFUSED, ())
        assert desk.trader.portfolio.positions[AAPL].quantity == 10
        add = await done(desk, Add(symbol="AAPL", quantity=D(5)), valid_until=now - LATE)
        assert (add.outcome, "too old" in why(add)) == (Outcome.REFUSED, True)
        # To get out nothing is too old.
        out = done(desk, Exit(symbol="AAPL"), valid_until=now - LATE)
        assert (await floor.closing(desk, out)).outcome is Outcome.ACTED


@pytest.mark.parametrize(
    ("count", "number", "parts"),
    [(2, 10, [5, 5]), (3, 10, [4, 3, 3]), (3, 2, [1, 1]), (3, 1, [1]), (0, 10, [])],
)
async def test_targets_share_what_is_held_and_none_is_of_nothing(
    count: int, number: int, parts: list[int]
) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        targets = tuple(D(160 + n) for n in range(count))
        await done(desk, enter(number=number, targets=targets))
        await floor.filled(desk, number)
        shares = [int(order.spec.quantity) for order in working(desk, OrderType.LIMIT)]
        assert sorted(shares) == sorted(parts)
        assert sum(int(o.spec.quantity) for o in working(desk, OrderType.STOP)) == number


@pytest.mark.parametrize(
    ("wish", "why_not"),
    [
        (enter(size=FixedRisk(amount=D(1))), "size"),
        (enter(stop=None), "where the stop belongs"),
        (enter(stop=D(155)), "stop"),
        (enter(Side.SELL, stop=D(145)), "stop"),
    ],
)
async def test_what_cannot_be_sized_or_contradicts_itself_is_refused(
    wish: Enter, why_not: str
) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, wish)
        assert came.outcome is Outcome.REFUSED, came
        assert came.reasons
        assert not entries(desk)
        assert why_not in why(came).lower() or "risk" in why(came)


async def test_a_size_may_say_where_the_stop_belongs() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        size = AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100)))
        came = await done(desk, enter(stop=None, targets=(), size=size))
        assert came.outcome is Outcome.ACTED, came
        (stop,) = working(desk, OrderType.STOP)
        assert stop.spec.stop_price is not None
        assert stop.spec.stop_price < 150


async def test_what_the_guard_denies_is_refused_with_every_reason() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        desk.trader.halter.stop("a test", origin="test", symbol="")
        await desk.trader.learn("AAPL")
        floor.clock.advance(13 * 3600)  # the market is closed by then, and the quote is old
        came = await done(desk, enter())
        assert came.outcome is Outcome.REFUSED
        assert len(came.reasons) > 1
        assert "Trading is HALTED" in why(came)


async def test_nobody_there_is_a_failure_and_no_refusal() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        assert isinstance(desk.trader.broker, FallibleBroker)
        desk.trader.broker.is_gone = True
        came = await done(desk, enter())
        assert came.outcome is Outcome.FAILED, came
        assert "disconnected" in why(came)
        desk.trader.broker.is_gone = False


# -- adding, leaving ----------------------------------------------------------------------


@pytest.mark.parametrize("side", SIDES)
async def test_what_is_added_is_covered_on_either_side(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk, side)
        came = await done(desk, Add(symbol="AAPL", quantity=D(5)))
        assert came.outcome is Outcome.ACTED, came
        await floor.filled(desk, 15 * side.sign)
        assert await desk.trader.until(lambda now: is_covered(now, AAPL) or None, timeout=5)
        exits = [o for o in desk.trader.portfolio.orders.values() if o.spec.role.is_protective]
        assert {order.spec.quantity for order in exits} == {D(15)}
        assert {order.spec.side for order in exits} == {side.opposite}


async def test_to_nothing_nothing_is_added() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, Add(symbol="AAPL", quantity=D(5)))
        assert came.outcome in {Outcome.REFUSED, Outcome.FAILED}
        assert came.reasons
        assert not desk.trader.portfolio.orders


@pytest.mark.parametrize("side", SIDES)
async def test_leaving_closes_the_side_that_is_meant_and_no_other(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        flat = await done(desk, Exit(symbol="AAPL"))
        assert (flat.outcome, why(flat)) == (Outcome.NOTHING, "AAPL is flat already")
        await held(floor, desk, side)
        other = await done(desk, Exit(symbol="AAPL", only=side.opposite))
        assert (other.outcome, "not meant" in why(other)) == (Outcome.NOTHING, True)
        came = await floor.closing(desk, done(desk, Exit(symbol="AAPL", only=side)))
        assert came.outcome is Outcome.ACTED
        orders = told(desk.trader.journal, ev.NewOrderEvent)
        (closer,) = (one for one in orders if one.spec.role is OrderRole.CLOSE)
        assert closer.correlation_id == "d1"
        assert not desk.trader.portfolio.positions
        assert not desk.trader.portfolio.orders


@pytest.mark.parametrize("side", SIDES)
async def test_an_entry_that_waits_on_the_other_side_is_not_taken_away(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        far = D(150) - 10 * side.sign
        await done(desk, enter(side, limit=far, stop=far - 5 * side.sign))
        other = await done(desk, Exit(symbol="AAPL", only=side.opposite))
        assert (other.outcome, "not meant" in why(other)) == (Outcome.NOTHING, True)
        assert working(desk, OrderType.STOP)
        own = await floor.closing(desk, done(desk, Exit(symbol="AAPL", only=side)))
        assert own.outcome is Outcome.ACTED
        assert not desk.trader.portfolio.orders


async def test_what_the_broker_does_not_answer_is_unknown_and_never_a_refusal() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk)
        desk.trader.broker.__class__ = DeafBroker
        wishing = Wishing(desk.trader, origin="o", cause="c", timeout=0.05)
        leaving = await wishing.carry_out(Exit(symbol="AAPL"))
        assert (leaving.outcome, "not confirmed" in why(leaving)) == (Outcome.UNKNOWN, True)
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        desk.trader.broker.__class__ = DeafBroker
        wishing = Wishing(desk.trader, origin="o", cause="c", timeout=0.05)
        entering = await wishing.carry_out(enter())
        assert entering.outcome is Outcome.UNKNOWN
        assert {one.order_id for one in entries(desk)} <= set(entering.order_ids)


async def test_an_exit_that_stalls_with_the_link_is_unknown_for_it_goes_on() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk)
        broker = desk.trader.broker
        assert isinstance(broker, FallibleBroker)
        broker.is_gone = True
        came = await done(desk, Exit(symbol="AAPL"))
        assert (came.outcome, "its stop still works" in why(came)) == (Outcome.UNKNOWN, True)
        broker.is_gone = False
        await floor.closing(desk, desk.trader.recovery.synchronize())
        await floor.closing(desk, desk.trader.until(lambda p: not p.closings or None, timeout=5))
        assert not desk.trader.portfolio.positions


# -- stops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "nearer", "further"), [(SIDES[0], 147, 140), (SIDES[1], 153, 160)]
)
async def test_a_stop_moves_nearer_and_never_away(side: Side, nearer: int, further: int) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk, side)
        (stop,) = working(desk, OrderType.STOP)
        came = await done(desk, MoveStop(symbol="AAPL", level=D(nearer)))
        assert (came.outcome, came.order_ids) == (Outcome.ACTED, (stop.order_id,))
        for level in (nearer, further):
            came = await done(desk, MoveStop(symbol="AAPL", level=D(level)))
            assert (came.outcome, came.order_ids) == (Outcome.NOTHING, ())
        (stop,) = working(desk, OrderType.STOP)
        assert stop.spec.stop_price == nearer
        assert stop.spec.quantity == 10


async def test_every_stop_of_a_bracket_with_several_targets_moves() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk, targets=(D(160), D(170)))
        stops = working(desk, OrderType.STOP)
        came = await done(desk, MoveStop(symbol="AAPL", level=D("147.004")))
        assert came.outcome is Outcome.ACTED
        assert set(came.order_ids) == {order.order_id for order in stops}
        levels = {order.spec.stop_price for order in working(desk, OrderType.STOP)}
        assert levels == {D("147.01")}  # on the grid, and on the safe side of it
        assert sum(int(order.spec.quantity) for order in working(desk, OrderType.STOP)) == 10


@pytest.mark.parametrize("side", SIDES)
async def test_a_stop_is_let_trail_once(side: Side) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        await held(floor, desk, side)
        wish = LetTrail(symbol="AAPL", trail=Trail(percent=D(2)))
        came = await done(desk, wish)
        (stop,) = working(desk, OrderType.STOP)
        assert (came.outcome, came.order_ids) == (Outcome.ACTED, (stop.order_id,))
        assert desk.trader.trails.plan(stop.order_id) is not None
        again = await done(desk, wish)
        assert (again.outcome, "trails already" in why(again)) == (Outcome.NOTHING, True)


@pytest.mark.parametrize(
    "wish",
    [MoveStop(symbol="AAPL", level=D(1)), LetTrail(symbol="AAPL", trail=Trail(percent=D(2)))],
)
async def test_without_a_stop_there_is_nothing_to_move(wish: Wish) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        flat = await done(desk, wish)
        assert (flat.outcome, "nothing is held" in why(flat)) == (Outcome.REFUSED, True)
        await Desk(desk.trader).submit_order(request(10), wait=Wait.ACCEPTED)
        await floor.filled(desk, 10)
        bare = await done(desk, wish)
        assert (bare.outcome, "no plain stop of ours" in why(bare)) == (Outcome.REFUSED, True)


# -- telling, halting ---------------------------------------------------------------------


async def test_a_notice_is_on_record_with_who_says_it() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, Tell(message="look here", is_serious=True))
        assert came == Came(outcome=Outcome.ACTED)
        (notice,) = told(desk.trader.journal, ev.NoticeEvent)
        assert (notice.message, notice.origin, notice.is_serious) == ("look here", "rule:s/r", True)


@pytest.mark.parametrize(("symbol", "other"), [("", Outcome.REFUSED), ("MSFT", Outcome.ACTED)])
async def test_a_halt_holds_for_what_it_names(symbol: str, other: Outcome) -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, StopTrading(reason="too wild", symbol=symbol))
        assert came.outcome is Outcome.ACTED
        assert (desk.trader.outlook.trading_state is TradingState.HALTED) is not bool(symbol)
        assert (await done(desk, enter())).outcome is other
        assert len([one for one in entries(desk) if one.spec.role is OrderRole.ENTRY]) == (
            1 if symbol else 0
        )


async def test_a_symbol_that_nobody_knows_is_a_failure() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        came = await done(desk, Enter(symbol="ZZZZ", side=Side.BUY, size=FixedQuantity(D(1))))
        assert came.outcome is Outcome.FAILED
        assert "ZZZZ" in why(came)
