"""A running trader takes up new files at once, and survives damaged ones."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from ibkr_trader.adapters.correlation_file import CorrelationFile
from ibkr_trader.adapters.sectors_file import SectorsFile
from ibkr_trader.core.models import Contract, ContractDetails
from ibkr_trader.execution import correlation_watch
from ibkr_trader.execution.correlation_watch import CorrelationWatch
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.risk_book import RiskBook
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.pnl import DayPnl
from tests.adapters.test_correlation_file import MATRIX
from tests.execution.parts import Floor


class Desk:
    """A book and the files that it is fed from."""

    def __init__(self, folder: Path) -> None:
        self.book = RiskBook(RiskSettings(), Floor().clock)
        self.file, self.sectors = CorrelationFile(folder), folder / "sectors.json"
        self.watch = CorrelationWatch(self.book, self.file, SectorsFile(folder))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_files_are_taken_up_when_they_change(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.watch.look()
    assert (desk.book.correlations, desk.book.sectors) == (None, {})
    desk.file.write(MATRIX, {"AAPL": "Technology", "MSFT": ""})
    desk.watch.look()
    taken = desk.book.correlations
    assert taken is not None
    assert desk.book.sectors == {"AAPL": "Technology"}
    desk.watch.look()
    assert desk.book.correlations is taken
    desk.file.path.write_text("{")
    with caplog.at_level(logging.WARNING):
        desk.watch.look()
    assert desk.book.correlations is None
    assert "counts as missing" in caplog.text
    desk.file.path.unlink()
    desk.watch.look()
    assert desk.book.correlations is None


def test_the_users_sectors_come_before_the_brokers(desk: Desk) -> None:
    desk.file.write(MATRIX, {"AAPL": "Technology", "MSFT": "Technology"})
    desk.sectors.write_text('{"AAPL": "Gadgets"}')
    desk.watch.look()
    assert desk.book.sectors == {"AAPL": "Gadgets", "MSFT": "Technology"}
    desk.book.learn_industries({"AAPL": "Computers", "XOM": "Energy"})
    assert desk.book.sectors == {"AAPL": "Gadgets", "MSFT": "Technology", "XOM": "Energy"}
    before = desk.book.sectors
    desk.book.learn_industries({"XOM": "Energy", "NEW": ""})
    assert desk.book.sectors is before
    desk.sectors.write_text("{}")
    desk.watch.look()
    assert desk.book.sectors["AAPL"] == "Technology"


def test_damaged_sectors_are_a_fault_and_change_nothing(desk: Desk) -> None:
    desk.sectors.write_text('{"AAPL": "Gadgets"}')
    desk.watch.look()
    desk.sectors.write_text('{"AAPL": 7}')
    desk.watch.look()
    assert "sectors.json: line 1, column 10: AAPL" in desk.book.sectors_fault
    facts = desk.book.facts(is_synced=True, pnl=DayPnl())
    assert facts["sectors_fault"] == desk.book.sectors_fault
    assert desk.book.sectors == {"AAPL": "Gadgets"}
    desk.sectors.write_text("{}")
    desk.watch.look()
    assert (desk.book.sectors_fault, desk.book.sectors) == ("", {})


def test_sectors_that_are_gone_stay_in_force_and_open_nothing(desk: Desk) -> None:
    desk.watch.look()
    assert desk.book.sectors_fault == "", "there never was one"
    desk.sectors.write_text('{"AAPL": "Gadgets"}')
    desk.watch.look()
    kept = desk.sectors.rename(desk.sectors.with_name("elsewhere.json"))
    for _ in range(2):
        desk.watch.look()
        assert "sectors.json: it is missing, and sectors of 1 symbol were in force" in (
            desk.book.sectors_fault
        )
        assert desk.book.sectors == {"AAPL": "Gadgets"}
    kept.rename(desk.sectors)
    desk.watch.look()
    assert (desk.book.sectors_fault, desk.book.sectors) == ("", {"AAPL": "Gadgets"})
    desk.sectors.write_text("{")
    desk.watch.look()
    desk.sectors.unlink()
    desk.watch.look()
    assert "it is missing" in desk.book.sectors_fault, "it was damaged first: no way out"
    desk.sectors.write_text("{}")
    desk.watch.look()
    assert (desk.book.sectors_fault, desk.book.sectors) == ("", {}), "none are meant"
    desk.sectors.unlink()
    desk.watch.look()
    assert desk.book.sectors_fault == ""


def test_sectors_that_everybody_may_write_are_not_believed(desk: Desk) -> None:
    desk.sectors.write_text('{"AAPL": "Gadgets"}')
    desk.watch.look()
    desk.sectors.chmod(0o666)
    desk.watch.look()
    assert "can be written by everybody" in desk.book.sectors_fault
    assert desk.book.sectors == {"AAPL": "Gadgets"}


async def test_the_trader_looks_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlation_watch, "BEAT", 0.001)
    desk.file.write(MATRIX, {})
    desk.sectors.write_text('{"AAPL": "Gadgets"}')
    async with alongside(desk.watch.work()), asyncio.timeout(10):
        while desk.book.correlations is None or not desk.book.sectors:  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0)


async def test_what_is_learnt_of_a_contract_names_its_sector() -> None:
    async with Floor().trader() as trader:
        contract = Contract(symbol="AAPL", con_id=1)
        trader.outlook.learn(ContractDetails(contract=contract, industry="Technology"))
        assert trader.outlook.view().sectors["AAPL"] == "Technology"
