from __future__ import annotations

from decimal import Decimal
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Contract, OrderId, OrderSpec
from ibkr_trader.portfolio.contract_exposure import ContractExposure, Working, growth, highest_price
from tests.risk.world import D, bracket, figures, held, limit, spec, stop, working


def w(name: str, signed: int, parent: str = "", oca: str = "", price: str | None = None) -> Working:
    return Working(
        OrderId(name),
        D(signed),
        D(price) if price is not None else None,
        OrderId(parent) if parent else None,
        oca,
    )


def exposure(*orders: Working, holding: int = 0) -> ContractExposure:
    return ContractExposure.of(1, held(holding) if holding else None, orders)


def reachable(orders: tuple[Working, ...], holding: int) -> set[Decimal]:
    """Every position that some allowed subset of the orders leads to, one by one."""
    ids = {order.order_id for order in orders}
    found = set()
    for chosen in chain.from_iterable(combinations(orders, n) for n in range(len(orders) + 1)):
        filled = {order.order_id for order in chosen}
        groups = [order.oca for order in chosen if order.oca]
        orphans = [o for o in chosen if o.parent_id in ids and o.parent_id not in filled]
        if not orphans and len(groups) == len(set(groups)):
            found.add(sum((order.signed for order in chosen), D(holding)))
    return found


@pytest.mark.parametrize(
    ("orders", "holding", "extremes"),
    [
        ((), 0, (0, 0)),
        ((), -7, (-7, -7)),
        ((w("a", 10),), 0, (10, 0)),
        ((w("a", 10), w("b", 5), w("c", -3)), 2, (17, -1)),
        # Alternatives: one of them fills.
        ((w("a", 10, oca="x"), w("b", 4, oca="x"), w("c", -3, oca="x")), 0, (10, -3)),
        # A bracket: the exits cannot fill before the entry.
        ((w("e", 10), w("s", -10, "e", "x"), w("t", -10, "e", "x")), 0, (10, 0)),
        # The entry has filled: its exits stand alone, and only one of them fills.
        ((w("s", -10, "e", "x"), w("t", -10, "e", "x")), 10, (10, 0)),
        # Partly filled, the exits still whole.
        ((w("e", 6), w("s", -10, "e", "x"), w("t", -10, "e", "x")), 4, (10, 0)),
        # Exits larger than their entry, and exits that nothing links.
        ((w("e", 10), w("s", -15, "e")), 0, (10, -5)),
        ((w("e", 10), w("s", -10, "e"), w("t", -10, "e")), 0, (10, -10)),
        # An entry either way, each with its exit.
        (
            (w("b", 10, oca="x"), w("s", -10, oca="x"), w("bx", -10, "b"), w("sx", 10, "s")),
            0,
            (10, -10),
        ),
        # An exit of an exit.
        ((w("a", 10), w("b", -10, "a"), w("c", 5, "b")), 0, (10, 0)),
    ],
)
def test_the_extremes(orders: tuple[Working, ...], holding: int, extremes: tuple[int, int]) -> None:
    here = exposure(*orders, holding=holding)
    ends = reachable(orders, holding)
    assert (here.longest, here.shortest) == (max(ends), min(ends)) == figures(*extremes)


@st.composite
def books(draw: st.DrawFn) -> tuple[Working, ...]:
    """Up to eight orders: roots, exits and exits of exits, some of them alternatives."""
    orders: list[Working] = []
    for n in range(draw(st.integers(0, 8))):
        parent = draw(st.sampled_from(["", *(order.order_id for order in orders)]))
        group = draw(st.sampled_from(["", "x", "y"]))
        size = draw(st.integers(-20, 20).filter(bool))
        # Alternatives are siblings.
        orders.append(w(f"o{n}", size, parent, f"{parent}/{group}" if group else ""))
    return tuple(draw(st.permutations(orders)))


@given(books(), st.integers(-30, 30))
def test_the_extremes_are_those_of_every_subset(orders: tuple[Working, ...], holding: int) -> None:
    here, ends = exposure(*orders, holding=holding), reachable(orders, holding)
    assert (here.longest, here.shortest) == (max(ends), min(ends))
    assert here.most == max(abs(end) for end in ends)


