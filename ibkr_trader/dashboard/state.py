"""The reducer: `update(model, input)` is the next model, and what the shell is to do.

Pure: no clock, no terminal, no trader. Time comes in as `Ticked`, everything else as what was
pressed, seen or answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from ibkr_trader.core.text import plain, quantity
from ibkr_trader.dashboard import editing, inputs, moving
from ibkr_trader.dashboard.acting import refreshed
from ibkr_trader.dashboard.answering import answered, next_question, questioned, unlinked
from ibkr_trader.dashboard.choosing import outdated, terms_of
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
from ibkr_trader.dashboard.steps import SHUT, is_shut, perform, say, stage, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.inputs import FromTrader, Input
    from ibkr_trader.dashboard.scene import Glimpse
    from ibkr_trader.dashboard.steps import Step

_DIGITS = "0123456789"
_LONGEST_ID = 24
_LONGEST_TEXT = 200
_STOOD_STILL = 1.0  # seconds between two ticks: nobody has seen what was staged
_BREATH = 0.3  # seconds


def update(model: Model, given: Input) -> Step:
    """Return the next model, and what the shell is to do."""
    after, effects = _updated(model, given)
    return next_question(moving.settled(model, after)), effects


def _updated(model: Model, given: Input) -> Step:
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
            return _seen(model, glimpse)
        case inputs.Answered():
            return answered(model, given)
        case inputs.Questioned():
            return questioned(model, given)
        case inputs.Linked(is_up, words):
            return _linked(model, is_up=is_up, words=words)
        case _:
            assert_never(given)


def _seen(model: Model, glimpse: Glimpse) -> Step:
    """Take the new picture, and stop what it shows to be about something else by now."""
    scene = scene_after(model.scene, glimpse)
    asked = {one: at for one, at in model.cancelling.items() if one in scene.orders}
    line = Line(is_up=True, words="")
    model = refreshed(stay(model, scene=scene, line=line, cancelling=asked)[0])
    why = _overtaken(model)
    return _stopped(model, why) if why else stay(model)


def _overtaken(model: Model) -> str:
    """Why what is staged must not go out any more; empty if nothing speaks against it."""
    staged = model.staged
    if staged is None:
        return ""
    if is_shut(model):
        return SHUT
    now = model.scene.orders.get(staged.before.order_id) if model.scene and staged.before else None
    if staged.before is not None and now is not None and terms_of(now) != terms_of(staged.before):
        return f"{now.short} is now {quantity(now.quantity)} at {now.terms}"
    return outdated(model, staged.act)


def _stopped(model: Model, why: str, tone: Tone = Tone.WARNING) -> Step:
    if model.staged is None:
        return stay(model)
    words = model.staged.act.words
    return say(model, f"stopped, {words} was not sent: {why}", tone, staged=None)


def _pressed(model: Model, key: str) -> Step:
    if model.staged is not None:
        return _stopped(model, "a key was pressed")
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
        case _:
            assert_never(model.dialog)


def _key(model: Model, key: str) -> Step:
    if len(key) == 1 and key in _DIGITS + ("-" if model.typed_id else "#"):
        return stay(model, typed_id=(model.typed_id + key)[:_LONGEST_ID])
    if model.typed_id and key in {"backspace", "escape"}:
        return stay(model, typed_id=model.typed_id[:-1] if key == "backspace" else "")
    if key == "escape":
        return stay(model, filter="", notice=None)
    action = ACTIONS.get(key)
    if action is None:
        return stay(model)
    after, effects = action(model)
    if not model.typed_id or not after.typed_id:
        return after, effects
    # It was typed for a key that takes it. Kept, it would be about the next one, unseen.
    after = stay(after, typed_id="")[0]
    if effects or after.dialog is not None:
        return after, effects
    return say(after, f"{model.typed_id} was typed for nothing, and is dropped")


def _confirming(model: Model, dialog: ConfirmDialog, key: str) -> Step:
    """Do what the key stands for; every other one means no, and only Esc says so in silence."""
    if model.now < dialog.ready and key != "escape":
        return say(model, "read the question first: that key was not taken", Tone.WARNING)
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
    if why := outdated(model, found.act):
        return say(model, why, Tone.WARNING, dialog=None)
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
        case _ if len(key) == 1 and key.isprintable():
            text = (dialog.text + key)[:_LONGEST_TEXT]
        case _:
            return stay(model)
    return stay(model, dialog=msgspec.structs.replace(dialog, text=text, fault=""))


def _typed(model: Model, dialog: TypedDialog) -> Step:
    text = dialog.text.strip()
    if dialog.call:
        return stay(model, dialog=None)[0], (Reply(call=dialog.call, text=text),)
    if dialog.act is None:
        return stay(model, dialog=None)
    fault = ""
    if dialog.expected and text != dialog.expected:
        fault = f"that is not {dialog.expected}; Esc leaves everything as it is"
    elif not any(mark.isalnum() for mark in text) or text.startswith("-"):
        fault = "a word or two are needed"
    if fault:
        return stay(model, dialog=msgspec.structs.replace(dialog, fault=fault))
    if why := outdated(model, dialog.act):
        return say(model, why, Tone.WARNING, dialog=None)
    options = dialog.act.options | ({dialog.slot: text} if dialog.slot else {})
    return perform(model, msgspec.structs.replace(dialog.act, options=options), dialog=None)


def _reading(model: Model, dialog: Page, key: str) -> Step:
    steps = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": moving.PAGE, "pageup": -moving.PAGE}
    if key in {"escape", "enter", "q", "?"}:
        return stay(model, dialog=None)
    if key == "h":  # a page may have opened by itself: it must not stand before this
        return ACTIONS[key](stay(model, dialog=None)[0])
    top = dialog.top + steps.get(key, 0)
    if key in {"g", "home", "G", "end"}:
        top = len(dialog.lines) if key in {"G", "end"} else 0
    top = max(0, min(top, len(dialog.lines) - 1))
    return stay(model, dialog=msgspec.structs.replace(dialog, top=top))


def _pasted(model: Model, text: str) -> Step:
    """Let pasted text into a text field, and nowhere else."""
    if model.staged is not None:
        return _stopped(model, "something was pasted")
    text = plain(text, limit=_LONGEST_TEXT)
    match model.dialog:
        case EditDialog() as dialog:
            return editing.pasted(model, dialog, text)
        case TypedDialog() as dialog:
            whole = (dialog.text + text)[:_LONGEST_TEXT]
            return stay(model, dialog=msgspec.structs.replace(dialog, text=whole, fault=""))
        case FilterLine() as dialog:
            whole = (dialog.text + text)[: moving.LONGEST]
            return stay(model, dialog=FilterLine(text=whole, was=dialog.was), filter=whole)
        case _:
            return say(model, "pasted text is not taken as keys", Tone.WARNING)


def _ticked(model: Model, now: float) -> Step:
    """Let go what has waited long enough, and forget what was said long ago."""
    since = now - model.now
    notice = model.notice
    if notice is not None and now >= notice.until:
        notice = None
    model = editing.ticked(stay(model, now=now, notice=notice)[0])
    staged = model.staged
    if staged is None:
        return stay(model)
    if since > _STOOD_STILL:
        return _stopped(model, "the screen stood still meanwhile")
    if now < staged.ends:
        return stay(model)
    if since > _BREATH:  # keys may be waiting behind this: they come first
        return stay(model, staged=msgspec.structs.replace(staged, ends=now + _BREATH))
    if why := _overtaken(model):
        return _stopped(model, why)
    return perform(model, staged.act, staged=None)


def _linked(model: Model, *, is_up: bool, words: str) -> Step:
    """Follow the line to the trader: without it nothing that adds risk may be waiting."""
    model = stay(model, line=Line(is_up=is_up, words=words))[0]
    if is_up:
        return stay(model)
    return _stopped(unlinked(model), words, Tone.FAULT)


def _interrupted(model: Model) -> Step:
    """Leave; where the trader ends with the screen, ask first, and take a second one as yes."""
    dialog = model.dialog
    asked = isinstance(dialog, ConfirmDialog) and any(one.leaves for one in dialog.choices)
    if not model.is_own:
        return model, (Leave(is_interrupted=True),)
    if asked:
        return model, (Leave(ends_trader=True, is_interrupted=True),)
    call = dialog.call if isinstance(dialog, ConfirmDialog | TypedDialog) else 0
    after, _ = leave(stay(model, staged=None)[0])
    return after, (Reply(call=call, text=None),) if call else ()
