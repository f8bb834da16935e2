"""What a dashboard knows and shows: the picture, where one stands in it, and what is open.

Values only: `state.update` makes the next one of a model and an input, the panels show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.inputs import Questioned
from ibkr_trader.dashboard.scene import OrderRow, PositionRow, Scene


class Panel(Enum):
    """The parts of the screen that can be walked through, in the order of Tab."""

    POSITIONS = "Positions"
    ORDERS = "Orders"
    RISK = "Risk"
    SIGNALS = "Signals and rules"
    FEED = "Activity"


class Tone(Enum):
    """How a notice is meant."""

    DONE = "done"
    NOTE = "note"
    WARNING = "warning"
    FAULT = "fault"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The line above the footer: what came of the last key. It stays until `until`."""

    text: str
    tone: Tone = Tone.NOTE
    until: float = 0.0


class Sorting(msgspec.Struct, frozen=True):
    """By which column a panel is sorted; the empty name is the trader's own order."""

    column: str = ""
    is_descending: bool = False


class Lost(msgspec.Struct, frozen=True):
    """A row that went away under the cursor: no key acts on its neighbour until somebody moves."""

    key: str
    name: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text that is being edited; the cursor stands at its end.

    What it begins with is replaced by the first key that writes: `is_touched` says that one has.
    """

    name: str
    label: str
    text: str = ""
    was: str = ""
    is_touched: bool = False


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader says of the terms as they were typed.

    Attributes:
        typed: The fields that it answers to.
        reduces: It can only lower risk, so it needs no second thought; None if nobody knows.
        fault: Why it would be refused; empty if it would not.
        notes: What else there is to know: tick, limits, new risk.
        at: When it said so, as `Model.now`: an old answer is asked for again.
        is_open: Whether the order could trade now, at its own market; None if nobody knows.
    """

    typed: tuple[str, ...]
    reduces: bool | None = None
    fault: str = ""
    notes: tuple[str, ...] = ()
    at: float = 0.0
    is_open: bool | None = None


class EditDialog(msgspec.Struct, frozen=True, kw_only=True):
    """New terms for an order (`m`), or a new stop for a position (`t`).

    Attributes:
        before: The order as it was when the dialog was opened; None for a position without one.
        position: The position whose stop it is; None for `m`.
        at: Which field is edited.
        fault: Why what is typed is refused, on one line; empty if nothing is wrong with it.
        asked: What the trader is being asked about, not answered yet; `asked_call` is the
            number of that question, `asked_at` when it was put.
        hint: What may be typed.
        is_sending: Enter was pressed; it goes on as soon as the trader has answered.
    """

    title: str
    fields: tuple[Field, ...]
    before: OrderRow | None = None
    position: PositionRow | None = None
    at: int = 0
    fault: str = ""
    weighed: Weighed | None = None
    asked: tuple[str, ...] | None = None
    asked_call: int = 0
    asked_at: float = 0.0
    hint: str = ""
    is_sending: bool = False


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a question, what it stands for, and what it does.

    Attributes:
        act: The command to run; `is_staged` lets it wait, where any key ends it.
        reply: The answer to the command that asks: see `ConfirmDialog.call`.
        leaves: It closes the screen, and `ends_trader` the trader with it.
    """

    key: str
    label: str
    act: Act | None = None
    is_staged: bool = False
    reply: str = ""
    leaves: bool = False
    ends_trader: bool = False


class ConfirmDialog(msgspec.Struct, frozen=True, kw_only=True):
    """A question that one key answers; Esc and every other key mean no.

    Attributes:
        call: The command that asks, if one does: no is then told to it.
        ready: From when on keys count, as `Model.now`: what opened by itself is read first.
        con_id: The position that it is about, if it is about one.
    """

    title: str
    lines: tuple[str, ...]
    choices: tuple[Choice, ...]
    is_grave: bool = False
    call: int = 0
    ready: float = 0.0
    con_id: int = 0


class TypedDialog(msgspec.Struct, frozen=True, kw_only=True):
    """A question that is answered by typing.

    Attributes:
        expected: What has to be typed; empty if any words will do.
        act: What is then done; `slot` names the option that takes what was typed, if one does.
        call: The command that asks; its answer is a `Reply`, and `act` is None.
    """

    title: str
    lines: tuple[str, ...]
    expected: str = ""
    text: str = ""
    act: Act | None = None
    slot: str = ""
    call: int = 0
    fault: str = ""
    is_grave: bool = False


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Lines to read: details, help. `top` is the first one shown."""

    title: str
    lines: tuple[str, ...]
    top: int = 0
    call: int = 0  # the question to the trader whose answer is awaited


class FilterLine(msgspec.Struct, frozen=True, kw_only=True):
    """The filter as it is being typed; `was` holds again after Esc."""

    text: str = ""
    was: str = ""


Dialog: TypeAlias = EditDialog | ConfirmDialog | TypedDialog | Page | FilterLine


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Something that adds risk, and waits where any key ends it.

    `before` is the order as it was when that was decided, if it is about one.
    """

    act: Act
    begins: float
    ends: float
    before: OrderRow | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How the line to the trader stands."""

    is_up: bool = False
    words: str = "looking for the trader"


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """All that a dashboard shows.

    Attributes:
        operator: Who sits here; the journal keeps the name with each act.
        is_own: The trader runs in this very process: leaving may end it.
        selected: The row in each panel, by its key, never by its place.
        lost: The rows that went away under the cursor, until it is moved.
        typed_id: The beginning of an order's id, or its number, as it is being typed.
        waiting: A question of the trader's that is shown once `dialog` is closed.
        calls: What was asked of the trader and is not answered.
        cancelling: Orders that were asked to be cancelled and still show, and when that was.
        frames: How many frames the terminal was too slow for.
        now: Seconds, as `Ticked` told them.
    """

    operator: str = ""
    is_own: bool = False
    scene: Scene | None = None
    line: Line = Line()
    panel: Panel = Panel.ORDERS
    selected: Mapping[Panel, str] = MappingProxyType({})
    lost: Mapping[Panel, Lost] = MappingProxyType({})
    sorting: Mapping[Panel, Sorting] = MappingProxyType({})
    filter: str = ""
    typed_id: str = ""
    dialog: Dialog | None = None
    waiting: Questioned | None = None
    staged: Staged | None = None
    notice: Notice | None = None
    calls: Mapping[int, Act] = MappingProxyType({})
    cancelling: Mapping[str, float] = MappingProxyType({})
    next_call: int = 1
    frames: int = 0
    now: float = 0.0
    is_utc: bool = False
