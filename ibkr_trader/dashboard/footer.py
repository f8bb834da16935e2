"""The two lines at the bottom: what came of the last key, and which keys there are."""

from __future__ import annotations

from functools import lru_cache

from ibkr_trader.dashboard.choosing import order_meant
from ibkr_trader.dashboard.hints import ALONE, ALWAYS, HINTS, TYPED, Hint
from ibkr_trader.dashboard.model import FilterLine, Model, Tone
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.packing import Piece, packed
from ibkr_trader.dashboard.rows import is_hidden
from ibkr_trader.dashboard.spans import Line, Span, cells, fit, fit_end, safe, say
from ibkr_trader.dashboard.summary import order_sentence, sentence

_TONES = {
    Tone.DONE: ("done: ", Role.GOOD),
    Tone.NOTE: ("", Role.PLAIN),
    Tone.WARNING: ("warning: ", Role.WARNING),
    Tone.FAULT: ("FAULT: ", Role.FAULT),
}


def notice_line(model: Model, chosen: object, width: int) -> Line:
    """Return what came of the last key; without news, the chosen row in full."""
    pieces = [Piece(_asked(model), rank=1, is_right=True)]
    lost = model.lost.get(model.panel)
    notice = model.notice
    if notice is not None and not 0 < notice.until <= model.now:
        word, role = _TONES[notice.tone]
        told = notice.text if notice.text.startswith(word) else word + notice.text
        pieces.append(Piece((say(told, role),), may_be_cut=True))
    elif lost is not None:
        told = f"{lost.name} is not in the list any more: j or k chooses another row"
        if is_hidden(model, lost):
            told = f"the filter hides {lost.name}: Esc shows all, j or k chooses another row"
        pieces.append(Piece((say(told, Role.WARNING),), may_be_cut=True))
    elif chosen is not None:
        told = sentence(chosen, cancelling=model.cancelling)
        pieces.append(Piece((Span(told, Role.DIM),), may_be_cut=True))
    return packed(pieces, width)


def _asked(model: Model) -> Line:
    """What the trader has been asked and has not answered: nobody should ask it twice."""
    if model.waiting is not None:
        return (Span("the trader asks something: close this first", Role.PENDING),)
    waiting = [act for act in model.calls.values() if not act.looks]
    if not waiting:
        return ()
    words = safe(waiting[-1].words or waiting[-1].command)
    more = f" (+{len(waiting) - 1})" if len(waiting) > 1 else ""
    return (Span(f"asked, no answer yet: {fit(words, min(30, cells(words)))}{more}", Role.PENDING),)


def footer_line(model: Model, width: int) -> Line:
    """Return the keys of the panel, or what is being typed."""
    if isinstance(model.dialog, FilterLine):
        return _filter_line(model.dialog, width)
    if model.typed_id:
        return _typed_line(model, width)
    has_trader = model.scene is not None and model.line.is_up
    return _hints(HINTS[model.panel] if has_trader else ALONE, width, missed=_missed(model))


def _missed(model: Model) -> str:
    """Say that what one sees is not all there was: the terminal or the line is too slow."""
    skipped = model.scene.skipped if model.scene is not None else 0
    told = [f"{model.frames} frames dropped"] * bool(model.frames)
    told += [f"{skipped} glimpses skipped"] * bool(skipped)
    return ", ".join(told)


@lru_cache(maxsize=64)
def _hints(hints: tuple[Hint, ...], width: int, *, missed: str) -> Line:
    pieces = [Piece(key_hint(hint), rank=rank) for rank, hint in enumerate(hints, start=1)]
    pieces += [Piece(key_hint(hint)) for hint in ALWAYS]
    told = Piece((Span(missed, Role.WARNING),) if missed else (), is_right=True)
    return packed([*pieces, told], width)


def key_hint(hint: Hint) -> Line:
    """Return a key with what it does."""
    key, label = hint
    return (say(key, Role.KEY), say(f" {label}"))


def _typed_line(model: Model, width: int) -> Line:
    """Return an order's number as it is typed, and which order it means by now."""
    meant = order_meant(model)
    if isinstance(meant, str):
        told = Span(safe(meant.removesuffix("; nothing was done")), Role.WARNING)
    else:
        told = Span(f"means {order_sentence(meant)}")
    typed = (Span("order "), say(f"{fit_end(model.typed_id, 24)}_", Role.FIELD))
    keys = [Piece(key_hint(hint), rank=rank) for rank, hint in enumerate(TYPED, start=1)]
    return packed([Piece(typed), Piece((told,), may_be_cut=True, least=48), *keys], width)


def _filter_line(dialog: FilterLine, width: int) -> Line:
    text = fit_end(dialog.text, width // 2)
    if dialog.was:
        back = f'enter keeps it, esc goes back to "{safe(dialog.was)}"'
    else:
        back = "enter keeps it, esc shows all"
    typed = Piece((Span("filter: ", Role.KEY), Span(f"{text}_", Role.FIELD)))
    return packed([typed, Piece((Span(back, Role.DIM),), rank=1)], width)
