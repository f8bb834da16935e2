"""What is said of signals that are not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.signals import Malformed
from ibkr_trader.execution.refusals import ALARMING, Refusals
from ibkr_trader.rules.admission import Refusal
from tests.execution.parts import INSTALL, FullDisk
from tests.execution.strategy_stage import StrategyFloor, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.memory_journal import MemoryJournal as Journal

LATE, FLOOD = Refusal("stale", "it is old"), Refusal("too_many", "too many")
FORGED = Refusal("forged", "the signature is not good")


async def at_work(
    work: Callable[[StrategyFloor, Refusals], Any], *, journal: Journal | None = None
) -> tuple[list[ev.SignalRefusedEvent], list[ev.NoticeEvent]]:
    """Let `work` refuse signals, and return what the journal has of it."""
    floor, record = StrategyFloor(), journal or MemoryJournal(INSTALL)
    async with floor.strategist(journal=record) as desk:
        work(floor, Refusals(desk.trader))
    return told(record, ev.SignalRefusedEvent), told(record, ev.NoticeEvent)


async def test_of_a_storm_the_first_is_told_and_the_rest_is_counted_with_the_next() -> None:
    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for number in range(5):
            refusals.refuse(floor.claim(signal_id=f"s{number}"), LATE)
        floor.clock.advance(1)
        refusals.refuse(floor.claim(signal_id="s5"), LATE)

    refused, notices = await at_work(work)
    assert [(one.signal_id, one.count) for one in refused] == [("s0", 1), ("s5", 5)]
    assert notices == []


async def test_no_symbol_is_hidden_behind_another_and_no_wish_to_be_out_behind_an_entry() -> None:
    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for action, ticker in (("BUY", "AAPL"), ("SELL", "AAPL"), ("SELL", "MSFT"), ("BUY", "KO")):
            claim = floor.claim(action, signal_id=f"{action}-{ticker}", ticker=ticker)
            refusals.refuse(claim, FLOOD)

    refused, _ = await at_work(work)
    names = [one.signal_id for one in refused]
    assert names == ["BUY-AAPL", "SELL-AAPL", "SELL-MSFT", "BUY-KO"]


async def test_whatever_symbols_are_made_up_they_are_one_kind() -> None:
    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for number in range(9):
            claim = floor.claim("SELL", signal_id=f"s{number}", ticker=f"X{number}")
            refusals.refuse(claim, Refusal("unknown_symbol", "nobody trades it"))

    refused, _ = await at_work(work)
    assert len(refused) == 1


@pytest.mark.parametrize("code", ["forged", "unsigned", "malformed"])
async def test_the_third_strange_one_within_a_minute_raises_the_alarm_once(code: str) -> None:
    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for _ in range(ALARMING + 2):
            refusals.refuse(Malformed(source="hook", message="no", code=code), Refusal(code, "no"))
            floor.clock.advance(19)

    _, (alarm,) = await at_work(work)
    assert alarm.is_serious
    assert alarm.message.startswith("hook: 3 signals within a minute were forged, unsigned or")


async def test_now_and_then_one_raises_none_and_other_sources_count_by_themselves() -> None:
    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for number in range(9):
            refusals.refuse(Malformed(source=f"s{number % 3}", message="no"), FORGED)
            floor.clock.advance(21)
            refusals.refuse(floor.claim(signal_id=f"s{number}"), LATE)

    _, notices = await at_work(work)
    assert notices == []


async def test_what_passes_is_asked_for_again_and_nothing_else_is() -> None:
    finals: dict[str, bool] = {}

    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        for code in ("unavailable", "busy", "resting", "stale", "too_many", "duplicate"):
            finals[code] = refusals.refuse(floor.claim(), Refusal(code, "no")).is_final

    await at_work(work)
    assert [code for code, is_final in finals.items() if not is_final] == [
        "unavailable",
        "busy",
        "resting",
    ]


async def test_a_journal_that_takes_nothing_keeps_nobody_from_an_answer() -> None:
    journal = FullDisk(INSTALL)

    def work(floor: StrategyFloor, refusals: Refusals) -> None:
        journal.is_full = True
        assert refusals.refuse(floor.claim(), LATE).code == "stale"
        journal.is_full = False

    assert await at_work(work, journal=journal) == ([], [])
