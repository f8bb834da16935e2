"""A stop is on the losing side of what it protects, a target on the winning side.

A stop on the wrong side fires at once, as does an order that waits for a touch; one too near
fires by chance, one too far protects nothing and is usually a slipped decimal point. A stop
with a limit on the wrong side of its trigger waits for a price that has gone by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.events import Breach
from ibkr_trader.core.shapes import PRICES, STOP_TYPES, TOUCHED_TYPES
from ibkr_trader.core.text import percent, price
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.pricing import entry_of, entry_price, market_for
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


def _words(view: RiskView) -> str:
    least, most = view.limits.min_stop_distance, view.limits.max_stop_distance
    return f"a stop is {percent(least)} to {percent(most)} from its entry, on the losing side"


@check("stop_side", Binds.ALL_IF_KNOWN, gauge=rule("stop_side", _words))
def stop_side(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny stops and targets on the wrong side, and stops at an odd distance."""
    for change in proposal.changes:
        if _keeps_prices(change):
            continue  # a stop that has been passed, or has fired, may be cut all the same
        spec = change.spec
        entry = entry_of(change, proposal, view)
        if entry is not None and entry.side is not spec.side:
            base = entry_price(view, entry)
            if spec.order_type in STOP_TYPES:
                yield from _stop(change, base, view=view, what="the entry")
            else:
                yield from _target(change, base)
        elif spec.order_type in STOP_TYPES:
            what = "the ask" if change.is_buy else "the bid"
            yield from _stop(change, market_for(view, change), view=view, what=what)
        elif spec.order_type in TOUCHED_TYPES:
            yield from _touch(change, market_for(view, change))
        yield from _limits(spec)


def _keeps_prices(change: Change) -> bool:
    if change.before is None:
        return False
    old, new = change.before.desired or change.before.spec, change.spec
    return all(getattr(old, name) == getattr(new, name) for name in PRICES)


def _stop(change: Change, base: Decimal, *, view: RiskView, what: str) -> Iterator[Breach]:
    spec = change.spec
    stop = spec.stop_price
    if stop is not None and (stop - base) * spec.side.sign <= 0:
        side = "above" if change.is_buy else "below"
        yield Breach(
            check="stop_side",
            message=(
                f"The {spec.side} stop {price(stop)} is not {side} {what} {price(base)}: "
                "it would fire at once."
            ),
            limit=number(base),
            actual=number(stop),
            hint=_other_stop(change, f"{side} {number(base)}", is_exit=what == "the entry"),
        )
        return
    distance = _distance(spec, base)
    if distance is not None:
        yield from _judge(change, distance, view=view, what=what)


def _touch(change: Change, market: Decimal) -> Iterator[Breach]:
    """What waits for a touch waits for a better price: for a buyer below the market."""
    spec, touch = change.spec, change.spec.stop_price
    if touch is None or (touch - market) * spec.side.sign < 0:
        return
    side, what = ("below", "the ask") if change.is_buy else ("above", "the bid")
    yield Breach(
        check="stop_side",
        message=(
            f"The {spec.side} trigger {price(touch)} is not {side} {what} {price(market)}: "
            "it would be touched at once."
        ),
        limit=number(market),
        actual=number(touch),
        hint=f"use --stop {side} {number(market)}",
    )


def _limits(spec: OrderSpec) -> Iterator[Breach]:
    """Deny a protective stop that could not trade once it has triggered."""
    if spec.role is not OrderRole.STOP:
        return
    for terms in (spec, spec.adjustment):
        stop = terms.stop_price if terms is not None else None
        limit = terms.limit_price if terms is not None else None
        if stop is None or limit is None or (limit - stop) * spec.side.sign >= 0:
            continue
        side = "below" if spec.side.sign > 0 else "above"
        yield Breach(
            check="stop_side",
            message=(
                f"The {spec.side} stop's limit {price(limit)} is {side} its trigger "
                f"{price(stop)}: once it has triggered, that price is gone."
            ),
            limit=number(stop),
            actual=number(limit),
            hint=f"set the limit to {number(stop)} or {'more' if spec.side.sign > 0 else 'less'}",
        )


def _distance(spec: OrderSpec, base: Decimal) -> Decimal | None:
    """How far the stop stands or trails from `base`, as a fraction of it."""
    if spec.trail_percent is not None:
        return spec.trail_percent / 100
    if spec.trail_amount is not None:
        return spec.trail_amount / base
    return abs(spec.stop_price - base) / base if spec.stop_price is not None else None


def _judge(change: Change, distance: Decimal, *, view: RiskView, what: str) -> Iterator[Breach]:
    limits = view.limits
    # A working stop that follows the market may come near it, and come from far away.
    is_checked = change.before is None or change.opens or change.widens
    if is_checked and distance > limits.max_stop_distance:
        yield Breach(
            check="stop_side",
            message=(
                f"The stop is {percent(distance)} from {what}; "
                f"the limit is {percent(limits.max_stop_distance)}."
            ),
            limit=number(limits.max_stop_distance),
            actual=number(distance),
            hint="check its decimal point, or move the stop nearer",
        )
    if change.before is None and distance < limits.min_stop_distance:
        yield Breach(
            check="stop_side",
            message=(
                f"The stop is only {percent(distance)} from {what}: it would fire by chance. "
                f"The least is {percent(limits.min_stop_distance)}."
            ),
            limit=number(limits.min_stop_distance),
            actual=number(distance),
            hint="move the stop away from the price",
        )


def _other_stop(change: Change, where: str, *, is_exit: bool) -> str:
    if change.before is not None:
        return f"use --stop {where}"
    if is_exit:
        return f"use --stop-loss {where}"
    return f"use --stop {where}, or --side {change.spec.side.opposite.lower()}"


def _target(change: Change, entry: Decimal) -> Iterator[Breach]:
    spec = change.spec
    target = spec.stop_price if spec.order_type in TOUCHED_TYPES else spec.limit_price
    if target is None or (target - entry) * spec.side.sign < 0:
        return
    side = "below" if spec.side.sign > 0 else "above"
    yield Breach(
        check="stop_side",
        message=(
            f"The {spec.side} target {price(target)} is not {side} the entry {price(entry)}: "
            "it would close at a loss at once."
        ),
        limit=number(entry),
        actual=number(target),
        hint=f"use {'--limit' if change.before else '--take-profit'} {side} {number(entry)}",
    )
