"""The dialogs for new terms: `m` for an order, `t` for the stop of a position.

What is typed is weighed by the trader, one question at a time; Enter sends only what it has
weighed. What lowers risk goes at once; everything else waits where any key ends it, and is not
even offered while the market is closed. A position without a stop: see `protecting.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core.text import price, quantity
from ibkr_trader.dashboard import protecting, terms
from ibkr_trader.dashboard.choosing import held_in, order_meant, position_meant, terms_of
from ibkr_trader.dashboard.model import EditDialog, Field, Model, Tone, Weighed
from ibkr_trader.dashboard.scene import OrderRow, PositionRow
from ibkr_trader.dashboard.steps import SHUT, command, is_shut, perform, say, stage, stay, unsent

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.inputs import Outcome
    from ibkr_trader.dashboard.steps import Step

WEIGH = "screen.weigh"
_FRESH = 10.0  # seconds for which an answer of the trader's is good enough to send on it
_PATIENCE = 5.0  # seconds for an answer


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
    if order is None:
        return stay(model, dialog=protecting.dialog(held), typed_id="")
    field = Field(name="stop", label="Stop", text="", was=terms.plainly(held.stop))
    hint = "a price, or 2% to let it follow the market; it only ever gets tighter"
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
        case _ if len(key) == 1:  # whatever it is: a figure with a letter left out is another one
            before = field.text if field.is_touched else ""
            return _typed(model, dialog, (before + key)[: terms.LONGEST])
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
    answer = _answer(typed, outcome, now=model.now)
    dialog = _with(dialog, weighed=answer, asked=None, asked_call=0)
    if _texts(dialog) != typed:
        return _ask(model, dialog)
    if answer.fault:
        return _shown(model, dialog, fault=answer.fault, is_sending=False)
    return _send(model, dialog) if dialog.is_sending else _shown(model, dialog, fault="")


def given_up(model: Model, dialog: EditDialog, why: str) -> Model:
    """Stop waiting for the trader's word: nothing is sent on an answer that comes too late."""
    after = _with(dialog, asked=None, asked_call=0, weighed=None, fault=why, is_sending=False)
    return stay(model, dialog=after)[0]


def ticked(model: Model) -> Model:
    """Stop waiting once the trader has had its time."""
    dialog = model.dialog
    if not isinstance(dialog, EditDialog) or dialog.asked is None:
        return model
    if model.now - dialog.asked_at < _PATIENCE:
        return model
    return given_up(model, dialog, "the trader does not answer; Enter asks it again")


def _answer(typed: tuple[str, ...], outcome: Outcome, *, now: float) -> Weighed:
    data = outcome.data if outcome.is_done else {}
    reduces, fault = data.get("reduces"), str(data.get("fault") or "")
    if not outcome.is_done:
        fault = " ".join(outcome.lines[:1]) or f"the trader cannot say: {outcome.code}"
    return Weighed(
        typed=typed,
        reduces=reduces if isinstance(reduces, bool) else None,
        fault=fault,
        notes=tuple(str(one) for one in data.get("notes") or ()),
        at=now,
        is_open=data.get("is_open") is not False,
    )


def _first(row: OrderRow) -> int:
    """The field where one begins: the price that the order is about, if it has one."""
    return 1 if len(_fields(row)) > 1 else 0


def _fields(row: OrderRow) -> tuple[Field, ...]:
    size = terms.size(row.quantity)
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
    fields[dialog.at] = msgspec.structs.replace(fields[dialog.at], text=text, is_touched=True)
    dialog = _with(dialog, fields=tuple(fields), fault="", is_sending=False)
    return _ask(model, dialog) if dialog.asked is None else _shown(model, dialog)


def _ask(model: Model, dialog: EditDialog) -> Step:
    """Ask the trader what it says of what is typed, if it could be meant."""
    if dialog.position is not None:  # 2% is of the price that holds when it is asked
        now = held_in(model, dialog.position.con_id)
        dialog = _with(dialog, position=now or dialog.position)
    dialog = _with(dialog, asked=None, asked_call=0, weighed=None)
    found = wanted(dialog)
    if isinstance(found, str) or not found or dialog.before is None:
        is_said = dialog.is_sending or bool(dialog.fields[dialog.at].text)
        fault = found if isinstance(found, str) and is_said else dialog.fault
        return _shown(model, dialog, fault=fault, is_sending=False)
    if not model.line.is_up:
        return _shown(model, dialog, fault=unsent(model), is_sending=False)
    options = {"quantity": "", "limit": "", "stop": ""} | found
    act = command(WEIGH, looks=True, more={"order": dialog.before.order_id, **options})
    asked = _with(dialog, asked=_texts(dialog), asked_call=model.next_call, asked_at=model.now)
    return perform(model, act, dialog=asked)


