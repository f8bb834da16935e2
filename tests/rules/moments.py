"""Moments in the fewest words: what the tests of rules look at."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Bar, Position, Quote, Session
from ibkr_trader.rules.moment import Holding, Moment, Trigger
from ibkr_trader.rules.rule import Rule, Strategy
from ibkr_trader.rules.study import Study
from ibkr_trader.rules.wishes import Exit
from tests.orders.samples import AAPL, ACCOUNT, AT, later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.rule import Action
    from ibkr_trader.rules.wishes import Wish

D = Decimal
NEW_YORK = ZoneInfo("America/New_York")
ATR = ("atr", (D(14),))
HOURS = Session(AT - timedelta(hours=1), AT + timedelta(hours=6))  # AT is 10:00 in New York


def quote(last: str | None = "150", **more: Any) -> Quote:
    prices: dict[str, Any] = {
        name: D(value) if isinstance(value, str) else value for name, value in more.items()
    }
    return Quote(contract=AAPL, at=AT, last=D(last) if last is not None else None, **prices)


def position(quantity: int | str = 10, cost: str = "150") -> Position:
    return Position(account=ACCOUNT, contract=AAPL, quantity=D(quantity), average_cost=D(cost))


def holding(quantity: int | str = 10, cost: str = "150", **more: Any) -> Holding:
    """Return what is held; `stop` may be text, and 0 is flat."""
    if isinstance(more.get("stop"), str):
        more["stop"] = D(more["stop"])
    held = position(quantity, cost) if D(quantity) else None
    return Holding(position=held, **more)


def moment(last: str | None = "150", *, held: Holding | int = 0, **more: Any) -> Moment:
    """Return AAPL at a price; `held` is a quantity that cost 150, or what is held in full."""
    usual: dict[str, Any] = {
        "now": AT,
        "symbol": "AAPL",
        "trigger": Trigger.PRICE,
        "zone": NEW_YORK,
        "quote": quote(last) if last is not None else None,
        "holding": held if isinstance(held, Holding) else holding(held),
    }
    return Moment(**{**usual, **more})


def signal(action: str = "BUY", confidence: str = "0.91", **more: Any) -> ev.PredictionSignalEvent:
    usual: dict[str, Any] = {"at": AT, "ticker": "AAPL", "source": "test", "signal_id": "s1"}
    fields = {**usual, **more}
    return ev.PredictionSignalEvent(signal=action, confidence=D(confidence), **fields)


def flow(value: str = "12", **more: Any) -> ev.FlowThresholdEvent:
    usual: dict[str, Any] = {"at": AT, "ticker": "AAPL", "source": "test", "signal_id": "f1"}
    fields = {**usual, "measure": "trades", "threshold": D(10), **more}
    return ev.FlowThresholdEvent(value=D(value), **fields)


def bars(*closes: str, spread: str = "1") -> tuple[Bar, ...]:
    """Return minute bars that end at the closes, each as wide as `spread` on both sides."""
    wide = D(spread)
    return tuple(
        Bar(
            contract=AAPL,
            at=later(60 * number),
            open=D(close),
            high=D(close) + wide,
            low=D(close) - wide,
            close=D(close),
            volume=D(100),
        )
        for number, close in enumerate(closes)
    )


def study(closes: Iterable[str], *keys: Key, spread: str = "1") -> Study:
    found = Study.of(keys)
    for bar in bars(*closes, spread=spread):
        found = found.after(bar)
    return found


def ranging(spread: str = "1") -> Study:
    """Return a study with bars at 150 whose average range is twice `spread`."""
    return study(["150"] * 20, ATR, spread=spread)


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that is a function of a test's.

    Attributes:
        function: Asked with the moment; None is that it cannot tell.
        on: What sets it off.
    """

    function: Callable[[Moment], bool | None]
    on: frozenset[Trigger]
    needs: frozenset[Key] = frozenset()
    text: str = "a function"

    @property
    def triggers(self) -> frozenset[Trigger]:
        """As it was given."""
        return self.on

    @property
    def indicators(self) -> frozenset[Key]:
        """As they were given."""
        return self.needs

    def holds(self, moment: Moment) -> bool | None:
        """Ask the function."""
        return self.function(moment)

    def facts(self, _moment: Moment, /) -> Mapping[str, str]:
        """Nobody knows what a function looks at."""
        return {}

    def against(self, moment: Moment) -> tuple[str, ...]:
        """Say that it does not hold, which is all there is to say."""
        held = self.function(moment)
        return () if held else (f"{self.text} {'cannot tell' if held is None else 'says no'}",)


def asking(
    function: Callable[[Moment], Any] = lambda _: True, on: Trigger = Trigger.PRICE, **more: Any
) -> Asking:
    return Asking(function=function, on=frozenset({on}), **more)


class Wishes:
    """An action of a Python strategy: it wishes whatever it is given."""

    indicators: frozenset[Key] = frozenset()

    def __init__(self, *wishes: Wish) -> None:
        self.given = wishes

    def wishes(self, moment: Moment) -> tuple[Wish, ...]:
        return self.given


OUT = Wishes(Exit(symbol="AAPL"))


def rule(name: str = "r", *then: Action, **more: Any) -> Rule:
    return Rule(name=name, then=then or (OUT,), **{"when": asking(), **more})


def strategy(*rules: Rule, name: str = "s", **more: Any) -> Strategy:
    return Strategy(name=name, version="v1", symbols=("AAPL",), rules=rules, **more)


def decision(name: str = "r", *, at: datetime = AT, **more: Any) -> ev.DecisionEvent:
    usual: dict[str, Any] = {
        "strategy": "s",
        "decision_id": f"d-{name}",
        "version": "v1",
        "ticker": "AAPL",
        "cause": "price",
        "wish": "close",
    }
    return ev.DecisionEvent(at=at, rule=name, **{**usual, **more})
