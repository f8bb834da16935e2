"""A restart is no way round a promotion: what traded goes on, and the file waits in the shadow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli.strategies import StrategyShelf, read
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.execution.strategist import Strategist
from tests.execution.parts import INSTALL
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told

NAME = "prediction-entry"
PROGRAM = """
from ibkr_trader import StrategyProgram, enter

class Mine(StrategyProgram):
    name, symbols = "mine", ("AAPL",)

    def on_signal(self, moment):
        yield enter("long", size="10", stop_loss="3%")
"""


class Desk:
    """One file, one journal, and one trader after the other."""

    def __init__(self, folder: Path, *, text: str = ENTRY, suffix: str = ".toml") -> None:
        self.path = folder / f"one{suffix}"
        self.path.write_text(text)
        self.floor = StrategyFloor()
        self.journal = MemoryJournal(INSTALL)
        self.shelf: StrategyShelf
        self.strategist: Strategist

    @asynccontextmanager
    async def started(self, *files: Path, as_edited: bool = False) -> AsyncIterator[None]:
        """Run one trader with the file, or with `files`, until the end of the block."""
        async with self.floor.strategist(journal=self.journal, per_minute=100) as strategist:
            self.strategist = strategist
            self.shelf = StrategyShelf(strategist.trader, strategist)
            await self.shelf.open(read(files or [self.path], []), as_edited=as_edited)
            yield

    def edit(self, old: str, new: str) -> None:
        """Change the file."""
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

    @property
    def trades(self) -> list[str]:
        """Which versions trade."""
        return [one.version for one in self.strategist.rules.strategies]

    @property
    def shadows(self) -> list[str]:
        """Which only write down what they would do."""
        return [one.version for one in self.strategist.rules.shadows]

    @property
    def notices(self) -> list[str]:
        """What people were told."""
        return [one.message for one in told(self.journal, ev.NoticeEvent)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_an_edit_between_two_starts_waits_in_the_shadow(desk: Desk) -> None:
    async with desk.started():
        (first,) = desk.trades
    desk.edit("0.85", "0.95")
    async with desk.started():
        (second,) = desk.shadows
        assert desk.trades == [first] != [second]
        (notice,) = desk.notices
        assert f"{first} trades as before the restart; one.toml is another version" in notice
        assert f"({second}) and is in the shadow" in notice
        assert f"ibkr-trader strategy promote {NAME}, or start with --as-edited" in notice
        taken = await desk.strategist.signals.take(desk.floor.claim())
        assert taken.outcome is Outcome.ACTED  # 0.91 is enough for what trades
        await desk.shelf.promote(NAME, origin="cli")
        assert (desk.trades, desk.shadows) == ([second], [])
    async with desk.started():
        assert (desk.trades, desk.shadows, len(desk.notices)) == ([second], [], 1)


async def test_neither_an_edit_nor_what_was_rolled_back_comes_back_by_a_restart(
    desk: Desk,
) -> None:
    async with desk.started():
        (first,) = desk.trades
        desk.edit("0.85", "0.95")
        await desk.shelf.look()
        (second,) = desk.shadows
    async with desk.started():
        assert (desk.trades, desk.shadows) == ([first], [second])
        await desk.shelf.promote(NAME, origin="cli")
        await desk.shelf.roll_back(NAME, origin="cli")
    async with desk.started():
        assert (desk.trades, desk.shadows) == ([first], [second])


async def test_the_sample_of_an_edit_goes_on_after_a_restart(desk: Desk) -> None:
    async with desk.started():
        desk.edit("0.85", "0.80")
        await desk.shelf.look()
        await desk.strategist.signals.take(desk.floor.claim())
        assert desk.strategist.rules.shadow.books[NAME].decisions == 1
    async with desk.started():
        assert desk.strategist.rules.shadow.books[NAME].decisions == 1


async def test_edited_back_to_what_trades_the_shadow_is_let_go(desk: Desk) -> None:
    async with desk.started():
        pass
    desk.edit("0.85", "0.95")
    async with desk.started():
        assert len(desk.shadows) == 1
        desk.edit("0.95", "0.85")
        await desk.shelf.look()
        assert not desk.shadows


async def test_as_edited_the_file_trades_as_it_is(desk: Desk) -> None:
    async with desk.started():
        (first,) = desk.trades
    desk.edit("0.85", "0.95")
    async with desk.started(as_edited=True):
        assert desk.trades != [first]
        assert (desk.shadows, desk.notices) == ([], [])


async def test_what_the_last_start_did_not_name_trades_as_its_file_is(
    desk: Desk, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(ENTRY.replace(NAME, "other"))
    async with desk.started():
        (first,) = desk.trades
    async with desk.started(other):
        retired = told(desk.journal, ev.StageEvent)[-2]
        assert (retired.strategy, retired.stage, retired.version) == (NAME, Stage.RETIRED, first)
    desk.edit("0.85", "0.95")
    async with desk.started():
        assert desk.trades != [first]
        assert (desk.shadows, desk.notices) == ([], [])
        await desk.shelf.roll_back(NAME, origin="cli")
        assert desk.trades == [first]


async def test_a_shadow_that_is_named_stays_before_the_edit(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(ENTRY.replace("0.85", "0.5"))
    async with desk.started():
        (first,) = desk.trades
    desk.edit("0.85", "0.95")
    async with desk.floor.strategist(journal=desk.journal) as strategist:
        shelf = StrategyShelf(strategist.trader, strategist)
        await shelf.open(read([desk.path], [other]))
        assert [one.version for one in strategist.rules.strategies] == [first]
        assert len(strategist.rules.shadows) == 1
        (notice,) = desk.notices
        assert "and is left out, for another file is in the shadow" in notice
        assert told(desk.journal, ev.StageEvent)[-1].content == other.read_text()


async def test_a_strategy_in_python_goes_on_of_its_text_on_record(tmp_path: Path) -> None:
    desk = Desk(tmp_path, text=PROGRAM, suffix=".py")
    async with desk.started():
        (first,) = desk.trades
    desk.edit('size="10"', 'size="50"')
    async with desk.started():
        assert desk.trades == [first]
        assert len(desk.shadows) == 1
        taken = await desk.strategist.signals.take(desk.floor.claim())
        assert taken.outcome is Outcome.ACTED
        sent = told(desk.journal, ev.NewOrderEvent)
        assert {one.spec.quantity for one in sent} == {10}


async def test_what_cannot_be_read_any_more_is_refused_with_the_way_out(desk: Desk) -> None:
    old = ev.StageEvent(
        at=desk.floor.clock.now(),
        strategy=NAME,
        stage=Stage.LIVE,
        version="older",
        content=ENTRY.replace("signal.confidence", "signal.certainty"),
    )
    async with desk.floor.strategist(journal=desk.journal) as strategist:
        strategist.trader.record.write([old])
    why = f"what traded as {NAME} before cannot be read any more: {NAME} older"
    with pytest.raises(ConfigError, match=why) as caught:
        async with desk.started():
            raise AssertionError
    assert caught.value.hint is not None
    assert f"--strategy {desk.path} --as-edited" in caught.value.hint
    assert told(desk.journal, ev.StageEvent) == [old]
    async with desk.started(as_edited=True):
        assert len(desk.trades) == 1


async def test_an_edit_under_another_name_does_not_come_to_trade_by_a_restart(desk: Desk) -> None:
    async with desk.started():
        desk.edit(NAME, "other")
        await desk.shelf.look()
        (second,) = desk.shadows
    for _ in range(2):
        async with desk.started():
            assert (desk.trades, desk.shadows) == ([], [second])
            assert "was edited into this while another traded" in desk.notices[-1]
    async with desk.started():
        await desk.shelf.promote("other", origin="cli")
    async with desk.started():
        assert (desk.trades, desk.shadows) == ([second], [])


async def test_what_was_named_for_the_shadow_trades_once_it_is_named_for_the_market(
    desk: Desk, tmp_path: Path
) -> None:
    async with StrategyFloor().strategist(journal=desk.journal) as strategist:
        shelf = StrategyShelf(strategist.trader, strategist)
        await shelf.open(read([], [desk.path]))
    async with desk.started():
        assert (len(desk.trades), desk.shadows) == (1, [])
