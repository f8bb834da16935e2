"""What every stop hit would lose."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order, Position
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.heat import ContractHeat, HeatIndex, diversified, entry_heat
from tests.orders.samples import values
from tests.risk.world import MSFT, D, held, limit, portfolio, spec, stop, working

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.portfolio.state import PortfolioState

WAITS = OrderStatus.PRESUBMITTED


def index(state: PortfolioState) -> HeatIndex:
    return HeatIndex().follow(state, ExposureIndex.of(state))


def heat(*parts: Order | Position, marks: dict[int, str] | None = None) -> ContractHeat:
    """The heat of the one contract that `parts` are of; AAPL stands at 150."""
    state = portfolio(*parts)
    if marks is not None:
        state = msgspec.structs.replace(state, marks={key: D(at) for key, at in marks.items()})
    (found,) = index(state).contracts.values()
    return found


def resting(what: OrderSpec, **more: Any) -> Order:
    return working(what, WAITS, **more)


def entry(side: str, size: int, at: str, name: str, **more: Any) -> Order:
    return working(
        limit(side, size, at, name, role=OrderRole.ENTRY, group_id=GroupId(name), **more)
    )


def child(of: Order, at: str, size: int | None = None, **more: Any) -> Order:
    """The stop that hangs from an entry."""
    side, held_for = of.spec.side.opposite.value, "child"
    quantity = of.spec.quantity if size is None else D(size)
    what = stop(
        side,
        f"{quantity}",
        at,
        f"{of.order_id}-stop",
        parent_id=of.order_id,
        group_id=of.spec.group_id,
        role=OrderRole.STOP,
        contract=of.spec.contract,
    )
    return resting(what, **({"held_for": held_for} | more))


# -- what is held --------------------------------------------------------------------------


def test_a_long_position_loses_from_the_market_to_its_stop() -> None:
    found = heat(held(10, cost="140"), resting(stop("SELL", 10, "145")))
    assert values(found.held, found.entries, found.total) == (50, 0, 50)
    assert values(found.stop, found.covered, found.uncovered) == (145, 10, 0)
    assert found.result == 50  # bought at 140, out at 145
    assert values(found.worth, found.lean) == (1500, 1)


def test_a_short_position_too() -> None:
    found = heat(held(-10, cost="140"), resting(stop("BUY", 10, "160")))
    assert values(found.held, found.stop, found.result, found.lean) == (100, 160, -200, -1)


def test_without_a_stop_a_fifth_of_its_value_is_taken() -> None:
    found = heat(held(10))
    assert values(found.held, found.stop, found.uncovered) == (300, None, 10)
    assert heat(held(-10)).held == 300


def test_what_the_stop_leaves_over_has_none() -> None:
    assert heat(held(10), resting(stop("SELL", 4, "145"))).held == 4 * 5 + 6 * 30


def test_only_what_the_broker_has_confirmed_protects() -> None:
    unknown = working(stop("SELL", 10, "145"), OrderStatus.UNKNOWN)
    assert heat(held(10), unknown).held == 300


def test_a_target_is_not_counted_on() -> None:
    target = limit("SELL", 10, "155", "t-2-target", oca_group="x", oca_type=OcaType.REDUCE)
    ends = stop("SELL", 10, "145", "t-2-stop", oca_group="x", oca_type=OcaType.REDUCE)
    found = heat(held(10), resting(ends), working(target))
    assert values(found.total, found.entries) == (50, 0)


def test_of_too_many_stops_those_furthest_away_count() -> None:
    near, far = stop("SELL", 10, "149", "t-1-a"), stop("SELL", 6, "140", "t-2-b")
    found = heat(held(10), resting(near), resting(far))
    assert found.held == 6 * 10 + 4 * 1
    assert found.stop == 140


def test_a_stop_that_has_been_passed_loses_nothing_more() -> None:
    assert heat(held(10), resting(stop("SELL", 10, "151"))).held == 0


def test_a_stop_limit_ends_at_its_limit() -> None:
    what = stop("SELL", 10, "145", limit_price="143")
    limited = msgspec.structs.replace(what, order_type=OrderType.STOP_LIMIT)
    found = heat(held(10), resting(limited))
    assert values(found.held, found.stop) == (70, 145)


@pytest.mark.parametrize(
    ("terms", "lost"),
    [
        ({"trail_amount": "4"}, 40),
        ({"trail_percent": "2"}, 30),
        ({"trail_percent": "2", "stop_price": "148"}, 20),  # where the broker has it
    ],
)
def test_a_trail_ends_where_it_stands(terms: dict[str, str], lost: int) -> None:
    trail = spec("SELL", 10, order_type=OrderType.TRAIL, **terms)
    assert heat(held(10), resting(trail)).held == lost


def test_a_stop_that_is_being_moved_ends_at_the_worse_of_both() -> None:
    what = stop("SELL", 10, "145")
    nearer = msgspec.structs.replace(what, stop_price=D(148))
    further = msgspec.structs.replace(what, stop_price=D(141))
    assert heat(held(10), resting(what, desired=nearer)).held == 50
    assert heat(held(10), resting(what, desired=further)).held == 90


def test_a_multiplier_counts() -> None:
    option = Contract(symbol="AAPL", con_id=1, multiplier=D(100))
    found = heat(held(2, option, cost="3"), resting(stop("SELL", 2, "149", contract=option)))
    assert values(found.held, found.worth) == (200, 30_000)


def test_what_has_no_price_is_unknown() -> None:
    found = heat(held(10), resting(stop("SELL", 10, "145")), marks={})
    assert values(found.held, found.total, found.covered) == (None, None, 10)
    state = msgspec.structs.replace(portfolio(held(10)), marks={})
    assert index(state).unknown == (1,)
    assert heat(held(10, market_price=D(140)), marks={}).held == 280  # the position knows it


# -- what may still be opened --------------------------------------------------------------


def test_an_entry_is_filled_at_its_price_and_stopped_by_its_own_stop() -> None:
    buy = entry("BUY", 10, "148", "t-1")
    found = heat(buy, child(buy, "144"))
    assert values(found.held, found.entries, found.total) == (0, 40, 40)
    assert values(found.quantity, found.worth, found.lean) == (0, 1480, 1)
    sale = entry("SELL", 10, "152", "t-1")
    found = heat(sale, child(sale, "155"))
    assert values(found.entries, found.lean) == (30, -1)


def test_an_entry_without_a_stop_counts_a_fifth() -> None:
    assert heat(entry("BUY", 10, "148", "t-1")).entries == 296
    assert heat(entry("SELL", 10, "150", "t-1")).entries == 300


def test_a_market_order_is_filled_at_the_market() -> None:
    market = working(spec("BUY", 10), OrderStatus.PENDING)
    assert heat(market).entries == 300
    found = heat(market, entry("BUY", 1, "100", "t-7"), marks={})
    assert values(found.entries, found.worth) == (None, 100)


def test_an_unknown_entry_counts_like_any_other() -> None:
    buy = working(limit("BUY", 10, "148", "t-1"), OrderStatus.UNKNOWN)
    assert heat(buy).entries == 296


def test_of_entries_that_exclude_one_another_the_worst_counts() -> None:
    pair: dict[str, Any] = {"oca_group": "pair", "oca_type": OcaType.CANCEL}
    low, high = entry("BUY", 10, "148", "t-1", **pair), entry("SELL", 10, "155", "t-2", **pair)
    found = heat(low, child(low, "144"), high, child(high, "164"))
    assert values(found.entries, found.worth, found.lean) == (90, 1550, -1)


def test_what_has_been_brought_stands_behind_its_stop_first() -> None:
    """Four of ten have traded: the stop of ten ends them, and six more."""
    buy = msgspec.structs.replace(entry("BUY", 10, "148", "t-1"), filled=D(4))
    buy = msgspec.structs.replace(buy, status=OrderStatus.PARTIALLY_FILLED)
    found = heat(held(4, cost="148"), buy, child(buy, "145", held_for=""))
    assert values(found.held, found.entries) == (4 * 5, 6 * 3)
    short = heat(held(4, cost="148"), buy, child(buy, "145", size=7, held_for=""))
    assert short.entries == 3 * 3 + 3 * 3  # what is missing is enlarged, at the same place


def test_a_scale_in_is_stopped_where_its_group_is() -> None:
    more = limit("BUY", 10, "152", "t-1-entry2", group_id=GroupId("t-1"), role=OrderRole.ENTRY)
    ends = stop("SELL", 10, "145", "t-1-stop", group_id=GroupId("t-1"))
    found = heat(held(10), resting(ends), working(more))
    assert values(found.held, found.entries) == (50, 70)


def test_an_exit_opens_nothing_but_what_turns_the_position_round() -> None:
    assert heat(held(10), working(limit("SELL", 10, "160"))).entries == 0
    assert heat(held(10), working(limit("SELL", 14, "160"))).entries == 4 * 32


def test_entries_beside_others_of_their_group() -> None:
    """What is asked for is stopped by what stands already."""
    ends = resting(stop("SELL", 10, "145", "t-1-stop", group_id=GroupId("t-1")))
    more = limit("BUY", 5, "152", "t-1-entry2", group_id=GroupId("t-1"), role=OrderRole.ENTRY)
    state = portfolio(held(10), ends, working(more))
    exposure = ExposureIndex.of(state).contracts[1]
    asked = [state.orders[more.order_id]]
    assert entry_heat(exposure, asked, beside=[ends]).lost == 35
    assert entry_heat(exposure, asked).lost == D("152.0")
    assert entry_heat(exposure, ()).lost == 0


# -- all of it -----------------------------------------------------------------------------


def test_the_sum_of_everything() -> None:
    state = portfolio(held(10), held(-5, MSFT), resting(stop("SELL", 10, "145")))
    found = index(state)
    assert values(found.total, found.unknown) == (50 + 300, ())


def test_only_what_has_news_is_added_up_again() -> None:
    state = portfolio(held(10), held(-5, MSFT))
    exposure = ExposureIndex.of(state)
    first = HeatIndex().follow(state, exposure)
    assert first.follow(state, exposure) is first
    moved = msgspec.structs.replace(state, marks={1: D(150), 2: D(200)})
    second = first.follow(moved, exposure)
    assert second.contracts[1] is first.contracts[1]
    assert values(first.total, second.total) == (600, 500)
    gone = portfolio(held(10))
    third = second.follow(gone, exposure.follow(gone))
    assert set(third.contracts) == {1}
    fourth = third.follow(gone, third.exposure, no_stop=D("0.10"))
    assert fourth.total == 150


def test_an_order_that_changes_is_news() -> None:
    ends = resting(stop("SELL", 10, "145"))
    state = portfolio(held(10), ends)
    exposure = ExposureIndex.of(state)
    first = HeatIndex().follow(state, exposure)
    lost = msgspec.structs.replace(ends, status=OrderStatus.UNKNOWN)
    later = portfolio(*state.positions.values(), lost)
    assert first.follow(later, exposure.follow(later)).total == 300


def test_a_gap_is_a_part_of_all_that_may_be_stopped() -> None:
    found = heat(held(10), resting(stop("SELL", 10, "145")), entry("BUY", 2, "100", "t-7"))
    ranges = {"AAPL": D("0.02")}
    assert found.gap(ranges, D(1)) == 1700 * D("0.02")
    assert found.gap(ranges, D(3)) == 1700 * D("0.06")
    assert found.gap({}, D(1)) == 1700 * D("0.05")  # nobody has measured it


class Known:
    """Correlations that are stated here."""

    def __init__(self, **pairs: float) -> None:
        self.pairs = pairs

    def get_correlation(self, symbol_a: str, symbol_b: str) -> float | None:
        return self.pairs.get("".join(sorted((symbol_a, symbol_b))))


@pytest.mark.parametrize(
    ("losses", "known", "expected"),
    [
        ([("A", 3), ("B", 4)], Known(AB=0.0), "5"),
        ([("A", 3), ("B", 4)], Known(AB=1.0), "7"),
        ([("A", 3), ("B", -4)], Known(AB=1.0), "1"),  # a hedge
        ([("A", 3), ("B", -4)], Known(AB=-1.0), "7"),
        ([("A", 3), ("B", 4)], Known(), "7"),
        ([("A", 3), ("B", -4)], Known(), "7"),  # what nobody knows never hedges
        ([("A", 3), ("B", -4)], None, "7"),
        ([("A", 3), ("A", -3)], None, "0"),  # the same symbol is the same
        ([("A", 3), ("B", 0)], None, "3"),
        ([], None, "0"),
        ([("A", 1), ("B", 1), ("C", 1)], Known(AB=-0.9, AC=-0.9, BC=-0.9), "0"),
    ],
)
def test_what_is_lost_together(
    losses: list[tuple[str, int]], known: Known | None, expected: str
) -> None:
    found = diversified(((symbol, D(loss)) for symbol, loss in losses), known)
    assert abs(found - D(expected)) < D("0.000001")


def test_a_gap_of_a_position_is_its_own() -> None:
    found = heat(held(10), entry("BUY", 5, "100", "t-1"))
    assert found.gap({}, D(1)) == D("0.05") * (1500 + 500)
    assert found.held_gap({}, D(1)) == D("0.05") * 1500
    assert found.held_gap({"AAPL": D("0.02")}, D(2)) == D("0.04") * 1500
    assert heat(held(10, market_price=None), marks={}).held_gap({}, D(1)) == 0


def test_other_money_is_unknown_and_never_added() -> None:
    yen = msgspec.structs.replace(MSFT, currency="JPY")
    state = portfolio(
        held(10), held(100, yen, "3000"), working(limit("BUY", 5, "2900", contract=yen))
    )
    found = index(state)
    one = found.contracts[yen.con_id]
    assert values(one.held, one.entries, one.result, one.total) == (None, None, None, None)
    assert values(one.worth, one.quantity) == (0, 100)
    assert values(found.total, found.unknown, found.foreign) == (300, (2,), (2,))
    # The account's own currency is told, or told anew.
    blind = index(msgspec.structs.replace(state, values=None))
    assert values(blind.total > 300, blind.foreign) == (True, ())
    again = blind.follow(state, blind.exposure)
    assert values(again.total, again.foreign) == (300, (2,))


# -- against brute force -------------------------------------------------------------------


def _walk(size: int, mark: Decimal, ends: list[tuple[Decimal, int]], sign: int) -> Decimal:
    """Lose a position at its stops, share by share, in the worst order; the rest a fifth down."""
    each = sorted((end for end, part in ends for _ in range(part)), key=lambda end: end * sign)
    worst = [max(ZERO, (mark - end) * sign) for end in each[:size]]
    return sum(worst, ZERO) + (size - len(worst)) * mark * D("0.20")


def test_no_subset_of_what_works_can_lose_more() -> None:
    """The heat is the loss of the worst subset of entries filling, all stopped."""
    pick = random.Random(7)  # noqa: S311 - no secret
    for _ in range(300):
        sign = pick.choice((1, -1))
        size = pick.randint(0, 6)
        buy, sell = ("BUY", "SELL") if sign > 0 else ("SELL", "BUY")
        parts: list[Order | Position] = [held(size * sign)] if size else []
        cut = pick.randint(0, size)
        ends = [
            (D(150 - sign * pick.randint(0, 20)), part)
            for part in (cut, pick.randint(0, size - cut))
            if part
        ]
        parts += [
            resting(stop(sell, part, f"{end}", f"h-{n}")) for n, (end, part) in enumerate(ends)
        ]
        losses: list[tuple[str, Decimal]] = []
        for number in range(pick.randint(0, 4)):
            rival = pick.choice(("", "", "pair"))
            more: dict[str, Any] = {"oca_group": rival} if rival else {}
            at, away = pick.randint(140, 160), pick.randint(1, 9)
            one = entry(buy, pick.randint(1, 5), str(at), f"t-{number}", **more)
            parts.append(one)
            has_stop = pick.random() < 0.7
            if has_stop:
                parts.append(child(one, str(at - sign * away)))
            unit = D(away) if has_stop else at * D("0.20")
            losses.append((rival, one.spec.quantity * unit))
        if not parts:
            continue
        standing = _walk(size, D(150), ends, sign) if size else ZERO
        worst = max(
            standing + sum((loss for _, loss in subset), ZERO)
            for count in range(len(losses) + 1)
            for subset in itertools.combinations(losses, count)
            if sum(1 for rival, _ in subset if rival) <= 1
        )
        assert heat(*parts).total == worst
