"""Linked positions end to end: a desk, the gateway over TCP, and an exchange in time of its own.

Entry, scale-in, stop or target; long and short; several symbols with sides of their own. What
is held and what works is read from the exchange's ledger, never from the desk's belief.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader import BracketOrderRequest, OrderRequest, OrderType, Side
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import NothingToScale, add, prepare_addition
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.portfolio.contexts import contexts
from ibkr_trader.sim.exchange import BracketMode, ExchangeConfig
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from tests.bad_days.judges import assert_sound, nakedness, orphans
from tests.bad_days.requests import exits, trail
from tests.bad_days.stage import AAPL, MSFT, START, Day, a_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import Order

PRICES = {Side.BUY: ("145", "155"), Side.SELL: ("155", "145")}  # stop and target, around 150


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    async with a_day(tmp_path) as opened, opened.open_desk():
        yield opened


def bracket(
    side: Side = Side.BUY,
    *targets: tuple[str, int],
    symbol: str = "AAPL",
    limit: str = "",
    stop: OrderRequest | None = None,
) -> BracketOrderRequest:
    """Ten at the market (or a limit), with a stop and a target on the right sides of it."""
    entry = OrderRequest(
        symbol=symbol,
        quantity=Decimal(10),
        side=side,
        order_type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=Decimal(limit) if limit else None,
    )
    out = msgspec.structs.replace(entry, side=side.opposite, limit_price=None)
    lose, gain = PRICES[side]
    return BracketOrderRequest(
        parent=entry,
        stop_loss=stop
        or msgspec.structs.replace(out, order_type=OrderType.STOP, stop_price=Decimal(lose)),
        take_profit=tuple(
            msgspec.structs.replace(
                out,
                order_type=OrderType.LIMIT,
                limit_price=Decimal(price),
                quantity=Decimal(part),
            )
            for price, part in (targets or ((gain, 10),))
        ),
    )


async def enter(day: Day, request: BracketOrderRequest) -> None:
    """Have the bracket filled, and let the time pass in which the same again is a mistake."""
    async with day.meanwhile():
        await day.desk.submit_group(request, wait=Wait.FILLED)
    await day.wait(11, step=11)


async def scale_in(
    day: Day,
    quantity: int = 10,
    *,
    symbol: str = "AAPL",
    limit: str = "",
    wait: Wait = Wait.FILLED,
) -> tuple[Order, ...]:
    request = ScaleInRequest(
        symbol=symbol,
        quantity=Decimal(quantity),
        limit_price=Decimal(limit) if limit else None,
    )
    async with day.meanwhile():
        addition = await prepare_addition(day.trader, request)
        orders = await add(day.trader, addition, wait=wait, timeout=5)
    await day.quiet()
    return orders


def held(day: Day, con_id: int = AAPL) -> int:
    """What is held at the exchange, signed."""
    return int(day.ledger.held(con_id))


def works(day: Day, con_id: int = AAPL) -> dict[str, int]:
    """What works at the exchange, by role."""
    return {
        order.terms.order_ref.split("-")[-1]: int(order.remaining)
        for order in day.ledger.live(con_id)
    }


def prices(day: Day, con_id: int = AAPL) -> dict[str, Decimal | None]:
    return {
        order.terms.order_ref.split("-")[-1]: order.stop_price or order.terms.limit_price
        for order in day.ledger.live(con_id)
    }


async def reach(day: Day, price: str) -> None:
    """Take the market to a price: those who sell get it, those who buy pay it."""
    at = Decimal(price)
    await day.quote(f"{at}", f"{at}", last=price)
    await day.wait(2)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("end", ["stop", "target"])
async def test_entry_scale_in_and_out(day: Day, side: Side, end: str) -> None:
    lose, gain = PRICES[side]
    await enter(day, bracket(side))
    assert works(day) == {"target": 10, "stop": 10}
    entry, *exits = await scale_in(day)
    assert entry.status is OrderStatus.FILLED
    assert {order.spec.quantity for order in exits} == {20}
    assert held(day) == 20 * side.sign
    assert works(day) == {"target": 20, "stop": 20}
    assert prices(day) == {"target": Decimal(gain), "stop": Decimal(lose)}  # the first entry's
    assert_sound(day, AAPL)

    await reach(day, lose if end == "stop" else gain)
    assert (held(day), works(day)) == (0, {})
    assert contexts(day.trader.portfolio) == {}
    assert not day.trader.groups.open_ids
    assert_sound(day, AAPL)


async def test_a_new_bracket_starts_afresh(day: Day) -> None:
    """Nothing of the context before it is left that could touch it."""
    await enter(day, bracket())
    await scale_in(day)
    await reach(day, "145")
    with pytest.raises(NothingToScale, match="nothing is held in AAPL"):
        await scale_in(day)
    await day.quote("149.99", "150.01")
    await day.wait(15)
    await enter(day, bracket(Side.SELL))
    assert held(day) == -10
    assert works(day) == {"target": 10, "stop": 10}
    await day.wait(10)
    assert works(day) == {"target": 10, "stop": 10}
    assert_sound(day, AAPL)


async def test_long_and_short_of_one_symbol_do_not_mix(day: Day) -> None:
    await enter(day, bracket())
    with pytest.raises(RiskCheckError, match="do not mix"):
        await enter(day, bracket(Side.SELL))
    assert (held(day), works(day)) == (10, {"target": 10, "stop": 10})


async def test_symbols_have_sides_of_their_own(day: Day) -> None:
    """One is stopped out; the other's exits and its scale-in are its own."""
    await day.quote("149.99", "150.01", con_id=MSFT)
    await enter(day, bracket())
    await enter(day, bracket(Side.SELL, symbol="MSFT"))
    here = contexts(day.trader.portfolio)
    assert {con_id: one.side for con_id, one in here.items()} == {AAPL: Side.BUY, MSFT: Side.SELL}
    await scale_in(day, 5)
    await scale_in(day, 3, symbol="MSFT")
    assert (held(day), held(day, MSFT)) == (15, -13)
    assert (works(day), works(day, MSFT)) == (
        {"target": 15, "stop": 15}, {"target": 13, "stop": 13},
    )  # fmt: skip
    await reach(day, "145")
    assert (held(day), works(day)) == (0, {})
    assert (held(day, MSFT), works(day, MSFT)) == (-13, {"target": 13, "stop": 13})
    assert_sound(day, MSFT)


