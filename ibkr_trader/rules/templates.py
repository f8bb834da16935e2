"""Rules that many strategies share, as functions; and a builder that puts them together.

    strategy = (
        StrategyBuilder("predictions", ["AAPL", "MSFT"])
        .add(create_buy_rule(min_confidence="0.85", stop_loss="3%", take_profit="9%"))
        .add(create_sell_rule())
        .add(create_eod_close_rule(minutes_before=5))
        .build()
    )

Whatever they make can be written as a file (`strategy_toml.py`), and a file says the same as
the functions: there is one language of conditions.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self

import msgspec

from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.size_text import size_of
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.actions.scale_in import ScaleIn
from ibkr_trader.rules.bar_sizes import parse_bar_size
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.rule import Rule, Strategy
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.strategy_toml import write_strategy
from ibkr_trader.rules.written import Written

if TYPE_CHECKING:
    from collections.abc import Sequence

Figure = Decimal | int | str  # a figure as one writes it: never a float, which is not what it says
_ENTRY_PRIORITY, _EXIT_PRIORITY = 10, 1


def create_buy_rule(
    *,
    name: str = "Buy",
    when: str = "",
    min_confidence: Figure = "0.85",
    size: str = "risk:1%",
    stop_loss: str = "3%",
    take_profit: str | Sequence[str] = "9%",
    side: Literal["long", "short"] = "long",
    cooldown: timedelta = timedelta(0),
) -> Rule:
    """Return a rule that enters with its stop and targets on the right sides.

    Args:
        name: Of the rule.
        when: When to enter; empty is on a signal of that side, confident enough.
        min_confidence: The least confidence of such a signal.
        size: How many: see `risk/size_text.py`.
        stop_loss: How far behind the entry it is given up.
        take_profit: How far beyond it gain is taken; several share what is held.
        side: `short` enters short, on SHORT signals.
        cooldown: How long it rests after it has entered.

    Raises:
        ValueError: If a figure cannot be read, or the condition is none.
    """
    action = "BUY" if side == "long" else "SHORT"
    usual = f"signal.action == '{action}' and signal.confidence > {min_confidence}"
    targets = [take_profit] if isinstance(take_profit, str) else take_profit
    entry = OpenPosition(
        side=side,
        size=size_of(size),
        stop_loss=Distance.of(stop_loss),
        take_profit=tuple(Distance.of(one) for one in targets),
    )
    return Rule(
        name=name,
        when=Written.of(when or usual),
        then=(entry,),
        priority=_ENTRY_PRIORITY,
        cooldown=cooldown,
    )


def create_sell_rule(
    *, name: str = "Sell", when: str = "", only: Literal["long", "short", "both"] = "long"
) -> Rule:
    """Return a rule that closes what is held and every order that belongs to it.

    It never goes further than flat: a SELL is the end of a long position.

    Args:
        name: Of the rule.
        when: When to close; empty is on a SELL signal.
        only: Which side it may close.

    Raises:
        ValueError: If the condition is none.
    """
    condition = Written.of(when or "signal.action == 'SELL'")
    return Rule(name=name, when=condition, then=(CloseAll(only=only),), priority=_EXIT_PRIORITY)


def create_scale_in_rule(
    *,
    name: str = "ScaleIn",
    profit_pct: Figure = 2,
    quantity: Figure | None = None,
    fraction: Figure | None = None,
    up_to: Figure | None = None,
    cooldown: timedelta = timedelta(minutes=15),
) -> Rule:
    """Return a rule that adds to a position in profit, on its own side; its exits follow.

    Args:
        name: Of the rule.
        profit_pct: The open gain in per cent from which on it adds.
        quantity: How many to add; or else `fraction`.
        fraction: How much of what is held; half of it if neither is given.
        up_to: The most to hold in the end.
        cooldown: How long it rests after it has added.

    Raises:
        ValueError: If a figure cannot be read.
    """
    if quantity is None and fraction is None:
        fraction = "0.5"
    action = ScaleIn(
        quantity=_decimal(quantity), fraction=_decimal(fraction), up_to=_decimal(up_to)
    )
    return Rule(
        name=name,
        when=Written.of(f"position.profit_pct > {profit_pct} and not position.is_entering"),
        then=(action,),
        priority=_ENTRY_PRIORITY,
        cooldown=cooldown,
    )


def create_eod_close_rule(*, name: str = "EndOfDay", minutes_before: Figure = 5) -> Rule:
    """Return a rule that is flat before the session's real close, half days included.

    Raises:
        ValueError: If `minutes_before` cannot be read.
    """
    when = f"time.minutes_to_close <= {minutes_before} and not position.is_flat"
    return Rule(name=name, when=Written.of(when), then=(CloseAll(),), priority=0)


class StrategyBuilder:
    """Puts rules together; each step returns the builder.

    Args:
        name: Of the strategy.
        symbols: What it trades: the same rules for each.

    Raises:
        ValueError: If the name is none.
    """

    def __init__(self, name: str, symbols: str | Sequence[str]) -> None:
        # A text is a sequence, too: taken apart, AAPL would trade A, P and L.
        several = (symbols,) if isinstance(symbols, str) else tuple(symbols)
        self._draft = Strategy(name=name, version="", symbols=several, rules=())

    def add(self, *rules: Rule) -> Self:
        """Add rules.

        Raises:
            ValueError: If two have one name.
        """
        return self._with(rules=(*self._draft.rules, *rules))

    def bars(self, size: str) -> Self:
        """Use bars of that size, such as `5 min`.

        Raises:
            ValueError: If there are none of it.
        """
        return self._with(bar_size=parse_bar_size(size))

    def within(self, envelope: Envelope) -> Self:
        """Let it go no further than `envelope`."""
        return self._with(envelope=envelope)

    def described(self, text: str) -> Self:
        """Say what it is for."""
        return self._with(description=text)

    def build(self) -> Strategy:
        """Return the strategy, as its file would describe it.

        Raises:
            StrategyError: With everything that is wrong with it.
            ValueError: If a condition of it is a function.
        """
        return read_strategy(self.to_toml())

    def to_toml(self) -> str:
        """Return it as a file.

        Raises:
            ValueError: If a condition of it is a function.
        """
        return write_strategy(self._draft)

    def _with(self, **fields: object) -> Self:
        self._draft = msgspec.structs.replace(self._draft, **fields)
        return self


def _decimal(written: Figure | None) -> Decimal | None:
    """A figure as it is written.

    Raises:
        ValueError: If it is none.
    """
    if written is None:
        return None
    try:
        return Decimal(written)
    except ArithmeticError:
        raise ValueError(f"{written!r} is no number") from None
