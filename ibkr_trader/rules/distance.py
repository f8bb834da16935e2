"""How far from an entry a stop or a target lies, as people write it: `3%`, `2atr`, `1.50`, `3R`."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.toml_values import number, shown
from ibkr_trader.rules.wishes import CannotWish

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = "3%, 1.50 (an amount), 2atr, or for a target 3R (times the way to the stop)"
_WRITTEN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) *(%|atr|r|)", re.IGNORECASE)
_ATR = 14  # bars


class Unit(StrEnum):
    """What a distance is counted in."""

    PERCENT = "%"
    AMOUNT = ""
    ATR = "atr"
    RISK = "r"


class Distance(msgspec.Struct, frozen=True):
    """So many of a unit, above zero."""

    value: Decimal
    unit: Unit

    @classmethod
    def of(cls, written: object) -> Distance:
        """Return the distance that somebody wrote; a bare number is an amount.

        Raises:
            ValueError: If it is none.
        """
        text = written if isinstance(written, str) else f"{number(written):f}"
        found = _WRITTEN.fullmatch(text.strip()) if text.isascii() else None
        if found is None or not Decimal(found[1]):
            raise ValueError(f"{shown(written)} is no distance; write {FORMS}")
        unit = Unit(found[2].lower())
        if unit is Unit.PERCENT and Decimal(found[1]) >= 100:  # noqa: PLR2004 - per cent
            raise ValueError(f"{shown(written)} is all of the price or more")
        return cls(Decimal(found[1]), unit)

    def __str__(self) -> str:
        return f"{self.value:f}{self.unit.upper() if self.unit is Unit.RISK else self.unit}"

    @property
    def indicator(self) -> tuple[str, tuple[Decimal, ...]] | None:
        """The indicator that it is counted in, if it is."""
        return ("atr", (Decimal(_ATR),)) if self.unit is Unit.ATR else None

    def away(
        self,
        entry: Decimal,
        *,
        indicator: Callable[[str, tuple[Decimal, ...]], Decimal | None],
        risk: Decimal | None = None,
    ) -> Decimal:
        """Return the distance in price from `entry`.

        Args:
            entry: The price that it is counted from.
            indicator: Says what an indicator's value is; None if nobody knows yet.
            risk: From the entry to the stop, for what is counted in it.

        Raises:
            CannotWish: If what it is counted in is not known.
        """
        if self.unit is Unit.PERCENT:
            return entry * self.value / 100
        if self.unit is Unit.AMOUNT:
            return self.value
        if self.unit is Unit.ATR:
            one = indicator("atr", (Decimal(_ATR),))
            if one is None:
                raise CannotWish(f"the average range of {_ATR} bars is not known yet")
            if one <= 0:  # nothing has traded at two prices: a stop would stand at the entry
                raise CannotWish(f"the average range of {_ATR} bars is {one}")
            return one * self.value
        if risk is None:
            message = f"{self} is counted in what is risked, and no stop says how much that is"
            raise CannotWish(message, 'give the action a stop_loss such as "3%"')
        return risk * self.value