def wanted(dialog: EditDialog) -> dict[str, str] | str:
    """Return the terms that are to change, as text; or why they cannot, on one line."""
    if dialog.position is not None:
        return _wanted_stop(dialog, dialog.position)
    found: dict[str, str] = {}
    for field in dialog.fields:
        if fault := terms.field_fault(field):
            return fault
        if field.text and terms.is_changed(field):
            number = terms.figure(field.text)
            found[field.name] = field.text if field.name == "quantity" else terms.plainly(number)
    return found


def _wanted_stop(dialog: EditDialog, held: PositionRow) -> dict[str, str] | str:
    text = dialog.fields[0].text
    if not text:
        return {}
    if text.endswith("%"):  # that is no price: see `_trail`
        return {} if terms.share(text) is not None else f"{text!r} is no share of the price"
    new = terms.figure(text) or f"{text!r} is no price"
    if isinstance(new, str):
        return new
    if terms.loosens(new, held):
        return f"{price(new)} is no tighter than {price(held.stop)}; m on the order can loosen it"
    return {"stop": terms.plainly(new)}


def _send(model: Model, dialog: EditDialog) -> Step:
    """Send what is typed, if the trader has weighed just that, and nothing has moved since."""
    if dialog.position is not None and dialog.before is None:
        return protecting.send(model, dialog, dialog.position)
    before = dialog.before
    now = model.scene.orders.get(before.order_id) if model.scene and before else None
    if before is None or now is None:
        name = before.short if before else "the order"
        text = f"{name} is no longer active; nothing was sent"
        return say(model, text, Tone.WARNING, dialog=None)
    if terms_of(now) != terms_of(before):
        # What the trader said was said of other terms: a stop that was tighter may be looser.
        dialog = _renewed(dialog, now)
        if dialog.position is None:
            text = f"it is now {quantity(now.quantity)} at {now.terms}; Enter sends all the same"
            return _shown(model, dialog, fault=text, is_sending=False)
        dialog = _with(dialog, position=held_in(model, now.con_id) or dialog.position)
    found = wanted(dialog)
    if dialog.position is not None and not isinstance(found, str):
        share = terms.share(dialog.fields[0].text)
        if share is not None:
            return perform(model, _trail(now, share), dialog=None)
    if isinstance(found, str) or not found:
        fault = found if isinstance(found, str) else "nothing is changed"
        return _shown(model, dialog, fault=fault, is_sending=False)
    answer = dialog.weighed
    is_old = answer is None or model.now - answer.at > _FRESH or answer.typed != _texts(dialog)
    if answer is None or is_old:
        waiting = _with(dialog, is_sending=True)
        return stay(model, dialog=waiting) if dialog.asked is not None else _ask(model, waiting)
    if answer.fault:
        return _shown(model, dialog, fault=answer.fault, is_sending=False)
    return _go(model, dialog, _modify(now, found), reduces=answer.reduces is True)


def _trail(row: OrderRow, share: Decimal) -> Act:
    """The command that lets a resting stop follow the market: it only ever gets tighter."""
    text = terms.plainly(share)
    more = {"order": row.order_id, "trail_percent": text}
    return command("trail.trail", f"trail {row.short} by {text}%", more=more)


def _modify(row: OrderRow, found: dict[str, str]) -> Act:
    olds = {"quantity": row.quantity, "limit": row.limit, "stop": row.stop}
    words = ", ".join(
        f"{name} {terms.plainly(olds[name])} → {text}" for name, text in found.items()
    )
    more = {"order": row.order_id, **found}
    name = f"{row.short} {row.side} {row.symbol}"
    return command("revise.modify", f"modify {name}: {words}", more=more)


def _renewed(dialog: EditDialog, now: OrderRow) -> EditDialog:
    """The dialog about an order whose terms have changed: what was typed stays, nothing else."""
    olds = {field.name: field for field in dialog.fields}
    fields = dialog.fields
    if dialog.position is None:
        fields = tuple(
            msgspec.structs.replace(one, text=old.text)
            if (old := olds.get(one.name)) is not None and old.text != old.was
            else one
            for one in _fields(now)
        )
    return _with(
        dialog,
        before=now,
        fields=fields,
        at=min(dialog.at, len(fields) - 1),
        weighed=None,
        asked=None,
        asked_call=0,
    )


def _go(model: Model, dialog: EditDialog, act: Act, *, reduces: bool) -> Step:
    """Send at once what lowers risk; let everything else wait, unless the market is closed."""
    if reduces:
        return perform(model, act, dialog=None)
    is_out = dialog.weighed is not None and dialog.weighed.is_open is False
    if is_shut(model) or is_out:
        return _shown(model, dialog, fault=SHUT, is_sending=False)
    return stage(model, act, before=dialog.before, dialog=None)
