"""Whose an order and a position is, and what a strategy's orders came to."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.ids import make_order_id, parse_order_id
from ibkr_trader.core.models import GroupId, OrderId, Position
from ibkr_trader.core.tallies import StrategyDays, Traffic
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.strategy_book import StrategyBook, belonging
from tests.orders.samples import AAPL, ACCOUNT, AT, MSFT, later, spec, values
from tests.portfolio.strategy_play import ALPHA, BETA, DAY, ORIGINS, PERSON, D, Desk, Play


def group_of(order_id: OrderId) -> GroupId:
    ref = parse_order_id(order_id)
    assert ref is not None
    return ref.group_id


def counted(desk: Desk, name: str) -> tuple[int, int, int, int, int]:
    day = desk.book.days[name]
    one = day.traffic
    return day.entries, one.orders, one.changes, one.cancels, one.executions


# -- whose a symbol is -----------------------------------------------------------------------


def test_a_symbol_is_its_own_from_the_entry_until_it_is_flat_and_no_entry_works() -> None:
    play = Play()
    assert play.owner() is None
    entry = play.enter(ALPHA)
    assert play.owner() == ALPHA, "it is about to open it"
    play.fill(entry, 4)
    assert play.owner() == ALPHA
    stop = make_order_id(group_of(entry), OrderRole.STOP)
    play.fill(stop, 4, "140")
    assert AAPL.con_id not in play.portfolio.positions
    assert play.owner() == ALPHA, "the rest of the entry works"
    play.cancel(entry)
    assert play.owner() == ALPHA, "what is left of its exits could still open it"
    play.cancel(stop)
    assert play.owner() is None
    assert play.owner(MSFT) is None


def test_an_entry_that_came_to_nothing_leaves_it_free() -> None:
    play = Play()
    play.cancel(play.enter(ALPHA))
    assert play.owner() is None
    play.fill(play.enter(BETA, side=Side.SELL), 10)
    assert play.owner() == BETA


def test_whoever_ends_it_the_next_one_may_have_it() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.fill(play.close(PERSON), 10)
    assert play.owner() is None
    play.fill(play.enter(BETA), 10)
    assert play.owner() == BETA


@pytest.mark.parametrize("is_held", [True, False])
def test_what_a_person_opened_is_nobodys(*, is_held: bool) -> None:
    play = Play()
    entry = play.enter(PERSON)
    if is_held:
        play.fill(entry, 10)
    assert play.owner() == PERSON
    play.enter(ALPHA)  # nobody here forbids it: the checks do
    assert play.owner() == PERSON, "the person's came first"


def test_what_was_opened_elsewhere_is_nobodys() -> None:
    play = Play()
    order = play.strange_order()
    assert play.owner() == PERSON
    play.cancel(order)
    assert play.owner() is None
    play.strange_fill(5, Side.SELL)
    assert play.owner() == PERSON


def test_a_person_who_is_quicker_has_it_though_an_entry_works() -> None:
    play = Play()
    play.enter(ALPHA)
    play.fill(play.enter(PERSON), 10)
    assert play.owner() == PERSON
    play.strange_fill(10, Side.SELL)
    assert play.owner() == ALPHA, "flat again, and its entry still works"


def test_who_adds_or_takes_away_does_not_own_it() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.fill(play.enter(PERSON), 5)
    play.strange_fill(3, Side.SELL)
    assert play.owner() == ALPHA


def test_what_turns_round_is_of_who_turned_it() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.strange_fill(15, Side.SELL)
    assert play.owner() == PERSON
    play.fill(play.enter(BETA, 20), 20)
    assert play.owner() == BETA


def test_an_entry_that_is_called_filled_counts_until_its_executions_are_there() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    play.enter(ALPHA, contract=MSFT)
    play.tell(ev.DoneEvent(at=play.now, order_id=entry, filled=D(10)))
    assert entry not in play.portfolio.orders
    assert play.owner(MSFT) == ALPHA
    assert (play.owner(), dict(play.book.unheard)) == (ALPHA, {entry: AAPL.con_id})
    play.enter(PERSON)
    assert play.owner() == ALPHA, "it has traded already"
    play.fill(entry, 10)
    assert (play.owner(), dict(play.book.unheard)) == (ALPHA, {})
    stop = make_order_id(group_of(entry), OrderRole.STOP)
    play.tell(ev.DoneEvent(at=play.now, order_id=stop, filled=D(10)))
    assert not play.book.unheard, "an exit opens nothing"


def test_an_exit_that_is_called_filled_without_a_position_is_of_its_maker() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    play.cancel(entry, alone=True)
    stop, target = (make_order_id(group_of(entry), r) for r in (OrderRole.STOP, OrderRole.TARGET))
    play.cancel(target, alone=True)
    play.tell(ev.DoneEvent(at=play.now, order_id=stop, filled=D(10)))
    assert not play.portfolio.orders
    assert play.owner() == ALPHA, "its executions may open a short position"


def test_once_the_broker_has_told_everything_no_execution_is_to_come() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    play.tell(ev.DoneEvent(at=play.now, order_id=entry, filled=D(10)))
    play.tell(ev.SyncEvent(at=play.now, epoch=1))
    assert not play.book.unheard
    play.cancel(make_order_id(group_of(entry), OrderRole.STOP))
    assert play.owner() is None


def test_in_words() -> None:
    assert belonging(AAPL, ALPHA) == "AAPL belongs to the strategy alpha, until it is flat"
    assert belonging(AAPL, "") == "AAPL belongs to no strategy, because somebody else has opened it"


# -- whose an order is -----------------------------------------------------------------------


def test_exits_and_repairs_are_the_openers() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    group = play.portfolio.orders[entry].spec.group_id
    repaired = spec(
        OrderRole.STOP,
        group=group,
        order_id=make_order_id(group, OrderRole.STOP, copy=2),
        side=Side.SELL,
        order_type=OrderType.STOP,
        limit_price=None,
        stop_price=D(141),
    )
    play.send(repaired, "bracket", reduces=True)
    assert play.book.maker(repaired.order_id) == ALPHA
    assert counted(play, ALPHA) == (1, 3, 0, 0, 0)
    assert play.book.maker(OrderId("foreign-7-1")) == PERSON
    assert play.book.maker(OrderId("memo-99-entry")) == PERSON


def test_a_persons_entry_in_its_group_is_the_persons() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    group = play.portfolio.orders[entry].spec.group_id
    added = play.enter(PERSON, group=group)
    assert play.book.maker(added) == PERSON
    assert (play.book.maker(entry), play.owner()) == (ALPHA, ALPHA)
    assert (counted(play, ALPHA)[0], counted(play, PERSON)[0]) == (1, 1)
    play.cancel(entry)
    assert play.owner() == PERSON


def test_its_own_entry_in_its_group_is_its_own() -> None:
    play = Play()
    added = play.enter(ALPHA, group=group_of(play.enter(ALPHA)))
    assert play.book.maker(added) == ALPHA
    assert counted(play, ALPHA)[:2] == (2, 3)


def test_a_strategys_order_in_a_persons_group_is_the_persons() -> None:
    play = Play()
    added = play.enter(ALPHA, group=group_of(play.enter(PERSON)))
    assert play.book.maker(added) == PERSON


def test_a_closing_is_of_who_asked_for_it() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    mine = play.close(ALPHA)
    play.fill(play.enter(ALPHA, contract=MSFT), 10)
    theirs = play.close(PERSON, MSFT)
    assert (play.book.maker(mine), play.book.maker(theirs)) == (ALPHA, PERSON)


def test_messages_and_executions_count_for_whoever_the_order_is_of() -> None:
    play = Play()
    entry = play.enter(ALPHA)
    play.modify(entry, PERSON, limit_price=D(151))
    play.fill(entry, 4)
    play.fill(entry, 6)
    play.cancel(play.enter(BETA, contract=MSFT), ORIGINS[BETA])
    assert counted(play, ALPHA) == (1, 2, 1, 0, 1)
    assert counted(play, BETA) == (1, 2, 0, 1, 0)
    assert PERSON not in play.book.days
    play.send(spec(OrderRole.STOP, group=play.new_group()), "cli", reduces=True)
    play.send(spec(group=play.new_group(), side=Side.SELL), "cli", reduces=True)
    assert counted(play, PERSON) == (0, 2, 0, 0, 0), "what only reduced is no entry"
    assert play.book.days[ALPHA].traffic.ratio == D("1.5")


def test_the_next_day_counts_anew_and_a_late_word_of_the_day_before_is_of_today() -> None:
    play = Play()
    play.enter(ALPHA)
    tomorrow = DAY + timedelta(days=1)
    book = play.book.of_day(tomorrow)
    assert values(book.since, dict(book.days)) == (tomorrow, {})
    assert book.of_day(DAY) is book
    assert book.groups == play.book.groups
    assert book.of_day(DAY, now=AT).since == DAY, "the clock was set back"
    assert book.of_day(DAY, now=tomorrow) is book


# -- ledgers that begin elsewhere ------------------------------------------------------------


def test_what_is_more_than_a_day_old_stays_whose_it_is() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.fill(play.enter(PERSON, contract=MSFT), 10)
    over = later(play.clock + 1)
    play.forget(over)
    assert not play.portfolio.fills
    assert (play.owner(), play.owner(MSFT)) == (ALPHA, PERSON)
    assert play.book.kept.bases == {AAPL.con_id: ALPHA}
    play.forget(over)  # and once more
    play.fill(play.enter(PERSON), 2)
    play.forget(later(play.clock + 1))
    assert play.owner() == ALPHA
    play.fill(play.close(ALPHA), 12)
    play.forget(later(play.clock + 1))
    assert play.book.ledgers == {MSFT.con_id: play.book.ledgers[MSFT.con_id]}


def test_a_day_that_ended_flat_begins_with_nothing() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.fill(play.close(ALPHA), 10)
    over = later(play.clock + 1)
    play.fill(play.enter(BETA), 3)
    play.forget(over)
    assert (play.owner(), play.book.kept.bases) == (BETA, {})


def test_the_day_may_end_on_another_owner_than_it_began_with() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.forget(later(play.clock + 1))
    play.fill(play.close(ALPHA), 10)
    play.fill(play.enter(BETA), 10)
    play.forget(later(play.clock + 1))
    assert play.book.kept.bases == {AAPL.con_id: BETA}


def restated(quantity: int) -> ev.SyncEvent:
    position = Position(account=ACCOUNT, contract=AAPL, quantity=D(quantity), average_cost=D(150))
    return ev.SyncEvent(at=later(9_000), epoch=2, positions=(position,) if quantity else ())


@pytest.mark.parametrize(
    ("quantity", "owner"),
    [(20, ALPHA), (4, ALPHA), (10, ALPHA), (0, None), (-5, PERSON)],  # 0 was sold by somebody
)
def test_what_the_broker_restates_stays_whose_it_was(quantity: int, owner: str | None) -> None:
    play = Play()
    entry = play.enter(ALPHA)
    play.tell(ev.SyncEvent(at=play.now, epoch=1))
    play.fill(entry, 10)
    play.cancel(make_order_id(group_of(entry), OrderRole.STOP))
    play.tell(restated(quantity))
    assert play.owner() == owner


def test_what_the_broker_knows_and_we_do_not_is_nobodys() -> None:
    play = Play()
    play.tell(ev.SyncEvent(at=play.now, epoch=1))
    play.fill(play.enter(ALPHA), 10)
    play.fill(play.close(ALPHA), 10)
    play.tell(restated(7))
    assert play.owner() == PERSON
    fresh = Play()
    fresh.tell(restated(7))
    assert (fresh.owner(), fresh.owner(MSFT)) == (PERSON, None)


def test_a_restated_beginning_of_the_same_size_stays_whose_it_was() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.forget(later(play.clock + 1))
    play.tell(restated(10))
    known = play.book.ledgers[AAPL.con_id]
    anew = msgspec.structs.replace(known.book.base, average_cost=D(1))
    book = msgspec.structs.replace(known.book, base=anew)
    state = msgspec.structs.replace(play.portfolio, books={AAPL.con_id: book})
    assert play.book.following(state).ledgers[AAPL.con_id].base_owner == ALPHA


# -- restarts --------------------------------------------------------------------------------


def test_a_restart_knows_it_again() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.forget(later(play.clock + 1))
    play.fill(play.enter(BETA, contract=MSFT), 4)
    group = play.new_group()
    play.enter(ALPHA, group=group, contract=MSFT)
    play.enter(PERSON, group=GroupId("memo-2"))
    again = play.restarted()
    assert (again.owner(), again.owner(MSFT)) == (ALPHA, BETA)
    assert again.book.kept == play.book.forgetting(play.portfolio).kept
    assert again.book.strangers == play.book.strangers
    assert len(again.book.strangers) == 1
    again.hear(ev.CheckpointEvent(at=AT, strategy_days=StrategyDays(since=DAY)))
    assert again.owner() == ALPHA, "what a running desk writes down is no news to it"


def test_what_a_checkpoint_keeps_survives_the_journal() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    play.forget(later(play.clock + 1))
    mark = play.checkpoint()
    assert mark.strategy_days is not None
    assert mark.strategy_days.bases == {AAPL.con_id: ALPHA}
    assert codec.decode_event(codec.encode(mark)) == mark


def test_an_older_checkpoint_says_nothing_of_strategies() -> None:
    nothing = PortfolioState()
    book = StrategyBook().after(ev.CheckpointEvent(at=AT), nothing, begins=DAY)
    assert book == StrategyBook(is_begun=True)
    assert book.after(ev.CheckpointEvent(at=AT), nothing, begins=DAY) is book


def test_the_past_is_let_go_with_its_orders() -> None:
    play = Play()
    gone = play.enter(ALPHA)
    play.cancel(gone)
    play.cancel(make_order_id(group_of(gone), OrderRole.STOP))
    done = play.enter(BETA, contract=MSFT)
    play.tell(ev.DoneEvent(at=play.now, order_id=done, filled=D(10)))
    waiting = play.enter(ALPHA)
    play.tell(
        ev.CloseRequestEvent(
            at=play.now,
            group_id=play.new_group(),
            contract=AAPL,
            account=ACCOUNT,
            origin=ORIGINS[BETA],
        )
    )
    play.forget(later(play.clock + 1))
    assert dict(play.book.groups) == {"memo-2": BETA, "memo-3": ALPHA, "memo-4": BETA}
    assert not play.book.unheard
    assert play.owner() == ALPHA
    assert waiting in play.portfolio.orders


def test_news_of_what_nobody_knows_changes_nothing() -> None:
    play = Play()
    before = play.book.of_day(DAY)
    play.tell(ev.WarningEvent(at=AT, order_id=OrderId("memo-8-entry"), code=1, reason="?"))
    assert play.book == before
    assert play.book.after(ev.TimeEvent(at=AT), play.portfolio, begins=DAY) is play.book
    assert Traffic(since=DAY).messages == 0
