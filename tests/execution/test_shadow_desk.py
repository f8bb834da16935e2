from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage, WouldBe
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.strategy_text import read_strategy
from tests.execution.parts import AAPL, INSTALL, START, FullDisk
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.execution.ports import Journal
    from ibkr_trader.execution.strategist import Strategist

NAME = "prediction-entry"
OTHER = ENTRY.replace("0.85", "0.80")


class ShadowFloor(StrategyFloor):
    """An exchange, and a trader with the strategy in the market and a version in the shadow."""

    @asynccontextmanager
    async def both(
        self, text: str = OTHER, *live: str, journal: Journal
    ) -> AsyncIterator[Strategist]:
        async with self.strategist(*live, journal=journal) as desk:
            await shadowed(desk, text)
            yield desk


async def shadowed(desk: Strategist, text: str) -> None:
    """Take a strategy into the shadow, as the shelf does."""
    strategy = read_strategy(text)
    await desk.prepare(strategy, Stage.SHADOW)
    desk.trader.record.write(
        [
            ev.StageEvent(
                at=desk.trader.clock.now(),
                strategy=strategy.name,
                stage=Stage.SHADOW,
                version=strategy.version,
            )
        ]
    )
    desk.rules.admit(strategy, Stage.SHADOW)


async def moved(desk: Strategist, floor: StrategyFloor, bid: str, ask: str) -> None:
    """Move the market, and let what is to be written be written."""
    floor.move(desk.trader, bid, ask)
    for _ in range(20):
        await asyncio.sleep(0)


def would(journal: Journal) -> list[tuple[WouldBe, Decimal]]:
    return [(one.kind, one.price) for one in told(journal, ev.WouldFillEvent)]


async def test_what_a_shadow_would_trade_is_on_record_and_nothing_is_sent() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.NOTHING
        assert would(journal) == [(WouldBe.ENTRY, Decimal("150.01"))]
        await moved(desk, floor, "140", "140.02")
        assert would(journal)[1:] == [(WouldBe.STOP, Decimal(140))]
        assert not entries(journal)
        (decision,) = told(journal, ev.DecisionEvent)
        assert (decision.is_shadow, decision.terms["quantity"]) == (True, "10")


async def test_a_shadow_sees_what_it_would_hold_and_not_what_is_held() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    never = ENTRY.replace("0.85", "0.99")
    async with floor.both(never, ENTRY, journal=journal) as desk:
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.ACTED
        await floor.filled(desk, 10)
        # The live version leaves its long; the shadow has none, so there is nothing to leave.
        work = desk.signals.take(floor.claim("SELL", signal_id="s2"))
        assert (await floor.closing(desk, work)).outcome is Outcome.ACTED
        assert [one.is_shadow for one in told(journal, ev.DecisionEvent)] == [False, False]


async def test_a_shadow_is_asked_about_the_same_moment_once_the_order_is_out() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(OTHER, ENTRY, journal=journal) as desk:
        desk.trader.bus.subscribe(ev.NewOrderEvent, lambda _: floor.clock.advance(1))
        await desk.signals.take(floor.claim())
        live, shadow = told(journal, ev.DecisionEvent)
        assert (live.is_shadow, shadow.is_shadow) == (False, True)
        assert (live.at, live.cause, live.price) == (shadow.at, shadow.cause, shadow.price)
        kinds = [type(message) for _, message in journal.messages()]
        last = max(n for n, kind in enumerate(kinds) if kind is ev.DecisionEvent)
        assert kinds.index(ev.NewOrderEvent) < last
        assert kinds.index(ev.SignalEndEvent) < last


async def test_a_shadow_rests_by_what_it_decided_itself() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    rests = OTHER.replace("priority = 1", 'priority = 1\ncooldown = "15 min"')
    async with floor.both(rests, ENTRY, journal=journal) as desk:
        for number in range(2):
            await desk.signals.take(floor.claim(signal_id=f"s{number}"))
        made = [one.is_shadow for one in told(journal, ev.DecisionEvent)]
        assert made.count(True) == 1


async def test_a_restart_reads_from_the_journal_what_it_would_hold() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        await desk.signals.take(floor.claim())
        before = desk.rules.shadow.books[NAME]
    async with floor.both(journal=journal) as desk:
        assert desk.rules.shadow.books[NAME] == before
        again = desk.signals.take(floor.claim(signal_id="s2"))
        await again  # what it holds already, and where it is, it enters no more
        await moved(desk, floor, "140", "140.02")
        assert [kind for kind, _ in would(journal)] == [WouldBe.ENTRY, WouldBe.STOP]


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ("capital = 100", "its capital is 100.00"),
        ("capital = 2000", "fixed at 10"),
    ],
)
async def test_a_shadow_keeps_within_its_own_envelope(limits: str, why: str) -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    text = OTHER.replace("[[rule]]", f"[envelope]\n{limits}\n[[rule]]", 1)
    async with floor.both(text, journal=journal) as desk:
        await desk.signals.take(floor.claim())
        (decision,) = told(journal, ev.DecisionEvent)
        assert why in decision.terms["sized"]
        assert bool(would(journal)) == (decision.terms["quantity"] == "10")


