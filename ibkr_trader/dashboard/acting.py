"""The keys that act on orders and positions, and what each asks first.

What lowers risk goes at once, or after one key. What would leave a position without its last
stop needs the symbol typed. What adds risk is looked at by the trader first, and then waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.text import quantity
from ibkr_trader.dashboard.choosing import order_meant, position_meant
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    Model,
    Page,
    Tone,
    TypedDialog,
)
from ibkr_trader.dashboard.rows import chosen
from ibkr_trader.dashboard.scene import OrderRow, PositionRow
from ibkr_trader.dashboard.steps import HALT, command, perform, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.steps import Step

_KEYBOARD = "from the dashboard's keyboard"


def cancel(model: Model) -> Step:
    """Cancel an order; the last stop of a position only once its symbol is typed."""
    row = order_meant(model)
    if isinstance(row, str):
        return say(model, row, Tone.WARNING, typed_id="")
    act = command("revise.cancel", f"cancel {_order_words(row)}", orders=[row.order_id])
    if not row.is_last_stop:
        return perform(model, act, typed_id="")
    dialog = TypedDialog(
        title=f"Cancel the last stop of {row.symbol}",
        lines=(
            f"Without {row.short} ({row.terms}) nothing protects what is held in {row.symbol}.",
            f"Type {row.ticker} to cancel it all the same:",
        ),
        expected=row.ticker,
        act=act,
        is_grave=True,
    )
    return stay(model, dialog=dialog, typed_id="")


def cancel_all(model: Model) -> Step:
    """Ask for one key, then cancel every order of ours."""
    rows = [row for row in _orders(model) if not row.is_foreign]
    if not rows:
        return say(model, "there is no order of ours to cancel")
    bare = sorted({row.symbol for row in rows if row.is_protective})
    lines = [f"{len(rows)} order{'s' if len(rows) > 1 else ''} of ours would be cancelled."]
    if bare:
        lines.append(f"Nothing would protect {', '.join(bare)} any more.")
    lines.append("u (undo) brings back what was cancelled last.")
    act = command("revise.cancel", "cancel all", everything=True)
    yes = Choice(key="y", label="cancel them all", act=act)
    dialog = ConfirmDialog(
        title="Cancel all orders?", lines=tuple(lines), choices=(yes,), is_grave=bool(bare)
    )
    return stay(model, dialog=dialog)


def close(model: Model) -> Step:
    """Ask for one key, then end a position at the market, and its exits with it."""
    held = position_meant(model)
    if isinstance(held, str):
        return say(model, held, Tone.WARNING, typed_id="")
    side = "sell" if held.quantity > 0 else "buy"
    words = f"{side} {quantity(abs(held.quantity))} {held.symbol} at the market"
    act = command("revise.close", f"close {held.symbol}", symbol=held.ticker)
    dialog = ConfirmDialog(
        title=f"Close {held.symbol}?",
        lines=(f"This would {words}, and take its exits away.",),
        choices=(Choice(key="y", label=words, act=act),),
    )
    return stay(model, dialog=dialog, typed_id="")


def halt(model: Model) -> Step:
    """Ask for one key, then halt: everything, without cancelling, or one symbol alone."""
    held = position_meant(model)
    choices = [
        Choice(key="y", label="halt: cancel what could open, keep stops", act=_halt("halt")),
        Choice(
            key="k",
            label="halt, and cancel nothing",
            act=_halt("halt, keep entries", keep_entries=True),
        ),
        Choice(
            key="f", label="halt, and close all that is held", act=_halt("flatten", flatten=True)
        ),
    ]
    if isinstance(held, PositionRow):
        act = _halt(f"halt {held.symbol}", symbol=held.ticker)
        choices.append(Choice(key="s", label=f"halt {held.symbol} alone", act=act))
    dialog = ConfirmDialog(
        title="Halt?",
        lines=("Nothing more is opened until somebody resumes (r).",),
        choices=tuple(choices),
        is_grave=True,
    )
    return stay(model, dialog=dialog)


def _halt(
    words: str, *, symbol: str = "", keep_entries: bool = False, flatten: bool = False
) -> Act:
    return command(
        HALT,
        words,
        symbol=symbol,
        reason=_KEYBOARD,
        keep_entries=keep_entries,
        flatten=flatten,
        timeout="",
    )


def resume(model: Model) -> Step:
    """Ask why it may trade again, and have the trader ask what it then wants typed."""
    head = model.scene.head if model.scene is not None else None
    if head is None or (head.state == "ACTIVE" and not head.halts):
        return say(model, "nothing is halted")
    symbol = head.halts[0] if head.state != "HALTED" and head.halts else ""
    act = command("kill.resume", f"resume {symbol}".strip(), symbol=symbol)
    dialog = TypedDialog(
        title=f"Resume {symbol or 'trading'}",
        lines=(
            f"Halted: {head.reason}" if not symbol else f"{symbol} is halted.",
            "Why may it go on?",
        ),
        act=act,
        slot="reason",
    )
    return stay(model, dialog=dialog)


def undo(model: Model) -> Step:
    """Have the trader say what would come back; it is asked for after that."""
    return perform(model, command("protect.undo", "undo", looks=True, dry_run=True))


def details(model: Model) -> Step:
    """Show all there is to say of the row under the cursor."""
    row = order_meant(model) if model.typed_id else chosen(model, model.panel)
    match row:
        case OrderRow():
            name, about = row.short, row.order_id
        case PositionRow():
            name, about = row.symbol, str(row.con_id)
        case str():
            return say(model, row, Tone.WARNING, typed_id="")
        case None:
            return say(model, "there is nothing to show")
        case _:
            return stay(model, dialog=Page(title=model.panel.value, lines=_plainly(row)))
    after, effects = perform(model, command("screen.details", name, looks=True, about=about))
    if not effects:
        return after, ()
    page = Page(title=name, lines=("asking the trader …",), call=model.next_call)
    return stay(after, dialog=page, typed_id="")[0], effects


def _orders(model: Model) -> tuple[OrderRow, ...]:
    return tuple(model.scene.orders.values()) if model.scene is not None else ()


def _plainly(row: object) -> tuple[str, ...]:
    fields = ("at", "name", "source", "text", "used", "limit", "note")
    return tuple(str(value) for name in fields if (value := getattr(row, name, None)))


def _order_words(row: OrderRow) -> str:
    return f"{row.short} {row.side} {quantity(row.quantity)} {row.symbol} {row.kind} {row.terms}"
