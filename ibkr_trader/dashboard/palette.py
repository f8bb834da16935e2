"""What a role looks like: on a dark or light background, with many colours, few, or none.

Colour only helps the eye: whatever it tells stands there in words or signs as well. So without
colours (`NO_COLOR`) a screen loses nothing; bold, reverse and dim remain.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from rich.style import Style

Colours: TypeAlias = Literal["truecolor", "256", "standard"]
Palette: TypeAlias = Callable[[str], Style]


class Role(StrEnum):
    """What a piece of a line is for."""

    PLAIN = ""
    DIM = "dim"  # what can be overlooked
    RULE = "rule"  # a panel's border
    TITLE = "title"
    FOCUS = "focus"  # the title of the panel that keys go to
    HEADER = "header"  # the names of columns
    CURSOR = "cursor"  # added to the roles of the row that keys act on
    LIVE = "live"
    PAPER = "paper"
    SIM = "sim"
    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"
    UP = "up"
    WAITING = "waiting"
    DOWN = "down"
    STALE = "stale"
    BUY = "buy"
    SELL = "sell"
    PROFIT = "profit"
    LOSS = "loss"
    PENDING = "pending"  # asked for, not confirmed
    UNKNOWN = "unknown"  # nobody can say
    NAKED = "naked"
    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"
    FILL = "fill"
    CHANGE = "change"
    REFUSAL = "refusal"
    PRESS = "press"
    ALERT = "alert"
    KEY = "key"  # a key that may be pressed
    FIELD = "field"  # text that is being typed
    BOX = "box"
    GRAVE = "grave"  # the border of a question that costs money


class _Look(NamedTuple):
    """Colours by name, with the attributes that hold without them, too."""

    front: str = ""
    back: str = ""
    bold: bool = False
    dim: bool = False
    reverse: bool = False
    underline: bool = False
    bare: str = ""  # attributes that stand in for the background when there are no colours


_LOOKS: dict[Role, _Look] = {
    Role.PLAIN: _Look(),
    Role.DIM: _Look("grey"),
    Role.RULE: _Look("grey"),
    Role.TITLE: _Look(bold=True),
    Role.FOCUS: _Look("cyan", bold=True),
    Role.HEADER: _Look("grey", underline=True),
    Role.CURSOR: _Look(reverse=True),
    Role.LIVE: _Look("on", "red", bold=True, bare="reverse"),
    Role.PAPER: _Look("on", "green", bold=True, bare="underline"),
    Role.SIM: _Look("on", "cyan", bold=True),
    Role.ACTIVE: _Look("green", bold=True),
    Role.REDUCING: _Look("on", "yellow", bold=True, bare="reverse"),
    Role.HALTED: _Look("on", "red", bold=True, bare="reverse"),
    Role.UP: _Look("green"),
    Role.WAITING: _Look("yellow", bold=True),
    Role.DOWN: _Look("red", bold=True),
    Role.STALE: _Look("on", "yellow", bold=True, bare="reverse"),
    Role.BUY: _Look("cyan"),
    Role.SELL: _Look("magenta"),
    Role.PROFIT: _Look("green"),
    Role.LOSS: _Look("red"),
    Role.PENDING: _Look("yellow", bold=True),
    Role.UNKNOWN: _Look("on", "magenta", bold=True, bare="reverse"),
    Role.NAKED: _Look("on", "red", bold=True, bare="reverse"),
    Role.GOOD: _Look("green", bold=True),
    Role.WARNING: _Look("yellow", bold=True),
    Role.FAULT: _Look("red", bold=True),
    Role.FILL: _Look("green", bold=True),
    Role.CHANGE: _Look("cyan"),
    Role.REFUSAL: _Look("yellow"),
    Role.PRESS: _Look("grey"),
    Role.ALERT: _Look("red", bold=True),
    Role.KEY: _Look("cyan", bold=True),
    Role.FIELD: _Look(underline=True),
    Role.BOX: _Look("cyan", bold=True),
    Role.GRAVE: _Look("red", bold=True),
}

# Each hue as a front on a dark and on a light background, and as a back (with `on` in front).
# Both backs are the same: a bar brings its own ground along, so that LIVE is red anywhere.
_HUES: dict[str, dict[Colours, tuple[str, str, str]]] = {
    "red": {
        "truecolor": ("#ff7b72", "#b31d28", "#c1121f"),
        "256": ("color(210)", "color(124)", "color(160)"),
        "standard": ("bright_red", "red", "red"),
    },
    "green": {
        "truecolor": ("#56d364", "#176f2c", "#1a7f37"),
        "256": ("color(77)", "color(22)", "color(28)"),
        "standard": ("bright_green", "green", "green"),
    },
    "yellow": {
        "truecolor": ("#e3b341", "#7d4e00", "#8a5a00"),
        "256": ("color(179)", "color(94)", "color(94)"),
        "standard": ("bright_yellow", "yellow", "yellow"),
    },
    "cyan": {
        "truecolor": ("#56d4dd", "#0b6b75", "#0e7490"),
        "256": ("color(80)", "color(23)", "color(23)"),
        "standard": ("bright_cyan", "blue", "cyan"),
    },
    "magenta": {
        "truecolor": ("#d2a8ff", "#6e40c9", "#8250df"),
        "256": ("color(183)", "color(91)", "color(92)"),
        "standard": ("bright_magenta", "magenta", "magenta"),
    },
    "grey": {
        "truecolor": ("#9ea7b3", "#57606a", "#57606a"),
        "256": ("color(248)", "color(240)", "color(240)"),
        "standard": ("white", "bright_black", "bright_black"),
    },
}
_ON: dict[Colours, str] = {"truecolor": "#ffffff", "256": "color(231)", "standard": "bright_white"}
# Sixteen colours are the terminal's own; on these three white cannot be read in most of them.
_DARK_ON = frozenset({"yellow", "cyan", "green"})


def palette(*, is_light: bool, colours: Colours | None) -> Palette:
    """Return what turns a role, or several with blanks between, into a style.

    Args:
        is_light: The terminal's background is light.
        colours: How many it has; None for no colours at all.
    """
    known: dict[str, Style] = {
        role.value: _style(look, is_light=is_light, colours=colours)
        for role, look in _LOOKS.items()
    }

    def style(role: str) -> Style:
        found = known.get(role)
        if found is None:
            found = Style.combine(known.get(one, Style.null()) for one in role.split())
            known[role] = found
        return found

    return style


def _style(look: _Look, *, is_light: bool, colours: Colours | None) -> Style:
    attributes = [name for name in ("bold", "dim", "reverse", "underline") if getattr(look, name)]
    if colours is None:
        if look.front == "grey" and not look.underline:
            attributes.append("dim")
        return Style.parse(" ".join({*attributes, *look.bare.split()}) or "none")
    words = list(attributes)
    if look.front == "on":
        is_dark = colours == "standard" and look.back in _DARK_ON
        words.append("black" if is_dark else _ON[colours])
    elif look.front:
        words.append(_HUES[look.front][colours][1 if is_light else 0])
    if look.back:
        words += ["on", _HUES[look.back][colours][2]]
    return Style.parse(" ".join(words) or "none")
