"""A strategy as a Python class: conditions as attributes, decisions as methods.

    class SmaCross(StrategyProgram):
        name, symbols, bars = "sma-cross", ("AAPL",), "5 min"
        up = condition("crosses_above(sma(10), sma(50))")

        def on_bar(self, moment: Moment) -> Iterator[Action]:
            if self.up.holds(moment) and not moment.holding.quantity:
                yield enter("long", size="risk:1%", stop_loss="2%")

A method is asked when its news comes, and yields actions: the same that strategy files name, on
the same order path. It looks at the moment alone. What it keeps in itself is gone after a
restart, and what it raises fences it off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import iscoroutinefunction
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.size_text import size_of
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.bar_sizes import parse_bar_size
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import Action, Rule, Strategy
from ibkr_trader.rules.written import Written

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.wishes import Wish

MOST_ACTIONS = 20  # of one method at one moment
Method = Callable[["Moment"], Iterable[Action] | None]


class StrategyProgram:
    """The base of a strategy in Python; a subclass names itself and overrides what it needs.

    Attributes:
        name: What it is called; its orders carry it as their origin.
        symbols: What it trades.
        bars: The size of its bars.
        description: For people.
        envelope: How far it may go, whatever the account allows.
        needs: Indicators beside those of its conditions, as `atr(14)`.
    """

    name: ClassVar[str]
    symbols: ClassVar[str | Sequence[str]]
    bars: ClassVar[str] = "1 min"
    description: ClassVar[str] = ""
    envelope: ClassVar[Envelope] = Envelope()
    needs: ClassVar[str | Sequence[str]] = ()

    def on_signal(self, moment: Moment) -> Iterable[Action]:
        """Return what to do about `moment.signal`."""
        raise NotImplementedError

    def on_flow(self, moment: Moment) -> Iterable[Action]:
        """Return what to do about `moment.flow`."""
        raise NotImplementedError

    def on_bar(self, moment: Moment) -> Iterable[Action]:
        """Return what to do now that a bar is complete."""
        raise NotImplementedError

    def on_price(self, moment: Moment) -> Iterable[Action]:
        """Return what to do at the newest price; asked a few times a second at most."""
        raise NotImplementedError

    def on_position(self, moment: Moment) -> Iterable[Action]:
        """Return what to do now that the position has changed."""
        raise NotImplementedError

    def on_time(self, moment: Moment) -> Iterable[Action]:
        """Return what to do at this second."""
        raise NotImplementedError


class Always(msgspec.Struct, frozen=True):
    """The condition of a method: it is asked whenever its news comes."""

    on: Trigger
    needs: frozenset[Key]

    @property
    def text(self) -> str:
        """What it says."""
        return f"on {self.on}"

    @property
    def triggers(self) -> frozenset[Trigger]:
        """The one news."""
        return frozenset({self.on})

    @property
    def indicators(self) -> frozenset[Key]:
        """All that the class has declared."""
        return self.needs

    def holds(self, _moment: Moment, /) -> bool:
        """Whether it holds, which it does."""
        return True

    def facts(self, _moment: Moment, /) -> Mapping[str, str]:
        """Nobody knows what a method looks at."""
        return {}

    def against(self, _moment: Moment, /) -> tuple[str, ...]:
        """Nothing stands against it."""
        return ()


class Asked(msgspec.Struct, frozen=True):
    """The action of a method: whatever it yields."""

    method: Method

    @property
    def indicators(self) -> frozenset[Key]:
        """They stand with the condition."""
        return frozenset()

    def wishes(self, moment: Moment) -> tuple[Wish, ...]:
        """Ask the method, and turn its actions into wishes.

        Raises:
            CannotWish: If an action lacks what it needs.
            RuntimeError: If it wants to end the process, or does not stop yielding.
        """
        try:
            actions = tuple(islice(self.method(moment) or (), MOST_ACTIONS + 1))
        except SystemExit as error:  # a strategy does not end the trader that looks after orders
            raise RuntimeError("it wants to end the process") from error
        if len(actions) > MOST_ACTIONS:
            raise RuntimeError(f"it yields more than {MOST_ACTIONS} actions at one moment")
        return tuple(wish for action in actions for wish in action.wishes(moment))


def condition(text: str) -> Written:
    """Return a condition that a class asks: its indicators are warmed up.

    Raises:
        ExpressionError: If it is none.
    """
    return Written.of(text)


def enter(
    side: Literal["long", "short"],
    *,
    stop_loss: str,
    size: str = "risk:1%",
    take_profit: str | Sequence[str] = (),
    reversal: Literal["refuse", "close_first"] = "refuse",
) -> OpenPosition:
    """Return the action that opens a position, with its distances as one writes them.

    Raises:
        ValueError: If one of them is none.
    """
    targets = (take_profit,) if isinstance(take_profit, str) else take_profit
    return OpenPosition(
        side=side,
        size=size_of(size),
        stop_loss=Distance.of(stop_loss),
        take_profit=tuple(Distance.of(one) for one in targets),
        reversal=reversal,
    )


def strategy_of(program: StrategyProgram, *, version: str) -> Strategy:
    """Return the strategy that a program is: a rule for each method that it overrides.

    Raises:
        ValueError: If it does not say its name, its symbols, does nothing, or would have to be
            awaited.
    """
    kind = type(program)
    for field in ("name", "symbols"):
        if not getattr(kind, field, None):
            raise ValueError(f"{kind.__name__} does not say its {field}")
    needs = frozenset(_needs(kind))
    rules = tuple(
        Rule(name=f"on_{trigger}", when=Always(trigger, needs), then=(Asked(method),))
        for trigger in Trigger
        if (method := _overridden(program, f"on_{trigger}")) is not None
    )
    if not rules:
        methods = ", ".join(f"on_{trigger}" for trigger in Trigger)
        raise ValueError(f"{kind.__name__} does nothing: give it one of {methods}")
    return Strategy(
        name=kind.name,
        version=version,
        symbols=_several(kind.symbols),
        rules=rules,
        bar_size=parse_bar_size(kind.bars),
        envelope=kind.envelope,
        description=kind.description,
    )


def _overridden(program: StrategyProgram, name: str) -> Method | None:
    if getattr(type(program), name) is getattr(StrategyProgram, name):
        return None
    method: Method = getattr(program, name)
    if iscoroutinefunction(method):
        raise ValueError(f"{name} is asynchronous: a strategy decides at once, and awaits nothing")
    return method


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    """Names, of which one alone may be written as it is; a text is a sequence, too."""
    return (names,) if isinstance(names, str) else tuple(names)


def _needs(kind: type[StrategyProgram]) -> Iterator[Key]:
    """The indicators of a class: of its conditions, and those that it names."""
    for owner in kind.__mro__:
        for value in vars(owner).values():
            if isinstance(value, Written):
                yield from value.indicators
    for text in _several(kind.needs):
        yield from Written.of(f"{text} == {text}").indicators
