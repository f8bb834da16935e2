"""A prediction without name and time: one signal, for as long as it stands."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.core.signals import Claim
from ibkr_trader.rules.moment import Trigger
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told


async def test_a_prediction_that_is_polled_acts_once_however_its_figures_move() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)

    def polled(confidence: str, price: str, action: str = "BUY") -> Claim:
        return floor.claim(
            action, source="api", signal_id="", issued_at=None, is_standing=True,
            confidence=Decimal(confidence), price=Decimal(price),
        )  # fmt: skip

    async with floor.strategist(ENTRY, journal=journal) as desk:
        take = desk.signals.take
        assert (await take(polled("0.80", "150.00"))).outcome is Outcome.NOTHING  # too little
        assert (await take(polled("0.91", "150.01"))).outcome is Outcome.ACTED
        await floor.filled(desk, 10)
        await floor.closing(desk, take(floor.claim("SELL", signal_id="other")))
        again = await take(polled("0.92", "150.02"))
        assert (again.code, desk.trader.portfolio.positions) == ("duplicate", {})
        assert (await take(polled("0.92", "150.02", "SELL"))).outcome is Outcome.NOTHING
        floor.clock.advance(60)  # the same order at once would be a repeat
        assert (await take(polled("0.92", "150.03"))).outcome is Outcome.ACTED
        taken = [one for one in told(journal, ev.PredictionSignalEvent) if one.source == "api"]
        assert len({one.signal_id for one in taken}) == len(taken) == 4


async def test_an_exit_that_fails_is_asked_for_again_and_not_at_once() -> None:
    """A source that heard a final word in between would not come again that day."""
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        (strategy,) = desk.rules.strategies

        class Broken:
            text, triggers, indicators = "b", frozenset({Trigger.SIGNAL}), frozenset[object]()

            def holds(self, _: object) -> bool:
                raise ZeroDivisionError("oh")

        broken = msgspec.structs.replace(strategy.rules[1], when=Broken())
        rules = (strategy.rules[0], broken, strategy.rules[2])
        desk.rules.admit(msgspec.structs.replace(strategy, rules=rules), Stage.LIVE)
        wish = floor.claim("SELL", signal_id="", issued_at=None, is_standing=True)
        first = await desk.signals.take(wish)
        assert (first.outcome, first.is_final) == (Outcome.FAILED, False)
        desk.rules.admit(strategy, Stage.LIVE)
        for _ in range(11):
            floor.clock.advance(5)
            soon = await desk.signals.take(wish)
            assert (soon.code, soon.is_final) == ("resting", False)
        assert told(journal, ev.SignalRefusedEvent) == []
        floor.clock.advance(5)
        again = await desk.signals.take(wish)
        assert (again.code, again.outcome, again.is_final) == ("", Outcome.NOTHING, True)
        assert (await desk.signals.take(wish)).code == "duplicate"
