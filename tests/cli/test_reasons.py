from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli.reasons import Story, _lines
from ibkr_trader.core.enums import OrderRole, Outcome
from ibkr_trader.portfolio.forensic_fold import forensics
from ibkr_trader.portfolio.forensics import Latency
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor, dies


async def day() -> MemoryJournal:
    """Return the journal of a day with an entry, a refused flip, and a signal not taken."""
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    symbols = frozenset({"AAPL", "MSFT"})
    async with floor.strategist(ENTRY, journal=journal, symbols=symbols) as desk:
        await desk.signals.take(floor.claim(signal_id="a1"))
        await floor.filled(desk, 10)
        await desk.signals.take(floor.claim("SHORT", signal_id="a2"))
        await desk.signals.take(floor.claim(signal_id="a3", confidence=Decimal("0.8")))
        await desk.signals.take(
            floor.claim(signal_id="m1", ticker="MSFT", confidence=Decimal("0.5"))
        )
    return journal


def told(journal: MemoryJournal, about: str) -> str:
    story = Story(about)
    for _, message in journal.messages():
        story.hear(message)
    return "\n".join(_lines(story, utc=True))


async def test_a_signal_is_followed_to_its_fills() -> None:
    text = told(await day(), "a1")
    for part in (
        "signal BUY AAPL at 150.00, confidence 0.91, from test",
        "prediction-entry/PredictionEntry: long AAPL, stop 145.4903",
        "because of test/a1",
        "saw: signal.action BUY; signal.confidence 0.91",
        "sent 2-entry BUY 10 AAPL MARKET",
        "filled 2-entry BUY 10 AAPL @ 150.01",
        "1: acted",
        "size 10: fixed at 10",
    ):
        assert part in text, text
    assert "SHORT" not in text


async def test_a_signal_to_be_out_is_followed_to_the_order_that_closed() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await desk.signals.take(floor.claim(signal_id="a1"))
        await floor.filled(desk, 10)
        await floor.closing(desk, desk.signals.take(floor.claim("SELL", signal_id="a2")))
    text = told(journal, "a2")
    for part in ("sent 4-close SELL 10 AAPL MARKET", "filled 4-close SELL 10 AAPL @ 149.99"):
        assert part in text, text
    known = forensics(message for _, message in journal.messages())
    closed = next(one for one in known.executions if one.spec.role is OrderRole.CLOSE)
    assert closed.rule == "prediction-entry/PredictionExit"
    assert closed.signal is not None
    assert {Latency.DECISION, Latency.SEND} <= set(closed.latencies)


async def test_an_exit_is_followed_to_its_closing_and_no_further() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        for number in ("1", "2"):
            came = await desk.signals.take(floor.claim(signal_id=f"in{number}"))
            assert came.outcome is Outcome.ACTED, came
            floor.clock.advance(60)  # the same order so soon would be taken for a repetition
            await floor.filled(desk, 10)
            out = floor.claim("SELL", signal_id=f"out{number}")
            await floor.closing(desk, desk.signals.take(out))
    text = told(journal, "out1")
    for part in (
        "prediction-entry/PredictionExit: close AAPL",
        "4: closing AAPL",
        "sent 4-close SELL 10 AAPL MARKET",
        "filled 4-close SELL 10 AAPL @",
        "4: closed",
        "3: acted",
    ):
        assert part in text, text
    assert "closing" not in told(journal, "in1")
    assert text.count(": closing AAPL") == text.count("sent ") == 1


async def test_what_may_have_been_done_is_never_called_nothing() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await desk.signals.take(floor.claim(signal_id="in"))
        await floor.filled(desk, 10)
        dies(desk, signal_id="out")
    async with floor.strategist(ENTRY, journal=journal):
        pass
    text = told(journal, "out")
    assert "nothing is done" not in text
    assert "unknown: the process ended before it was known what came of it" in text
    assert "was never carried out: +10 are still held" in text


@pytest.mark.parametrize("about", ["a2", "test/a2"])
async def test_what_was_refused_says_why(about: str) -> None:
    text = told(await day(), about)
    assert "refused: +10 AAPL are held on the other side" in text
    assert text.count("held on the other side") == 1
    assert "sent" not in text


async def test_what_no_rule_wanted_says_what_each_saw() -> None:
    text = told(await day(), "a3")
    assert "nothing is done" in text
    assert "signal.confidence > 0.85 is false (0.8)" in text


async def test_what_was_not_taken_has_its_reason_under_its_symbol() -> None:
    text = told(await day(), "msft")
    assert "signal of MSFT from test not taken: its confidence is 0.5" in text
    assert "AAPL" not in text


async def test_a_decision_is_found_by_its_number_and_everything_without_one() -> None:
    journal = await day()
    assert "long AAPL" in told(journal, "1")
    assert told(journal, "").count("\n") > told(journal, "a1").count("\n")
    assert not told(journal, "nonsense")
