"""The keys, as data: what each does, and how the help says it. One table for both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.dashboard import acting, adopting, editing, moving, noting
from ibkr_trader.dashboard.effects import Leave, Repaint
from ibkr_trader.dashboard.model import Choice, ConfirmDialog, Model, Page
from ibkr_trader.dashboard.steps import stay

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.dashboard.steps import Step

_FAR = 1_000_000  # rows


class Key(NamedTuple):
    """One action: the keys for it, what it does, and its line in the help."""

    keys: tuple[str, ...]
    act: Callable[[Model], Step]
    shown: str
    words: str
    section: str


def leave(model: Model) -> Step:
    """Close the screen; where the trader runs in this very process, ask what becomes of it."""
    if not model.is_own:
        return model, (Leave(),)
    dialog = ConfirmDialog(
        title="Leave?",
        lines=(
            "The trader runs in this terminal. Orders at the broker stay as they are either way;",
            "without a trader nothing is followed, tightened or put back.",
        ),
        choices=(
            Choice(key="y", label="end the trader, too", leaves=True, ends_trader=True),
            Choice(key="b", label="close the screen, the trader goes on here", leaves=True),
        ),
    )
    return stay(model, dialog=dialog)


def help_page(model: Model) -> Step:
    """Show the keys."""
    return stay(model, dialog=Page(title="Keys", lines=help_lines()))


def _repaint(model: Model) -> Step:
    return model, (Repaint(),)


_ORDERS, _RISK, _SCREEN = "Orders and positions", "Risk", "Screen"
KEYS = (
    Key(("c",), acting.cancel, "c", "cancel the order (or type its No. first: 12c)", _ORDERS),
    Key(("m",), editing.modify, "m", "modify its price or quantity", _ORDERS),
    Key(("a",), acting.cancel_all, "a", "cancel all orders; asks for y", _ORDERS),
    Key(("x",), acting.close, "x", "close the position at the market; asks for y", _ORDERS),
    Key(("t",), editing.tighten, "t", "tighten its stop, or give it one (a price, or 2%)", _ORDERS),
    Key(("d",), adopting.adopt, "d", "adopt: the desk looks after it from now on", _ORDERS),
    Key(("u",), acting.undo, "u", "undo the last cancel: what comes back is shown first", _ORDERS),
    Key(
        ("enter",),
        acting.details,
        "Enter",
        "everything about the row, and why it is there",
        _ORDERS,
    ),
    Key(("h",), acting.halt, "h", "halt: nothing more is opened", _RISK),
    Key(("r",), acting.resume, "r", "resume, with a reason", _RISK),
    Key(("n",), noting.note, "n", "take note of the alarms that stand; shows them first", _RISK),
    Key(("j", "down"), partial(moving.move, by=1), "j ↓", "down", _SCREEN),
    Key(("k", "up"), partial(moving.move, by=-1), "k ↑", "up", _SCREEN),
    Key(("pagedown",), partial(moving.move, by=moving.PAGE), "PgDn", "ten rows down", _SCREEN),
    Key(("pageup",), partial(moving.move, by=-moving.PAGE), "PgUp", "ten rows up", _SCREEN),
    Key(("home", "g"), partial(moving.move, by=-_FAR), "g Home", "the first row", _SCREEN),
    Key(("end", "G"), partial(moving.move, by=_FAR), "G End", "the last row", _SCREEN),
    Key(("tab", "right"), moving.next_panel, "Tab", "the next panel", _SCREEN),
    Key(("backtab", "left"), partial(moving.next_panel, by=-1), "Shift-Tab", "back", _SCREEN),
    Key(
        ("/",),
        moving.begin_filter,
        "/",
        "show only rows with these letters; Esc shows all",
        _SCREEN,
    ),
    Key(("o",), moving.sort, "o", "sort by the next column", _SCREEN),
    Key(("ctrl-l",), _repaint, "Ctrl-L", "draw the screen anew", _SCREEN),
    Key(("?",), help_page, "?", "this page", _SCREEN),
    Key(("q",), leave, "q", "leave; a trader elsewhere is never stopped by it", _SCREEN),
)
ACTIONS: dict[str, Callable[[Model], Step]] = {name: key.act for key in KEYS for name in key.keys}


def help_lines() -> tuple[str, ...]:
    """Return the help, a line for each key."""
    lines: list[str] = []
    for section in (_ORDERS, _RISK, _SCREEN):
        lines += ["", section] if lines else [section]
        lines += [f"  {key.shown:<10}{key.words}" for key in KEYS if key.section == section]
    lines += [
        "",
        "A number is that of the column No., or the beginning of an ID; #12 is the No. alone.",
        "A row that goes away under the cursor is not replaced: j or k chooses another.",
        "What lowers risk goes at once. What adds risk waits 1.5 s: any key stops it.",
        "Ctrl-Z gives the terminal back (fg returns); Ctrl-C leaves.",
    ]
    return tuple(lines)
