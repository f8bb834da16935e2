"""What becomes of the files of a running trader costs at most the edit, and is told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli.strategies import StrategyShelf, read
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.models import Bar, Contract
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told

NAME = "prediction-entry"
HELD = "signal.action == 'BUY' and signal.confidence > 0.85"


class Faulty(SimulatedMarketData):
    """The simulator's prices, whose history has a bug."""

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        raise ZeroDivisionError(f"{contract.symbol} {duration} {bar_size} {timeout}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(ENTRY)
    return path


def notices(journal: MemoryJournal) -> list[str]:
    found = told(journal, ev.NoticeEvent)
    assert {(one.origin, one.is_serious) for one in found} <= {(NAME, True)}
    return [one.message for one in found]


async def test_an_edit_that_meets_a_bug_costs_only_itself(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(journal=journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([path], []))
        sound = desk.trader.market
        desk.trader.market = Faulty(floor.exchange, clock=floor.clock)
        path.write_text(ENTRY.replace(HELD, "bar.close > sma(20)"))
        with caplog.at_level(logging.ERROR):
            await shelf.look()
            await shelf.look()
        assert "Traceback" in caplog.text
        (notice,) = notices(journal)
        assert notice.startswith("the edited one.toml is not taken: ZeroDivisionError: AAPL")
        assert not desk.rules.shadows
        desk.trader.market = sound
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.ACTED
        path.write_text(ENTRY.replace(HELD, "bar.close > sma(21)"))
        await shelf.look()
        assert len(desk.rules.shadows) == 1


async def test_a_file_that_is_gone_is_told_once_and_what_was_loaded_goes_on(path: Path) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(journal=journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([path], []))
        away = path.rename(path.with_suffix(".away"))
        await shelf.look()
        away.rename(path)  # as an editor may have it
        await shelf.look()
        path.unlink()
        await shelf.look()
        assert not notices(journal)
        await shelf.look()
        await shelf.look()
        (notice,) = notices(journal)
        assert notice == (
            "the file one.toml is gone: what was loaded goes on, a start without it is refused"
        )
        assert (await desk.signals.take(floor.claim())).outcome is Outcome.ACTED
        path.write_text(ENTRY.replace("0.85", "0.95"))
        await shelf.look()
        assert len(desk.rules.shadows) == 1
        path.unlink()
        await shelf.look()
        await shelf.look()
        assert len(notices(journal)) == 2


async def test_more_bars_than_tws_gives_end_no_trader(path: Path) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(journal=journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([path], []))
        text = ENTRY.replace(HELD, "bar.close > vwap()")
        path.write_text(text.replace('["AAPL"]', '["AAPL"]\nbars = "5 secs"', 1))
        await shelf.look()
        assert not desk.rules.shadows
        (line,) = notices(journal)
        assert "line 4: bars: " in line
        assert "are too many: TWS gives 3600 S of them" in line