async def test_closing_ends_a_position_that_was_scaled(day: Day) -> None:
    await enter(day, bracket())
    await scale_in(day)
    await scale_in(day, 5, limit="140", wait=Wait.ACCEPTED)
    async with day.meanwhile():
        await close_contract(day.trader, day.trader.portfolio.positions[AAPL].contract, timeout=30)
    await day.wait(5)
    assert (held(day), works(day)) == (0, {})
    assert not day.trader.groups.open_ids


async def test_a_scale_in_fills_bit_by_bit(day: Day) -> None:
    """The exits follow each fill, and no exit is ever larger than what is held."""
    await enter(day, bracket())
    await scale_in(day, limit="149", wait=Wait.ACCEPTED)
    assert works(day) == {"target": 10, "stop": 10, "entry.2": 10}
    for more, total in ((1, 11), (6, 17), (3, 20)):
        await day.trade("entry.2", more)
        await day.wait(0.5, step=0.05)  # frames leave one after the other
        assert held(day) == total
        assert (works(day)["target"], works(day)["stop"]) == (total, total)
        assert not orphans(day, AAPL)
        assert not nakedness(day, AAPL)
    asked = [sent.message for sent in day.wire.sent("modifyOrder")]
    assert [one.order.quantity for one in asked if isinstance(one, PlaceOrder)] == [
        11, 11, 17, 17, 20, 20,
    ]  # fmt: skip


async def test_two_targets_keep_their_split(day: Day) -> None:
    await enter(day, bracket(Side.BUY, ("155", 6), ("160", 4)))
    assert works(day) == {"target": 6, "stop": 6, "target.2": 4, "stop.2": 4}
    await scale_in(day)
    assert works(day) == {"target": 12, "stop": 12, "target.2": 8, "stop.2": 8}
    await reach(day, "155")
    assert (held(day), works(day)) == (8, {"target.2": 8, "stop.2": 8})
    await scale_in(day, 7)
    assert works(day) == {"target.2": 15, "stop.2": 15}
    assert_sound(day, AAPL)
    await reach(day, "160")
    assert (held(day), works(day)) == (0, {})
    assert_sound(day, AAPL)


