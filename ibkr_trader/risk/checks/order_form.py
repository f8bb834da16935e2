"""Each order by itself is one that can be written to the wire, and means one thing.

Binds everything: an order in bad form is refused by the broker, or does what nobody meant.
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderType, TimeInForce
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


class _Shape(NamedTuple):
    """Which prices an order type takes; a trailing one takes exactly one of two trails."""

    needs: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    trails: bool = False


_SHAPES = {
    OrderType.MARKET: _Shape(),
    OrderType.LIMIT: _Shape(("limit_price",)),
    OrderType.STOP: _Shape(("stop_price",)),
    OrderType.STOP_LIMIT: _Shape(("limit_price", "stop_price")),
    OrderType.TRAIL: _Shape((), ("stop_price",), trails=True),
    OrderType.TRAIL_LIMIT: _Shape(("limit_price",), ("stop_price",), trails=True),
    OrderType.MARKET_IF_TOUCHED: _Shape(("stop_price",)),
    OrderType.LIMIT_IF_TOUCHED: _Shape(("limit_price", "stop_price")),
    OrderType.MARKET_ON_CLOSE: _Shape(),
    OrderType.LIMIT_ON_CLOSE: _Shape(("limit_price",)),
}
_IMMEDIATE = frozenset({OrderType.MARKET, OrderType.LIMIT})
_AT_CLOSE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE})
_FLAGS = {
    "limit_price": "--limit",
    "stop_price": "--stop",
    "trail_amount": "--trail-amount",
    "trail_percent": "--trail-percent",
}
_TRAILS = ("trail_amount", "trail_percent")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_TEXT = re.compile(r"[ -~]*")
_MOST = Decimal(10) ** 9  # above it, nothing is meant
_LAST_ID = 2**31 - 1


@check("order_form", Binds.ALL)
def order_form(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny orders whose parts are malformed or do not fit together."""
    for change in proposal.changes:
        yield from _quantity(change)
        yield from _prices(change.spec)
        yield from _trail(change.spec)
        yield from _time_in_force(change.spec)
        yield from _names(change.spec, is_preview=view.is_preview)


def _breach(message: str, actual: object = "", hint: str = "") -> Breach:
    return Breach(check="order_form", message=message, actual=str(actual), hint=hint)


def _quantity(change: Change) -> Iterator[Breach]:
    quantity = change.spec.quantity
    if not quantity.is_finite():
        yield _breach(f"The quantity {quantity} is not a number.", quantity, "use --quantity 1")
    elif quantity < 1:
        yield _breach(
            f"The quantity is {number(quantity)}; it must be 1 or more.",
            quantity,
            "use --quantity 1 or more, and --side sell to sell",
        )
    elif quantity > _MOST:
        yield _breach(f"The quantity {quantity} is beyond any meaning.", quantity)
    elif quantity % 1:
        whole = number(quantity.to_integral_value(ROUND_FLOOR))
        yield _breach(
            f"The quantity {number(quantity)} is not a whole number of shares.",
            quantity,
            f"use --quantity {whole}",
        )
    elif change.before is not None and quantity <= change.before.filled:
        done = number(change.before.filled)
        yield _breach(
            f"The quantity {number(quantity)} is not more than the {done} already filled.",
            quantity,
            f"use --quantity above {done}, or cancel the rest",
        )


def _prices(spec: OrderSpec) -> Iterator[Breach]:
    shape = _SHAPES[spec.order_type]
    for field, flag in _FLAGS.items():
        value: Decimal | None = getattr(spec, field)
        words = field.replace("_", " ")
        takes = field in shape.needs or field in shape.may_have
        if field in _TRAILS:
            takes = shape.trails
        if value is None:
            if field in shape.needs:
                yield _breach(f"A {spec.order_type} order needs a {words}.", "", f"give {flag}")
        elif not takes:
            yield _breach(
                f"A {spec.order_type} order takes no {words}.", value, f"leave out {flag}"
            )
        elif not (value.is_finite() and 0 < value <= _MOST):
            yield _breach(
                f"The {words} {value} is not a price above zero.", value, f"correct {flag}"
            )


def _trail(spec: OrderSpec) -> Iterator[Breach]:
    given = [name for name in _TRAILS if getattr(spec, name) is not None]
    if _SHAPES[spec.order_type].trails and len(given) != 1:
        yield _breach(
            f"A {spec.order_type} order needs one of a trail amount and a trail percent.",
            len(given),
            "give --trail-amount or --trail-percent",
        )
    percent = spec.trail_percent
    if percent is not None and percent.is_finite() and percent >= 100:  # noqa: PLR2004 - per cent
        yield _breach(
            f"A trail of {number(percent)} percent is no stop.", percent, "correct --trail-percent"
        )


def _time_in_force(spec: OrderSpec) -> Iterator[Breach]:
    kind, tif = spec.order_type, spec.time_in_force
    if tif is TimeInForce.GTD:
        yield _breach("An order good till a date has no date here.", tif, "use --tif gtc")
    elif kind in _AT_CLOSE and tif is not TimeInForce.DAY:
        yield _breach(f"A {kind} order lives for the day only, not {tif}.", tif, "use --tif day")
    elif tif in (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG) and kind not in _IMMEDIATE:
        yield _breach(f"{tif} is for market and limit orders, not {kind}.", tif, "use --tif day")


def _names(spec: OrderSpec, *, is_preview: bool) -> Iterator[Breach]:
    for what, text in (("order id", spec.order_id), ("group id", spec.group_id)):
        if not _NAME.fullmatch(text):
            yield _breach(f"The {what} {text!r} is not 1 to 40 of A-Z a-z 0-9 . _ -.", text)
    if not _NAME.fullmatch(spec.account):
        yield _breach(f"The account {spec.account!r} is malformed.", spec.account)
    if (spec.oca_group and not _NAME.fullmatch(spec.oca_group)) or (
        bool(spec.oca_group) != (spec.oca_type is not None)
    ):
        yield _breach(f"The OCA group {spec.oca_group!r} is malformed.", spec.oca_group)
    if not (0 < spec.broker_order_id <= _LAST_ID or is_preview):
        yield _breach("The order has no broker order id.", spec.broker_order_id)
    yield from _contract(spec)


def _contract(spec: OrderSpec) -> Iterator[Breach]:
    contract = spec.contract
    if contract.con_id <= 0:
        yield _breach(f"{label(contract)} is not resolved to one contract.", contract.con_id)
    if not (contract.multiplier.is_finite() and contract.multiplier > 0):
        yield _breach(f"The multiplier of {label(contract)} is not a number above zero.")
    texts = (
        contract.symbol,
        contract.exchange,
        contract.currency,
        contract.primary_exchange,
        contract.local_symbol,
        contract.trading_class,
        contract.expiry,
        contract.right,
    )
    if not contract.symbol or not all(_TEXT.fullmatch(text) for text in texts):
        yield _breach(f"The contract {contract.symbol!r} has characters that cannot be sent.")
