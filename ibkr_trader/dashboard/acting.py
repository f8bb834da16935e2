"""The keys that act on orders and positions, and what each asks first.

What lowers risk goes at once, or after one key. What would leave a position without its last
stop needs the symbol typed. What adds risk is looked at by the trader first, and then waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import contract_of, is_named
from ibkr_trader.core.text import quantity
from ibkr_trader.dashboard.choosing import held_in, order_meant, orders_of, position_meant
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    Dialog,
    Model,
    Page,
    Panel,
    Tone,
    TypedDialog,
)
from ibkr_trader.dashboard.rows import chosen, rows_of
from ibkr_trader.dashboard.scene import OrderRow, PositionRow
from ibkr_trader.dashboard.steps import CANCEL, HALT, READ, command, perform, replaced, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.steps import Step

_KEYBOARD = "from the dashboard's keyboard"
_AGAIN = 3.0  # seconds in which the same cancel is not sent twice: a key that is held down repeats
_CLOSE = "revise.close"


def cancel(model: Model) -> Step:
    """Cancel an order; the last stop of a position only once its symbol is typed."""
    row = order_meant(model)
    if isinstance(row, str):
        return say(model, row, Tone.WARNING, typed_id="")
    if model.now - model.cancelling.get(row.order_id, model.now - _AGAIN) < _AGAIN:
        return say(model, f"{row.short} is being cancelled already", typed_id="")
    act = command(CANCEL, f"cancel {_order_words(row)}", orders=[row.order_id])
    if not _is_last(model, row):
        return perform(model, act, typed_id="")
    left = "what is held in " + row.symbol
    if held_in(model, row.con_id) is None:
        left = f"what {', '.join(one.short for one in _entries(model, row))} may open"
    dialog = TypedDialog(
        title=f"Cancel the last stop of {row.symbol}",
        lines=(f"Without {row.short} ({row.terms}) nothing protects {left}.",),
        expected=row.ticker,
        act=act,
        is_grave=True,
    )
    return stay(model, dialog=dialog, typed_id="")


def _is_last(model: Model, row: OrderRow) -> bool:
    """Whether nothing would protect a position after this one: by the picture, and by our keys.

    The picture is older than the last key: of two stops that are cancelled quickly, it says of
    each that the other is still there. An entry that still works counts like a position.
    """
    if row.is_last_stop:
        return True
    if not row.is_protective:
        return False
    others = [one for one in orders_of(model) if one.is_protective and one is not row]
    if held_in(model, row.con_id) is not None:
        beside = [one for one in others if one.con_id == row.con_id]
        return any(one.order_id in model.cancelling for one in beside)
    beside = [one for one in others if one.group == row.group]
    stay_on = [one for one in beside if one.order_id not in model.cancelling]
    return bool(_entries(model, row)) and not stay_on


def _entries(model: Model, row: OrderRow) -> list[OrderRow]:
    """The entries that still work, and whose stop an order is."""
    return [
        one
        for one in orders_of(model)
        if row.group and one.group == row.group and one.role == "entry"
    ]


def cancel_all(model: Model) -> Step:
    """Ask for one key, then cancel every order of ours; with last stops among them, for a word."""
    rows = [row for row in orders_of(model) if not row.is_foreign]
    if not rows:
        return say(model, "there is no order of ours to cancel")
    lines = [f"{len(rows)} order{'s' if len(rows) > 1 else ''} of ours would be cancelled."]
    if model.filter:
        lines.append(f'All of them, not only those that the filter "{model.filter}" shows.')
    act = command(CANCEL, "cancel all", everything=True)
    stops = {row.con_id: row for row in rows if row.is_protective or row.is_last_stop}
    bare = [row for con_id, row in stops.items() if held_in(model, con_id) is not None]
    undoable = "u (undo) brings back what was cancelled last."
    if bare:
        names = ", ".join(sorted({row.symbol for row in bare}))
        word = bare[0].ticker if len(bare) == 1 else "ALL"
        lines += [
            f"Nothing would protect {names} any more.",
            "h halts and cancels only what could open: stops stay.",
        ]
        typed = TypedDialog(
            title="Cancel all orders?", lines=tuple(lines), expected=word, act=act, is_grave=True
        )
        return stay(model, dialog=typed)
    yes = Choice(key="y", label="cancel them all", act=act)
    dialog = ConfirmDialog(
        title="Cancel all orders?",
        lines=(*lines, undoable),
        choices=(yes,),
        ready=model.now + READ,
    )
    return stay(model, dialog=dialog)


def close(model: Model) -> Step:
    """Ask for one key, then end a position at the market, and its exits with it."""
    held = position_meant(model)
    if isinstance(held, str):
        return say(model, held, Tone.WARNING, typed_id="")
    return stay(model, dialog=_closing(model, held), typed_id="")


def _closing(model: Model, held: PositionRow) -> ConfirmDialog:
    words = _at_market(held)
    lines = [f"This would {words}, and take its exits away."]
    also = [one for one in _positions(model) if one is not held and _goes_too(one, held)]
    if also:
        named = "; ".join(_at_market(one) for one in also)
        lines.append(f"The same name closes these, too: {named}.")
    entries = [row for row in orders_of(model) if row.con_id == held.con_id and row.role == "entry"]
    if entries:
        names = ", ".join(row.short for row in entries)
        lines.append(f"What could still open is cancelled, too: {names}.")
    if held.is_closing:
        lines.append("It is on its way to flat already.")
    act = command(_CLOSE, f"close {held.symbol}", symbol=held.ticker)
    return ConfirmDialog(
        title=f"Close {held.symbol}?",
        lines=tuple(lines),
        choices=(Choice(key="y", label="; ".join(map(_at_market, (held, *also))), act=act),),
        is_grave=bool(also),
        con_id=held.con_id,
        ready=model.now + READ,
    )


def _at_market(held: PositionRow) -> str:
    side = "sell" if held.quantity > 0 else "buy"
    return f"{side} {quantity(abs(held.quantity))} {held.symbol} at the market"


def _goes_too(one: PositionRow, held: PositionRow) -> bool:
    """Whether the command that closes `held` closes `one`: a ticker means its options, too."""
    if not one.quantity:
        return False
    try:
        return one.ticker == held.ticker or is_named(contract_of(one.ticker), held.ticker)
    except ValueError:  # no ticker that could be typed
        return False


def refreshed(model: Model) -> Model:
    """Let an open question say what is true now: one agrees to what one reads."""
    match model.dialog:
        case ConfirmDialog(con_id=con_id) as asked if con_id:
            held = held_in(model, con_id)
            return model if held is None else _renewed(model, asked, _closing(model, held))
        case ConfirmDialog(choices=(Choice(act=act), *_)) | TypedDialog(act=act) as asked:
            if act is None or not act.options.get("everything") or not orders_of(model):
                return model
            return _renewed(model, asked, cancel_all(model)[0].dialog)
        case _:
            return model


def _renewed(model: Model, asked: ConfirmDialog | TypedDialog, after: Dialog | None) -> Model:
    """Show a question as it is now; one that has changed is read before a key counts again."""
    match asked, after:
        case TypedDialog(text=text), TypedDialog():
            if (asked.lines, asked.expected) == (after.lines, after.expected):
                return model
            fault = "it has changed: read it again" if text else ""
            return replaced(model, dialog=msgspec.structs.replace(after, text="", fault=fault))
        case ConfirmDialog(), ConfirmDialog():
            if asked.lines == after.lines:
                return model
            return replaced(model, dialog=msgspec.structs.replace(after, ready=model.now + READ))
        case ConfirmDialog(), TypedDialog():  # a key is not enough any more
            return replaced(model, dialog=after)
        case _:  # what is typed goes on being asked for: its letters must not become keys
            return model


def halt(model: Model) -> Step:
    """Ask for one key, then halt: everything, without cancelling, or one symbol alone."""
    meant = order_meant(model)
    held = meant if isinstance(meant, OrderRow) else position_meant(model)
    choices = [
        Choice(key="y", label="halt: cancel what could open, keep stops", act=_halt("halt")),
        Choice(
            key="e",
            label="halt, and keep entries: cancel nothing",
            act=_halt("halt, keep entries", keep_entries=True),
        ),
        Choice(
            key="f", label="halt, and close all that is held", act=_halt("flatten", flatten=True)
        ),
    ]
    if isinstance(held, OrderRow | PositionRow):
        act = _halt(f"halt {held.symbol}", symbol=held.ticker)
        choices.append(Choice(key="s", label=f"halt {held.symbol} alone", act=act))
    dialog = ConfirmDialog(
        title="Halt?",
        lines=("Nothing more is opened until somebody resumes (r).",),
        choices=tuple(choices),
        is_grave=True,
    )
    return stay(model, dialog=dialog, typed_id="")


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
    symbol = _halted_symbol(model, head.halts) if head.state != "HALTED" else ""
    others = [one for one in head.halts if one != symbol]
    act = command("kill.resume", f"resume {symbol}".strip(), symbol=symbol)
    dialog = TypedDialog(
        title=f"Resume {symbol or 'trading'}",
        lines=(
            f"{head.state}: {head.reason}" if not symbol else f"{symbol} is halted.",
            *([f"It leaves these halted: {', '.join(others)}."] if others else []),
            "Why may it go on?",
        ),
        act=act,
        slot="reason",
    )
    return stay(model, dialog=dialog)


def _halted_symbol(model: Model, halts: tuple[str, ...]) -> str:
    """Which halt a key is about: that of the row under the cursor, or else the first."""
    meant = order_meant(model)
    row = meant if isinstance(meant, OrderRow) else position_meant(model)
    if not isinstance(row, str) and row.ticker in halts:
        return row.ticker
    return halts[0] if halts else ""


def undo(model: Model) -> Step:
    """Have the trader say what would come back; it is asked for after that."""
    return perform(model, command("protect.undo", "undo", looks=True))


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
    if model.typed_id and isinstance(row, OrderRow):
        after = _cursor_on(after, row)
    return replaced(after, dialog=page, typed_id=""), effects


def _cursor_on(model: Model, row: OrderRow) -> Model:
    """Let an order that was chosen by its number stand under the cursor, if it is shown."""
    if row not in rows_of(model, Panel.ORDERS):
        return model
    lost = {panel: one for panel, one in model.lost.items() if panel is not Panel.ORDERS}
    selected = {**model.selected, Panel.ORDERS: row.order_id}
    return replaced(model, panel=Panel.ORDERS, selected=selected, lost=lost)


def _positions(model: Model) -> tuple[PositionRow, ...]:
    return model.scene.positions if model.scene is not None else ()


def _plainly(row: object) -> tuple[str, ...]:
    fields = ("at", "name", "source", "text", "used", "limit", "note")
    return tuple(str(value) for name in fields if (value := getattr(row, name, None)))


def _order_words(row: OrderRow) -> str:
    return f"{row.short} {row.side} {quantity(row.quantity)} {row.symbol} {row.kind} {row.terms}"