async def test_what_a_shadow_holds_elsewhere_counts_at_the_markets_price() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    text = OTHER.replace('["AAPL"]', '["AAPL", "MSFT"]')
    text = text.replace("[[rule]]", "[envelope]\ncapital = 1510\n[[rule]]", 1)
    async with floor.both(text, journal=journal) as desk:
        await desk.signals.take(floor.claim())
        await desk.signals.take(floor.claim(ticker="MSFT", signal_id="s2", price=None))
        held, refused = told(journal, ev.DecisionEvent)
        assert held.terms["quantity"] == "10"
        msft = refused.price or Decimal(0)
        tied = 10 * msft + Decimal("1499.90")
        assert f"{tied:,.2f} tied up" in refused.terms["sized"]


async def test_another_version_begins_with_nothing() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        await desk.signals.take(floor.claim())
    async with floor.both(ENTRY, journal=journal) as desk:
        assert not desk.rules.shadow.books[NAME].places


async def test_the_would_be_orders_meet_no_closed_market() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        await desk.signals.take(floor.claim())
        floor.clock.advance(7 * 3600)  # 17:00 in New York
        await moved(desk, floor, "140", "140.02")
        await desk.signals.take(floor.claim("SELL", signal_id="s2"))
        assert [kind for kind, _ in would(journal)] == [WouldBe.ENTRY]


async def test_a_wall_clock_that_is_set_closes_no_market_to_them() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        desk.trader.outlook.book.skew = lambda: floor.clock.now() - START
        await desk.signals.take(floor.claim())
        floor.clock.jump(START + timedelta(hours=7))  # 17:00 in New York, says this machine
        await moved(desk, floor, "140", "140.02")
        assert [kind for kind, _ in would(journal)] == [WouldBe.ENTRY, WouldBe.STOP]


async def test_a_rule_of_a_shadow_that_raises_fences_only_itself() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(OTHER, ENTRY, journal=journal) as desk:
        (shadow,) = desk.rules.shadows

        class Broken:
            text, triggers = "broken", frozenset({Trigger.SIGNAL})
            indicators = frozenset[object]()

            def holds(self, _: object) -> bool:
                raise ZeroDivisionError("oh")

        first = msgspec.structs.replace(shadow.rules[0], when=Broken())
        broken = msgspec.structs.replace(shadow, rules=(first, *shadow.rules[1:]))
        desk.rules.admit(broken, Stage.SHADOW)
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.ACTED
        (fault,) = told(journal, ev.FaultEvent)
        assert (fault.is_shadow, fault.rule) == (True, "PredictionEntry")
        assert desk.rules.shadows


class Cursed(msgspec.Struct, frozen=True):
    """A book that fails at whatever it is asked."""

    places: frozenset[str] = frozenset({"AAPL"})

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


@pytest.mark.parametrize("by_price", [True, False])
async def test_a_shadow_that_fails_as_a_whole_ends_alone(*, by_price: bool) -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(OTHER, ENTRY, journal=journal) as desk:
        if by_price:
            await desk.signals.take(floor.claim("SELL", signal_id="s0"))  # the contract is known
        desk.rules.shadow.books[NAME] = Cursed()  # type: ignore[assignment] # broken on purpose
        if by_price:
            await moved(desk, floor, "151", "151.02")
        assert (await desk.signals.take(floor.claim(price=None))).outcome is Outcome.ACTED
        await moved(desk, floor, "151", "151.02")
        assert not desk.rules.shadows
        (notice,) = told(journal, ev.NoticeEvent)
        assert notice.is_serious
        assert "RuntimeError" in notice.message


async def test_what_cannot_be_written_down_has_not_been_decided() -> None:
    floor, journal = ShadowFloor(), FullDisk(INSTALL)
    async with floor.both(journal=journal) as desk:
        await desk.signals.take(floor.claim())
        details = desk.trader.outlook.details(AAPL)
        assert details is not None
        before = desk.rules.shadow.books[NAME]
        news = told(journal, ev.PredictionSignalEvent)[0]
        sell = msgspec.structs.replace(news, signal="SELL")
        journal.is_full = True
        desk.rules.shadow.look(details, Trigger.SIGNAL, cause="s/2", news=sell)
        assert desk.rules.shadow.books[NAME] == before
        await moved(desk, floor, "140", "140.02")
        assert len(would(journal)) == 1
        journal.is_full = False
        await moved(desk, floor, "139", "139.02")
        await desk.signals.take(floor.claim(signal_id="s3"))  # what is owed comes before it
        kinds = [kind for kind, _ in would(journal)]
        assert kinds == [WouldBe.ENTRY, WouldBe.STOP, WouldBe.ENTRY]


async def test_a_shadow_that_is_let_go_holds_nothing() -> None:
    floor, journal = ShadowFloor(), MemoryJournal(INSTALL)
    async with floor.both(journal=journal) as desk:
        await desk.signals.take(floor.claim())
        desk.rules.dismiss(NAME, Stage.SHADOW)
        await moved(desk, floor, "140", "140.02")
        assert [kind for kind, _ in would(journal)] == [WouldBe.ENTRY]
        assert (desk.rules.shadows, desk.rules.shadow.books) == ((), {})
