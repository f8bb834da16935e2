from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Contract, Order, Position
from ibkr_trader.portfolio.exposure import ExposureIndex
from tests.risk.world import AAPL, MSFT, D, held, limit, portfolio, spec, working


def index(*parts: Order | Position) -> ExposureIndex:
    return ExposureIndex.of(portfolio(*parts))


def test_nothing() -> None:
    empty = index()
    assert (empty.gross, empty.tied, empty.working) == (D(0), D(0), 0)
    assert not empty.contracts
    flat = empty.contract(Contract(symbol="ES", con_id=9, multiplier=D(50)))
    assert (flat.con_id, flat.multiplier, flat.most) == (9, D(50), D(0))


def test_sums_over_contracts() -> None:
    one = index(
        held(10),
        working(limit("BUY", 5, "140", "a-1")),
        held(-3, MSFT, "300"),
        working(limit("BUY", 2, "290", "a-2", contract=MSFT)),
    )
    assert one.gross == 15 * 150 + 3 * 300
    assert one.tied == 5 * 150
    assert one.working == 2
    assert one.contract(AAPL).longest == 15
    assert one.contract(MSFT).shortest == -3


def test_market_orders_in_flight_have_no_value_yet() -> None:
    one = index(working(spec("BUY", 5, "a-1", contract=MSFT)), held(10))
    assert one.unpriced == {2}
    assert one.gross == 1500


def test_what_can_no_longer_trade_is_not_counted() -> None:
    done = working(limit("BUY", 5, "140"), OrderStatus.FILLED, filled=5)
    told = working(limit("BUY", 5, "140", "a-2"), reported_filled=D(5), heard=D(5))
    assert index(done, told).contracts == {}


def test_what_is_only_called_filled_counts_until_something_tells_of_it() -> None:
    whole = working(limit("BUY", 5, "140", "a-1"), reported_filled=D(5))
    part = working(limit("BUY", 5, "140", "a-2"), filled=1, reported_filled=D(3))
    assert index(held(1), whole, part).contract(AAPL).longest == 1 + 5 + 4
    asleep = working(limit("BUY", 5, "140"), reported_filled=D(5), held_for="child")
    assert not index(asleep).contract(AAPL).working[0].is_asleep
    both = working(limit("BUY", 5, "140"), held_for="child,trigger")
    assert index(both).contract(AAPL).working[0].is_asleep


def test_so_it_does_when_it_is_over_for_the_broker() -> None:
    done = working(limit("BUY", 5, "140"), OrderStatus.FILLED, reported_filled=D(5))
    before = portfolio(past=(done,))
    one = ExposureIndex.of(before)
    assert (one.contract(AAPL).longest, one.working) == (D(5), 1)
    assert one.is_of(before)
    told = msgspec.structs.replace(done, filled=D(5))
    after = one.follow(portfolio(held(5), past=(told,)))
    assert (after.contract(AAPL).longest, after.working) == (D(5), 0)


def test_the_same_portfolio_is_the_same_index() -> None:
    book = portfolio(held(10))
    one = ExposureIndex.of(book)
    assert one.is_of(book)
    assert one.follow(book) is one
    assert not one.is_of(portfolio(held(10)))


def test_a_contract_without_news_is_not_summed_again() -> None:
    here, there = working(limit("BUY", 5, "140", "a-1")), held(-3, MSFT, "300")
    one = index(here, there)
    moved = msgspec.structs.replace(here, filled=D(1))
    after = one.follow(portfolio(moved, there))
    assert after.contracts[2] is one.contracts[2]
    assert after.contract(AAPL).longest == 4


def test_an_order_that_turns_out_to_be_in_another_contract_leaves_the_first() -> None:
    order = working(limit("BUY", 5, "140", contract=Contract(symbol="AAPL")))
    resolved = working(limit("BUY", 5, "140"))
    after = index(order).follow(portfolio(resolved))
    assert set(after.contracts) == {1}


CONTRACTS = [AAPL, MSFT, Contract(symbol="TSLA", con_id=3)]


@st.composite
def portfolios(draw: st.DrawFn) -> tuple[Order | Position, ...]:
    parts: list[Order | Position] = []
    for contract in CONTRACTS:
        if size := draw(st.integers(-5, 5)):
            parts.append(held(size, contract))
        for n in range(draw(st.integers(0, 3))):
            if draw(st.booleans()):
                order = limit(
                    draw(st.sampled_from(["BUY", "SELL"])),
                    draw(st.integers(1, 9)),
                    str(draw(st.integers(1, 99))),
                    f"{contract.symbol}-{n}",
                    contract=contract,
                )
                parts.append(working(order))
    return tuple(parts)


@given(portfolios(), portfolios(), st.data())
def test_following_is_the_same_as_beginning_anew(
    before: tuple[Order | Position, ...], after: tuple[Order | Position, ...], data: st.DataObject
) -> None:
    # Some parts are carried over as the very same objects.
    after = tuple(data.draw(st.permutations([*after, *before[: len(before) // 2]])))
    followed, fresh = index(*before).follow(portfolio(*after)), index(*after)
    for contract in CONTRACTS:
        ours, theirs = followed.contract(contract), fresh.contract(contract)
        assert sorted(ours.working) == sorted(theirs.working)
        assert (ours.longest, ours.shortest, ours.value) == (
            theirs.longest,
            theirs.shortest,
            theirs.value,
        )
    assert (followed.gross, followed.tied) == (fresh.gross, fresh.tied)
    assert (followed.working, followed.unpriced) == (fresh.working, fresh.unpriced)
    assert set(followed.contracts) == set(fresh.contracts)
