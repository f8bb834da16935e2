"""What is said of the decisions that the last process left open: nothing of them is done again.

Of most nobody knows more, and the broker's picture tells the rest. An exit is another matter: a
decision that was written down, and whose closing was not, has left a position that somebody
wanted gone. It is not closed by itself, for the price may be another day's; it is said aloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import Outcome, Side
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.origins import rule_origin
from ibkr_trader.core.text import quantity
from ibkr_trader.rules.wish_text import EXIT

if TYPE_CHECKING:
    from ibkr_trader.core.models import Position
    from ibkr_trader.execution.trader import Trader

_INTERRUPTED = "the process ended before it was known what came of it"


def last_words(trader: Trader) -> tuple[ev.BaseEvent, ...]:
    """Return the end of each decision that is open, and a notice of each exit that is missing.

    The trader is in sync with its broker: what it holds is what is held.
    """
    found: list[ev.BaseEvent] = []
    for one in trader.remembered.rules.open.values():
        closing = _closing(trader, one)
        held = None if closing else _still_held(trader, one)
        found += [_missing(trader, one, held)] if held is not None else []
        found.append(
            ev.DecisionEndEvent(
                at=trader.clock.now(),
                strategy=one.strategy,
                decision_id=one.decision_id,
                outcome=Outcome.UNKNOWN,
                reasons=(_INTERRUPTED, f"it was: {one.words or one.wish}", *closing),
            )
        )
    return tuple(found)


def _missing(trader: Trader, one: ev.DecisionEvent, held: Position) -> ev.NoticeEvent:
    name, size = label(held.contract), quantity(held.quantity, signed=True)
    return ev.NoticeEvent(
        at=trader.clock.now(),
        origin=rule_origin(one.strategy, one.rule),
        message=(
            f"the exit of {name} that {one.strategy}/{one.rule} decided was never carried out: "
            f"{size} are still held. Next: ibkr-trader close {ticker(held.contract)}"
        ),
        is_serious=True,
    )


def _closing(trader: Trader, one: ev.DecisionEvent) -> tuple[str, ...]:
    """What is said of an exit whose closing is on record: that one goes on."""
    return tuple(
        f"its closing {short_id(request.group_id)} is on record and goes on"
        for request in trader.portfolio.closings.values()
        if one.wish == EXIT and ticker(request.contract) == _named(one)
    )


def _still_held(trader: Trader, one: ev.DecisionEvent) -> Position | None:
    """What an exit meant, if it is still held; None if it is gone, or was never its own."""
    if one.wish != EXIT:
        return None
    meant, origin = one.terms.get("only"), rule_origin(one.strategy, one.rule)
    for held in trader.portfolio.positions.values():
        side = Side.holding(held.quantity)
        if ticker(held.contract) != _named(one) or meant not in {None, side}:
            continue
        if not trader.outlook.strategies.objection(held.contract, origin):
            return held
    return None


def _named(one: ev.DecisionEvent) -> str:
    """The contract of a decision, as `ticker` writes it."""
    return one.terms.get("symbol", one.ticker).replace(" ", ".")
