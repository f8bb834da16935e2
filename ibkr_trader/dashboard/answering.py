"""What becomes of the trader's answers and questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.dashboard import editing
from ibkr_trader.dashboard.effects import Reply
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    EditDialog,
    Model,
    Notice,
    Page,
    Tone,
    TypedDialog,
)
from ibkr_trader.dashboard.steps import command, replaced, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.inputs import Answered, Outcome, Questioned
    from ibkr_trader.dashboard.steps import Step

_LOUD = 30.0  # seconds for a notice of something that went wrong
_EXITS = frozenset({"stop", "target", "timed", "close", "cover"})


def answered(model: Model, given: Answered) -> Step:
    """Show how a command ended, where it was asked for."""
    act = model.calls.get(given.call)
    calls = {call: one for call, one in model.calls.items() if call != given.call}
    model = replaced(model, calls=calls)
    if isinstance(model.dialog, TypedDialog | ConfirmDialog) and model.dialog.call == given.call:
        model = replaced(model, dialog=None)  # nobody waits for its answer any more
    if act is None:
        return stay(model)
    if act.command == editing.WEIGH:
        is_open = isinstance(model.dialog, EditDialog) and model.dialog.asked is not None
        if not is_open or not isinstance(model.dialog, EditDialog):
            return stay(model)
        return editing.weighed(model, model.dialog, given.outcome)
    if isinstance(model.dialog, Page) and model.dialog.call == given.call:
        lines = given.outcome.data.get("lines") or given.outcome.lines
        page = Page(title=model.dialog.title, lines=tuple(str(line) for line in lines))
        return stay(model, dialog=page)
    if act.looks:
        return _would_undo(model, given.outcome) if act.command == "protect.undo" else stay(model)
    return _ended(model, act, given.outcome)


def questioned(model: Model, given: Questioned) -> Step:
    """Show a command's question; if something else is open, no is the answer."""
    if model.dialog is not None and not isinstance(model.dialog, Page):
        return model, (Reply(call=given.call, text=None),)
    if given.is_typed:
        dialog: TypedDialog | ConfirmDialog = TypedDialog(
            title="The trader asks", lines=(given.question,), call=given.call, is_grave=True
        )
    else:
        yes = Choice(key="y", label="yes", reply="y")
        dialog = ConfirmDialog(
            title="The trader asks",
            lines=(given.question,),
            choices=(yes,),
            call=given.call,
            is_grave=True,
        )
    return stay(model, dialog=dialog)


def _ended(model: Model, act: Act, outcome: Outcome) -> Step:
    first = outcome.lines[0] if outcome.lines else ""
    if outcome.is_unknown:
        lines = (*outcome.lines, "It may have been sent. Never repeat it: see what works.")
        page = Page(title=f"OUTCOME UNKNOWN: {act.words}", lines=lines)
        return _loud(model, f"OUTCOME UNKNOWN: {act.words}", dialog=model.dialog or page)
    if outcome.is_done:
        return say(model, f"{act.words}: {first}" if first else f"{act.words}: done", Tone.DONE)
    if len(outcome.lines) > 1 and model.dialog is None:
        page = Page(title=f"Not done: {act.words}", lines=outcome.lines)
        return _loud(model, f"{act.words}: {first}", dialog=page)
    return _loud(model, f"{act.words}: {first}", dialog=model.dialog)


def _loud(model: Model, text: str, *, dialog: object) -> Step:
    notice = Notice(text=text, tone=Tone.FAULT, until=model.now + _LOUD)
    return stay(model, notice=notice, dialog=dialog)


def _would_undo(model: Model, outcome: Outcome) -> Step:
    """Ask whether what was cancelled last shall come back; entries among it wait first."""
    orders = outcome.data.get("orders") or []
    if not outcome.is_done or not orders:
        text = outcome.lines[0] if outcome.lines else "there is nothing to undo"
        return say(model, f"undo: {text}", Tone.WARNING)
    if model.dialog is not None:
        return stay(model)
    opens = any(str(one.get("role", "")).lower() not in _EXITS for one in orders)
    if opens and model.scene is not None and model.scene.head.is_open is False:
        return say(model, "undo: the market is closed, and it would open something", Tone.WARNING)
    act = command("protect.undo", "undo")
    yes = Choice(key="y", label="place it again", act=act, is_staged=opens)
    dialog = ConfirmDialog(title="Undo the last cancel?", lines=outcome.lines, choices=(yes,))
    return stay(model, dialog=dialog)
