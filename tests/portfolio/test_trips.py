"""A contract's day, cut along the trips of its owners."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO, AccountValues, OrderId
from ibkr_trader.portfolio.pnl import BY_COST, UNBEGUN, ContractPnl, DayPnl
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.trips import Share, Trip, shares, trades_of, trip_on, trip_over
from tests.orders.samples import AAPL, ACCOUNT, AT, MSFT, fill, later, values

if TYPE_CHECKING:
    from ibkr_trader.core.models import Fill, Position

D = Decimal
DAY = AT - timedelta(hours=1)
LATE = DAY - timedelta(hours=3)
MAKERS = {"a": "alpha", "b": "beta"}


def maker(order_id: OrderId) -> str:
    return MAKERS.get(order_id[0], "")


def buy(size: int, price: str, order: str, at: float, *, side: Side = Side.BUY) -> Fill:
    key = f"e{at}"
    return fill(size, price, key=key, order_id=order, at=later(at), side=side, commission=D(1))


def sell(size: int, price: str, order: str, at: float) -> Fill:
    return buy(size, price, order, at, side=Side.SELL)


def day(*fills: Fill, base: Position | None = None, mark: str | None = "150") -> ContractPnl:
    """The account's word on the contract, by its own fold."""
    return follow(*fills, base=base, mark=mark).contracts[AAPL.con_id]


def follow(*fills: Fill, base: Position | None = None, mark: str | None = "150") -> DayPnl:
    state = PortfolioState(
        books={AAPL.con_id: ledger(*fills, base=base)},
        marks={} if mark is None else {AAPL.con_id: D(mark)},
    )
    return DayPnl().follow(state, DAY)


def ledger(*fills: Fill, base: Position | None = None) -> Book:
    return Book.on(base or Book.open(ACCOUNT, AAPL).base, fills)


def held(quantity: int, cost: str) -> Position:
    flat = Book.open(ACCOUNT, AAPL).base
    return msgspec.structs.replace(flat, quantity=D(quantity), average_cost=D(cost))


def cut(
    *fills: Fill, base: Position | None = None, mark: str | None = "150", owner: str = ""
) -> dict[str, Share]:
    one = day(*fills, base=base, mark=mark)
    found = shares(ledger(*fills, base=base), one, since=DAY, base_owner=owner, maker=maker)
    nets = [share.net for share in found.values()]
    whole = None if None in nets else sum((net for net in nets if net is not None), ZERO)
    assert whole == one.net, "the parts are the whole"
    return found


def told(share: Share) -> tuple[object, ...]:
    return values(share.realized, share.unrealized, share.commission)


def test_a_trip_belongs_to_who_opened_it_whoever_ends_it() -> None:
    found = cut(
        buy(10, "100", "a", 1),
        buy(10, "110", "person", 2),
        sell(20, "115", "person", 3),
        buy(10, "120", "b", 4),
        mark="125",
    )
    assert told(found["alpha"]) == (200, 0, 3)
    assert told(found["beta"]) == (0, 50, 1)
    assert "" not in found


def test_the_order_in_which_they_are_told_is_nothing() -> None:
    one, two, three = buy(10, "100", "a", 1), sell(10, "90", "a", 2), buy(5, "80", "p", 3)
    assert cut(one, two, three) == cut(three, two, one)
    assert trip_over(Trip(), [three, two, one], maker) == Trip(D(5), "")
    assert trip_over(Trip(), [two, one], maker) == Trip(), "what is flat is nobody's"


def lead(*fills: Fill, base: Position | None = None) -> tuple[Trip, Book]:
    """A ledger, and the trip that it leads to by a count of all."""
    book = ledger(*fills, base=base)
    return trip_over(Trip(book.base.quantity), fills, maker), book


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("abp")), max_size=12), st.data())
def test_a_step_more_leads_where_a_count_of_all_does(
    trades: list[tuple[int, str]], data: st.DataObject
) -> None:
    fills = [buy(size, "100", who, n) for n, (size, who) in enumerate(trades)]
    cut_at = data.draw(st.integers(0, len(fills)))
    trip, before = lead(*fills[:cut_at])
    book = before
    for heard in data.draw(st.permutations(fills[cut_at:])):
        book = book.after(heard)
    whole, _ = lead(*fills)
    assert trip_on(trip, before, book, maker=maker) == whole


def test_what_is_more_than_later_executions_is_counted_anew() -> None:
    one, two = buy(10, "100", "a", 1), buy(5, "100", "b", 3)
    trip, before = lead(one, two)
    late, smaller = sell(10, "100", "p", 2), msgspec.structs.replace(two, quantity=D(4), revision=2)
    renamed = msgspec.structs.replace(two, order_id=OrderId("p-9"))
    assert trip_on(trip, before, before.after(late), maker=maker) is None
    assert trip_on(trip, before, before.after(smaller), maker=maker) is None
    assert trip_on(trip, before, before.charged(renamed), maker=maker) is None
    begun = msgspec.structs.replace(before, base=held(3, "1"))
    assert trip_on(trip, before, begun, maker=maker) is None
    gone = msgspec.structs.replace(before, fills=before.fills.only(lambda fill: fill is one))
    assert trip_on(trip, before, gone, maker=maker) is None


def test_what_an_execution_cost_and_at_what_price_moves_no_trip() -> None:
    one = buy(10, "100", "a", 1)
    trip, before = lead(one)
    dearer = msgspec.structs.replace(one, price=D(101), commission=D(2))
    after = before.charged(dearer).after(sell(4, "90", "p", 2))
    assert trip_on(trip, before, after, maker=maker) == Trip(D(6), "alpha")


