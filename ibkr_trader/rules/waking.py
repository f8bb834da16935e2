"""What news a written condition waits for, from the words in it; and when it would wait for ever.

The rarer news decides within an `and`: a rule on a signal is asked when one comes, and not at
every price beside it. The parts of an `or` are asked for each by itself, so that an exit at a
loss is not kept waiting for the signal or the bar that stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ibkr_trader.rules import expression_explaining as explaining
from ibkr_trader.rules.expression_nodes import Joined, Node, Not
from ibkr_trader.rules.moment import NEWS, Trigger

if TYPE_CHECKING:
    from ibkr_trader.rules.expression import Expression

Triggers = frozenset[Trigger]

_BAR: Triggers = frozenset({Trigger.BAR})
_TIME: Triggers = frozenset({Trigger.TIME})
_GROUPS: Mapping[str, Triggers] = {
    "signal": frozenset({Trigger.SIGNAL}),
    "flow": frozenset({Trigger.FLOW}),
    "bar": _BAR,
    "price": frozenset({Trigger.PRICE}),
    "position": frozenset({Trigger.PRICE, Trigger.POSITION}),
    "account": frozenset({Trigger.TIME, Trigger.POSITION}),
    "time": _TIME,
    "market": _TIME,
    "symbol": _TIME,
}
_WORDS: Mapping[str, Triggers] = {  # where the group does not say it
    "position.minutes": frozenset({Trigger.TIME, Trigger.POSITION}),
}
_KEPT = frozenset({"bar", "symbol"})  # of what the bar before is known, besides indicators


def triggers_of(node: Node, *, is_negated: bool = False) -> Triggers:
    """Return what may make a condition hold; empty if it waits for what never comes together.

    Of the opposite (`is_negated`), each `and` is an `or` of opposites, and the other way round.
    """
    match node:
        case Not():
            return triggers_of(node.operand, is_negated=not is_negated)
        case Joined():
            parts = [triggers_of(part, is_negated=is_negated) for part in node.parts]
            needs_all = (node.word == "and") is not is_negated
            return _all_of(parts) if needs_all else frozenset().union(*parts)
        case _:
            names = [_woken_by(name) for name in explaining.names(node)]
            return _all_of(names + [_BAR for _ in explaining.calls(node)])


def never(expression: Expression) -> str:
    """Return why a condition could not hold whatever happens; empty if it might."""
    if not triggers_of(expression.root):
        return "it could never hold: a signal and a measure of the flow do not come together"
    back = {**expression.names, **{str(call): n for call, n in expression.calls.items()}}
    far = next((what for what, bars in back.items() if bars > 1), "")
    if far:
        return f"it could never hold: {far} is kept of one bar before, and of none before that"
    for name, bars in expression.names.items():
        if bars and name.partition(".")[0] not in _KEPT:
            kept = "write bar.close, or another figure of the bar, or an indicator"
            return f"it could never hold: of {name} no past is kept; {kept}"
    return ""


def _woken_by(name: str) -> Triggers:
    return _WORDS.get(name) or _GROUPS[name.partition(".")[0]]


def _all_of(parts: list[Triggers]) -> Triggers:
    """What may make all of some parts hold together."""
    if not all(parts):
        return frozenset()
    news = [part for part in parts if part <= NEWS]  # which are known at their own moments alone
    if news:
        return frozenset.intersection(*news)
    if _BAR in parts:
        return _BAR
    return frozenset[Trigger]().union(*parts) or _TIME
