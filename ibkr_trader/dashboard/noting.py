"""The key that takes note of alarms: those that were read, and no other.

The trader says which stand; one key takes note of what the question shows. What does not fit
into it, and what comes meanwhile, stands until the key is pressed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.dashboard.model import Choice, ConfirmDialog, Model, Tone
from ibkr_trader.dashboard.steps import READ, command, perform, say, stay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.dashboard.inputs import Outcome
    from ibkr_trader.dashboard.steps import Step

ACK = "alarms.ack"
_KEYBOARD = "from the dashboard's keyboard"
_LETTERS = 55  # of a line on the narrowest screen that counts as one
_MOST_LINES = 11  # of alarms in one question: it fits on 24 rows


class _Alarm(NamedTuple):
    """One that stands: what it is called, and its line."""

    key: str
    text: str


def note(model: Model) -> Step:
    """Ask the trader which alarms stand."""
    return perform(model, command(ACK, "alarms", looks=True, everything=True))


def would_note(model: Model, outcome: Outcome) -> Step:
    """Ask for one key, with every alarm that it takes note of in full."""
    if not outcome.is_done:
        text = outcome.lines[0] if outcome.lines else "the trader cannot say"
        return say(model, f"alarms: {text}", Tone.WARNING)
    found = [_line(outcome, str(one["key"])) for one in outcome.data.get("alarms") or ()]
    if not found:
        return say(model, "no alarm stands")
    if model.dialog is not None:
        return say(model, "alarms: something else is open; press n again", Tone.WARNING)
    shown = _fitting(found)
    left = len(found) - len(shown)
    more = [f"{left} more stand: press n again after this."] if left else []
    words = f"take note of {len(shown)} alarm{'' if len(shown) == 1 else 's'}"
    names = [one.key for one in shown]
    act = command(ACK, words, names=names, reason=_KEYBOARD)
    dialog = ConfirmDialog(
        title=f"{words[:1].upper()}{words[1:]}?",
        lines=(*(one.text for one in shown), *more, "They are on record, and not told again."),
        choices=(Choice(key="y", label=words, act=act),),
        ready=model.now + READ,
    )
    return stay(model, dialog=dialog)


def _line(outcome: Outcome, key: str) -> _Alarm:
    """An alarm as the trader shows it: what it shows is harmless, what it means need not be."""
    row = next((line for line in outcome.lines if line.startswith(f"{key} ")), key)
    return _Alarm(key, " ".join(row.split()))


def _fitting(alarms: Sequence[_Alarm]) -> list[_Alarm]:
    """As many of them, the first at least, as can be read at once on a small screen."""
    shown, lines = [alarms[0]], _height(alarms[0])
    for one in alarms[1:]:
        lines += _height(one)
        if lines > _MOST_LINES:
            break
        shown.append(one)
    return shown


def _height(alarm: _Alarm) -> int:
    return -(-len(alarm.text) // _LETTERS)
