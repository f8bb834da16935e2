"""How far back an execution is news."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Fill, FillId, Position
from ibkr_trader.portfolio.horizon import LATE, is_past, reach, with_news_only
from ibkr_trader.portfolio.snapshot import BrokerSnapshot
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AAPL, ACCOUNT, AT, fill, filled

DAYS = timedelta(days=3)
SECOND = timedelta(seconds=1)


def made(name: str, ago: timedelta, *, revision: int = 1) -> Fill:
    """An execution so long before `AT`."""
    return fill(1, key=name, at=AT - ago, revision=revision)


def told(*fills: Fill) -> BrokerSnapshot:
    return BrokerSnapshot(epoch=2, at=AT + DAYS, account=ACCOUNT, fills=fills)


def synced(*fills: Fill) -> PortfolioState:
    """All was told at `AT`, after these executions."""
    held = Position(account=ACCOUNT, contract=AAPL, quantity=Decimal(10), average_cost=Decimal(150))
    return fold([*map(filled, fills), ev.SyncEvent(at=AT, epoch=1, positions=(held,))])


def test_what_executed_long_before_all_was_told_is_in_what_was_held() -> None:
    late, old = made("late", LATE), made("old", LATE + SECOND)
    assert with_news_only(told(old, late), synced(), now=AT).fills == (late,)


def test_one_whose_name_is_known_may_be_corrected() -> None:
    old = made("old", DAYS)
    corrected = made("old", DAYS, revision=2)
    assert with_news_only(told(corrected), synced(old), now=AT).fills == (corrected,)


def test_without_a_word_of_everything_all_is_news() -> None:
    snapshot = told(made("old", DAYS))
    assert with_news_only(snapshot, PortfolioState(), now=AT) == snapshot


def test_names_are_kept_for_as_long_as_they_may_be_told_again() -> None:
    assert reach(None, AT) == AT, "nobody knows when"
    assert reach(AT, AT + DAYS) == AT - LATE
    assert reach(AT, AT - DAYS) == AT - DAYS


def test_a_clock_that_ran_ahead_hides_nothing_of_today() -> None:
    ahead = msgspec.structs.replace(synced(made("known", SECOND)), synced_at=AT + 9 * DAYS)
    missed = made("missed", SECOND)
    assert not is_past(missed, ahead, now=AT)
    assert is_past(made("old", LATE + SECOND), ahead, now=AT)


def test_what_is_forgotten_is_news_to_nobody() -> None:
    """What `begin_day` lets go of and what is taken for news share one line."""
    edge = [made(f"e{number}", LATE + number * SECOND) for number in range(-2, 3)]
    kept = synced(*edge).begin_day(AT + DAYS)
    assert set(kept.fills) == {FillId("e-2"), FillId("e-1"), FillId("e0")}
    assert set(kept.books[AAPL.con_id].fills) == set(kept.fills)
    again = with_news_only(told(*edge), kept, now=AT + DAYS)
    assert {one.fill_id for one in again.fills} == set(kept.fills)


def test_a_checkpoint_says_when_all_was_told() -> None:
    later = AT + DAYS
    point = ev.CheckpointEvent(at=later, positions=(), synced_at=AT)
    assert fold([point]).synced_at == AT
    older = ev.CheckpointEvent(at=later, positions=())  # as a version before it wrote them
    assert fold([point, older]).synced_at == AT
