"""`--size`: how many, by a rule; read as it is typed, and worked out once the desk is open."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.sizing import size
from ibkr_trader.risk.sizing import (
    AtrRisk,
    CannotSize,
    FixedQuantity,
    FixedRisk,
    Kelly,
    Odds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import OrderRequest
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.group import GroupRequest
    from ibkr_trader.risk.sizing import Sized, Sizing

OPTION = "--size"
_FORMS = "10, risk:1%, risk:250, atr:2, atr:2:0.5%, kelly, kelly:0.55:1.8 or kelly:0.55:1.8:0.25"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_DEFAULT_RISK = FixedRisk(fraction=Decimal("0.01"))


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
    name, *figures = text.strip().lower().split(":")
    try:
        if _NUMBER.fullmatch(name) and not figures:
            whole = Decimal(name)
            if whole == whole.to_integral_value() and whole > 0:
                return FixedQuantity(whole)
        elif name == "risk" and len(figures) == 1:
            return _risk(figures[0])
        elif name == "atr" and len(figures) in {1, 2}:
            risk = _risk(figures[1]) if figures[1:] else _DEFAULT_RISK
            return AtrRisk(multiple=_number(figures[0]), risk=risk)
        elif name == "kelly" and len(figures) in {0, 2, 3}:
            return _kelly(figures)
    except ValueError as error:
        raise _fault(text, f"{text!r} {error}") from error
    raise _fault(text, f"{text!r} is no size")


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


def _kelly(figures: list[str]) -> Kelly:
    if not figures:
        return Kelly()
    odds = Odds(win_rate=_number(figures[0]), payoff=_number(figures[1]))
    return Kelly(odds=odds, part=_number(figures[2])) if figures[2:] else Kelly(odds=odds)


def _risk(text: str) -> FixedRisk:
    if text.endswith("%"):
        return FixedRisk(fraction=_number(text[:-1]) / 100)
    return FixedRisk(amount=_number(text))


def _number(text: str) -> Decimal:
    if not (text.isascii() and _NUMBER.fullmatch(text)):
        raise ValueError(f"has {text!r}, which is no number")
    return Decimal(text)


def _fault(text: str, message: str) -> UsageFault:
    return UsageFault(
        f"{OPTION} {message}; it is one of: {_FORMS}", option=OPTION, typed=text, better="risk:1%"
    )
