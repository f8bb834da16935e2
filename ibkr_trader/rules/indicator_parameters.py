"""The numbers that an indicator takes: what is legal, and what is meant if one is left out."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

# Longer windows would be asked of TWS in vain, and cost time at every bar.
MOST_BARS = 1000


class Kind(Enum):
    """What a number counts."""

    COUNT = auto()  # whole: of bars, of minutes
    FACTOR = auto()


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One number; `default` is None if it must be given. Both ends of the range are legal."""

    name: str
    kind: Kind
    least: Decimal
    most: Decimal
    default: Decimal | None = None

    @property
    def range_words(self) -> str:
        """What is legal, in plain words."""
        kind = "a whole number" if self.kind is Kind.COUNT else "a number"
        return f"{kind} from {self.least} to {self.most}"

    def allows(self, number: Decimal) -> bool:
        """Whether a number is legal."""
        if not number.is_finite() or not self.least <= number <= self.most:
            return False
        return self.kind is Kind.FACTOR or number == int(number)


def count(
    name: str, *, least: int = 1, most: int = MOST_BARS, default: int | None = None
) -> Parameter:
    """Return a parameter that is a whole number."""
    return Parameter(
        name=name,
        kind=Kind.COUNT,
        least=Decimal(least),
        most=Decimal(most),
        default=None if default is None else Decimal(default),
    )


def factor(name: str, *, least: str, most: str, default: str | None = None) -> Parameter:
    """Return a parameter that may have decimals; its figures are text."""
    return Parameter(
        name=name,
        kind=Kind.FACTOR,
        least=Decimal(least),
        most=Decimal(most),
        default=None if default is None else Decimal(default),
    )


def filled(
    name: str, parameters: Sequence[Parameter], numbers: Sequence[Decimal]
) -> tuple[Decimal, ...]:
    """Return a number for every parameter: the one given, or the default.

    Raises:
        ValueError: If one is missing, illegal or too much; names it, and says what is legal.
    """
    if len(numbers) > len(parameters):
        listed = ", ".join(one.name for one in parameters) or "none"
        raise ValueError(f"{name} takes {len(parameters)} numbers ({listed}), not {len(numbers)}")
    found: list[Decimal] = []
    for place, parameter in enumerate(parameters):
        number = numbers[place] if place < len(numbers) else parameter.default
        if number is None:
            raise ValueError(f"{name}: {parameter.name} is missing: {parameter.range_words}")
        if not parameter.allows(number):
            legal = parameter.range_words
            raise ValueError(f"{name}: {parameter.name} must be {legal}, not {number}")
        found.append(number)
    return tuple(found)
