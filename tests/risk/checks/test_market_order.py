from __future__ import annotations

import pytest

from tests.risk.world import aged, held, judge, limit, quote, reasons, review, spec, submit, view


@pytest.mark.parametrize(
    ("bid", "ask", "word"),
    [
        ("150.00", "150.00", ""),
        ("149.25", "150.75", ""),  # 1 % of the middle
        ("149.25", "150.76", "spread"),
        ("2.00", "2.05", ""),  # five cents
        ("2.00", "2.06", "spread"),
        (None, "150", "both sides"),
        ("150", None, "both sides"),
        ("0", "150", "both sides"),
        ("151", "150", "both sides"),
    ],
)
def test_somebody_must_ask_and_not_too_much(bid: str | None, ask: str | None, word: str) -> None:
    world = view(quotes={1: aged(quote(bid, ask))})
    found = judge("market_order", submit(spec("BUY", 10)), world)
    assert bool(found) is bool(word)
    assert all(word in breach.message for breach in found)


@pytest.mark.parametrize(("side", "price"), [("BUY", "152"), ("SELL", "149")])
def test_the_hint_is_a_limit_at_the_other_side(side: str, price: str) -> None:
    world = view(quotes={1: aged(quote("149", "152"))})
    (breach,) = judge("market_order", submit(spec(side, 10)), world)
    assert breach.hint == f"give it a limit price: {price}"


def test_limit_orders_and_closing_ones_are_not_asked() -> None:
    world = view(held(10), quotes={1: aged(quote("140", "150"))})
    assert judge("market_order", submit(limit("BUY", 10, "145")), world) == []
    assert reasons(review(submit(spec("SELL", 10)), world)) == set()
