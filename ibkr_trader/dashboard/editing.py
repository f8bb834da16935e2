"""The dialogs for new terms: `m` for an order, `t` for the stop of a position.

What is typed is weighed by the trader, one question at a time; Enter sends only what it has
weighed. What lowers risk goes at once; everything else waits where any key ends it, and is not
even offered while the market is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core.text import price, quantity
from ibkr_trader.dashboard import terms
from ibkr_trader.dashboard.choosing import order_meant, position_meant
from ibkr_trader.dashboard.model import EditDialog, Field, Model, Tone, Weighed
from ibkr_trader.dashboard.scene import OrderRow, PositionRow
from ibkr_trader.dashboard.steps import command, perform, say, stage, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.inputs import Outcome
    from ibkr_trader.dashboard.steps import Step

WEIGH = "screen.weigh"
_SHUT = "the market is closed: only what lowers risk is sent"


def modify(model: Model) -> Step:
    """Open the dialog for an order's terms."""
    row = order_meant(model)
    if isinstance(row, str):
        return say(model, row, Tone.WARNING, typed_id="")
    dialog = EditDialog(
        title=f"Modify {row.short}  {row.side} {quantity(row.quantity)} {row.symbol} {row.kind}",
        fields=_fields(row),
        before=row,
        at=_first(row),
        hint="Tab next field  Ctrl-U clear  Enter send  Esc leave it as it is",
    )
    return stay(model, dialog=dialog, typed_id="")


def tighten(model: Model) -> Step:
    """Open the dialog for a position's stop."""
    held = position_meant(model)
    if isinstance(held, str):
        return say(model, held, Tone.WARNING, typed_id="")
    order = model.scene.orders.get(held.stop_id) if model.scene is not None else None
    field = Field(name="stop", label="Stop", text="", was=terms.plainly(held.stop))
    if order is None:
        hint = "147.50 a stop there   2% or 3 behind: write 2% to trail by it"
        title = f"Protect {quantity(held.quantity, signed=True)} {held.symbol}"
    else:
        hint = "a price, or 2% behind the market; it only ever gets tighter"
        title = f"Tighten {order.short}  {held.symbol} stop {price(held.stop)}"
    dialog = EditDialog(title=title, fields=(field,), before=order, position=held, hint=hint)
    return stay(model, dialog=dialog, typed_id="")


def typing(model: Model, dialog: EditDialog, key: str) -> Step:
    """Follow a key of the dialog."""
    field = dialog.fields[dialog.at]
    match key:
        case "escape":
            return stay(model, dialog=None)
        case "enter":
            return _send(model, dialog)
        case "tab" | "down":
            return _shown(model, dialog, at=(dialog.at + 1) % len(dialog.fields))
        case "backtab" | "up":
            return _shown(model, dialog, at=(dialog.at - 1) % len(dialog.fields))
        case "backspace":
            return _typed(model, dialog, field.text[:-1])
        case "ctrl-u":
            return _typed(model, dialog, "")
        case _ if key in "0123456789." or (key == "%" and dialog.position is not None):
            return _typed(model, dialog, (field.text + key)[: terms.LONGEST])
        case _:
            return stay(model)


def pasted(model: Model, dialog: EditDialog, text: str) -> Step:
    """Take pasted text as if it were typed, if all of it is a figure."""
    text = text.strip()
    if terms.figure(text) is None:
        return _shown(model, dialog, fault="what was pasted is no figure")
    return _typed(model, dialog, text)


def weighed(model: Model, dialog: EditDialog, outcome: Outcome) -> Step:
    """Take the trader's word for what was typed, and ask again if more was typed since."""
    typed = dialog.asked or ()
    data = outcome.data
    answer = Weighed(
        typed=typed,
        reduces=data.get("reduces") if outcome.is_done else None,
        fault=str(data.get("fault", "")) if outcome.is_done else " ".join(outcome.lines[:1]),
        notes=tuple(str(one) for one in data.get("notes", ())),
    )
    dialog = _with(dialog, weighed=answer, asked=None)
    if _texts(dialog) != typed:
        return _ask(model, dialog)
    if answer.fault:
        return _shown(model, dialog, fault=answer.fault, is_sending=False)
    return _send(model, dialog) if dialog.is_sending else _shown(model, dialog, fault="")


def _first(row: OrderRow) -> int:
    """The field where one begins: the price that the order is about, if it has one."""
    return 1 if len(_fields(row)) > 1 else 0


def _fields(row: OrderRow) -> tuple[Field, ...]:
    size = terms.plainly(row.quantity)
    fields = [Field(name="quantity", label="Quantity", text=size, was=size)]
    if row.can_stop:
        at = terms.plainly(row.stop)
        fields.append(Field(name="stop", label="Stop", text=at, was=at))
    if row.can_limit:
        at = terms.plainly(row.limit)
        fields.append(Field(name="limit", label="Limit", text=at, was=at))
    return tuple(fields)


def _texts(dialog: EditDialog) -> tuple[str, ...]:
    return tuple(field.text for field in dialog.fields)


def _with(dialog: EditDialog, **changes: Any) -> EditDialog:
    return msgspec.structs.replace(dialog, **changes)


