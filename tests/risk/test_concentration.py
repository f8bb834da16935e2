"""What a command does to one symbol: of several contracts, and at which prices."""

from __future__ import annotations

from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Contract, Order, OrderSpec, Position
from ibkr_trader.portfolio.value_span import NOTHING, Span
from ibkr_trader.risk.concentration import Basis, Shift, Standing, rise_at_most, shifts, some, sums
from ibkr_trader.risk.correlated import index_of
from ibkr_trader.risk.limits import Stale
from ibkr_trader.risk.proposal import propose
from tests.risk.world import MSFT, D, aged, details, held, limit, quote, spec, submit, view, working

CALL = Contract(symbol="AAPL", con_id=7, sec_type=SecType.OPTION, right="C", multiplier=D(100))
PUT = Contract(symbol="AAPL", con_id=8, sec_type=SecType.OPTION, right="P", multiplier=D(100))
OPTIONS = {7: aged(quote("4.99", "5.01", CALL)), 8: aged(quote("2.99", "3.01", PUT))}


def found(*orders: OrderSpec, parts: tuple[Order | Position, ...] = ()) -> dict[str, Shift]:
    desk = view(
        *parts,
        quotes=OPTIONS | {1: aged(), 2: aged(quote("299.98", "300.02", MSFT))},
        details={n: details(c) for n, c in ((7, CALL), (8, PUT))},
    )
    return shifts(propose(submit(*orders), desk), desk, index_of(desk))


def test_several_contracts_of_one_symbol_are_one() -> None:
    both = found(
        limit("BUY", 10, "151", "t-1-a"), limit("BUY", 1, "5", "t-1-b", contract=CALL),
        parts=(held(5, cost="100"),),
    )  # fmt: skip
    assert both == {
        "AAPL": Shift(
            Span(D(500), D(500)), Span(D("750.05"), D("750.05")), Span(D("750.05"), D("2761.05"))
        )
    }


def test_what_only_ends_a_position_adds_nothing() -> None:
    one = found(
        limit("BUY", 10, "151", "t-1-a"), spec("SELL", 3, "t-1-b", contract=MSFT),
        parts=(held(5, MSFT, "300"),),
    )  # fmt: skip
    assert set(one) == {"AAPL"}


def test_a_put_takes_a_closer_look() -> None:
    desk = view(quotes=OPTIONS, details={8: details(PUT)})
    proposal = propose(submit(limit("BUY", 1, "3", contract=PUT)), desk)
    assert rise_at_most(proposal, desk, index_of(desk)) is None
    assert shifts(proposal, desk, index_of(desk)) == {
        "AAPL": Shift(NOTHING, NOTHING, Span(D(-301), D(301)))
    }


def test_the_quick_answer_is_never_too_low() -> None:
    waiting = working(limit("SELL", 20, "149", "t-8-single"))
    desk = view(held(10, cost="100"), waiting)
    index = index_of(desk)
    proposal = propose(submit(limit("BUY", 10, "140")), desk)
    (shift,) = shifts(proposal, desk, index).values()
    rise = rise_at_most(proposal, desk, index)
    assert rise is not None
    assert rise >= shift.after.high - shift.indexed.high
    assert rise >= shift.indexed.low - shift.after.low


def test_who_is_known_and_not_touched_is_only_shown() -> None:
    index = index_of(view(held(10, cost="100")))
    on = Standing(Basis.MATRIX, "", Stale.WARN)
    assert list(sums(index, {}, on=on)) == []
    assert [one.after for one in sums(index, {}, on=on, everything=True)] == [1000]


def test_names() -> None:
    assert some(["A"]) == "A"
    assert some(list("ABCDEF")) == "A, B, C, D, E and 1 more"
