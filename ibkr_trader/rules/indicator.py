"""What an indicator is, and where indicators are found: one file each in `rules/indicators/`.

An indicator is a frozen value that is given one complete bar after the other and keeps no more
of them than it needs. Its value is None while it is unknown: before enough bars were seen, and
where its definition has none (a strength index of a market that never moved).

Most are one figure. A family has several that share their work, and a name for each:
`bollinger_upper` is the output `upper` of the family `bollinger`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import msgspec

from ibkr_trader.core.registry import Registry
from ibkr_trader.rules.indicator_parameters import Parameter, filled
from ibkr_trader.rules.market_days import Feed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Bar

Key = tuple[str, tuple[Decimal, ...]]  # an indicator's name and its numbers
ANY_FEED = Feed()


class Indicator(Protocol):
    """A figure that follows from the bars so far; each bar makes a new one of it."""

    @property
    def value(self) -> Decimal | None:
        """The figure as of the last bar; None is unknown."""

    @property
    def seen(self) -> int:
        """How many bars it was given."""

    @property
    def needed(self) -> int:
        """How many bars there must be before it can have a value."""

    @property
    def warm_up(self) -> int:
        """How many bars to begin with, so that its value does not tell where it began.

        As many as `needed` for what looks at a window. An exponential or a Wilder's average
        never forgets: after these, less than a thousandth of its first value is left.
        """

    def after(self, bar: Bar) -> Self:
        """Return the indicator after one more complete bar; never raises for a legal one."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made: numbers in the parameters' order, legal and complete."""

    numbers: tuple[Decimal, ...]
    output: str = ""
    feed: Feed = ANY_FEED

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers as whole ones, for a family whose parameters are all counts."""
        return tuple(int(one) for one in self.numbers)


Factory = Callable[[Asked], Indicator]


class Family(NamedTuple):
    """A registered part: what it takes, which outputs it has (none: it is its own), and how."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    build: Factory
    bounds: tuple[Decimal | None, Decimal | None] = (None, None)  # what its figure can be

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its indicators, as rules say them."""
        return tuple(f"{self.name}_{one}" for one in self.outputs) or (self.name,)


INDICATORS: Registry[Family] = Registry("indicator", "ibkr_trader.rules.indicators")


def indicator(
    name: str,
    *parameters: Parameter,
    doc: str,
    outputs: tuple[str, ...] = (),
    bounds: tuple[Decimal | None, Decimal | None] = (None, None),
) -> Callable[[Factory], Factory]:
    """Return a decorator that enters a factory into `INDICATORS` as the family `name`."""

    def enter(build: Factory) -> Factory:
        INDICATORS.register(name)(Family(name, doc, parameters, outputs, build, bounds))
        return build

    return enter


def indicator_names() -> tuple[str, ...]:
    """Return the name of every indicator, in order."""
    return tuple(sorted(name for _, family in INDICATORS.items() for name in family.names))


def family_of(name: str) -> tuple[Family, str]:
    """Return the family of an indicator, and which of its outputs the name means.

    Raises:
        ValueError: If there is no such indicator; says which there are.
    """
    for known, output in ((name, ""), tuple(name.rpartition("_")[::2])):
        if known in INDICATORS and output in (INDICATORS[known].outputs or ("",)):
            return INDICATORS[known], output
    listed = INDICATORS[name].names if name in INDICATORS else indicator_names()
    raise ValueError(f"there is no indicator {name!r}; there are {', '.join(listed)}")


def key_of(name: str, numbers: Sequence[Decimal] = ()) -> Key:
    """Return the key of an indicator with its defaults filled in.

    Raises:
        ValueError: If there is none of the name, or a number is missing, illegal or too much.
    """
    family, _ = family_of(name)
    return name, filled(name, family.parameters, numbers)


def make(name: str, numbers: Sequence[Decimal] = (), *, feed: Feed = ANY_FEED) -> Indicator:
    """Return a new indicator that has seen no bar.

    Args:
        name: As in `indicator_names`.
        numbers: Its parameters in order; those left out at the end take their defaults.
        feed: What is known of the bars to come; only what depends on the day looks at it.

    Raises:
        ValueError: In plain words: which name, which parameter, and what is legal.
    """
    family, output = family_of(name)
    complete = filled(name, family.parameters, numbers)
    try:
        return family.build(Asked(numbers=complete, output=output, feed=feed))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