def test_the_exits_of_one_entry_are_alternatives_even_unnamed() -> None:
    exits = [
        stop("SELL", 10, "145", "t-1-stop", parent_id="t-1-entry"),
        limit("SELL", 10, "155", "t-1-target", parent_id="t-1-entry"),
    ]
    here = exposure(*(Working.of_spec(order) for order in exits), holding=10)
    assert here.shortest == 0


def test_the_name_that_tws_gives_to_some_of_the_exits_does_not_tear_them_apart() -> None:
    """It tells of one exit after the other; until then both are of one group all the same."""
    told = stop("SELL", 10, "145", "t-1-stop", parent_id="t-1-entry", oca_group="1930284756")
    untold = limit("SELL", 10, "155", "t-1-target", parent_id="t-1-entry")
    here = exposure(*(Working.of_spec(order) for order in (told, untold)), holding=10)
    assert here.shortest == 0


def test_what_joins_the_exits_of_an_entry_by_their_groups_name_is_an_alternative_to_them() -> None:
    """A timed exit: it hangs from nothing, and names the group that TWS made."""
    exits = [
        stop("SELL", 10, "145", "t-1-stop", parent_id="t-1-entry", oca_group="1930284756"),
        limit("SELL", 10, "155", "t-1-target", parent_id="t-1-entry", oca_group="1930284756"),
        spec("SELL", 10, "t-2-timed", oca_group="1930284756"),
    ]
    here = exposure(*map(Working.of_spec, exits), holding=10)
    assert here.shortest == 0
    stranger = Working.of_spec(spec("SELL", 10, "t-3-timed", oca_group="another"))
    assert here.replacing([stranger]).shortest == -10


def test_several_targets_with_stops_of_their_own_end_what_their_entry_opens() -> None:
    entry = Working.of_spec(spec("BUY", 10, "t-1-entry"))
    exits = [
        Working.of_spec(make("SELL", 5, at, name, parent_id="t-1-entry", oca_group=group))
        for make, at, name, group in (
            (limit, "155", "t-1-target", "t-1-exits"), (stop, "145", "t-1-stop", "t-1-exits"),
            (limit, "160", "t-1-target.2", "t-1-exits.2"),
            (stop, "145", "t-1-stop.2", "t-1-exits.2"),
        )
    ]  # fmt: skip
    here = exposure(entry, *exits)
    assert (here.longest, here.shortest) == figures(10, 0)
    held_by_then = exposure(*exits, holding=10)
    assert (held_by_then.longest, held_by_then.shortest) == figures(10, 0)


def test_a_bracket_as_it_goes_out_opens_its_entry_alone() -> None:
    here = exposure(*(Working.of_spec(order) for order in bracket().orders))
    assert (here.longest, here.shortest) == figures(10, 0)


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (spec("BUY", 1), None),
        (limit("BUY", 1, "5"), "5"),
        (stop("BUY", 1, "6"), "6"),
        (spec("BUY", 1, limit_price="5", stop_price="6"), "6"),
        (spec("BUY", 1, limit_price="7", stop_price="6"), "7"),
    ],
)
def test_the_highest_price_that_an_order_names(order: OrderSpec, price: str | None) -> None:
    assert highest_price(order) == (D(price) if price is not None else None)


def test_an_order_counts_for_what_remains_under_the_worse_of_its_terms() -> None:
    old, new = limit("SELL", 10, "150"), limit("SELL", 14, "149")
    one = Working.of_order(working(old, filled=4, desired=new))
    assert (one.signed, one.price, one.is_unknown) == (D(-10), D(150), False)
    raised = Working.of_order(working(new, desired=old))
    assert raised.price == D(150)
    flying = Working.of_order(working(spec("BUY", 3), OrderStatus.UNKNOWN))
    assert (flying.signed, flying.price, flying.is_unknown) == (D(3), None, True)


def test_adding_replacing_and_leaving_out() -> None:
    here = exposure(w("a", 10), w("b", -5))
    assert here.replacing([w("a", 20), w("c", 1)]).longest == 21
    assert [o.order_id for o in here.replacing([w("a", 20)]).working] == ["a", "b"]
    assert here._without(OrderId("a")).longest == 0
    assert here._without(OrderId("z")) == here


