"""Who does not lead opens nothing, and gets out all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from ibkr_trader.core.errors import AccountLocked, RiskCheckError
from ibkr_trader.core.ids import epoch_of
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.leadership import Leadership
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.execution.trader import Trader
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, INSTALL, request
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told


class Term:
    """A lease that is held for as long as a test says."""

    def __init__(self, floor: StrategyFloor, epoch: int = 3) -> None:
        self.is_held, self.seen = True, 0
        self.leadership = Leadership(floor.clock)
        if epoch:
            self.leadership.take(epoch, lambda: self.is_held)

    def attach(self, trader: Trader) -> None:
        self.leadership.attach(trader, epoch_seen=lambda: self.seen)


@asynccontextmanager
async def led(
    floor: StrategyFloor, term: Term, journal: MemoryJournal | None = None
) -> AsyncIterator[Trader]:
    journal = journal or MemoryJournal(INSTALL)
    async with floor.trader(journal=journal, equip=term.attach) as trader:
        yield trader


async def why_denied(trader: Trader) -> str:
    with pytest.raises(RiskCheckError) as denied:
        await Desk(trader).submit_order(request(limit="149.00"))
    return str(denied.value)


async def test_orders_are_numbered_within_the_epoch_and_it_goes_on_after_a_restart() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with led(floor, Term(floor), journal) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        assert order.order_id == f"{INSTALL}-3000001-single"
    async with led(floor, Term(floor), journal) as trader:
        assert trader.new_group_id() == f"{INSTALL}-3000002"
    async with led(floor, Term(floor, 5), journal) as trader:
        assert trader.new_group_id() == f"{INSTALL}-5000001"
    assert epoch_of(journal.state.last_group) == 5


async def test_an_epoch_before_the_journals_own_is_a_server_that_has_forgotten() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    journal.observe(group=4_000_000)
    with pytest.raises(AccountLocked, match="is 3, and the journal knows 4"):
        async with led(floor, Term(floor), journal):
            pass


async def test_who_never_led_opens_nothing_and_names_who_does() -> None:
    floor = StrategyFloor()
    term = Term(floor, 0)
    term.leadership.reason = "no lease: host-b has it"
    journal = MemoryJournal(INSTALL)
    async with led(floor, term, journal) as trader:
        assert "host-b has it" in await why_denied(trader)
        assert trader.new_group_id() == f"{INSTALL}-2"
    assert not term.leadership.lost.is_set()


async def test_who_leads_no_more_opens_nothing_and_still_closes() -> None:
    floor, term, journal = StrategyFloor(), Term(StrategyFloor()), MemoryJournal(INSTALL)
    async with led(floor, term, journal) as trader:
        desk = Desk(trader)
        working = await desk.submit_order(request(limit="149.00"))
        term.leadership.lose("nobody renewed it")
        term.leadership.lose("and again")
        assert term.leadership.lost.is_set()
        assert "nobody renewed it" in await why_denied(trader)
        cancelled = await desk.cancel_order(working.order_id)
        assert cancelled.status.is_closed
    (error,) = [one for one in told(journal, ev.ErrorEvent) if one.is_serious]
    assert error.message == "the lease is lost: nobody renewed it; nothing more is opened here"
    assert str(term.leadership.refusal()) == "the lease is lost: nobody renewed it"


async def test_it_is_over_with_the_lease_though_nobody_has_said_so_yet() -> None:
    floor = StrategyFloor()
    term = Term(floor)
    async with led(floor, term) as trader:
        details = await trader.learn("AAPL")
        assert trader.halter.objection(details.contract) == ""
        term.is_held = False
        assert trader.halter.objection(details.contract) == "the lease has run out"
        assert "the lease has run out" in await why_denied(trader)


async def test_an_order_of_a_later_epoch_ends_it_whatever_the_server_says() -> None:
    floor = StrategyFloor()
    term = Term(floor)
    async with led(floor, term) as trader:
        term.seen = 3
        floor.move(trader, "149.98", "150.00")
        assert term.leadership.objection() == ""
        term.seen = 4
        assert "an order of epoch 4 is at the broker, and ours is 3" in await why_denied(trader)
        await trader.intake.drained()
        assert term.leadership.lost.is_set()


async def test_signals_from_before_are_refused_and_a_left_order_is_not_doubled() -> None:
    floor, made = StrategyFloor(), []
    term = Term(floor)

    def equip(trader: Trader) -> None:
        made.append(Strategist(trader, timeout=5.0))
        term.attach(trader)

    floor.clock.advance(10)  # from the lease to the desk
    terms = OrderTerms(
        con_id=AAPL,
        action="BUY",
        quantity=request().quantity,
        order_type="LMT",
        limit_price=request(limit="140.00").limit_price,
        order_ref="other-2000001-entry",
    )
    floor.exchange.place(7, 1, terms=terms, now=floor.clock.now())
    async with floor.trader(equip=equip) as trader:
        (desk,) = made
        await desk.admit(read_strategy(ENTRY), Stage.LIVE)
        since = desk.signals.ours_since
        assert since is not None
        assert (floor.clock.now() - since).total_seconds() == 10
        early = floor.claim(signal_id="early", issued_at=since)
        assert (await desk.signals.take(early)).code == "before_us"
        reply = await desk.signals.take(floor.claim())
        assert reply.outcome is Outcome.REFUSED
        assert reply.reasons == ("other-2000001-entry of another desk works in AAPL",)
        assert entries(trader.journal) == []
