"""What a running trader keeps for screens: every fact worth a line, its worth, its decisions."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli import event_words
from ibkr_trader.cli.board import STEP, Board
from ibkr_trader.cli.decisions import MOST_DECISIONS
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side, TradingState
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import AccountValues, Contract, GroupId, OrderId, Quote
from ibkr_trader.dashboard.scene import MOST_LINES, Came, FeedKind
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.risk.guard import RiskGuard
from tests.execution.parts import INSTALL, START, Floor, request
from tests.scenarios.crash_child import bracket

AAPL = Contract(symbol="AAPL", con_id=265598)
NAME = OrderId("k7qav-1-entry")
KIND = FeedKind


def worth(amount: int) -> ev.AccountEvent:
    values = AccountValues(account="SIM0000001", net_liquidation=Decimal(amount))
    return ev.AccountEvent(at=START, values=values)


async def test_a_day_is_told_in_order_with_its_kinds() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        board, desk = Board(trader), Desk(trader)
        _, target, _ = await desk.submit_group(bracket(), wait=Wait.FILLED)
        await desk.modify_order(target.order_id, limit_price=Decimal(156))
        resting = await desk.submit_order(request(limit="140.00"))
        await desk.cancel_order(resting.order_id)
        lines = board.lines()
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        told = {(line.kind, line.text) for line in lines}
        assert {
            (KIND.CHANGE, "sent 1-entry BUY 10 AAPL MARKET"),
            (KIND.FILL, "filled 1-entry BUY 10 AAPL @ 150.01"),
            (KIND.NOTE, "position +10 AAPL at 150.01"),
            (KIND.CHANGE, "changing 1-target to SELL 10 AAPL LIMIT 156.00"),
            (KIND.CHANGE, "cancelled 2-single BUY 10 AAPL LIMIT 140.00"),
        } <= told
        last = lines[-1].number
        assert board.lines(since=last) == ()
        await desk.cancel_order(target.order_id)
        (line,) = board.lines(since=last)
        assert line.text == "cancelled 1-target SELL 10 AAPL LIMIT 156.00"
        assert line.number == last + 1


async def test_a_line_has_the_order_as_it_was_when_nobody_asked_yet() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        board, desk = Board(trader), Desk(trader)
        resting = await desk.submit_order(request(limit="140.00"))
        await desk.cancel_order(resting.order_id)
        trader.outlook.portfolio = type(trader.portfolio)()  # by now nobody knows the order
        assert board.lines()[-1].text == "cancelled 1-single BUY 10 AAPL LIMIT 140.00"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (ev.RejectEvent(at=START, order_id=NAME, code=201, reason="no"), KIND.REFUSAL),
        (ev.ModifyRejectEvent(at=START, order_id=NAME, code=1, reason="no"), KIND.REFUSAL),
        (ev.CancelRejectEvent(at=START, order_id=NAME, code=1, reason="no"), KIND.REFUSAL),
        (ev.DenyEvent(at=START, order_id=NAME, breaches=()), KIND.REFUSAL),
        (ev.ExpireEvent(at=START, order_id=NAME), KIND.CHANGE),
        (ev.UnknownEvent(at=START, order_id=NAME, reason="silence"), KIND.ALERT),
        (ev.ErrorEvent(at=START, code=0, message="so so"), KIND.NOTE),
        (ev.ErrorEvent(at=START, code=0, message="bad", is_serious=True), KIND.ALERT),
        (ev.DriftEvent(at=START, subject="AAPL", ours="1", theirs="2"), KIND.ALERT),
        (ev.LossEvent(at=START, loss=Decimal(5), limit=Decimal(9), message="lost"), KIND.ALERT),
        (ev.StateEvent(at=START, state=TradingState.HALTED, reason="you"), KIND.ALERT),
        (ev.GroupEvent(at=START, group_id=GroupId("k7qav-1"), message="over"), KIND.NOTE),
        (
            ev.CoverEvent(
                at=START, contract=AAPL, held=Decimal(3), covered=Decimal(0), since=START,
                message="naked",
            ),
            KIND.ALERT,
        ),
        (
            ev.CoverEvent(
                at=START, contract=AAPL, held=Decimal(3), covered=Decimal(3), message="covered"
            ),
            KIND.NOTE,
        ),
        (
            ev.CoverEvent(
                at=START, contract=AAPL, held=Decimal(3), covered=Decimal(3), message="denied",
                is_serious=True,
            ),
            KIND.ALERT,
        ),
        (ev.CloseEndEvent(at=START, group_id=GroupId("k7qav-1")), KIND.NOTE),
        (ev.CloseEndEvent(at=START, group_id=GroupId("k7qav-1"), message="held"), KIND.ALERT),
        (ev.DisconnectEvent(at=START, epoch=1, reason="EOF"), KIND.ALERT),
        (ev.DisconnectEvent(at=START, epoch=1, reason="EOF", until=START), KIND.NOTE),
        (
            ev.OperatorEvent(at=START, operator="ann", action="halt", command="kill.halt-here"),
            KIND.KEY,
        ),
    ],
)  # fmt: skip
async def test_each_fact_has_its_kind(event: ev.BaseEvent, kind: FeedKind) -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        board._hear(event)
        (line,) = board.lines()
        assert (line.kind, line.at) == (kind, START)


async def test_what_comes_from_outside_cannot_steer_a_terminal() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        trader.bus.publish(ev.ErrorEvent(at=START, code=0, message="a\x1b[2Jb\n c"))
        trader.bus.publish(ev.GroupEvent(at=START, group_id=GroupId("k7qav-1"), message="\x1b[2J"))
        assert board.lines()[0].text == "a[2Jb c"
        assert board.decisions[0].text == "[2J"


async def test_prices_are_counted_and_make_no_line() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        before = board.events
        quote = Quote(contract=AAPL, at=START, last=Decimal(150))
        trader.bus.publish(ev.PriceEvent(at=START, contract=AAPL, quote=quote))
        trader.bus.publish(ev.TimeEvent(at=START))
        assert (board.events - before, board.lines()) == (2, ())


async def test_of_what_nobody_read_the_newest_is_kept_and_the_rest_counted() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        for number in range(1, MOST_LINES + 21):
            board._hear(ev.CancelEvent(at=START, order_id=OrderId(f"k7qav-{number}-entry")))
        lines = board.lines()
        assert len(lines) == MOST_LINES
        assert (lines[0].number, lines[-1].number) == (21, MOST_LINES + 20)
        assert lines[-1].text == f"cancelled {MOST_LINES + 20}-entry"
        assert len(board.lines(since=MOST_LINES)) == 20


async def test_a_line_that_cannot_be_made_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError

    async with Floor().trader() as trader:
        board = Board(trader)
        monkeypatch.setattr(event_words, "_link", broken)
        trader.bus.publish(ev.SyncEvent(at=START, epoch=1))
        trader.bus.publish(ev.ErrorEvent(at=START, code=0, message="and on"))
        assert [line.text for line in board.lines()] == ["and on"]


# -- decisions --------------------------------------------------------------------------------


async def test_a_denied_bracket_is_one_decision_with_every_reason() -> None:
    def first(_: object) -> str:
        return "the first reason"

    def second(_: object) -> str:
        return "the second reason"

    floor = Floor()
    async with floor.trader(guard=RiskGuard(extra=(first, second))) as trader:
        board = Board(trader)
        with pytest.raises(RiskCheckError):
            await Desk(trader).submit_group(bracket())
        (decision,) = (one for one in board.decisions if one.came is Came.DENIED)
        assert decision.source == "risk_callback"
        assert "the first reason" in decision.text
        assert "the second reason" in decision.text
        with pytest.raises(RiskCheckError):
            await Desk(trader).submit_order(request())
        assert sum(one.came is Came.DENIED for one in board.decisions) == 2
        refused = [line for line in board.lines() if line.kind is KIND.REFUSAL]
        assert len(refused) == 4  # the feed tells it of each order
        assert all("the second reason" in line.text for line in refused)


async def test_limits_and_groups_decide_and_people_do_not() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        trader.halter.stop("enough", origin="cli")
        assert not board.decisions
        trader.halter.resume("go", origin="cli")
        trader.halter.stop("the day's loss", origin="daily_loss", symbol="AAPL")
        trader.bus.publish(
            ev.GroupEvent(at=START, group_id=GroupId("k7qav-7"), message="AAPL is over")
        )
        told = [(one.source, one.text, one.came) for one in board.decisions]
        assert told == [
            ("daily_loss", "AAPL is HALTED: the day's loss", Came.ACTED),
            ("7", "AAPL is over", Came.NOTE),
        ]
        for number in range(2 * MOST_DECISIONS):
            trader.bus.publish(
                ev.GroupEvent(at=START, group_id=GroupId("k7qav-7"), message=f"step {number}")
            )
        assert len(board.decisions) == MOST_DECISIONS
        assert board.decisions[-1].text == f"step {2 * MOST_DECISIONS - 1}"


# -- what the account is worth ------------------------------------------------------------------


async def test_worth_is_kept_in_steps_and_its_end_is_always_the_newest() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        board = Board(trader)
        assert trader.portfolio.values is not None
        assert list(board.equity) == [trader.portfolio.values.net_liquidation]
        for amount in (1_001, 1_002, 1_002):
            trader.bus.publish(worth(amount))
        assert list(board.equity) == [Decimal(1_002)]
        floor.clock.advance(STEP)
        trader.bus.publish(worth(1_002))
        assert list(board.equity) == [Decimal(1_002)]  # nothing has changed
        trader.bus.publish(worth(1_003))
        assert list(board.equity) == [Decimal(1_002), Decimal(1_003)]
        trader.bus.publish(worth(1_004))
        assert list(board.equity) == [Decimal(1_002), Decimal(1_004)]


# -- who placed it -----------------------------------------------------------------------------


async def test_who_placed_an_order_is_known_across_a_restart() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        await Desk(trader).submit_order(request(limit="140.00"))
    floor.sell_as_another_client(3, limit="170")
    async with floor.trader(journal=journal) as trader:
        board = Board(trader)
        orders = trader.portfolio.orders.values()
        found = {one.spec.role.value: board.origins.words(one) for one in orders}
        assert {board.origins.words(one) for one in orders if one.is_foreign} == {"elsewhere"}
        assert found["stop"] == found["target"] == "bracket"
        ours = [o for o in orders if not o.is_foreign and o.spec.role.value == "single"]
        assert {board.origins.words(one) for one in ours} == {"by hand"}


# -- waiting for news ---------------------------------------------------------------------------


async def test_each_watcher_has_a_flag_of_its_own() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        with board.watched() as one, board.watched() as other:
            assert not one.is_set()
            trader.bus.publish(ev.TimeEvent(at=START))
            assert one.is_set()
            one.clear()
            assert other.is_set()
            async with asyncio.timeout(1):
                await other.wait()
        trader.bus.publish(ev.TimeEvent(at=START))
        assert not one.is_set()


async def test_a_storm_costs_less_than_a_tenth_of_a_core() -> None:
    """5,000 events a second, half of them worth a line, and a screen that asks all the time.

    A fifth of a second at a time, on a board that is full; the least counts, for what else the
    machine does only adds to it.
    """
    fill_like = [
        ev.CancelEvent(at=START, order_id=OrderId(f"k7qav-{number}-entry"))
        for number in range(1, 4_501)
    ]
    quote = Quote(contract=AAPL, at=START, last=Decimal(150))
    price = ev.PriceEvent(at=START, contract=AAPL, quote=quote)
    async with Floor().trader() as trader:
        board = Board(trader)
        since, spent = 0, list[float]()
        for first in range(0, 4_500, 500):
            began = time.process_time()
            for event in fill_like[first : first + 500]:
                board._hear(event)
                board._hear(price)
            since = board.lines(since=since)[-1].number
            spent.append(time.process_time() - began)
    assert since == 4_500
    assert len(board.lines()) == MOST_LINES
    assert min(spent[1:]) < 0.02  # the first finds it empty


async def test_sides_are_told() -> None:
    async with Floor().trader() as trader:
        board = Board(trader)
        await Desk(trader).submit_order(request(3, side=Side.SELL), wait=Wait.FILLED)
        assert "filled 1-single SELL 3 AAPL @ 149.99" in {one.text for one in board.lines()}
