"""What one screen is told: all of it once, then what is new; and nothing is lost on the way."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest

from ibkr_trader import __version__
from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.cli import glimpses
from ibkr_trader.cli.board import Board
from ibkr_trader.cli.glimpses import PAUSE, Glimpser
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Contract, Position
from ibkr_trader.dashboard.scene import Glimpse, Light, Scene, scene_after
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.correlation import CorrelationMatrix
from tests.execution.parts import AAPL as CON_ID
from tests.execution.parts import LIMITS, START, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.execution.trader import Trader


class Watched(NamedTuple):
    """A trader with a screen."""

    floor: Floor
    trader: Trader
    desk: Desk
    glimpser: Glimpser

    def seen(self) -> Glimpse:
        """Take a glimpse that the screen takes, the way it comes over the line."""
        taken = self.glimpser.take()
        self.glimpser.sent()
        return msgspec.json.decode(msgspec.json.encode(taken), type=Glimpse)

    def learn_of_msft(self) -> None:
        """Hear that five shares are held whose price nobody says."""
        held = Position(
            account="SIM0000001",
            contract=Contract(symbol="MSFT", con_id=999),
            quantity=Decimal(5),
            average_cost=Decimal(400),
        )
        epoch = self.trader.portfolio.link.epoch
        self.trader.bus.publish(ev.SyncEvent(at=START, epoch=epoch, positions=(held,)))


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        calendar, config = ExchangeCalendar(), "0123456789abcdef"
        glimpser = Glimpser(desk, Board(trader), profile="sim", calendar=calendar, config=config)
        yield Watched(floor, trader, desk, glimpser)


async def test_a_screen_says_which_program_and_which_settings_it_shows() -> None:
    async with watched() as one:
        assert one.seen().head.version == f"{__version__} 0123456"


# -- what is new -------------------------------------------------------------------------------


async def test_the_first_glimpse_holds_everything_and_the_next_nothing() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        first, second = one.seen(), one.seen()
        assert first.is_first
        assert {row.role for row in first.orders} == {"stop", "target"}
        assert first.feed[0].text == "sent 1-entry BUY 10 AAPL MARKET"
        assert not second.is_first
        assert (second.orders, second.gone, second.feed) == ((), (), ())
        assert second.positions == first.positions
        assert second.events == first.events > 0


async def test_only_what_changed_is_told_again() -> None:
    async with watched() as one:
        _, target, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        one.seen()
        await one.desk.modify_order(target.order_id, limit_price=Decimal(156))
        glimpse = one.seen()
        assert [row.order_id for row in glimpse.orders] == [target.order_id]
        assert glimpse.orders[0].limit == Decimal(156)
        await one.desk.cancel_order(stop.order_id)
        glimpse = one.seen()
        assert stop.order_id in glimpse.gone
        assert any(line.text.startswith("cancelled 1-stop") for line in glimpse.feed)


async def test_what_the_screen_did_not_take_is_in_the_next_one() -> None:
    async with watched() as one:
        _, target, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        one.seen()
        await one.desk.modify_order(target.order_id, limit_price=Decimal(156))
        lost = one.glimpser.take()
        one.glimpser.left_out()
        await one.desk.modify_order(stop.order_id, stop_price=Decimal(146))
        resting = await one.desk.submit_order(request(limit="140.00"))
        one.glimpser.take()
        one.glimpser.left_out()
        await one.desk.cancel_order(resting.order_id)
        glimpse = one.seen()
        assert {row.order_id for row in glimpse.orders} == {target.order_id, stop.order_id}
        assert glimpse.gone == ()  # the screen never heard of it
        assert glimpse.feed[0] == lost.feed[0]
        assert glimpse.skipped == 2
        assert one.seen().skipped == 2


async def test_a_first_glimpse_that_was_not_taken_stays_the_first() -> None:
    async with watched() as one:
        await one.desk.submit_order(request(limit="140.00"))
        one.glimpser.take()
        one.glimpser.left_out()
        glimpse = one.seen()
        assert glimpse.is_first
        assert len(glimpse.orders) == 1
        assert glimpse.feed[0].number == 1


async def test_the_picture_is_the_traders_whatever_was_left_out() -> None:
    """A day, with every third glimpse lost: the screen ends with what is there."""
    async with watched() as one:
        scene: Scene | None = None
        sent: list[int] = []

        def look(number: int) -> None:
            nonlocal scene
            taken = one.glimpser.take()
            if number % 3 == 1:
                one.glimpser.left_out()
                return
            one.glimpser.sent()
            scene = scene_after(scene, taken)
            sent.extend(line.number for line in taken.feed)

        for number in range(12):
            one.floor.clock.advance(20)  # or the same order again would look like a mistake
            if number % 4 == 0:
                await one.desk.submit_group(bracket(), wait=Wait.FILLED)
            elif number % 4 == 2:
                order = next(iter(one.trader.portfolio.orders.values()))
                await one.desk.cancel_order(order.order_id)
            look(number)
        look(12)
        assert scene is not None
        assert scene.orders.keys() == one.trader.portfolio.orders.keys()
        other = Glimpser(one.desk, Board(one.trader), profile="sim", calendar=ExchangeCalendar())
        fresh = other.take()
        told = {row.order_id: msgspec.structs.replace(row, rule="") for row in fresh.orders}
        assert told == {
            key: msgspec.structs.replace(row, rule="") for key, row in scene.orders.items()
        }
        assert scene.positions == fresh.positions
        assert sent == list(range(1, len(sent) + 1))


# -- the head ----------------------------------------------------------------------------------


async def test_the_head_says_whose_desk_it_is_and_how_it_stands() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        head, trader = one.seen().head, one.trader
        view = trader.outlook.view()
        assert (head.profile, head.account, head.state) == ("sim", "SIM0000001", "ACTIVE")
        assert (head.socket, head.link, head.data) == (Light.UP, Light.UP, Light.UP)
        assert (head.trouble, head.now, head.pid) == ("", START, os.getpid())
        assert (head.is_open, head.turns_at) == (True, START + timedelta(hours=6))
        assert (head.day_net, head.day_limit) == (trader.outlook.pnl.net, LIMITS.max_daily_loss)
        assert (head.heat, head.net_liquidation) == (
            view.heat_now().total,
            view.account_value("net_liquidation"),
        )
        assert head.heat == Decimal("49.90")  # ten shares, from 149.99 down to the stop at 145
        assert head.heat_limit == view.account_value("net_liquidation") * LIMITS.max_heat
        assert head.efficiency == Decimal("1.5")  # three orders, one of them traded
        assert head.armed_until is None


async def test_a_real_account_is_masked() -> None:
    async with watched() as one:
        one.trader.account = "DU1234567"
        assert one.seen().head.account == "DU***567"
        payload = msgspec.json.encode(one.glimpser.take())
        assert b"1234567" not in payload


async def test_a_halt_is_seen_at_once() -> None:
    async with watched() as one:
        one.seen()
        one.trader.halter.stop("that is enough", origin="cli")
        head = one.seen().head
        assert (head.state, head.reason, head.halts) == ("HALTED", "that is enough", ())
        one.trader.halter.resume("go", origin="cli")
        one.trader.halter.stop("rest", origin="cli", symbol="AAPL")
        head = one.seen().head
        assert (head.state, head.reason, head.halts) == ("ACTIVE", "", ("AAPL",))


async def test_a_lost_link_is_seen_at_once_and_data_with_it() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        assert one.seen().head.data is Light.UP
        epoch = one.trader.portfolio.link.epoch
        lost = ev.DisconnectEvent(at=START, epoch=epoch, reason="1100 Connectivity lost")
        one.trader.bus.publish(lost)
        head = one.seen().head
        assert (head.socket, head.link, head.data) == (Light.UP, Light.DOWN, Light.DOWN)
        assert head.trouble == "the gateway has lost IBKR: 1100 Connectivity lost"
        assert head.state == "REDUCING"


async def test_nobody_knows_what_nobody_said() -> None:
    async with watched() as one:
        one.learn_of_msft()
        glimpse = one.seen()
        assert glimpse.head.heat is None
        assert glimpse.head.day_net is None
        assert glimpse.head.efficiency is None
        assert glimpse.head.data is Light.DOWN
        assert "no price of MSFT" in glimpse.head.trouble
        (row,) = glimpse.positions
        assert (row.last, row.pnl, row.r, row.tick) == (None, None, None, None)


# -- limits and what moves together --------------------------------------------------------------


async def test_the_fullest_limit_stands_first_and_what_nobody_knows_before_it() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        rows = one.seen().gauges
        shares = [row.share for row in rows if row.share is not None]
        assert shares == sorted(shares, reverse=True)
        assert "position_size AAPL" in {row.name for row in rows}
        assert "heat" in {row.name for row in rows}
        figures = [row.name for row in rows if row.limit]
        assert [row.name for row in rows[: len(figures)]] == figures  # mere rules stand last
        (size,) = (row for row in rows if row.name == "position_size AAPL")
        assert (size.used, size.limit, size.share) == ("10", "100", Decimal("0.1"))


async def test_a_limit_of_unknown_use_stands_before_all_others() -> None:
    async with watched() as one:
        one.learn_of_msft()
        rows = one.seen().gauges
        unknown = [row.name for row in rows if row.used == "–"]
        assert {"heat", "daily_loss"} <= {row.name for row in rows[:5]}
        names = [row.name for row in rows]
        # What an order may be has no use before there is one: that is nothing unknown.
        assert "price_collar" in unknown
        assert names.index("price_collar") > names.index("position_size MSFT")


async def test_of_very_many_limits_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        every = [row for row in glimpses.gauge_rows(one.trader.outlook.view()) if row.limit]
        monkeypatch.setattr(glimpses, "_MOST_LIMITS", 3)
        rows = glimpses.gauge_rows(one.trader.outlook.view())
        assert list(rows[:3]) == every[:3]
        assert rows[3].name == f"and {len(every) - 3} more"


async def test_limits_are_of_the_last_second_and_rows_of_the_moment() -> None:
    async with watched() as one:
        before = one.seen()
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        same = one.seen()
        assert same.gauges == before.gauges
        assert len(same.positions) == 1
        one.floor.clock.advance(PAUSE)
        assert one.seen().gauges != before.gauges


async def test_what_is_at_stake_and_moves_together_is_named() -> None:
    async with watched() as one:
        book = one.trader.outlook.book
        await one.desk.submit_order(request(limit="140.00"))
        assert one.seen().warnings == ()  # what stands alone moves with nothing
        one.floor.clock.advance(PAUSE)
        msft = msgspec.structs.replace(request(1, limit="400.00"), symbol="MSFT")
        tsla = msgspec.structs.replace(request(1, limit="200.00"), symbol="TSLA")
        for wanted in (msft, tsla):
            details = await one.trader.learn(wanted.symbol)
            await one.trader.price(details.contract, timeout=1)
        for wanted in (msft, tsla):
            await one.desk.submit_order(msgspec.structs.replace(wanted, limit_price=Decimal(100)))
        assert one.seen().warnings == ("nobody has computed correlations yet",)
        book.correlations = CorrelationMatrix(
            computed_at=START,
            lookback=60,
            symbols=("AAPL", "GOOGL", "MSFT", "TSLA"),
            coefficients={
                ("AAPL", "GOOGL"): 0.99,
                ("AAPL", "MSFT"): 0.83,
                ("AAPL", "TSLA"): 0.71,
                ("GOOGL", "MSFT"): 0.9,
                ("GOOGL", "TSLA"): 0.8,
                ("MSFT", "TSLA"): -0.91,
            },
        )
        one.floor.clock.advance(PAUSE)
        assert one.seen().warnings == (
            "MSFT moves against TSLA (-0.91)",
            "AAPL moves with MSFT (0.83)",
            "AAPL moves with TSLA (0.71)",
        )


async def test_nothing_at_stake_is_no_warning() -> None:
    async with watched() as one:
        glimpse = one.seen()
        assert (glimpse.warnings, glimpse.positions, glimpse.orders) == ((), (), ())
        assert glimpse.head.data is Light.UNKNOWN
        assert glimpse.head.is_open is True  # the calendar knows, without any contract


async def test_an_unknown_order_is_shown_as_one() -> None:
    async with watched() as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        event = ev.UnknownEvent(at=START, order_id=order.order_id, reason="silence")
        one.trader.bus.publish(event)
        (row,) = one.seen().orders
        assert (row.is_unknown, row.status) == (True, OrderStatus.UNKNOWN.value)
        assert row.con_id == CON_ID
