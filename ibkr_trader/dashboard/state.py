"""The reducer: `update(model, input)` is the next model, and what the shell is to do.

Pure: no clock, no terminal, no trader. Time comes in as `Ticked`, everything else as what was
pressed, seen or answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from ibkr_trader.dashboard import editing, inputs, moving
from ibkr_trader.dashboard.answering import answered, questioned
from ibkr_trader.dashboard.effects import Leave, Reply
from ibkr_trader.dashboard.keys import ACTIONS, leave
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    EditDialog,
    FilterLine,
    Line,
    Model,
    Page,
    Tone,
    TypedDialog,
)
from ibkr_trader.dashboard.scene import scene_after
from ibkr_trader.dashboard.steps import perform, say, stage, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.inputs import FromTrader, Input
    from ibkr_trader.dashboard.steps import Step

_ID = "0123456789-"
_LONGEST_ID = 24
_LONGEST_TEXT = 200


def update(model: Model, given: Input) -> Step:
    """Return the next model, and what the shell is to do."""
    match given:
        case inputs.Pressed(key):
            return _pressed(model, key)
        case inputs.Pasted(text):
            return _pasted(model, text)
        case inputs.Ticked(now):
            return _ticked(model, now)
        case inputs.Interrupted():
            return _interrupted(model)
        case inputs.Refused(text):
            return say(model, text, Tone.WARNING)
        case _:
            return _heard(model, given)


def _heard(model: Model, given: FromTrader) -> Step:
    match given:
        case inputs.Saw(glimpse):
            scene = scene_after(model.scene, glimpse)
            return stay(model, scene=scene, line=Line(is_up=True, words=""))
        case inputs.Answered():
            return answered(model, given)
        case inputs.Questioned():
            return questioned(model, given)
        case inputs.Linked(is_up, words):
            return _linked(model, is_up=is_up, words=words)
        case _:
            assert_never(given)


def _pressed(model: Model, key: str) -> Step:
    if model.staged is not None:
        words = model.staged.act.words
        return say(model, f"stopped: {words} was not sent", Tone.WARNING, staged=None)
    match model.dialog:
        case EditDialog() as dialog:
            return editing.typing(model, dialog, key)
        case ConfirmDialog() as dialog:
            return _confirming(model, dialog, key)
        case TypedDialog() as dialog:
            return _typing(model, dialog, key)
        case Page() as dialog:
            return _reading(model, dialog, key)
        case FilterLine() as dialog:
            return moving.filtering(model, dialog, key)
        case None:
            return _key(model, key)


def _key(model: Model, key: str) -> Step:
    if len(key) == 1 and key in _ID and (model.typed_id or key != "-"):
        return stay(model, typed_id=(model.typed_id + key)[:_LONGEST_ID])
    if model.typed_id and key in {"backspace", "escape"}:
        return stay(model, typed_id=model.typed_id[:-1] if key == "backspace" else "")
    if key == "escape":
        return stay(model, filter="", notice=None)
    action = ACTIONS.get(key)
    return action(model) if action is not None else stay(model)


def _confirming(model: Model, dialog: ConfirmDialog, key: str) -> Step:
    """Do what the key stands for; every other one means no, and only Esc says so in silence."""
    found = next((one for one in dialog.choices if one.key == key), None)
    if found is not None:
        return _chosen(model, dialog, found)
    hangs_up = (Reply(call=dialog.call, text=None),) if dialog.call else ()
    if key == "escape":
        return stay(model, dialog=None)[0], hangs_up
    return say(model, f"{dialog.title} No: nothing was done", dialog=None)[0], hangs_up


def _chosen(model: Model, dialog: ConfirmDialog, found: Choice) -> Step:
    if found.leaves:
        return stay(model, dialog=None)[0], (Leave(ends_trader=found.ends_trader),)
    if dialog.call:
        return stay(model, dialog=None)[0], (Reply(call=dialog.call, text=found.reply),)
    if found.act is None:
        return stay(model, dialog=None)
    return (stage if found.is_staged else perform)(model, found.act, dialog=None)


def _typing(model: Model, dialog: TypedDialog, key: str) -> Step:
    match key:
        case "escape":
            after, _ = stay(model, dialog=None)
            return after, (Reply(call=dialog.call, text=None),) if dialog.call else ()
        case "enter":
            return _typed(model, dialog)
        case "backspace":
            text = dialog.text[:-1]
        case "ctrl-u":
            text = ""
        case _ if len(key) == 1:
            text = (dialog.text + key)[:_LONGEST_TEXT]
        case _:
            return stay(model)
    return stay(model, dialog=msgspec.structs.replace(dialog, text=text, fault=""))


def _typed(model: Model, dialog: TypedDialog) -> Step:
    text = dialog.text.strip()
    if dialog.call:
        return stay(model, dialog=None)[0], (Reply(call=dialog.call, text=text),)
    fault = ""
    if dialog.expected and text != dialog.expected:
        fault = f"that is not {dialog.expected}; Esc leaves everything as it is"
    elif not any(mark.isalnum() for mark in text):
        fault = "a word or two are needed"
    if fault or dialog.act is None:
        return stay(model, dialog=msgspec.structs.replace(dialog, fault=fault))
    options = dialog.act.options | ({dialog.slot: text} if dialog.slot else {})
    return perform(model, msgspec.structs.replace(dialog.act, options=options), dialog=None)


def _reading(model: Model, dialog: Page, key: str) -> Step:
    steps = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": moving.PAGE, "pageup": -moving.PAGE}
    if key in {"escape", "enter", "q", "?"}:
        return stay(model, dialog=None)
    top = dialog.top + steps.get(key, 0)
    top = max(0, min(top, len(dialog.lines) - 1))
    return stay(model, dialog=msgspec.structs.replace(dialog, top=top))


def _pasted(model: Model, text: str) -> Step:
    """Let pasted text into a text field, and nowhere else."""
    match model.dialog:
        case EditDialog() as dialog:
            return editing.pasted(model, dialog, text)
        case TypedDialog() as dialog:
            whole = (dialog.text + text)[:_LONGEST_TEXT]
            return stay(model, dialog=msgspec.structs.replace(dialog, text=whole, fault=""))
        case FilterLine() as dialog:
            whole = (dialog.text + text)[:_LONGEST_ID]
            return stay(model, dialog=FilterLine(text=whole, was=dialog.was), filter=whole)
        case _:
            return say(model, "pasted text is not taken as keys", Tone.WARNING)


def _ticked(model: Model, now: float) -> Step:
    """Let go what has waited long enough, and forget what was said long ago."""
    notice = model.notice
    if notice is not None and now >= notice.until:
        notice = None
    model = stay(model, now=now, notice=notice)[0]
    if model.staged is not None and now >= model.staged.ends:
        return perform(model, model.staged.act, staged=None)
    return stay(model)


def _linked(model: Model, *, is_up: bool, words: str) -> Step:
    """Follow the line to the trader: without it nothing that adds risk may be waiting."""
    line = Line(is_up=is_up, words=words)
    if is_up or model.staged is None:
        return stay(model, line=line)
    return say(model, f"stopped: {words}", Tone.FAULT, line=line, staged=None)


def _interrupted(model: Model) -> Step:
    """Leave; where the trader ends with the screen, ask first, and take a second one as yes."""
    asked = isinstance(model.dialog, ConfirmDialog) and any(
        one.leaves for one in model.dialog.choices
    )
    if not model.is_own:
        return model, (Leave(),)
    if asked:
        return model, (Leave(ends_trader=True),)
    return leave(stay(model, staged=None)[0])
