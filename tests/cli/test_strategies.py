from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli.board import Board
from ibkr_trader.cli.strategies import CannotStage, StrategyShelf, read
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.dashboard.scene import FeedKind
from ibkr_trader.rules.shadow_book import ShadowBook
from tests.execution.parts import INSTALL, FullDisk
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told

NAME = "prediction-entry"


class Rack:
    """A shelf with one file, and what it has told."""

    def __init__(self, tmp_path: Path, text: str = ENTRY) -> None:
        self.path = tmp_path / "one.toml"
        self.path.write_text(text)
        self.floor = StrategyFloor()
        self.journal = MemoryJournal(INSTALL)

    def edit(self, old: str, new: str) -> None:
        """Change the file as an editor does: with another inode."""
        text = self.path.read_text().replace(old, new)
        beside = self.path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.path)


@pytest.fixture
def rack(tmp_path: Path) -> Rack:
    return Rack(tmp_path)


async def test_a_file_trades_as_it_is_and_its_text_is_on_record(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        (stage,) = told(rack.journal, ev.StageEvent)
        assert (stage.stage, stage.content, stage.strategy) == (Stage.LIVE, ENTRY, NAME)
        assert (await desk.signals.take(rack.floor.claim())).outcome is Outcome.ACTED


async def test_an_edited_file_goes_into_the_shadow_and_never_into_the_market(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("0.85", "0.95")
        await shelf.look()
        assert [one.stage for one in told(rack.journal, ev.StageEvent)] == [
            Stage.LIVE,
            Stage.SHADOW,
        ]
        assert len(desk.rules.strategies) == len(desk.rules.shadows) == 1
        assert (await desk.signals.take(rack.floor.claim())).outcome is Outcome.ACTED


async def test_an_edit_that_is_wrong_is_told_once_and_changes_nothing(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("signal.confidence", "signal.confidense")
        await shelf.look()
        await shelf.look()
        (notice,) = told(rack.journal, ev.NoticeEvent)
        text = notice.message
        assert (notice.origin, notice.is_serious) == (NAME, True)
        assert "line 7" in text
        assert "confidense" in text
        assert not desk.rules.shadows
        rack.edit("signal.confidense > 0.85", "signal.confidence > 0.9")
        await shelf.look()
        assert len(desk.rules.shadows) == 1


async def test_an_edit_that_is_taken_back_is_nothing_to_try(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("nothing of it", "")
        await shelf.look()
        assert not desk.rules.shadows


async def test_an_edit_that_is_taken_back_leaves_no_shadow_to_promote(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("0.85", "0.95")
        await shelf.look()
        rack.edit("0.95", "0.85")
        await shelf.look()
        assert not desk.rules.shadows
        assert told(rack.journal, ev.StageEvent)[-1].stage is Stage.RETIRED
        with pytest.raises(CannotStage, match="in the shadow"):
            await shelf.promote(NAME, origin="cli")


async def test_a_file_that_is_saved_as_it_was_leaves_another_ones_shadow(
    rack: Rack, tmp_path: Path
) -> None:
    other = tmp_path / "two.toml"
    other.write_text(ENTRY.replace("0.85", "0.95"))
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], [other]))
        rack.edit("nothing of it", "")
        await shelf.look()
        assert len(desk.rules.shadows) == 1


async def test_promoted_it_trades_and_rolled_back_the_other_does_again(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        (first,) = desk.rules.strategies
        rack.edit("0.85", "0.95")
        await shelf.look()
        await shelf.promote(NAME, origin="cli")
        (second,) = desk.rules.strategies
        assert second.version != first.version
        assert not desk.rules.shadows
        assert (await desk.signals.take(rack.floor.claim())).outcome is Outcome.NOTHING
        await shelf.roll_back(NAME, origin="cli")
        assert desk.rules.strategies == (first,)
        assert [one.version for one in desk.rules.shadows] == [second.version]
        again = await desk.signals.take(rack.floor.claim(signal_id="s2"))
        assert again.outcome is Outcome.ACTED


class Shelved(MemoryJournal):
    """A journal that counts how often all of it is read."""

    readings = 0

    def messages(self, *, since: int = 0) -> Iterator[tuple[int, Command | ev.BaseEvent]]:
        self.readings += not since
        return super().messages(since=since)


async def test_what_is_about_to_trade_recalls_nothing_and_comes_back_with_nothing(
    rack: Rack,
) -> None:
    journal = Shelved(INSTALL)
    async with rack.floor.strategist(journal=journal, per_minute=100) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("0.85", "0.90")
        await shelf.look()
        await desk.signals.take(rack.floor.claim())
        assert desk.rules.shadow.books[NAME].places
        readings = journal.readings
        await shelf.promote(NAME, origin="cli")
        await shelf.roll_back(NAME, origin="cli")
        assert journal.readings == readings
        assert desk.rules.shadow.books[NAME] == ShadowBook(
            strategy=NAME, version=desk.rules.shadows[0].version
        )


async def test_a_start_reads_the_journal_once_for_all_shadows(rack: Rack, tmp_path: Path) -> None:
    journal, other = Shelved(INSTALL), tmp_path / "two.toml"
    other.write_text(ENTRY.replace(NAME, "two"))
    async with rack.floor.strategist(journal=journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path, other]))
        await desk.signals.take(rack.floor.claim())
        books = dict(desk.rules.shadow.books)
        assert all(one.places for one in books.values())
    async with rack.floor.strategist(journal=journal) as desk:
        readings = journal.readings
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path, other]))
        assert journal.readings == readings + 1
        assert desk.rules.shadow.books == books