@pytest.mark.parametrize(
    ("before", "after", "further"),
    [
        ((0, ()), (w("a", 1),), True),
        ((0, ()), (w("a", -1),), True),
        ((-5, ()), (w("a", 5),), False),  # to flat
        ((-5, ()), (w("a", 6),), True),  # through it
        ((5, ()), (w("a", -5),), False),
        ((5, ()), (w("a", -6),), True),
        ((5, (w("b", -5),)), (w("a", -1),), True),
        ((5, (w("b", 5),)), (w("a", -5),), False),
    ],
)
def test_what_leads_further_from_flat(
    before: tuple[int, tuple[Working, ...]], after: tuple[Working, ...], *, further: bool
) -> None:
    holding, orders = before
    here = exposure(*orders, holding=holding)
    assert here.replacing(after).extends(here) is further


def test_an_opener_is_one_without_which_less_could_happen() -> None:
    here = exposure(w("e", 10), w("s", -10, "e"), w("x", -3), holding=3)
    assert here.is_opener(OrderId("e"))
    assert not here.is_opener(OrderId("s"))
    assert not here.is_opener(OrderId("x"))


def test_an_order_is_judged_beside_the_rest_and_alone() -> None:
    here = exposure(w("a", -30, oca="x"), w("b", -12, oca="x"), holding=10)
    assert here._alone(OrderId("b")).shortest == -2
    assert here.is_opener(OrderId("b"))
    assert here.opens_alone(OrderId("b"))
    assert here.surplus(OrderId("b"), -1) == 2
    assert here.surplus(OrderId("a"), -1) == 20
    assert here.surplus(OrderId("b"), 1) == 0


def test_exits_that_are_awake_trade_without_more_of_their_entry() -> None:
    entry, stop = w("e", 18), w("s", -3, "e")
    assert exposure(entry, stop, holding=3).shortest == 3  # nothing of the entry, nothing of it
    woken = exposure(entry._replace(has_traded=True), stop._replace(is_asleep=False), holding=3)
    assert (woken.longest, woken.shortest) == figures(21, 0)
    dozing = exposure(entry._replace(has_traded=True), stop, holding=3)
    assert dozing.shortest == 3


def test_alternatives_that_come_together_grow_together() -> None:
    before = exposure(w("a", -10, oca="x"), holding=10)
    after = before.replacing((w("b", -10, oca="y"), w("c", -10, oca="y")))
    assert [after.surplus(OrderId(one), -1) for one in "bc"] == [0, 0]
    assert growth(before, after, -1) == 10
    assert growth(before, after, 1) == 0


def test_alone_an_exit_has_its_entry_beside_it() -> None:
    here = exposure(w("e", 10), w("s", -12, "e"), w("x", -3))
    assert (here._alone(OrderId("s")).longest, here._alone(OrderId("s")).shortest) == figures(
        10, -2
    )
    assert here._alone(OrderId("x")).shortest == -3
    assert here._alone(OrderId("gone")).working == ()
    assert here.surplus(OrderId("gone"), 1) == 0


def test_orders_that_hang_from_each_other_do_not_hang_us() -> None:
    here = exposure(w("a", 10, "b"), w("b", 10, "a"))
    assert {order.order_id for order in here._alone(OrderId("a")).working} == {"a", "b"}


def test_worst_value_and_what_of_it_is_yet_to_be_paid() -> None:
    here = exposure(w("a", 10, price="160"), holding=20)  # held at 150
    assert (here.value, here.tied) == figures(4800, 1600)
    assert exposure(w("a", -5, price="160"), holding=20).tied == 0
    assert exposure(w("a", -50, price="149"), holding=20).value == 30 * 150
    assert (here.priced(D(170)).value, here.priced(D(170)).tied) == figures(5100, 1700)
    assert here.priced(D(1)) == here


def test_without_a_price_the_value_is_unknown_unless_nothing_can_happen() -> None:
    flying = exposure(w("a", 10))
    assert (flying.value, flying.tied) == (None, None)
    assert (flying.priced(D(3)).value, flying.priced(D(3)).tied) == figures(30, 30)
    assert (exposure().value, exposure().tied) == figures(0, 0)


def test_the_market_price_goes_before_the_cost_and_the_multiplier_counts() -> None:
    future = Contract(symbol="ES", con_id=1, multiplier=D(50))
    marked = held(-2, future, cost="100", market_price=D(120))
    assert ContractExposure.of(1, marked, ()).value == 2 * 120 * 50
    assert ContractExposure.of(1, held(-2, future, cost="100"), ()).value == 2 * 100 * 50