@pytest.mark.parametrize("targets", [(("155", 10),), (("155", 6), ("160", 4)), (("155", 6),)])
@pytest.mark.parametrize("mode", list(BracketMode))
async def test_a_partly_filled_entry_is_protected_within_two_seconds(
    mode: BracketMode, targets: tuple[tuple[str, int], ...], tmp_path: Path
) -> None:
    """Whichever of the three ways the broker treats its exits, and however many they are."""
    config = ExchangeConfig(opened_at=START, bracket_mode=mode)
    async with a_day(tmp_path, config=config) as day, day.open_desk():
        async with day.meanwhile():
            await day.desk.submit_group(bracket(Side.BUY, *targets, limit="149"))
        await day.trade("entry", 5)
        assert not orphans(day, AAPL)
        await day.wait(2, step=0.05)
        assert held(day) == 5
        assert not nakedness(day, AAPL)
        assert_sound(day, AAPL)
        if mode is BracketMode.HELD:
            return
        await day.trade("entry", 5)
        await day.wait(2, step=0.05)
        assert held(day) == 10
        assert_sound(day, AAPL)
        await reach(day, "145")
        assert (held(day), works(day)) == (0, {})


async def test_a_trail_follows_the_gain_and_the_scale_in(day: Day) -> None:
    """Sizing it anew leaves it where it has got to: it never widens."""
    trail = OrderRequest(
        symbol="AAPL",
        quantity=Decimal(10),
        side=Side.SELL,
        order_type=OrderType.TRAIL,
        trail_amount=Decimal(3),
    )
    await enter(day, bracket(stop=trail))
    await day.rise("150", "153")
    before = day.order("stop").stop_price
    assert before is not None
    assert before >= Decimal("149.9")
    await day.quote("152.00", "152.02")  # it has come back a little
    await scale_in(day)
    assert works(day) == {"target": 20, "stop": 20}
    after = day.order("stop").stop_price
    assert after is not None
    assert after >= before
    await reach(day, "149.50")
    assert (held(day), works(day)) == (0, {})


@pytest.mark.parametrize("kind", ["oco", "trail", "managed"])
async def test_exits_of_other_kinds_get_company(day: Day, kind: str) -> None:
    """They stay as they are; what is added has exits like them, at the same prices."""
    order = OrderRequest(symbol="AAPL", side=Side.BUY, quantity=Decimal(10))
    async with day.meanwhile():
        await day.desk.submit_order(order, wait=Wait.FILLED)
        protection = exits() if kind == "oco" else trail(is_managed=kind == "managed")
        await day.accepted(protection)
    await day.wait(11, step=11)
    entry, *beside = await scale_in(day, 5)
    assert entry.status is OrderStatus.FILLED
    assert held(day) == 15
    assert not nakedness(day, AAPL)
    assert_sound(day, AAPL)
    old = [one for one in day.ledger.live(AAPL) if one.remaining == 10]
    new = [one for one in day.ledger.live(AAPL) if one.remaining == 5]
    assert len(new) == len(beside) == len(old)
    assert {one.stop_price for one in new} == {one.stop_price for one in old}
    await reach(day, "140")
    await day.wait(5)
    assert (held(day), works(day)) == (0, {})


async def test_what_filled_while_nobody_was_there_is_followed_up(tmp_path: Path) -> None:
    """The desk goes, the scale-in fills, the desk comes back."""
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await enter(day, bracket())
            await scale_in(day, 5, limit="149", wait=Wait.ACCEPTED)
        await day.trade("entry.2", 5)
        assert works(day) == {"target": 10, "stop": 10}
        async with day.open_desk():
            await day.wait(2)
            assert held(day) == 15
            assert works(day) == {"target": 15, "stop": 15}
            assert_sound(day, AAPL)


async def test_every_change_of_the_position_is_told_with_its_profits(day: Day) -> None:
    await enter(day, bracket())
    await day.quote("151.99", "152.00")
    await scale_in(day)
    await reach(day, "155")
    told = day.news(ev.PositionEvent)
    assert [type(one).__name__ for one in told] == [
        "PositionOpenEvent", "PositionUpdateEvent", "PositionCloseEvent",
    ]  # fmt: skip
    opened, grown, closed = told
    assert {opened.realized_pnl, grown.realized_pnl} == {Decimal(0)}
    assert grown.position.unrealized_pnl is not None
    assert grown.position.unrealized_pnl > 0
    bought = 10 * Decimal("150.01") + 10 * Decimal("152.00")
    assert closed.realized_pnl == 20 * Decimal(155) - bought