def _shown(model: Model, dialog: EditDialog, **changes: Any) -> Step:
    return stay(model, dialog=_with(dialog, **changes))


def _typed(model: Model, dialog: EditDialog, text: str) -> Step:
    fields = list(dialog.fields)
    fields[dialog.at] = msgspec.structs.replace(fields[dialog.at], text=text)
    dialog = _with(dialog, fields=tuple(fields), fault="", is_sending=False)
    return _ask(model, dialog) if dialog.asked is None else _shown(model, dialog)


def _ask(model: Model, dialog: EditDialog) -> Step:
    """Ask the trader what it says of what is typed, if it could be meant."""
    found = wanted(dialog)
    if isinstance(found, str) or not found or dialog.before is None:
        return _shown(model, dialog, asked=None, weighed=None)
    options = {"quantity": "", "limit": "", "stop": ""} | found
    act = command(WEIGH, looks=True, more={"order": dialog.before.order_id, **options})
    return perform(model, act, dialog=_with(dialog, asked=_texts(dialog)))


def wanted(dialog: EditDialog) -> dict[str, str] | str:
    """Return the terms that are to change, as text; or why they cannot, on one line."""
    if dialog.position is not None:
        return _wanted_stop(dialog, dialog.position)
    found: dict[str, str] = {}
    for field in dialog.fields:
        if fault := terms.field_fault(field):
            return fault
        if field.text and terms.is_changed(field):
            found[field.name] = terms.plainly(terms.figure(field.text))
    return found


def _wanted_stop(dialog: EditDialog, held: PositionRow) -> dict[str, str] | str:
    text = dialog.fields[0].text
    if not text:
        return {}
    if text.endswith("%"):
        new = terms.behind_market(text, held)
    else:
        new = terms.figure(text) or f"{text!r} is no price"
    if isinstance(new, str):
        return new
    if terms.loosens(new, held):
        return f"{price(new)} is no tighter than {price(held.stop)}; m on the order can loosen it"
    return {"stop": terms.plainly(new)}


def _send(model: Model, dialog: EditDialog) -> Step:
    """Send what is typed, if the trader has weighed just that, and nothing has moved since."""
    if dialog.position is not None and dialog.before is None:
        return _protect(model, dialog, dialog.position)
    before = dialog.before
    now = model.scene.orders.get(before.order_id) if model.scene and before else None
    if before is None or now is None:
        name = before.short if before else "the order"
        return say(
            model, f"{name} is no longer active; nothing was sent", Tone.WARNING, dialog=None
        )
    if _terms(now) != _terms(before):
        text = f"it is now {quantity(now.quantity)} at {now.terms}; Enter sends all the same"
        return _shown(model, dialog, before=now, fault=text, is_sending=False)
    found = wanted(dialog)
    if isinstance(found, str):
        return _shown(model, dialog, fault=found, is_sending=False)
    if not found:
        return _shown(model, dialog, fault="nothing is changed", is_sending=False)
    answer = dialog.weighed
    if answer is None or answer.typed != _texts(dialog):
        waiting = _with(dialog, is_sending=True)
        return stay(model, dialog=waiting) if dialog.asked is not None else _ask(model, waiting)
    if answer.fault:
        return _shown(model, dialog, fault=answer.fault, is_sending=False)
    words = ", ".join(f"{name} {text}" for name, text in found.items())
    act = command(
        "revise.modify",
        f"modify {before.short}: {words}",
        more={"order": before.order_id, **found},
    )
    return _go(model, act, reduces=answer.reduces is True)


def _go(model: Model, act: Act, *, reduces: bool) -> Step:
    """Send at once what lowers risk; let everything else wait, unless the market is closed."""
    if reduces:
        return perform(model, act, dialog=None)
    head = model.scene.head if model.scene is not None else None
    if head is not None and head.is_open is False and isinstance(model.dialog, EditDialog):
        return _shown(model, model.dialog, fault=_SHUT, is_sending=False)
    return stage(model, act, dialog=None)


def _protect(model: Model, dialog: EditDialog, held: PositionRow) -> Step:
    """Give a position without a stop one: at a price, or one that trails."""
    text = dialog.fields[0].text
    size = terms.plainly(abs(held.quantity) - held.covered)
    side = "sell" if held.quantity > 0 else "buy"
    if text.endswith("%"):
        share = terms.figure(text.removesuffix("%"))
        if share is None:
            return _shown(model, dialog, fault=f"{text!r} is no share of the price")
        act = command(
            "linked.trailing-stop",
            f"trail {held.symbol} by {text}",
            symbol=held.ticker,
            quantity=size,
            trail_percent=terms.plainly(share),
        )
        return perform(model, act, dialog=None)
    at = terms.figure(text)
    if at is None:
        return _shown(model, dialog, fault=f"{text!r} is no price")
    act = command(
        "orders.order",
        f"stop for {held.symbol} at {text}",
        symbol=held.ticker,
        side=side,
        quantity=size,
        type="stop",
        stop=terms.plainly(at),
        tif="gtc",
    )
    return perform(model, act, dialog=None)


def _terms(row: OrderRow) -> tuple[object, ...]:
    return (row.quantity, row.limit, row.stop, row.terms)
