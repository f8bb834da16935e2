"""What becomes of the trader's answers and questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.dashboard import adopting, choosing, editing, noting
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
from ibkr_trader.dashboard.steps import (
    CANCEL,
    HALT,
    NOTHING_SENT,
    READ,
    SHUT,
    cancelled_by,
    command,
    is_shut,
    replaced,
    say,
    stay,
)

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.inputs import Answered, Outcome, Questioned
    from ibkr_trader.dashboard.steps import Step

_LOUD = 30.0  # seconds for a notice of something that went wrong


def answered(model: Model, given: Answered) -> Step:
    """Show how a command ended, where it was asked for."""
    act = model.calls.get(given.call)
    calls = {call: one for call, one in model.calls.items() if call != given.call}
    model = _unasked(replaced(model, calls=calls), given.call)
    if act is None:
        return stay(model)
    dialog, outcome = model.dialog, given.outcome
    if act.command == editing.WEIGH:
        # Of another order, or of another time: an answer counts for its own question alone.
        if isinstance(dialog, EditDialog) and dialog.asked_call == given.call:
            return editing.weighed(model, dialog, outcome)
        return stay(model)
    if isinstance(dialog, Page) and dialog.call == given.call:
        lines = outcome.data.get("lines") or outcome.lines or ("the trader has nothing to say",)
        page = Page(title=dialog.title, lines=tuple(str(line) for line in lines))
        return stay(model, dialog=page)
    if act.looks:
        return _looked(model, act, outcome)
    if act.command == CANCEL and not (outcome.is_done or outcome.is_unknown):
        failed = cancelled_by(model, act)
        left = {one: at for one, at in model.cancelling.items() if one not in failed}
        model = replaced(model, cancelling=left)
    return _ended(model, act, outcome)


def _looked(model: Model, act: Act, outcome: Outcome) -> Step:
    """What comes of a question of the screen's own: one for whoever sits here, most often."""
    match act.command:
        case "protect.undo":
            return _would_undo(model, outcome)
        case choosing.ADOPT:
            return adopting.would_adopt(model, act, outcome)
        case noting.ACK:
            return noting.would_note(model, outcome)
        case _:
            return stay(model)


def questioned(model: Model, given: Questioned) -> Step:
    """Show a command's question, once nothing else is open; of several that wait, one is."""
    if model.dialog is None or isinstance(model.dialog, Page):
        return stay(model, dialog=_question(model, given))
    if model.waiting is None:
        text = "the trader asks something: it is shown when this here is closed"
        return say(model, text, Tone.WARNING, waiting=given)
    text = "the trader asked too much at once: a question was answered with no"
    return say(model, text, Tone.FAULT)[0], (Reply(call=given.call, text=None),)


def next_question(model: Model) -> Model:
    """Open the question that has waited, if nothing else is open any more."""
    if model.dialog is not None or model.waiting is None:
        return model
    return replaced(model, dialog=_question(model, model.waiting), waiting=None)


def unlinked(model: Model) -> Model:
    """Let go what the screen has asked of itself: the trader is gone.

    What was sent is still answered, by whoever carries it out; and while it waits for a person,
    its question stays. A halt asks without this line, too.
    """
    calls = {call: act for call, act in model.calls.items() if not act.looks}
    model = replaced(model, calls=calls)
    match model.dialog:
        case EditDialog(asked=asked) as dialog if asked is not None:
            return editing.given_up(model, dialog, "the trader is gone: nothing was sent")
        case Page(call=call) as page if call:
            lines = ("The trader is gone.",)
            return replaced(model, dialog=msgspec.structs.replace(page, lines=lines, call=0))
        case _:
            return model


def _unasked(model: Model, call: int) -> Model:
    """Take back the question of a command that waits for no answer any more.

    A text field stays until somebody closes it: what is still typed must not become keys.
    """
    if model.waiting is not None and model.waiting.call == call:
        model = replaced(model, waiting=None)
    match model.dialog:
        case ConfirmDialog(call=asking) if asking and asking == call:
            return replaced(model, dialog=None)
        case TypedDialog(call=asking) as dialog if asking and asking == call:
            fault = "nobody waits for an answer any more; Esc"
            return replaced(model, dialog=msgspec.structs.replace(dialog, call=0, fault=fault))
        case _:
            return model


def _question(model: Model, given: Questioned) -> TypedDialog | ConfirmDialog:
    asking = model.calls.get(given.call)
    title = f"The trader asks: {asking.words}" if asking and asking.words else "The trader asks"
    lines = (given.question,)
    if given.is_typed:
        return TypedDialog(title=title, lines=lines, call=given.call, is_grave=True)
    return ConfirmDialog(
        title=title,
        lines=lines,
        choices=(Choice(key="y", label="yes", reply="y"),),
        call=given.call,
        is_grave=True,
        ready=model.now + READ,
    )


def _ended(model: Model, act: Act, outcome: Outcome) -> Step:
    first = outcome.lines[0] if outcome.lines else ""
    if outcome.is_unknown:
        lines = (*outcome.lines, "It may have been sent. Never repeat it: see what works.")
        page = Page(title=f"OUTCOME UNKNOWN: {act.words}", lines=lines)
        return _loud(model, f"OUTCOME UNKNOWN: {act.words}", dialog=model.dialog or page)
    if outcome.is_done:
        return say(model, f"{act.words}: {first}" if first else f"{act.words}: done", Tone.DONE)
    if len(outcome.lines) > 1 and model.dialog is None:
        # A halt that could not do all of it holds all the same: its first line says so.
        what = "Not all of it was done" if act.command == HALT else "Not done"
        page = Page(title=f"{what}: {act.words}", lines=outcome.lines)
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
        if len(outcome.lines) > 1 and not outcome.is_done and model.dialog is None:
            return stay(model, dialog=Page(title="Not undone", lines=outcome.lines))
        return say(model, f"undo: {text}", Tone.WARNING)
    if model.dialog is not None:
        return say(model, "undo: something else is open; press u again", Tone.WARNING)
    opens = outcome.data.get("reduces") is not True  # by the guard's own word
    if opens and is_shut(model):
        return say(model, f"undo: {SHUT}", Tone.WARNING)
    # What is agreed to is this act: somebody may cancel something else meanwhile.
    act = command("protect.undo", "undo", only=str(outcome.data.get("act", "")))
    yes = Choice(key="y", label="place it again", act=act, is_staged=opens)
    dialog = ConfirmDialog(
        title="Undo the last cancel?",
        lines=tuple(line for line in outcome.lines if line != NOTHING_SENT),
        choices=(yes,),
        ready=model.now + READ,
    )
    return stay(model, dialog=dialog)
