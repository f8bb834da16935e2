"""Which positions a person has handed to the desk, or taken from it, in words and for documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import Care
from ibkr_trader.core.text import quantity
from ibkr_trader.portfolio.caring import is_released

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.events import CareEvent
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.portfolio.protection import Protection


def care_of(desk: Desk, con_id: int) -> str | None:
    """Return what a person has said of a position: `adopted`, `released`, or None."""
    said = desk.trader.portfolio.cares.get(con_id)
    return said.care.value if said is not None else None


def care_names(desk: Desk, care: Care) -> list[str]:
    """Return the names of the positions of which a person has said so."""
    cares = desk.trader.portfolio.cares.values()
    return sorted(label(one.contract) for one in cares if one.care is care)


def looked_after(desk: Desk, guards: Iterable[Protection]) -> list[Protection]:
    """Return the protection of all that is not left alone: how that is covered is its owner's."""
    portfolio = desk.trader.portfolio
    return [one for one in guards if not is_released(portfolio, one.position.contract.con_id)]


def care_lines(desk: Desk) -> list[str]:
    """Return a line for each position that is left alone, and how that ends."""
    return [
        f"{label(one.contract)}: released, it and its orders are left alone. "
        f"Next: ibkr-trader adopt {ticker(one.contract)}"
        for one in desk.trader.portfolio.cares.values()
        if one.care is Care.RELEASED
    ]


def care_sentence(event: CareEvent) -> str:
    """Return in words that a position was adopted or released."""
    size = quantity(event.held, signed=True)
    return f"{event.care.value} {size} {label(event.contract)}"
