"""A live desk is armed by a person, for a time, and everything that happens may end it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import ConfigError, RiskCheckError, TraderError
from ibkr_trader.execution.arming_watch import FOREVER, LONGEST, Lease, NotArmed
from ibkr_trader.execution.consent import asked_by
from ibkr_trader.execution.placing import prepare, route
from ibkr_trader.risk.arming import Lack
from ibkr_trader.risk.tightening import Change
from tests.execution.arming_stage import HOUR, RESTING, Person, Shelf, arm, live, recorded
from tests.execution.parts import START, Floor, FullDisk

# -- before anybody arms it ---------------------------------------------------------------------


async def test_a_live_desk_opens_nothing_until_it_is_armed() -> None:
    async with live() as desk:
        assert not await desk.opens()
        arm(desk)
        assert await desk.opens()
        (told,) = desk.told
        assert (told.until, told.reason, told.origin) == (
            START + 8 * HOUR,
            "armed for 8 hours",
            "test",
        )


@pytest.mark.parametrize(
    ("hours", "words"), [(1.0, "1 hour"), (1.5, "1.5 hours"), (0.25, "0.25 hours")]
)
async def test_the_length_is_told_in_hours(hours: float, words: str) -> None:
    async with live() as desk:
        arm(desk, hours * HOUR)
        assert desk.told[-1].reason == f"armed for {words}"


async def test_what_the_settings_lack_keeps_it_from_being_armed_at_all() -> None:
    lacks = (Lack("nothing allows it", "allow it"), Lack("no account"))
    async with live(lacks=lacks) as desk:
        with pytest.raises(NotArmed) as refused:
            arm(desk)
        assert (refused.value.message, refused.value.hint) == (
            "nothing allows it; no account",
            "allow it",
        )
        assert (desk.is_armed, desk.shelf.kept, desk.told) == (False, "", [])
        person = Person()
        with asked_by(person):
            assert not await desk.opens()
        assert person.asked == [], "typing an account does not help where something is missing"


async def test_twelve_hours_are_the_most() -> None:
    async with live() as desk:
        assert desk.watch.arm(100 * HOUR, origin="test") == START + LONGEST


async def test_without_real_money_nothing_has_to_be_armed() -> None:
    async with Floor().trader() as trader:
        arming = trader.arming.arming()
        assert (arming.is_armed(START), arming.is_live, trader.arming.lacks()) == (True, False, ())
        trader.arming.disarm("enough for today", origin="test")
        disarmed = trader.arming.arming()
        assert (disarmed.is_armed(START), disarmed.reason) == (False, "enough for today")
        with pytest.raises(RiskCheckError, match="enough for today"):
            await route(trader, (await prepare(trader, RESTING)).command)
        assert trader.arming.arm(HOUR, origin="test") == FOREVER
        assert trader.arming.arming().is_armed(START)
        with trader.arming.claimed():  # nothing to claim, and no harm
            trader.arming.look()


async def test_a_disarmed_simulator_stays_disarmed_over_a_restart() -> None:
    journal = MemoryJournal("k7qav")
    async with Floor().trader(journal=journal) as trader:
        trader.arming.disarm("enough", origin="test")
    async with Floor().trader(journal=journal) as trader:
        assert not trader.arming.arming().is_armed(START)
        trader.arming.arm(HOUR, origin="test")
    async with Floor().trader(journal=journal) as trader:
        assert trader.arming.arming().is_armed(START)


# -- what ends it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "up", "is_armed"),
    [
        (HOUR - timedelta(seconds=1), 3599, True),
        (HOUR, 10, False),
        (timedelta(seconds=10), 3600, False),
        (-HOUR, 3599, True),
        (-10 * HOUR, 3600, False),
    ],
)
async def test_whichever_clock_is_first_ends_it(
    wall: timedelta, up: float, *, is_armed: bool
) -> None:
    async with live() as desk:
        arm(desk, HOUR)
        desk.shelf.wall += wall
        desk.shelf.up += up
        assert desk.is_armed is is_armed
        desk.watch.look()
        assert (desk.shelf.kept != "") is is_armed
        if not is_armed:
            assert desk.ended_by() == "the armed time is over"


async def test_it_is_over_to_the_second_without_anybody_looking() -> None:
    async with live() as desk:
        arm(desk, HOUR)
        desk.shelf.pass_on(3599.5)
        assert desk.is_armed
        desk.shelf.pass_on(0.5)
        assert not desk.is_armed
        assert not await desk.opens()


async def test_a_halt_ends_it_at_once_and_resuming_does_not_bring_it_back() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.halter.stop("enough", origin="test")
        assert "HALTED (enough" in desk.ended_by()
        await recorded(desk)
        resumed = ev.StateEvent(at=START, state=TradingState.ACTIVE, reason="all is well")
        desk.trader.record.write([resumed])
        assert not desk.is_armed
        assert not await desk.opens()


async def test_reducing_that_somebody_must_end_ends_it_and_what_passes_does_not() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.degrade("stale data", cause="data")
        desk.watch.look()
        assert desk.is_armed
        desk.trader.outlook.degrade("", cause="data")
        desk.trader.halter.reduce("the day's loss", origin="test")
        assert "REDUCING (the day's loss)" in desk.ended_by()


async def test_the_file_flag_ends_it() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.book.kill_flag = lambda: "the file HALT is there"
        desk.watch.look()
        assert desk.ended_by() == "the file HALT is there"


async def test_limits_that_cannot_be_relied_on_end_it() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.book.limits_fault = "line 3 is damaged"
        assert not desk.is_armed, "the first review that sees it ends it"
        desk.trader.outlook.book.limits_fault = ""
        assert desk.ended_by() == "The limits cannot be relied on (line 3 is damaged)"
        await recorded(desk)


async def test_a_journal_that_cannot_be_written_ends_it() -> None:
    journal = FullDisk("k7qav")
    async with live(journal=journal) as desk:
        arm(desk)
        journal.is_full = True
        desk.trader.record.witness([ev.TimeEvent(at=START)])
        assert desk.ended_by() == "The journal cannot be written"
        journal.is_full = False


async def test_what_cannot_be_recorded_is_not_armed() -> None:
    journal = FullDisk("k7qav")
    async with live(journal=journal) as desk:
        journal.is_full = True
        with pytest.raises(TraderError, match="no space left"):
            arm(desk)
        assert (desk.is_armed, desk.shelf.kept) == (False, "")
        journal.is_full = False


async def test_a_clock_that_nobody_knows_ends_it() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.book.skew = lambda: None
        desk.watch.look()
        assert desk.ended_by() == "Nobody knows how wrong the machine's clock is"


@pytest.mark.parametrize(("skew", "is_armed"), [(10, True), (-10, True), (11, False), (-11, False)])
async def test_a_clock_that_is_off_ends_it(skew: int, *, is_armed: bool) -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.book.skew = lambda: timedelta(seconds=skew)
        assert desk.is_armed is is_armed


async def test_a_changed_configuration_ends_it_and_takes_a_new_start() -> None:
    async with live() as desk:
        arm(desk)
        desk.shelf.change = "config.toml was changed since it was read"
        desk.watch.look()
        assert desk.ended_by() == "config.toml was changed since it was read"
        with pytest.raises(NotArmed, match="was changed") as refused:
            arm(desk)
        assert refused.value.hint.startswith("start the trader again")


async def test_disarming_is_recorded_and_lets_looser_limits_through() -> None:
    class Limits:
        loosened = 0

        def loosen(self) -> tuple[Change, ...]:
            self.loosened += 1
            return ()

        def look(self) -> None:
            pass

    async with live() as desk:
        arm(desk)
        limits = desk.trader.outlook.book.limits_watch = Limits()  # type: ignore[assignment] # as much as is asked of it
        assert desk.watch.disarm("lunch", origin="test") == ()
        assert (desk.ended_by(), limits.loosened) == ("lunch", 1)
        assert [(one.until, one.reason) for one in desk.told[1:]] == [(None, "lunch")]


async def test_another_process_may_disarm_it() -> None:
    async with live() as desk:
        arm(desk)
        desk.shelf.kept = ""
        desk.watch.look()
        assert desk.ended_by() == "disarmed by another process"


async def test_what_cannot_be_removed_is_said_and_reviews_go_on() -> None:
    async with live() as desk:
        arm(desk)
        desk.shelf.is_stuck = True
        desk.trader.halter.stop("enough", origin="test")
        assert not desk.is_armed
        assert "but it cannot be removed" in desk.watch.arming().reason
        with pytest.raises(ConfigError):
            desk.watch.disarm("lunch", origin="test")
        desk.shelf.is_stuck = False


# -- one process after the other ----------------------------------------------------------------


async def test_the_next_command_finds_it_and_a_trader_that_stays_takes_it_away() -> None:
    shelf, journal = Shelf(), MemoryJournal("k7qav")
    async with live(shelf, journal=journal) as desk:
        arm(desk)
    async with live(shelf, journal=journal) as desk:
        assert desk.is_armed
        with desk.watch.claimed():
            assert desk.shelf.kept == ""
            desk.watch.look()
            assert desk.is_armed
        assert not desk.is_armed
    async with live(shelf, journal=journal) as desk:
        assert not desk.is_armed, "it has gone with the trader"


async def test_a_trader_that_ends_says_so_and_one_that_was_killed_is_told_of_later() -> None:
    journal, shelf = MemoryJournal("k7qav"), Shelf()
    async with live(shelf, journal=journal) as desk:
        with desk.watch.claimed():
            arm(desk)
            assert shelf.kept == "", "what a trader arms is its own"
    words = [m.reason for _, m in journal.messages() if isinstance(m, ev.ArmEvent)]
    assert words == ["armed for 8 hours", "the trader has ended"]
    killed = ev.ArmEvent(at=START, until=START + HOUR, reason="armed")
    journal.append([killed])
    async with live(shelf, journal=journal) as desk:
        await recorded(desk)
        (told,) = desk.told
        assert (told.until, told.reason) == (None, "the trader that was armed has ended")


async def test_a_vault_that_holds_nothing_good_says_why_and_is_emptied() -> None:
    why, journal = "the machine was started again", MemoryJournal("k7qav")
    async with live(journal=journal) as desk:
        arm(desk)
        kept = desk.shelf.kept
    async with live(Shelf(why), journal=journal) as desk:
        assert desk.ended_by() == why
        await recorded(desk)
        assert [(one.until, one.reason) for one in desk.told] == [(None, why)]
        assert not await desk.opens()
    async with live(Shelf(kept), journal=journal) as desk:  # good again, by what it says
        assert desk.ended_by() == f"that armed time has ended: {why}"
        assert not await desk.opens()


async def test_what_cannot_be_emptied_is_void_all_the_same() -> None:
    shelf = Shelf("it is damaged")
    shelf.is_stuck = True
    async with live(shelf) as desk:
        assert not desk.is_armed
        assert desk.watch.arming().reason == "it is damaged; but it cannot be removed"


# -- copies -------------------------------------------------------------------------------------


async def test_a_copy_put_back_after_disarming_is_void_by_either_look() -> None:
    shelf, journal = Shelf(), MemoryJournal("k7qav")
    async with live(shelf, journal=journal) as desk:
        arm(desk)
        kept = shelf.kept
        desk.watch.disarm("lunch", origin="test")
    for looks in (False, True):
        shelf.kept = kept
        async with live(shelf, journal=journal) as desk:
            if looks:
                desk.watch.look()
            assert desk.ended_by() == "that armed time has ended: lunch"


async def test_a_copy_of_an_earlier_armed_time_is_void_under_the_next() -> None:
    shelf, journal = Shelf(), MemoryJournal("k7qav")
    async with live(shelf, journal=journal) as desk:
        arm(desk, HOUR)
        earlier = shelf.kept
        arm(desk, 2 * HOUR)
        assert desk.is_armed
    shelf.kept = earlier
    async with live(shelf, journal=journal) as desk:
        assert desk.ended_by() == "what is kept is not the armed time that the journal has"


async def test_a_copy_is_worth_nothing_once_a_trader_has_taken_it_over_and_was_killed() -> None:
    shelf, journal = Shelf(), MemoryJournal("k7qav")
    async with live(shelf, journal=journal) as desk:
        arm(desk)
    kept, seen = shelf.kept, len(list(journal.messages()))
    async with live(shelf, journal=journal) as desk:
        with desk.watch.claimed():
            (told,) = desk.told
            assert (told.until, told.reason) == (
                START + 8 * HOUR,
                "the trader has taken over the armed time",
            )
            assert desk.is_armed
            as_killed = [one for _, one in journal.messages()][seen:]
    killed = MemoryJournal("k7qav")
    killed.append([*(one for _, one in journal.messages())][:seen])
    killed.append(as_killed)
    shelf.kept = kept
    async with live(shelf, journal=killed) as desk:
        assert desk.ended_by() == "what is kept is not the armed time that the journal has"


@pytest.mark.parametrize("knows", [False, True])
async def test_what_no_journal_vouches_for_is_void(*, knows: bool) -> None:
    """The journal was lost; or both are of a time when nothing had a token."""
    journal = MemoryJournal("k7qav")
    if knows:
        journal.append([ev.ArmEvent(at=START, until=START + HOUR, reason="armed")])
    shelf = Shelf(Lease(until=START + HOUR, deadline=4000.0))
    async with live(shelf, journal=journal) as desk:
        assert not await desk.opens()
        assert desk.ended_by() == (
            "what is kept is not the armed time that the journal has"
            if knows
            else "the journal knows of no armed time"
        )


async def test_arming_again_is_not_undone_by_what_ended_it_before() -> None:
    async with live() as desk:
        arm(desk)
        desk.trader.outlook.book.limits_fault = "line 3 is damaged"
        assert not desk.is_armed
        desk.trader.outlook.book.limits_fault = ""
        arm(desk)  # before anybody has put its end on record
        assert [one.until is None for one in desk.told] == [False, True, False]
        desk.watch.look()
        assert desk.is_armed
