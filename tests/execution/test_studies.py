"""Bars and indicators: warmed up by history, kept by ticks, and no bar counted twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import BrokerUnavailable, DataRefused
from ibkr_trader.core.models import ContractDetails, Session
from tests.execution.parts import START, Floor
from tests.execution.study_hall import MINUTE, OTHER, SMA, VWAP, forming, hall


async def test_history_warms_it_up_and_ticks_go_on_from_there() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        assert here.studies.study("AAPL", MINUTE) is None
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        last = here.bar()
        assert last is not None
        assert last.at + MINUTE == START  # complete, and none is missing up to now
        assert here.value() is not None
        for second, price in ((1, "150"), (30, "152"), (59, "151"), (61, "153")):
            here.tick(second, price)
        (bar,) = here.told
        assert (bar.at, bar.open, bar.high, bar.close) == (
            START, Decimal(150), Decimal(152), Decimal(151),
        )  # fmt: skip
        assert here.bar() == bar


async def test_a_bar_whose_time_is_over_is_complete_without_a_tick() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        here.tick(1, "150")
        floor.clock.advance(59)
        here.studies.complete()
        assert not here.told
        floor.clock.advance(1)
        here.studies.complete()
        here.studies.complete()
        assert [bar.at for bar in here.told] == [START]


async def test_what_history_had_already_is_no_news_when_late_ticks_make_it_again() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        before, value = here.bar(), here.value()
        here.tick(-5, "999")  # it happened before we asked, and comes only now
        here.tick(1, "150")
        assert (here.told, here.bar(), here.value()) == ([], before, value)
        here.tick(60, "150")
        assert [bar.at for bar in here.told] == [START]


async def test_the_bar_under_way_at_the_seam_is_not_taken_from_history() -> None:
    floor = Floor()
    floor.clock.advance(30)
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        last = here.bar()
        assert last is not None
        assert last.at == START - MINUTE
        here.tick(40, "150")
        here.tick(60, "150")
        assert [bar.at for bar in here.told] == [START]


async def test_the_first_bar_after_a_start_is_a_whole_one() -> None:
    """Not the last seconds of it: what came before is the broker's to say."""
    floor = Floor()
    floor.clock.advance(55)
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        here.market.knows = (forming(here.details),)
        sold = await here.market.sold(here.details.contract)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        here.tick(56, "150", volume=sold + 20)
        here.tick(60, "149", volume=sold + 30)
        (bar,) = here.told
        assert (bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume) == (
            START, Decimal(151), Decimal(153), Decimal(147), Decimal(150), Decimal(720),
        )  # fmt: skip


async def test_if_nobody_knows_the_bar_under_way_a_start_makes_none_of_it() -> None:
    floor = Floor()
    floor.clock.advance(55)
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        here.market.refuses = DataRefused("162 no such history")
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        for second in (56, 60, 120):
            here.tick(second, "150")
        assert [bar.at for bar in here.told] == [START + MINUTE]


async def test_the_last_bar_of_a_session_is_over_with_it_though_it_is_short() -> None:
    floor = Floor()
    floor.clock.advance(6 * 3600 + 60)  # a minute after the close
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        hour = timedelta(hours=1)
        here.market.knows = (forming(here.details, at=START + 5.5 * hour),)
        await here.studies.warm_up(here.details, hour, [SMA])
        study = here.studies.study("AAPL", hour)
        assert study is not None
        assert study.bar == here.market.knows[0]


async def test_every_bar_counts_once_over_any_seam() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        here.tick(10, "150")
        here.tick(70, "151")
        floor.clock.advance(75)
        await here.studies.warm_up(here.details, MINUTE, [OTHER])  # a second strategy comes
        here.tick(80, "152")
        here.tick(125, "153")
        floor.clock.advance(120)
        here.studies.complete()
        times = [bar.at for bar in here.told]
        assert times == [START + n * MINUTE for n in (0, 1, 2)]
        assert here.told[1].open == Decimal(151)  # it was under way when the second one came
        value = here.value(SMA)
        assert value is not None
        assert round(value, 6) == Decimal("151.666667")  # of 150, 152 and 153


