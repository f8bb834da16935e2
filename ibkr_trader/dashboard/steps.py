"""What every part of the reducer is made of: the next model, and what the shell is to do.

Nothing here looks at a clock: `Model.now` is what the last `Ticked` said.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ibkr_trader.dashboard.effects import Act, Effect
from ibkr_trader.dashboard.model import Model, Notice, Staged, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibkr_trader.dashboard.effects import Options
    from ibkr_trader.dashboard.scene import OrderRow

Step: TypeAlias = tuple[Model, tuple[Effect, ...]]

HALT = "kill.halt-here"  # it works by a file first, so it is asked for without a trader, too
CANCEL = "revise.cancel"
NOTHING_SENT = "Nothing was sent."  # of a dry run: in a question it says nothing
STAGE = 1.5  # seconds in which any key ends what would add risk
READ = 0.4  # seconds: a key that was meant for something else is no answer
SHUT = "the market is closed: only what lowers risk is sent"
_SHOWN = 8.0  # seconds for a notice


def replaced(model: Model, **changes: Any) -> Model:
    """Return `model` with these fields."""
    return msgspec.structs.replace(model, **changes)


def stay(model: Model, **changes: Any) -> Step:
    """Return `model` with these fields, and nothing to do."""
    return replaced(model, **changes), ()


def say(model: Model, text: str, tone: Tone = Tone.NOTE, **changes: Any) -> Step:
    """Return `model` with a notice, and nothing to do."""
    notice = Notice(text=text, tone=tone, until=model.now + _SHOWN)
    return replaced(model, notice=notice, **changes), ()


def perform(model: Model, act: Act, **changes: Any) -> Step:
    """Have `act` done now, under a number of its own; without a trader only a halt is."""
    model = replaced(model, **changes)
    if not model.line.is_up and act.command != HALT:
        return say(model, unsent(model), Tone.FAULT)
    numbered = msgspec.structs.replace(act, call=model.next_call)
    calls = {**model.calls, numbered.call: numbered}
    model = replaced(model, calls=calls, next_call=model.next_call + 1)
    if not act.looks:
        model, _ = say(model, f"{act.words} …")
    if act.command == CANCEL:
        asked = {**model.cancelling, **dict.fromkeys(cancelled_by(model, act), model.now)}
        model = replaced(model, cancelling=asked)
    return model, (numbered,)


def unsent(model: Model) -> str:
    """Say that nothing goes out without a trader."""
    return f"nothing was sent: {model.line.words or 'no trader'}"


def cancelled_by(model: Model, act: Act) -> tuple[str, ...]:
    """Return the orders that an act of cancelling is about."""
    named = act.options.get("orders")
    if isinstance(named, list):
        return tuple(named)
    orders = model.scene.orders if model.scene is not None else {}
    return tuple(order_id for order_id, row in orders.items() if not row.is_foreign)


def is_shut(model: Model) -> bool:
    """Whether the market is known to be closed: then nothing that adds risk goes out."""
    return model.scene is not None and model.scene.head.is_open is False


def stage(model: Model, act: Act, *, before: OrderRow | None = None, **changes: Any) -> Step:
    """Let `act` wait where everybody sees it, and any key ends it."""
    if not model.line.is_up:
        return say(model, unsent(model), Tone.FAULT, **changes)
    if is_shut(model):
        return say(model, SHUT, Tone.WARNING, **changes)
    staged = Staged(act=act, begins=model.now, ends=model.now + STAGE, before=before)
    return stay(model, staged=staged, **changes)


def command(
    name: str,
    words: str = "",
    *,
    looks: bool = False,
    more: Mapping[str, str] = MappingProxyType({}),
    **options: str | bool | list[str],
) -> Act:
    """Return an act that has no number yet; its options are `options` and `more`."""
    given: Options = {**options, **more}
    return Act(call=0, command=name, options=given, words=words, looks=looks)
