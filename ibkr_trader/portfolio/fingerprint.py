"""What the broker has, in few words: so that one who comes later can say what has moved.

A fingerprint holds what is held, what works and on what terms, and which executions were seen.
Two that are equal are of the same state of things, whatever was said in between.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.shapes import TRAIL_TYPES
from ibkr_trader.core.text import price, quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibkr_trader.core.models import Order
    from ibkr_trader.portfolio.state import PortfolioState


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker's side of an account at one moment.

    Attributes:
        held: What is held of each contract, signed, by its name.
        orders: What can still trade, whoever's, by id, each in words.
        executions: The executions of the day that were seen.
    """

    held: dict[str, Decimal]
    orders: dict[str, str]
    executions: tuple[str, ...] = ()


def fingerprint(state: PortfolioState) -> Fingerprint:
    """Return the fingerprint of an account."""
    return Fingerprint(
        held={label(one.contract): one.quantity for one in state.positions.values()},
        orders={order.order_id: in_words(order) for order in state.orders.values()},
        executions=tuple(sorted(state.fills)),
    )


def moved(then: Fingerprint, now: Fingerprint) -> Iterator[str]:
    """Yield everything that is not as it was, a sentence each.

    Executions that are forgotten since, at the end of a day, are no news.
    """
    for name in sorted(then.held.keys() | now.held.keys()):
        before, after = then.held.get(name), now.held.get(name)
        if before != after:
            was, is_now = (quantity(one or Decimal(0)) for one in (before, after))
            yield f"The position in {name} was {was} and is {is_now}."
    yield from orders_moved(then.orders, now.orders)
    news = len(set(now.executions) - set(then.executions))
    if news:
        yield f"{news} execution{'s have' if news > 1 else ' has'} come in."


def orders_moved(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield which orders are not as they were, by id and terms in words, a sentence each."""
    for order_id in sorted(then.keys() | now.keys()):
        before, after = then.get(order_id), now.get(order_id)
        if before is None:
            yield f"{order_id} ({after}) works, and did not."
        elif after is None:
            yield f"{order_id} ({before}) does not work any more."
        elif before != after:
            yield f"{order_id} was {before} and is {after}."


def in_words(order: Order) -> str:
    """Return an order's terms, as far as somebody must have changed them: a trail moves itself."""
    spec = order.desired or order.spec
    terms = [spec.limit_price, spec.trail_amount, spec.trail_percent]
    if spec.order_type not in TRAIL_TYPES:
        terms.append(spec.stop_price)
    prices = " ".join(price(term) for term in terms if term is not None)
    left = quantity(spec.quantity - order.filled)
    return f"{spec.side} {left} {spec.order_type} {prices}".strip()
