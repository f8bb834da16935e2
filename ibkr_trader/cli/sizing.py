"""`--size`: how many, by a rule; read as it is typed, and worked out once the desk is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.sizing import size
from ibkr_trader.risk.size_text import FORMS, size_of
from ibkr_trader.risk.sizing import CannotSize

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from ibkr_trader.core.models import OrderRequest
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.group import GroupRequest
    from ibkr_trader.risk.sizing import Sized, Sizing

OPTION = "--size"


class Unsized(NamedTuple):
    """A request that still lacks its quantity.

    Attributes:
        rule: How to find it.
        entry: What is to be entered; its quantity does not matter.
        stop: What gives up, if that was said.
        make: Makes the request of a quantity, and of the stop if the rule chose one.
    """

    rule: Sizing
    entry: OrderRequest
    stop: OrderRequest | None
    make: Callable[[Decimal, Decimal | None], OrderRequest | GroupRequest]


def rule_of(text: str) -> Sizing:
    """Return the rule that `--size` names.

    Raises:
        UsageFault: If it is none.
    """
    try:
        return size_of(text)
    except ValueError as error:
        raise _fault(text, f"{text!r} {error}") from error


def only_one(given: str, rule: str) -> None:
    """Refuse a command line with both a quantity and a size, or with neither.

    Raises:
        UsageFault: Naming both.
    """
    if bool(given) == bool(rule):
        why = "both --quantity and --size are given" if given else "--quantity is missing"
        raise UsageFault(why, hint="give --quantity N, or --size with a rule such as risk:1%")


async def sized(trader: Trader, wish: Unsized) -> tuple[OrderRequest | GroupRequest, list[str]]:
    """Return the request with its quantity, and how that was found, for people.

    Raises:
        UsageFault: If the rule finds no quantity.
        TraderError: Whatever keeps the broker from answering.
    """
    try:
        found = await size(trader, wish.rule, wish.entry, stop=wish.stop)
    except CannotSize as error:
        raise UsageFault(f"{OPTION}: {error.message}", hint=error.hint) from error
    return wish.make(found.quantity, found.stop), _told(found)


def _told(found: Sized) -> list[str]:
    return [f"Size {quantity(found.quantity)}: {'; '.join(found.reasons)}"]


def _fault(text: str, message: str) -> UsageFault:
    return UsageFault(
        f"{OPTION} {message}; it is one of: {FORMS}", option=OPTION, typed=text, better="risk:1%"
    )
