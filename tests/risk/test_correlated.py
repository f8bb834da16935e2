"""An index that is carried on must be what one from nothing is."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core.models import Contract, Order, Position
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.value_span import NOTHING, Span
from ibkr_trader.risk.correlated import CorrelatedIndex, index_of
from ibkr_trader.risk.correlation import CorrelationMatrix
from tests.risk.world import (
    AAPL,
    MSFT,
    NOW,
    D,
    figures,
    held,
    limit,
    portfolio,
    spec,
    view,
    working,
)

NAMES = ("AAPL", "GLD", "MSFT", "SH")
MATRIX = CorrelationMatrix(
    computed_at=NOW,
    lookback=60,
    symbols=NAMES,
    coefficients={
        ("AAPL", "MSFT"): 0.7,
        ("AAPL", "GLD"): 0.69,
        ("AAPL", "SH"): -0.7,
        ("GLD", "MSFT"): -0.69,
    },
)
SECTORS = {"AAPL": "Technology", "MSFT": "Technology", "NEW": "Energy"}
THRESHOLD = Decimal("0.7")
GLD, SH, NEW = (Contract(symbol=s, con_id=n) for n, s in enumerate(("GLD", "SH", "NEW"), start=3))
PUT = Contract(symbol="AAPL", con_id=9, right="P", multiplier=D(100))


def index(
    *parts: Order | Position,
    before: CorrelatedIndex | None = None,
    matrix: CorrelationMatrix | None = MATRIX,
) -> CorrelatedIndex:
    return (before or CorrelatedIndex()).follow(
        ExposureIndex.of(portfolio(*parts)), matrix=matrix, threshold=THRESHOLD, sectors=SECTORS
    )


def test_sums_of_what_moves_together() -> None:
    found = index(
        held(10, cost="100"), held(-4, MSFT, "100"), held(3, SH, "100"), held(1, GLD, "50")
    )
    assert found.ups == {"AAPL": 300, "MSFT": 600, "SH": -700, "GLD": 50}
    assert found.downs == {"AAPL": -300, "MSFT": -600, "SH": 700, "GLD": -50}
    assert found.worst == {"AAPL": 300, "MSFT": 600, "SH": 700, "GLD": 50}
    assert (found.total, found.unknown) == figures(1750, 0)
    assert not found.strangers
    assert found.by_sector == {"Technology": Span(D(600), D(600))}


def test_who_is_not_in_the_matrix_counts_apart() -> None:
    found = index(held(10, cost="100"), held(-4, NEW, "100"))
    assert (found.total, found.unknown) == figures(1400, 400)
    assert found.strangers == {"NEW"}
    assert found.ups["AAPL"] == 1000
    assert found.by_sector["Energy"] == Span(D(-400), D(-400))
    found = index(held(10, cost="100"), matrix=None)
    assert (found.ups, found.unknown) == ({}, D(1000))
    assert found.strangers == {"AAPL"}


def test_a_put_counts_both_ways() -> None:
    found = index(held(2, PUT, "1"))
    assert found.spans == {"AAPL": Span(D(-200), D(200))}
    assert index(held(2, msgspec.structs.replace(PUT, right="C"), "1")).spans["AAPL"].low == 200


def test_without_a_price_nothing_is_added() -> None:
    found = index(working(spec("BUY", 10, "t-1-single")))
    assert found.spans == {"AAPL": NOTHING}
    assert found.parts[1].span is None
    gone = index(before=found)
    assert (gone.spans, len(gone.parts), gone.total) == ({}, 0, D(0))


def test_a_symbol_may_change_its_name() -> None:
    first = index(held(10, cost="100"))
    second = index(held(10, msgspec.structs.replace(AAPL, symbol="GLD"), "100"), before=first)
    assert second.spans == {"GLD": Span(D(1000), D(1000))}
    assert (second.ups["AAPL"], second.ups["GLD"], second.total) == figures(0, 1000, 1000)
    assert second.by_sector == {}


def test_the_same_view_has_the_same_index() -> None:
    desk = view(held(10), correlations=MATRIX, sectors=SECTORS)
    once = index_of(desk)
    assert index_of(msgspec.structs.replace(desk, correlated=once)) is once


def test_correlations_and_sectors_may_change_under_it() -> None:
    parts = (held(10, cost="100"), held(-4, MSFT, "100"))
    first = index(*parts)
    other = msgspec.structs.replace(MATRIX, coefficients={})
    assert index(*parts, before=first, matrix=other).ups["AAPL"] == 1000
    again = first.follow(first.exposure, matrix=MATRIX, threshold=D("0.71"), sectors=SECTORS)
    assert again.ups["AAPL"] == 1000
    named = first.follow(first.exposure, matrix=MATRIX, threshold=THRESHOLD, sectors={})
    assert (named.by_sector, named.ups, named.near is first.near) == ({}, first.ups, True)


def test_what_is_carried_on_is_what_is_made_anew() -> None:
    luck = random.Random(1)  # noqa: S311 - as many days, no secret
    contracts = [AAPL, MSFT, GLD, SH, NEW, PUT]
    parts: dict[str, Order | Position] = {}
    carried = CorrelatedIndex()
    for step in range(300):
        contract = luck.choice(contracts)
        match luck.randrange(4):
            case 0:
                cost = str(Decimal(luck.randint(1, 999)) / 7)
                parts[f"p{contract.con_id}"] = held(luck.choice((-7, 3, 11)), contract, cost)
            case 1:
                parts.pop(f"p{contract.con_id}", None)
            case 2:
                name = f"t-{step}-single"
                side, price = luck.choice(("BUY", "SELL")), str(luck.randint(1, 300))
                order = limit(side, luck.randint(1, 9), price, name, contract=contract)
                parts[name] = working(order)
            case _:
                orders = [name for name in parts if name.startswith("t-")]
                if orders:
                    del parts[luck.choice(orders)]
        carried = index(*parts.values(), before=carried)
        anew = index(*parts.values())
        for name in (
            "spans",
            "ups",
            "downs",
            "worst",
            "by_sector",
            "total",
            "unknown",
            "strangers",
        ):
            assert getattr(carried, name) == getattr(anew, name), (step, name)


def test_other_money_is_in_no_sum_and_is_named() -> None:
    yen = msgspec.structs.replace(MSFT, currency="JPY")
    exposure = ExposureIndex.of(portfolio(held(10, cost="100"), held(4, yen, "3000")))
    terms: dict[str, Any] = {"matrix": MATRIX, "threshold": THRESHOLD, "sectors": SECTORS}
    blind = CorrelatedIndex().follow(exposure, **terms)  # nobody has said which is ours
    found = blind.follow(exposure, currency="USD", **terms)
    assert (found.total, found.ups["AAPL"]) == figures(1000, 1000)
    assert found.foreign == {"MSFT": "JPY"}
    assert found == CorrelatedIndex().follow(exposure, currency="USD", **terms)
    assert found.follow(exposure, currency="JPY", **terms).foreign == {"AAPL": "USD"}
    flat = ExposureIndex.of(portfolio(held(10, cost="100")))
    assert not found.follow(flat, currency="USD", **terms).foreign
