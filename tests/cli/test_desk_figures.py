"""How a trader stands, as figures: what is so, what nobody knows, and nobody's name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from ibkr_trader.adapters.metrics.exposition import exposition
from ibkr_trader.cli import desk_figures as module
from ibkr_trader.cli.desk_figures import DeskFigures
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import Contract, Position
from ibkr_trader.core.signals import Incoming, SignalReply
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.metering import Metering
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from ibkr_trader.portfolio.metric import Family, Labels
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.gauges import readings
from tests.execution.parts import AAPL, LIMITS, START, Floor, FullDisk, request
from tests.execution.sinks import HangingSink, ListSink
from tests.execution.test_egress import equipped
from tests.prometheus_text import Figures, read
from tests.scenarios.crash_child import bracket

D = Decimal
P = "ibkr_trader_"


class Watched(NamedTuple):
    """A trader whose figures somebody reads."""

    floor: Floor
    trader: Trader
    card: TraderCard
    figures: DeskFigures

    @property
    def desk(self) -> Desk:
        """The desk of it."""
        return Desk(self.trader)

    async def read(self) -> Figures:
        """Read the figures a second later, as they come over the line."""
        self.floor.clock.advance(1)
        return read(exposition(await self.figures.families()))


@asynccontextmanager
async def watched(**parts: Any) -> AsyncIterator[Watched]:
    floor = Floor()
    async with floor.trader(**parts) as trader:
        card = TraderCard(trader)
        figures = DeskFigures(trader, Metering(trader), card=card, profile="sim")
        yield Watched(floor, trader, card, figures)


def states(found: Figures, name: str, label: str = "state", **on: str) -> set[str]:
    """Return which of the states of a family is told to be the case."""
    return {
        dict(labels)[label]
        for (one, labels), value in found.samples.items()
        if one == P + name and value == 1 and set(on.items()) <= set(labels)
    }


async def test_an_order_is_in_the_figures_after_it_has_traded() -> None:
    async with watched() as one:
        before = await one.read()
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.read()
    assert before.value(f"{P}orders_total", outcome="filled") is None
    assert found.value(f"{P}orders_total", outcome="filled") == 1
    assert found.value(f"{P}events_total", what="order_written") == 3
    assert found.value(f"{P}order_stage_seconds_count", stage="accept") == 3
    assert found.value(f"{P}orders_live", status="submitted") == 1
    assert found.value(f"{P}orders_live", status="presubmitted") == 1
    assert found.value(f"{P}positions") == 1
    assert found.value(f"{P}positions_unprotected") == 0


async def test_how_the_desk_stands() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found, view = await one.read(), one.trader.outlook.view()
        assert states(found, "trading_state") == {"active"}
        assert [states(found, "light", line=name) for name in ("gateway", "ibkr", "data")] == [
            {"up"}, {"up"}, {"up"},
        ]  # fmt: skip
        assert found.value(f"{P}in_sync") == found.value(f"{P}armed") == 1
        assert found.value(f"{P}journal_complete") == 1
        assert found.value(f"{P}start_time_seconds") == START.timestamp()
        assert view.pnl is not None
        assert found.value(f"{P}day_result", currency="USD") == view.pnl.net
        assert found.value(f"{P}day_loss_limit", currency="USD") == LIMITS.max_daily_loss
        assert found.value(f"{P}heat", currency="USD") == view.heat_now().total
        assert view.portfolio.values is not None
        assert view.portfolio.values.net_liquidation is not None
        allowed = view.portfolio.values.net_liquidation * LIMITS.max_heat
        assert found.value(f"{P}heat_limit", currency="USD") == allowed


async def test_what_is_left_of_each_limit_is_the_checks_own_figure() -> None:
    async with watched() as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.read()
        (gauge,) = (
            each
            for each in readings(one.trader.outlook.view())
            if each.check == "position_size" and each.subject == "AAPL"
        )
        assert gauge.share is not None
        left = found.value(f"{P}limit_headroom_ratio", check="position_size")
        assert left == 1 - gauge.share < 1
        daily = found.value(f"{P}limit_headroom_ratio", check="daily_loss")
        assert daily is not None
        assert D("0.99") < daily < 1  # the commission


async def test_a_stop_that_is_gone_leaves_a_position_unprotected() -> None:
    async with watched() as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        await one.desk.cancel_order(stop.order_id)
        found = await one.read()
        assert found.value(f"{P}positions_unprotected") == 1
        assert found.value(f"{P}events_total", what="cancel") == 1
        assert found.value(f"{P}orders_total", outcome="cancelled") is not None


async def test_a_halt_is_told() -> None:
    async with watched() as one:
        halt = ev.StateEvent(at=START, state=TradingState.HALTED, reason="enough")
        part = ev.StateEvent(at=START, state=TradingState.HALTED, reason="x", symbol="MSFT")
        one.trader.record.write([halt, part])
        found = await one.read()
        assert states(found, "trading_state") == {"halted"}
        assert found.value(f"{P}symbols_halted") == 1
        assert found.value(f"{P}halts_total", state="halted") == 2


async def test_a_link_that_is_lost_is_told_and_that_it_came_back() -> None:
    async with watched() as one:
        await one.desk.submit_order(request(), wait=Wait.FILLED)
        epoch = one.trader.portfolio.link.epoch
        one.trader.bus.publish(ev.DisconnectEvent(at=START, epoch=epoch, reason="gone"))
        found = await one.read()
        assert states(found, "light", line="gateway") == {"down"}
        assert states(found, "light", line="ibkr") == {"unknown"}
        assert states(found, "light", line="data") == {"down"}
        assert found.value(f"{P}in_sync") == 0
        one.trader.bus.publish(ev.ConnectEvent(at=START, epoch=epoch + 1))
        found = await one.read()
        assert states(found, "light", line="gateway") == {"up"}
        assert found.value(f"{P}events_total", what="reconnected") == 1


async def test_what_nobody_knows_is_left_out_and_is_not_zero() -> None:
    async with watched() as one:
        held = Position(
            account="SIM0000001",
            contract=Contract(symbol="MSFT", con_id=999),
            quantity=D(5),
            average_cost=D(400),
        )
        epoch = one.trader.portfolio.link.epoch
        one.trader.bus.publish(ev.SyncEvent(at=START, epoch=epoch, positions=(held,)))
        found = await one.read()
        assert found.value(f"{P}day_result", currency="USD") is None
        assert found.value(f"{P}heat", currency="USD") is None
        assert states(found, "light", line="data") == {"down"}
        unknown = {dict(on)["check"] for name, on in found.samples if name == f"{P}limit_unknown"}
        assert "daily_loss" in unknown
        assert (
            "price_collar" not in unknown
        )  # a limit of single orders: of it nothing is ever in use
        assert found.value(f"{P}positions_unprotected") == 1


async def test_sinks_are_told_of_with_what_waits_for_them() -> None:
    hanging, well = HangingSink("redis"), ListSink("webhook")
    equip, made = equipped(hanging, well)

    def both(trader: Trader) -> None:
        equip(trader)
        (trader.egress,) = made

    async with watched(equip=both) as one:
        await one.desk.submit_order(request(), wait=Wait.FILLED)
        await well.until(lambda: bool(well.taken))
        found = await one.read()
        waiting = found.value(f"{P}sink_waiting", sink="redis")
        assert waiting is not None
        assert waiting > 0
        assert found.value(f"{P}sink_up", sink="webhook") == 1
        assert found.value(f"{P}sink_up", sink="redis") is None  # nobody knows yet
        assert found.value(f"{P}sink_told_total", sink="webhook", what="sent") == len(well.taken)
        hanging.gate.set()


class Source:
    """A source of signals that counts, and says how it is."""

    def __init__(self, name: str, counts: Mapping[str, int], *, trouble: str = "") -> None:
        self.name, self.counts, self.trouble = name, counts, trouble

    async def run(
        self,
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        say: Callable[[str], None] = print,
    ) -> None:
        """Hand over nothing."""


async def test_sources_are_told_of_with_what_they_have_counted() -> None:
    async with watched() as one:
        one.card.sources = (
            Source("api", {"failures": 3, "answers": 9}, trouble="down: refused"),
            Source("redis", {"taken": 1}),
        )
        found = await one.read()
        assert found.value(f"{P}source_events_total", source="api", what="failures") == 3
        assert found.value(f"{P}source_events_total", source="api", what="answers") == 9
        assert found.value(f"{P}source_up", source="api") == 0
        assert found.value(f"{P}source_up", source="redis") == 1
        assert "refused" not in found.texts()


async def test_a_source_in_trouble_is_in_the_status_of_its_trader() -> None:
    async with watched() as one:
        assert one.card.signal_rows() == []
        one.card.sources = (
            Source("api", {"failures": 3}, trouble="down: refused"),
            Source("redis", {"taken": 1}),
        )
        assert one.card.signal_rows() == [
            ("signals", "from redis"),
            ("NO SIGNALS", "from api: down: refused"),
        ]
        assert one.card.document()["sources"] == [
            {"name": "api", "trouble": "down: refused", "counts": {"failures": 3}},
            {"name": "redis", "trouble": "", "counts": {"taken": 1}},
        ]


async def test_a_full_disk_is_told() -> None:
    disk = FullDisk("k7qav")
    async with watched(journal=disk) as one:
        disk.is_full = True
        one.trader.record.witness([ev.ErrorEvent(at=START, code=0, message="x")])
        assert (await one.read()).value(f"{P}journal_complete") == 0
        disk.is_full = False


async def test_no_figure_names_an_account_a_symbol_or_an_order() -> None:
    async with watched() as one:
        orders = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.read()
        texts = " ".join([*found.texts(), *found.helps.values()])
        for word in ("SIM0000001", "AAPL", str(AAPL), *(order.order_id for order in orders)):
            assert word not in texts


async def test_whoever_asks_often_costs_one_look_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    limits = module._limits

    def counted(view: Any) -> Any:
        nonlocal looks
        looks += 1
        return limits(view)

    monkeypatch.setattr(module, "_limits", counted)
    async with watched() as one:
        await asyncio.gather(*(one.figures.families() for _ in range(5)))
        assert looks == 1
        one.floor.clock.advance(1)
        await one.figures.families()
        assert looks == 2


async def test_an_order_goes_before_the_next_part_of_a_look() -> None:
    async with watched() as one:
        turns: list[int] = []

        async def order() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            other = tasks.create_task(order())
            await one.figures.families()
            other.cancel()
        assert len(turns) > len(list(CHECKS))


async def test_without_a_line_there_are_no_prices_even_if_nobody_wants_one() -> None:
    async with watched() as one:
        resting = await one.desk.submit_order(request(limit="140.00"))
        await one.desk.cancel_order(resting.order_id)
        assert states(await one.read(), "light", line="data") == {"unknown"}
        epoch = one.trader.portfolio.link.epoch
        one.trader.bus.publish(ev.DisconnectEvent(at=START, epoch=epoch, reason="gone"))
        assert states(await one.read(), "light", line="data") == {"down"}


def test_of_a_limit_in_several_places_the_least_is_told() -> None:
    def gauge(check: str, limit: int | None, used: int | None, subject: str = "") -> Gauge:
        figures = [None if one is None else D(one) for one in (limit, used)]
        return Gauge(check=check, subject=subject, limit=figures[0], used=figures[1])

    left, unknown = module._limits(
        [
            gauge("heat", 10, 2, "A"),
            gauge("heat", 10, 9, "B"),
            gauge("heat", 10, 5, "C"),
            gauge("heat", 10, None, "D"),
            gauge("daily_loss", 10, 11),
            gauge("short_sales", 0, 0),
            gauge("armed", None, None),
            gauge("risk_per_trade", 10, None),
        ]
    )
    assert {labels[0][1]: value for value, labels in told(left)} == {
        "heat": D("0.1"), "daily_loss": 0, "short_sales": 0,
    }  # fmt: skip
    assert {labels[0][1]: value for value, labels in told(unknown)} == {"heat": 1}


def told(family: Family) -> list[tuple[object, Labels]]:
    return [(one.value, one.labels) for one in family.samples]
