"""Each order by itself is one that can be written to the wire, and means one thing.

Binds everything: an order in bad form is refused by the broker, or does what nobody meant.
"""

from __future__ import annotations

import re
from datetime import UTC
from decimal import ROUND_FLOOR
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.shapes import MOST, faults
from ibkr_trader.core.text import moment
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Contract, OrderSpec
    from ibkr_trader.core.shapes import Fault
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView

_FLAGS = {
    "quantity": "--quantity",
    "limit_price": "--limit",
    "stop_price": "--stop",
    "trail_amount": "--trail-amount",
    "trail_percent": "--trail-percent",
    "time_in_force": "--tif",
}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_TEXT = re.compile(r"[ -~]*")
_LAST_ID = 2**31 - 1


@check("order_form", Binds.ALL, gauge=rule("order_form", "every order is whole and well formed"))
def order_form(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny orders whose parts are malformed or do not fit together."""
    judged: Contract | None = None
    for change in proposal.changes:
        for fault in faults(change.spec):
            yield _misshapen(fault, change.spec)
        yield from _left(change)
        yield from _good_after(change, view)
        yield from _names(change.spec, is_preview=view.is_preview)
        if change.spec.contract is not judged:  # the orders of a group share one
            yield from _contract(change.spec.contract)
            judged = change.spec.contract


def _breach(message: str, actual: object = "", hint: str = "") -> Breach:
    return Breach(check="order_form", message=message, actual=str(actual), hint=hint)


def _misshapen(fault: Fault, spec: OrderSpec) -> Breach:
    """What the table of shapes says, with the option that mends it."""
    message = f"{fault.text[0].upper()}{fault.text[1:]}."
    flag = _FLAGS.get(fault.field, "")
    hint = f"correct {flag}" if flag else ""
    if fault.field == "quantity":
        hint = f"use {flag} {_whole(spec.quantity)}"
    elif flag and "needs" in fault.text:
        hint = f"give {flag}"
    elif flag and "takes no" in fault.text:
        hint = f"leave out {flag}"
    return _breach(message, fault.value, hint)


def _whole(quantity: Decimal) -> str:
    """The whole number at or below; 1 where there is none that means anything."""
    if not quantity.is_finite() or not 1 <= quantity <= MOST:
        return "1"
    return number(quantity.to_integral_value(ROUND_FLOOR))


def _left(change: Change) -> Iterator[Breach]:
    quantity, before = change.spec.quantity, change.before
    if before is not None and quantity.is_finite() and 0 < quantity <= before.filled:
        done = number(before.filled)
        yield _breach(
            f"The quantity {number(quantity)} is not more than the {done} already filled.",
            quantity,
            f"use --quantity above {done}, or cancel the rest",
        )


def _good_after(change: Change, view: RiskView) -> Iterator[Breach]:
    """A time that is past already means now, which is not what was asked for."""
    after = change.spec.good_after
    if after is None or change.before is not None or after.utcoffset() is None:
        return
    if after <= view.now:
        yield _breach(
            f"The good-after time {moment(after, UTC)} has passed: the order would work at once.",
            after.isoformat(),
            "name a later time",
        )


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


def _contract(contract: Contract) -> Iterator[Breach]:
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
