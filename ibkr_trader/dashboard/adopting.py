"""The key that hands a position, or an order of a lost journal, to the desk.

The trader says first what that would come to. A position that no stop ends is asked for one; it
adds no risk, so Enter sends it, and the trader refuses a level that makes no sense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.ids import FOREIGN
from ibkr_trader.core.text import quantity
from ibkr_trader.dashboard.choosing import ADOPT, order_meant, position_meant
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    Model,
    Page,
    Panel,
    Tone,
    TypedDialog,
)
from ibkr_trader.dashboard.scene import OrderRow
from ibkr_trader.dashboard.steps import NOTHING_SENT, READ, command, perform, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.inputs import Outcome
    from ibkr_trader.dashboard.scene import PositionRow
    from ibkr_trader.dashboard.steps import Step


def adopt(model: Model) -> Step:
    """Ask what it would come to: of somebody's order under the cursor, or else of a position."""
    meant = order_meant(model) if model.typed_id or model.panel is Panel.ORDERS else None
    if isinstance(meant, OrderRow) and meant.is_foreign:
        return _order(model, meant)
    held = position_meant(model)
    if isinstance(held, str):
        return say(model, held, Tone.WARNING, typed_id="")
    if held.covered < abs(held.quantity):
        return stay(model, dialog=_stop(held), typed_id="")
    act = command(ADOPT, f"adopt {held.symbol}", looks=True, symbol=held.ticker)
    return perform(model, act, typed_id="")


def would_adopt(model: Model, act: Act, outcome: Outcome) -> Step:
    """Ask for one key, now that the trader has said what would come of it."""
    if not outcome.is_done:
        text = outcome.lines[0] if outcome.lines else "the trader cannot say"
        if len(outcome.lines) > 1 and model.dialog is None:
            return stay(model, dialog=Page(title=f"Not done: {act.words}", lines=outcome.lines))
        return say(model, f"{act.words}: {text}", Tone.WARNING)
    if model.dialog is not None:
        return say(model, f"{act.words}: something else is open; press d again", Tone.WARNING)
    after = msgspec.structs.replace(act, call=0, looks=False)
    dialog = ConfirmDialog(
        title=f"{act.words[:1].upper()}{act.words[1:]}?",
        lines=_lines(act, outcome),
        choices=(Choice(key="y", label=act.words, act=after),),
        ready=model.now + READ,
    )
    return stay(model, dialog=dialog)


def _order(model: Model, row: OrderRow) -> Step:
    perm_id = row.order_id.removeprefix(f"{FOREIGN}-")
    if not perm_id.isdecimal():
        text = f"{row.short}: the broker has not said its permanent id"
        return say(model, text, Tone.WARNING, typed_id="")
    words = f"take over {row.short}"
    act = command(ADOPT, words, looks=True, symbol=row.ticker, order=[perm_id])
    return perform(model, act, typed_id="")


def _stop(held: PositionRow) -> TypedDialog:
    size = quantity(held.quantity, signed=True)
    bare = quantity(abs(held.quantity) - held.covered)
    return TypedDialog(
        title=f"Adopt {size} {held.symbol}",
        lines=(
            "From then on it is looked after as if it were opened here.",
            f"{bare} of it have no stop. Where does one belong?",
            "A price, or 3% of the average cost.",
        ),
        act=command(ADOPT, f"adopt {held.symbol}", symbol=held.ticker),
        slot="stop",
    )


def _lines(act: Act, outcome: Outcome) -> tuple[str, ...]:
    if "order" not in act.options:
        return tuple(line.strip() for line in outcome.lines if line != NOTHING_SENT)
    unproven = outcome.data.get("unproven") or ()
    return (
        "It was placed from a journal that is gone. From then on it is ours, as it stands.",
        *(str(one) for one in unproven),
        "Nothing is sent.",
    )
