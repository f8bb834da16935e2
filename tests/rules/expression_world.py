"""A vocabulary as a desk has one, and scopes with values that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.expression_kinds import (
    Function,
    Kind,
    Name,
    Unknown,
    Value,
    Vocabulary,
)

D = Decimal
NUMBERS = ("bar.close", "bar.open", "signal.confidence", "position.profit_pct", "quote.spread")
TRUTHS = ("position.is_flat", "market.is_open", "desk.is_armed")


def periods(given: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Refuse a number of bars that is none."""
    bars = given[0]
    if bars == int(bars) and 1 <= bars <= 500:
        return given
    raise ValueError("bars are whole, from 1 to 500")


def wide(given: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Return the arguments of bands, which are two wide if nobody says."""
    return given if given[1:] else (*given, D(2))


VOCABULARY = Vocabulary(
    names={
        **{name: Name(kind=Kind.NUMBER, doc="A number.") for name in NUMBERS},
        **{name: Name(kind=Kind.TRUTH, doc="A truth.") for name in TRUTHS},
        "signal.action": Name(kind=Kind.TEXT, doc="A wish.", values=("BUY", "SELL", "SHORT")),
        "symbol": Name(kind=Kind.TEXT, doc="The ticker."),
        "time.now": Name(kind=Kind.TIME, doc="The exchange's clock."),
    },
    functions={
        **{
            name: Function(parameters=("bars",), doc="An indicator.", fill=periods)
            for name in ("sma", "atr", "highest")
        },
        "bands": Function(parameters=("bars", "width"), optional=1, doc="Bands.", fill=wide),
        "vwap": Function(parameters=(), doc="No argument, and no check."),
        "trend": Function(parameters=("bars",), doc="No check."),
    },
)

VALUES: dict[str, Value | Unknown] = {
    "bar.close": D("101.5"),
    "bar.open": D(100),
    "signal.confidence": D("0.91"),
    "position.profit_pct": D(6),
    "quote.spread": D("0.02"),
    "position.is_flat": True,
    "market.is_open": True,
    "desk.is_armed": False,
    "signal.action": "BUY",
    "symbol": "AAPL",
    "time.now": time(10, 30),
    "sma(10)": D(101),
    "sma(50)": D(100),
    "highest(20)": D(103),
    "atr(14)": D(2),
}


@dataclass(frozen=True)
class Moment:
    """A scope of given values: what it does not have is a bug of the test."""

    values: Mapping[str, Value | Unknown]
    earlier: Moment | None = None
    asked: list[str] = field(default_factory=list, compare=False)

    def get(self, name: str) -> Value | Unknown:
        """Return the value of a name."""
        self.asked.append(name)
        return self.values[name]

    def call(self, function: str, arguments: tuple[Decimal, ...]) -> Value | Unknown:
        """Return the value of a call, which is filed as it is written."""
        return self.get(f"{function}({', '.join(map(str, arguments))})")

    def before(self) -> Moment | None:
        """Return the moment one bar ago."""
        return self.earlier


def moment(
    earlier: Moment | None = None, *, changes: Mapping[str, Value | Unknown] | None = None
) -> Moment:
    """The usual values, with changes to them."""
    return Moment({**VALUES, **(changes or {})}, earlier)


def read(text: str, wants: Kind = Kind.TRUTH) -> Expression:
    """Parse with the vocabulary of these tests."""
    return Expression.parse(text, VOCABULARY, wants=wants)


def ask(text: str, scope: Moment | None = None, wants: Kind = Kind.TRUTH) -> Value | Unknown:
    """Parse and ask."""
    return read(text, wants).value(scope or moment())