async def test_what_was_recalled_and_let_go_is_not_taken_up_again(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path]))
        await desk.signals.take(rack.floor.claim())
        (strategy,) = desk.rules.shadows
        await desk.rules.shadow.recall([strategy])
        desk.rules.dismiss(NAME, Stage.SHADOW)
        desk.rules.admit(strategy, Stage.SHADOW)
        assert not desk.rules.shadow.books[NAME].places


async def test_an_earlier_version_is_known_after_restarts(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        await StrategyShelf(desk.trader, desk).open(read([rack.path], []))
        (first,) = desk.rules.strategies
    rack.edit("0.85", "0.95")
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []), as_edited=True)
        assert desk.rules.strategies[0].version != first.version
        await shelf.roll_back(NAME, origin="cli")
        assert desk.rules.strategies[0].version == first.version


async def test_what_is_not_there_cannot_be_moved(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        with pytest.raises(CannotStage, match="in the shadow"):
            await shelf.promote(NAME, origin="cli")
        with pytest.raises(CannotStage, match="no earlier version"):
            await shelf.roll_back(NAME, origin="cli")
        with pytest.raises(CannotStage, match="does not trade here"):
            await shelf.roll_back("other", origin="cli")


async def test_two_of_one_name_are_refused_unless_one_only_tries(
    rack: Rack, tmp_path: Path
) -> None:
    other = tmp_path / "two.toml"
    other.write_text(ENTRY)
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        with pytest.raises(ConfigError, match="another strategy is called"):
            read([rack.path, other], [])
        await shelf.open(read([rack.path], [other]))
        assert len(desk.rules.shadows) == 1


async def test_what_is_in_the_shadow_already_is_not_told_again(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("0.85", "0.95")
        await shelf.look()
        rack.edit("nothing of it", "")  # the same text in another file
        await shelf.look()
        stages = [one.stage for one in told(rack.journal, ev.StageEvent)]
        assert stages == [Stage.LIVE, Stage.SHADOW]


async def test_only_the_version_that_was_looked_at_is_promoted(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        (first,) = desk.rules.strategies
        rack.edit("0.85", "0.95")
        await shelf.look()
        (seen,) = desk.rules.shadows
        rack.edit("0.95", "0.05")  # while the person is asked
        await shelf.look()
        with pytest.raises(CannotStage, match=f"by now, and not {seen.version}"):
            await shelf.promote(NAME, origin="cli", version=seen.version)
        assert desk.rules.strategies == (first,)
        (now,) = desk.rules.shadows
        await shelf.promote(NAME, origin="cli", version=now.version)
        assert desk.rules.strategies[0].version == now.version


async def test_a_file_that_its_bars_cannot_serve_is_told_and_ends_nothing(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        held = "signal.action == 'BUY' and signal.confidence > 0.85"
        rack.edit(held, "bar.close > opening_high(7) and bar.close > sma(3)")
        rack.edit('symbols = ["AAPL"]', 'symbols = ["AAPL"]\nbars = "5 mins"')
        await shelf.look()
        (said,) = told(rack.journal, ev.NoticeEvent)
        assert "no whole number of bars" in said.message
        assert not desk.rules.shadows


async def test_a_shadow_that_has_decided_too_little_is_no_sample(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal, per_minute=100) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path]))
        shelf.require_ready("other")
        for number in range(10):
            with pytest.raises(CannotStage, match=f"has made {number} decision") as caught:
                shelf.require_ready(NAME)
            assert caught.value.hint is not None
            assert "--anyway" in caught.value.hint
            await desk.signals.take(rack.floor.claim(signal_id=f"s{number}"))
        shelf.require_ready(NAME)


async def test_an_edit_that_is_not_taken_is_named_until_it_is(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        board = Board(desk.trader)
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("0.85", "0.95")
        await shelf.look()
        assert not shelf.not_taken(NAME)
        rack.edit("signal.confidence", "signal.confidense")
        await shelf.look()
        assert "the edited one.toml is not taken" in shelf.not_taken(NAME)
        assert "confidense" in shelf.not_taken(NAME)
        assert not shelf.not_taken("other")
        line = board.lines()[-1]
        assert (line.kind, "one.toml is not taken" in line.text) == (FeedKind.ALERT, True)
        with pytest.raises(CannotStage, match="is not what its file says") as caught:
            shelf.require_ready(NAME)
        assert "--anyway" in str(caught.value.hint)
        rack.edit("confidense > 0.95", "confidence > 0.85")
        await shelf.look()
        assert not shelf.not_taken(NAME)


async def test_without_a_shadow_promoting_says_why_the_edit_is_none(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("signal.confidence", "signal.confidense")
        await shelf.look()
        shelf.require_ready(NAME)
        with pytest.raises(CannotStage, match=r"in the shadow.*one\.toml is not taken"):
            await shelf.promote(NAME, origin="cli")


async def test_a_full_disk_does_not_end_what_looks_at_the_files(rack: Rack) -> None:
    journal = FullDisk(INSTALL)
    async with rack.floor.strategist(journal=journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([rack.path], []))
        rack.edit("signal.confidence", "signal.confidense")
        journal.is_full = True
        await shelf.look()
        journal.is_full = False
        assert shelf.not_taken(NAME)


async def test_decisions_that_are_not_modelled_are_no_sample(tmp_path: Path) -> None:
    ranges = 'size = "atr:2"\n[['  # by daily ranges, which no shadow knows
    fixed = 'size = "10"\nstop_loss = "3%"\ntake_profit = "9%"\n\n[['
    rack = Rack(tmp_path, ENTRY.replace(fixed, ranges))
    async with rack.floor.strategist(journal=rack.journal, per_minute=100) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path]))
        for number in range(12):
            await desk.signals.take(rack.floor.claim(signal_id=f"s{number}"))
        with pytest.raises(CannotStage, match="0 decisions that its model knows, of 12, and 10 is"):
            shelf.require_ready(NAME)


async def test_a_shadow_that_broke_is_no_sample(rack: Rack) -> None:
    async with rack.floor.strategist(journal=rack.journal) as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(read([], [rack.path]))
        desk.rules.dismiss(NAME, Stage.SHADOW)  # as the shadow's desk does when a book raises
        with pytest.raises(CannotStage, match="broke and was ended"):
            shelf.require_ready(NAME)