async def test_refused_history_leaves_it_unknown_until_the_market_has_told_enough() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        here.market.refuses = DataRefused("162 no such history")
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        assert here.bar() is None
        for number in range(3):
            assert here.value() is None
            here.tick(60 * number, "150")
        here.tick(180, "150")
        assert here.value() == Decimal(150)


async def test_refused_on_a_new_morning_what_is_known_stays() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        value = here.value()
        here.market.refuses = BrokerUnavailable("the farm is down")
        await here.studies.renew(tomorrow(here.details))
        assert value is not None
        assert here.value() == value
        await here.studies.warm_up(here.details, MINUTE, [OTHER])  # this one nobody has yet
        assert (here.value(), here.value(OTHER)) == (None, None)


def tomorrow(details: ContractDetails) -> ContractDetails:
    day = timedelta(days=1)
    sessions = tuple(Session(one.opens + day, one.closes + day) for one in details.liquid_sessions)
    return msgspec.structs.replace(details, liquid_sessions=sessions)


async def test_a_new_day_brings_its_hours_and_the_same_day_asks_for_nothing() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        asked = here.market.asked
        await here.studies.renew(here.details)
        await here.studies.renew(msgspec.structs.replace(here.details, long_name="other"))
        assert here.market.asked == asked
        details = tomorrow(here.details)
        await here.studies.renew(details)
        assert here.market.asked == asked + 1
        opens = min(one.opens for one in details.liquid_sessions if one.opens > START)
        after = (opens - START).total_seconds()
        here.tick(after - 30, "150")  # before it opens: no bar
        here.tick(after + 1, "151")
        here.tick(after + 61, "151")
        assert [bar.at for bar in here.told] == [opens]


async def test_two_that_warm_up_at_once_lose_nothing_to_one_another() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        here.market.gate = asyncio.Event()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(here.studies.warm_up(here.details, MINUTE, [SMA]))
            tasks.create_task(here.studies.warm_up(here.details, MINUTE, [OTHER]))
            await asyncio.sleep(0)
            here.market.gate.set()
        assert None not in (here.value(SMA), here.value(OTHER))


async def test_what_needs_no_history_asks_for_none() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [])
        assert here.market.asked == 0
        here.tick(1, "150")
        here.tick(61, "151")
        assert [bar.close for bar in here.told] == [Decimal(150)]


def opening(details: ContractDetails) -> float:
    """Return how many seconds after the start the next day opens."""
    opens = min(one.opens for one in details.liquid_sessions if one.opens > START)
    return (opens - START).total_seconds()


async def test_an_average_by_volume_follows_what_is_traded() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [VWAP])
        opens = opening(here.details)
        here.tick(opens - 30, "99", volume=1_000)  # before it opens: no bar's
        for minute, (price, volume) in enumerate((("100", 1_300), ("200", 1_400), ("1", 1_400))):
            here.tick(opens + 60 * minute, price, volume=volume)
        assert [bar.volume for bar in here.told] == [300, 100]
        assert here.value(VWAP) == Decimal(125)


async def test_where_nobody_tells_what_is_traded_volume_and_average_are_unknown() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        await here.studies.warm_up(here.details, MINUTE, [VWAP])
        opens = opening(here.details)
        for minute in range(3):
            here.tick(opens + 60 * minute, "200")
        assert [(bar.close, bar.volume) for bar in here.told] == [(Decimal(200), None)] * 2
        assert here.value(VWAP) is None


async def test_what_trades_at_an_unchanged_price_is_counted_and_makes_a_bar() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        here = await hall(floor, trader)
        contract = here.details.contract
        sold = await here.market.sold(contract)
        await here.studies.warm_up(here.details, MINUTE, [SMA])
        for second, more in ((1, 0), (2, 30), (3, -5), (60, 40)):
            at = START + timedelta(seconds=second)
            news = ev.VolumeEvent(at=at, contract=contract, volume=Decimal(sold + more))
            trader.bus.publish(news)
        (bar,) = here.told
        assert (bar.at, bar.open, bar.volume) == (START, Decimal("149.99"), Decimal(30))
