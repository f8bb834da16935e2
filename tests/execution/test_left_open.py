"""A decision that the last process left open: never done again, and an exit is said aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import AAPL, INSTALL, request
from tests.execution.strategy_stage import ENTRY, StrategyFloor, dies, told

if TYPE_CHECKING:
    from ibkr_trader.execution.strategist import Strategist

LOST = "the process ended before it was known what came of it"
MISSING = (
    "the exit of AAPL that prediction-entry/PredictionExit decided was never carried out: "
    "+10 are still held. Next: ibkr-trader close AAPL"
)


async def hold(floor: StrategyFloor, desk: Strategist, action: str = "BUY") -> None:
    await desk.signals.take(floor.claim(action))
    await floor.filled(desk, 10 if action == "BUY" else -10)


async def test_an_exit_that_was_never_carried_out_is_said_aloud_and_not_done() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await hold(floor, desk)
        dies(desk)
    for _ in range(2):  # and once, however often it starts
        async with floor.strategist(ENTRY, journal=journal) as desk:
            assert desk.trader.portfolio.positions[AAPL].quantity == 10
            assert not desk.trader.portfolio.closings
        (notice,) = told(journal, ev.NoticeEvent)
        assert (notice.message, notice.is_serious) == (MISSING, True)
        assert notice.origin == "strategy/prediction-entry/PredictionExit"
        end = told(journal, ev.DecisionEndEvent)[-1]
        assert (end.outcome, end.reasons) == (Outcome.UNKNOWN, (LOST, "it was: close AAPL"))


async def test_its_signal_names_the_decision_so_nobody_reads_that_nothing_was_done() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await hold(floor, desk)
        dies(desk)
    async with floor.strategist(ENTRY, journal=journal):
        pass
    end = told(journal, ev.SignalEndEvent)[-1]
    assert (end.signal_id, end.outcome) == ("s9", Outcome.UNKNOWN)
    assert end.decisions == (f"{INSTALL}-99",)


async def test_an_exit_whose_closing_is_on_record_goes_on_and_is_no_alarm() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await hold(floor, desk)
        dies(desk)
        close = ev.CloseRequestEvent(
            at=floor.clock.now(),
            group_id=GroupId(f"{INSTALL}-98"),
            contract=desk.trader.portfolio.positions[AAPL].contract,
            account="SIM0000001",
        )
        desk.trader.record.write([close])
    async with floor.strategist(ENTRY, journal=journal):
        assert not told(journal, ev.NoticeEvent)
        end = told(journal, ev.DecisionEndEvent)[-1]
        assert end.reasons[-1] == "its closing 98 is on record and goes on"


@pytest.mark.parametrize(
    ("side", "fields"),
    [
        ("BUY", {"wish": "open", "words": "long AAPL"}),  # an entry: the picture tells the rest
        ("SHORT", {}),  # it meant a long position, and this is none
        ("BUY", {"terms": {"symbol": "MSFT"}}),  # nothing is held of that
    ],
)
async def test_what_is_no_missing_exit_is_a_plain_line(side: str, fields: dict[str, Any]) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await hold(floor, desk, side)
        dies(desk, **fields)
    async with floor.strategist(ENTRY, journal=journal):
        assert not told(journal, ev.NoticeEvent)
        end = told(journal, ev.DecisionEndEvent)[-1]
        assert end.reasons == (LOST, f"it was: {fields.get('words', 'close AAPL')}")


async def test_what_belongs_to_a_person_was_never_its_to_close() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        await Desk(desk.trader).submit_order(request(), wait=Wait.FILLED)
        dies(desk)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        assert desk.trader.portfolio.positions[AAPL].quantity == 10
        assert not told(journal, ev.NoticeEvent)
