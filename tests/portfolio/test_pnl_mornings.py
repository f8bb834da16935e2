"""What a position counts from when the day rolls: a close has no date.

Right after midnight the close at hand is that of two sessions ago, and every tick repeats it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO, AccountValues, Contract
from ibkr_trader.portfolio.currency import FOREIGN
from ibkr_trader.portfolio.pnl import BY_COST, BY_MARK, DayPnl
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AAPL, ACCOUNT, AT, MSFT, fill, filled, later, values
from tests.portfolio.test_pnl import DAY, D, price, synced

if TYPE_CHECKING:
    from datetime import datetime

NEXT = DAY + timedelta(days=1)
AFTER = NEXT + timedelta(days=1)
FREE: dict[str, Any] = {"commission": ZERO}


def on(day: datetime, seconds: int = 1) -> datetime:
    return day + timedelta(seconds=seconds)


def fallen() -> tuple[PortfolioState, DayPnl]:
    """A hundred AAPL that closed at 150, and stood at 139 when the day ended."""
    state = fold([synced((AAPL, 100, "20")), price("139", close="150")])
    found = DayPnl().follow(state, DAY)
    assert found.net == -1100
    return state, found


def test_midnight_without_a_tick_loses_nothing_again() -> None:
    state, found = fallen()
    tomorrow = found.follow(state, NEXT)
    assert values(tomorrow.net, tomorrow.notes) == (0, (f"AAPL: {BY_MARK}",))


def test_the_old_close_that_every_tick_repeats_is_not_the_new_one() -> None:
    state, found = fallen()
    found = found.follow(state, NEXT)
    state = state.apply(price("140", close="150", at=on(NEXT)))
    found = found.follow(state, NEXT)
    assert values(found.net, found.notes) == (100, (f"AAPL: {BY_MARK}",))
    # The first tick of the day, and nobody had asked before it.
    assert fallen()[1].follow(state, NEXT).net == 100


def test_the_new_close_takes_the_place_of_the_last_price() -> None:
    state, found = fallen()
    found = found.follow(state, NEXT)
    state = state.apply(price("140", close="138.50", at=on(NEXT)))
    found = found.follow(state, NEXT)
    assert values(found.net, found.notes) == (150, ())


def test_what_is_sold_in_the_night_counts_from_the_last_price_too() -> None:
    state, found = fallen()
    found = found.follow(state, NEXT)
    sold = fill(100, "137", key="s", side=Side.SELL, at=on(NEXT), **FREE)
    found = found.follow(state.apply(filled(sold)), NEXT)
    assert found.net == -200


def test_a_restart_after_midnight_hears_the_close_of_the_day() -> None:
    held = synced((AAPL, 100, "20"))
    found = DayPnl().follow(fold([held, price("140", close="139", at=on(NEXT))]), NEXT)
    assert values(found.net, found.notes) == (100, ())
    # What was heard before the day began is of another; who was not there has no last price.
    old = DayPnl().follow(fold([held, price("140", close="139")]), NEXT)
    assert values(old.net, old.notes) == (12_000, (f"AAPL: {BY_COST}",))


def test_a_close_that_came_on_a_weekend_stays_the_last_one() -> None:
    """Nothing moves between Saturday, when it is told, and Monday."""
    state, found = fallen()
    found = found.follow(state, NEXT)
    state = state.apply(price("139", close="138.50", at=on(NEXT)))
    found = found.follow(state, NEXT).follow(state, AFTER)
    assert values(found.net, found.notes) == (50, ())
    # A day on which it moved is a session: the close is then older than the last price.
    moved = state.apply(price("141", close="138.50", at=on(NEXT)))
    found = fallen()[1].follow(state, NEXT).follow(moved, NEXT).follow(moved, AFTER)
    assert values(found.net, found.notes) == (0, (f"AAPL: {BY_MARK}",))


def test_a_split_over_night_is_no_loss_before_its_close_is_told() -> None:
    state, found = fallen()
    found = found.follow(state, NEXT)
    state = state.apply(synced((AAPL, 200, "10"))).apply(price("69.50", close="150", at=on(NEXT)))
    found = found.follow(state, NEXT)
    assert values(found.net, found.notes) == (11_900, (f"AAPL: {BY_COST}",))
    found = found.follow(state.apply(price("70", close="69.50", at=on(NEXT))), NEXT)
    assert values(found.net, found.notes) == (100, ())


def test_what_has_no_price_when_the_day_rolls() -> None:
    state = fold([synced((AAPL, 100, "20"))])
    found = DayPnl().follow(state, DAY).follow(state, NEXT)
    assert values(found.net, dict(found.begun)) == (None, {})


# -- other money ---------------------------------------------------------------------------

YEN = Contract(symbol="7203", con_id=7, currency="JPY")


def stated(currency: str) -> ev.AccountEvent:
    return ev.AccountEvent(at=AT, values=AccountValues(account=ACCOUNT, currency=currency))


def test_other_money_is_never_added() -> None:
    held = synced((YEN, 100, "3000"), (AAPL, 10, "149"))
    prices = price("2980", close="3000", contract=YEN), price("152", close="150")
    sold = filled(fill(50, "2900", key="y", side=Side.SELL, contract=YEN, at=later(1)))
    found = DayPnl().follow(fold([stated("USD"), held, sold, *prices]), DAY)
    assert values(found.net, found.known, found.realized, found.unrealized) == (None, 20, 0, 20)
    assert values(found.commission, found.unpriced) == (0, (YEN.con_id,))
    assert found.notes == (f"7203: {FOREIGN.format('JPY')}",)
    assert found.known_symbols() == {"7203": 0, "AAPL": 20}
    one = found.contracts[YEN.con_id]
    assert values(one.traded, one.quantity) == (50, 50)
    assert one.at(D(1)) is one


def test_the_accounts_currency_may_be_told_late() -> None:
    state = fold([synced((AAPL, 10, "149")), price("152", close="150")])
    first = DayPnl().follow(state, DAY)
    assert first.net == 20  # nobody has said that it is not ours
    euros = state.apply(stated("EUR"))
    second = first.follow(euros, DAY)
    assert values(second.net, second.notes) == (None, (f"AAPL: {FOREIGN.format('USD')}",))
    assert second.follow(euros.apply(stated("USD")), DAY).net == 20


# -- kept from one portfolio to the next ---------------------------------------------------


def test_a_note_outlives_a_time_without_a_price() -> None:
    state = fold([synced((AAPL, 10, "100"))])
    found = DayPnl().follow(state, DAY)
    state = state.apply(price("105"))
    found = found.follow(state, DAY)
    assert values(found.net, found.notes) == (50, (f"AAPL: {BY_COST}",))


def test_without_a_price_the_rest_is_known() -> None:
    sold = filled(fill(4, "90", key="s", side=Side.SELL, at=later(1), commission=D(1)))
    one = DayPnl().follow(fold([synced((AAPL, 10, "100")), sold]), DAY).contracts[AAPL.con_id]
    assert values(one.net, one.known) == (None, -1)  # by cost, a gain says nothing of today
    bought = filled(fill(10, "100", key="b", **FREE))
    one = DayPnl().follow(fold([synced(), bought, sold]), DAY).contracts[AAPL.con_id]
    assert values(one.net, one.known) == (None, -41)


PRICES = st.integers(90, 110).map(str)
STEPS = st.one_of(
    st.tuples(st.just("price"), st.sampled_from((AAPL, MSFT, YEN)), PRICES, st.none() | PRICES),
    st.tuples(st.just("trade"), st.sampled_from((AAPL, MSFT, YEN)), PRICES, st.integers(1, 9)),
    st.tuples(st.just("money"), st.sampled_from(("USD", "EUR"))),
    st.tuples(st.just("day"), st.just(1)),
)


def event_of(step: tuple[Any, ...], number: int, at: datetime) -> ev.BaseEvent:
    match step:
        case ("price", contract, last, close):
            return price(last, close=close, contract=contract, at=at)
        case ("trade", contract, cost, size):
            side = Side.BUY if number % 2 else Side.SELL
            return filled(fill(size, cost, key=f"k{number}", side=side, contract=contract, at=at))
        case _:
            return stated(step[1])


@given(st.lists(STEPS, max_size=25))
def test_it_is_the_same_with_its_notes_whatever_way_it_was_followed(
    steps: list[tuple[Any, ...]],
) -> None:
    state, since = fold([synced((AAPL, 10, "77"), (YEN, 5, "50"))]), DAY
    found = rolled = DayPnl().follow(state, since)
    for number, step in enumerate(steps):
        if step[0] == "day":
            since += timedelta(days=1)
            # From nothing: the day before as it ended, and all that is known of it.
            over = DayPnl(since=rolled.since, begun=rolled.begun).follow(state, rolled.since)
            rolled = over.follow(state, since)
            found = found.follow(state, since)
        else:
            state = state.apply(event_of(step, number, on(since, number)))
            found = found.follow(state, since)
        start = DayPnl(since=since, begun=rolled.begun)
        again = start.follow(state, since)
        assert found.begun == rolled.begun
        assert set(found.notes) == set(again.notes)
        assert dict(found.contracts) == dict(again.contracts)
        assert values(found.net, found.known, found.estimated) == values(
            again.net, again.known, again.estimated
        )
        assert set(found.unpriced) == set(again.unpriced)
