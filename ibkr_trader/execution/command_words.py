"""What a group had asked for, in words for whoever reads that it did not come about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import quantity

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.verdict import Denied

_NEXT = "nothing was sent; ibkr-trader reconcile shows what is left to do"


def asked(command: Command) -> str:
    """Return a command as the subject of a sentence: `the order SELL 5 AAPL`."""
    match command:
        case SubmitOrders(orders=orders):
            return f"the order {', '.join(map(_terms, orders))}"
        case ModifyOrder(order_id=order_id):
            return f"the change of {short_id(order_id)}"
        case CancelOrder(order_id=order_id):
            return f"the cancel of {short_id(order_id)}"


def denial(command: Command, verdict: Denied) -> str:
    """Return what our checks have refused, why, and where to look: nobody stands behind it."""
    return f"{asked(command)} was denied: {verdict.reasons.rstrip('.')}; {_NEXT}"


def _terms(spec: OrderSpec) -> str:
    kind = spec.order_type.value.replace("_", " ")
    return f"{spec.side} {quantity(spec.quantity)} {label(spec.contract)} {kind}"