def test_who_turns_it_round_has_the_rest_and_its_part_of_the_cost() -> None:
    found = cut(buy(10, "100", "a", 1), sell(40, "110", "b", 2), mark="100")
    assert told(found["alpha"]) == (100, 0, D("1.25"))
    assert told(found["beta"]) == (0, 300, D("0.75"))


def test_what_was_held_when_the_day_began_is_of_who_opened_it() -> None:
    early = fill(10, "100", key="e0", order_id="b", at=LATE)
    found = cut(early, sell(4, "155", "person", 1), mark="160")
    assert told(found["beta"]) == (220, 360, 1)  # nobody has said the close: from its cost
    assert set(found) == {"beta"}
    found = cut(sell(4, "155", "a", 1), base=held(10, "150"), mark="160", owner="alpha")
    assert told(found["alpha"]) == (20, 60, 1)
    assert day(base=held(10, "150")).doubt == BY_COST
    found = cut(
        buy(10, "170", "p", 1),
        sell(5, "180", "p", 2),
        base=held(10, "150"),
        mark="160",
        owner="alpha",
    )
    assert told(found["alpha"]) == (100, 0, 2)
    assert cut(base=held(10, "150"), owner="beta", mark="140") == {
        "beta": Share(unrealized=D(-100))
    }


def test_the_day_begins_with_the_first_execution_of_its_first_moment() -> None:
    first = fill(10, "100", key="e0", order_id="a", at=DAY, commission=D(1))
    assert told(cut(first, mark="101")["alpha"]) == (0, 10, 1)


def test_what_has_no_price_is_unknown_to_its_owner_alone() -> None:
    found = cut(buy(10, "100", "a", 1), sell(10, "110", "a", 2), buy(10, "120", "b", 3), mark=None)
    assert values(found["alpha"].net, found["beta"].net) == (98, None)


def test_what_nobody_knows_the_cost_of_is_unknown_to_who_had_opened_it() -> None:
    gone, fresh = sell(10, "110", "person", 1), buy(5, "110", "b", 2)
    over = sell(5, "120", "b", 3)
    assert day(gone, fresh, over, base=held(10, "0")).doubt == UNBEGUN
    found = cut(gone, fresh, over, base=held(10, "0"), owner="alpha")
    assert values(found["alpha"].net, found["beta"].net) == (None, 48)
    partly = cut(sell(4, "110", "p", 1), sell(6, "1", "p", 2), base=held(10, "0"), owner="beta")
    assert values(partly["beta"].net, partly["beta"].commission) == (None, 2)


def test_an_execution_that_was_taken_back_costs_whose_order_it_was() -> None:
    found = cut(buy(0, "100", "a", 1))
    assert told(found["alpha"]) == (0, 0, 1)


def test_of_other_money_nobody_knows_anything() -> None:
    yen = msgspec.structs.replace(AAPL, currency="JPY")
    base = msgspec.structs.replace(held(3, "100"), contract=yen)
    fills = (sell(3, "110", "p", 1), buy(1, "110", "b", 2), sell(1, "110", "b", 3))
    book = ledger(*fills, base=base)
    state = PortfolioState(
        books={yen.con_id: book},
        values=AccountValues(account=ACCOUNT, currency="USD"),
    )
    one = DayPnl().follow(state, DAY).contracts[yen.con_id]
    found = shares(book, one, since=DAY, base_owner="alpha", maker=maker)
    assert {name: share.net for name, share in found.items()} == {"alpha": None, "beta": None}
    fresh = ledger(*fills[1:], base=msgspec.structs.replace(base, quantity=ZERO))
    found = shares(fresh, one, since=DAY, base_owner="", maker=maker)
    assert set(found) == {"beta"}


def test_shares_add_up() -> None:
    one = Share(realized=D(1), unrealized=D(2), commission=D(3))
    assert one.plus(one) == Share(realized=D(2), unrealized=D(4), commission=D(6))
    assert one.plus(Share(unrealized=None)).unrealized is None
    assert Share(unrealized=None).plus(one).net is None
    assert one.net == 0


# -- whose executions ------------------------------------------------------------------------


def test_a_trip_has_all_its_executions_whoever_sent_them() -> None:
    other = msgspec.structs.replace(buy(7, "10", "b", 2), contract=MSFT)
    mine = (buy(10, "100", "a", 1), sell(4, "101", "x", 3), sell(6, "102", "b", 4))
    later_on = (buy(5, "100", "b", 5), sell(5, "101", "a", 6))
    every = (*mine, other, *later_on)
    assert trades_of("alpha", reversed(every), maker) == mine
    assert trades_of("beta", every, maker) == (other, *later_on)


def test_of_what_goes_through_flat_a_trip_has_its_part() -> None:
    opened, turned = buy(10, "100", "a", 1), sell(15, "110", "x", 2)
    unpaid = msgspec.structs.replace(turned, commission=None)
    again = (buy(5, "100", "x", 3), buy(1, "100", "a", 4))
    for through, cost in ((turned, D(10) / 15), (unpaid, None)):
        part = msgspec.structs.replace(through, quantity=D(10), commission=cost)
        found = trades_of("alpha", (opened, through, *again), maker)
        assert found == (opened, part, again[1])


def test_what_goes_through_flat_from_one_to_another_is_shared_out() -> None:
    opened, turned = buy(10, "100", "b", 1), sell(15, "110", "a", 2)
    shared = [trades_of(name, (opened, turned), maker)[-1] for name in ("alpha", "beta")]
    assert [one.quantity for one in shared] == [5, 10]
    assert [one.commission for one in shared] == [D(5) / 15, D(10) / 15]


def test_who_turns_his_own_trip_has_all_of_it() -> None:
    every = (buy(10, "100", "a", 1), sell(15, "110", "a", 2))
    assert trades_of("alpha", every, maker) == every
