"""Whole days of a strategy on an exchange in this process: from signals through rules to fills.

The five days that the first progress report asks for: long and short with additions, a stop or a
target at their end; contexts that end by themselves; several symbols with different sides at
once; and the end of the day. What the exchange has in its books decides.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderType, Outcome, Side, Stage
from ibkr_trader.portfolio.contexts import context
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.templates import (
    StrategyBuilder,
    create_buy_rule,
    create_eod_close_rule,
    create_scale_in_rule,
    create_sell_rule,
)
from tests.execution.parts import AAPL
from tests.execution.strategy_stage import StrategyFloor, entries

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.strategist import Strategist

MSFT = 272093
SIDES = [("BUY", 1), ("SHORT", -1)]
DAY = (
    StrategyBuilder("day", ["AAPL", "MSFT"])
    .add(
        create_buy_rule(size="10"),
        create_buy_rule(name="Short", side="short", size="10"),
        create_sell_rule(),
        create_sell_rule(name="Cover", when="signal.action == 'BUY'", only="short"),
        create_scale_in_rule(profit_pct=2, quantity=5, up_to=15),
        create_eod_close_rule(minutes_before=5),
    )
    .to_toml()
)
D = Decimal


class Day(StrategyFloor):
    """An exchange with AAPL at 150 and MSFT at 400."""

    def __init__(self) -> None:
        super().__init__()
        self.second("399.99", "400.01")

    def second(self, bid: str, ask: str) -> None:
        """Set the market of MSFT."""
        self.exchange.market.set_quote(
            MSFT, bid=D(bid), ask=D(ask), bid_size=D(1000), ask_size=D(1000), last=D(bid)
        )

    async def at(self, desk: Strategist, price: str, quantity: int) -> None:
        """Let AAPL go to a price until so many are held and nothing else is under way."""
        ask = str(D(price) + D("0.02"))
        self.move(desk.trader, price, ask)

        def settled(now: object) -> bool | None:
            del now
            here = context(desk.trader.portfolio, AAPL)
            held = here.held if here is not None else 0
            exits = here.exits if here is not None else ()
            follow = {one.spec.quantity for one in exits} <= {D(abs(quantity))}
            return True if held == quantity and follow else None

        async def wait() -> None:
            assert await desk.trader.until(settled, timeout=5), desk.trader.portfolio.orders

        await self.closing(desk, wait(), bid=price, ask=ask)


def exits(desk: Strategist) -> dict[OrderType, Order]:
    return {o.spec.order_type: o for o in desk.trader.portfolio.orders.values()}


async def looked(desk: Strategist, trigger: Trigger, *con_ids: int) -> None:
    for con_id in con_ids or (AAPL,):
        details = desk.trader.outlook.details(con_id)
        assert details is not None
        desk.ask(details, trigger)
    await desk.turns.idle()


async def entered(floor: Day, desk: Strategist, action: str, *, name: str = "s1") -> None:
    """Be in AAPL, ten on one side, with stop and target on theirs."""
    reply = await desk.signals.take(floor.claim(action, signal_id=name))
    assert reply.outcome is Outcome.ACTED, reply
    sign = 1 if action == "BUY" else -1
    await floor.filled(desk, 10 * sign)
    here = exits(desk)
    stop, target = here[OrderType.STOP].spec, here[OrderType.LIMIT].spec
    assert stop.side is target.side is (Side.SELL if sign > 0 else Side.BUY)
    assert stop.stop_price is not None
    assert target.limit_price is not None
    assert (D(150) - stop.stop_price) * sign > 0
    assert (target.limit_price - D(150)) * sign > 0


@pytest.mark.parametrize(("action", "sign"), SIDES)
@pytest.mark.parametrize("ends", ["stop", "target"])
async def test_in_more_of_it_and_out_by_stop_or_target(action: str, sign: int, ends: str) -> None:
    floor = Day()
    async with floor.strategist(DAY) as desk:
        await entered(floor, desk, action)
        gain = str(D(150) + 4 * sign)
        floor.move(desk.trader, gain, str(D(gain) + D("0.02")))
        await floor.closing(
            desk, looked(desk, Trigger.PRICE), bid=gain, ask=str(D(gain) + D("0.02"))
        )
        await floor.at(desk, gain, 15 * sign)
        assert [int(o.spec.quantity) for o in exits(desk).values()] == [15, 15]
        far = D(20) if ends == "target" else D(-20)
        await floor.at(desk, str(D(150) + far * sign), 0)
        assert context(desk.trader.portfolio, AAPL) is None
        truth = await desk.trader.broker.snapshot()
        assert not [p for p in truth.positions if p.quantity]
        assert not truth.open_orders


@pytest.mark.parametrize(("action", "sign"), SIDES)
async def test_a_context_ends_by_itself_and_the_next_signal_opens_anew(
    action: str, sign: int
) -> None:
    floor = Day()
    async with floor.strategist(DAY) as desk:
        await entered(floor, desk, action)
        same = await desk.signals.take(floor.claim(action, signal_id="again"))
        assert same.outcome is Outcome.NOTHING  # it is held already
        await floor.at(desk, str(D(150) - 20 * sign), 0)
        assert context(desk.trader.portfolio, AAPL) is None
        floor.clock.advance(1)  # after a stop nothing is opened in the same moment
        floor.move(desk.trader, "149.99", "150.01")
        other = "SHORT" if action == "BUY" else "BUY"
        await entered(floor, desk, other, name="s2")
        groups = {one.spec.group_id for one in entries(desk)}
        assert len(groups) == 2


async def test_several_symbols_have_different_sides_and_one_exit_leaves_the_other() -> None:
    floor = Day()
    async with floor.strategist(DAY) as desk:
        await entered(floor, desk, "BUY")
        await desk.signals.take(floor.claim("SHORT", signal_id="m1", ticker="MSFT", price=D(400)))

        async def both() -> None:
            assert await desk.trader.until(
                lambda now: True if len(now.positions) == 2 else None, timeout=5
            )

        await floor.closing(desk, both())
        held = {c: p.quantity for c, p in desk.trader.portfolio.positions.items()}
        assert held == {AAPL: D(10), MSFT: D(-10)}
        out = desk.signals.take(floor.claim("SELL", signal_id="s2"))
        assert (await floor.closing(desk, out)).outcome is Outcome.ACTED
        assert set(desk.trader.portfolio.positions) == {MSFT}
        left = {o.spec.contract.con_id for o in desk.trader.portfolio.orders.values()}
        assert left == {MSFT}


async def test_the_day_ends_flat_with_long_and_short_held() -> None:
    floor = Day()
    async with floor.strategist(DAY) as desk:
        await entered(floor, desk, "SHORT")
        await desk.signals.take(floor.claim("BUY", signal_id="m1", ticker="MSFT", price=D(400)))

        async def both() -> None:
            assert await desk.trader.until(
                lambda now: True if len(now.positions) == 2 else None, timeout=5
            )

        await floor.closing(desk, both())
        await looked(desk, Trigger.TIME, AAPL, MSFT)
        assert len(desk.trader.portfolio.positions) == 2
        floor.clock.advance(6 * 3600 - 4 * 60)  # 15:56 in New York
        await floor.closing(desk, looked(desk, Trigger.TIME, AAPL, MSFT))
        truth = await desk.trader.broker.snapshot()
        assert not [p for p in truth.positions if p.quantity]
        assert not truth.open_orders


async def test_a_signal_never_turns_a_position_round() -> None:
    floor = Day()
    async with floor.strategist(DAY) as desk:
        await entered(floor, desk, "BUY")
        turned = await desk.signals.take(floor.claim("SHORT", signal_id="s2"))
        assert (turned.outcome, len(entries(desk))) == (Outcome.REFUSED, 1)
        assert desk.trader.portfolio.positions[AAPL].quantity == 10


async def test_the_strategy_of_the_functions_is_the_one_of_its_file() -> None:
    strategy = read_strategy(DAY)
    assert strategy.rules[0].name == "EndOfDay"
    floor = Day()
    async with floor.strategist() as desk:
        await desk.admit(strategy, Stage.LIVE)
        await entered(floor, desk, "BUY")
