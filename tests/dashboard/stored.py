"""The screens that are stored as text, and what writes them anew.

`python -m tests.dashboard.stored` writes `screens/*.txt`; look at the difference before you keep
it. Each line ends in a bar, so that blanks at its end count.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.model import (
    Choice,
    ConfirmDialog,
    EditDialog,
    Field,
    FilterLine,
    Model,
    Notice,
    Page,
    Panel,
    Sorting,
    Staged,
    Tone,
    TypedDialog,
    Weighed,
)
from ibkr_trader.dashboard.model import Line as LineState
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.scene import FeedKind, FeedLine, Light
from ibkr_trader.dashboard.spans import Line
from ibkr_trader.dashboard.view import view
from tests.dashboard.scenes import NOW, head, model, order, position, scene

FOLDER = Path(__file__).with_name("screens")


class Stored(NamedTuple):
    """A screen and its size."""

    model: Model
    width: int
    height: int


def plainly(lines: Iterable[Line]) -> str:
    """Return lines without their looks, each with a bar at its end."""
    return "".join("".join(text for text, _ in line) + "|\n" for line in lines)


def drawn(stored: Stored) -> str:
    """Return a screen as it is stored."""
    return plainly(view(stored.model, stored.width, stored.height, RowCache()))


DESK = model(scene(30, 5))
LIVE = model(
    scene(
        8,
        3,
        head=head(
            profile="live",
            account="U***567",
            state="HALTED",
            reason="the day's loss of 1,002.50 is over its limit of 1,000.00",
            halts=("AAPL", "MSFT"),
            data=Light.DOWN,
            link=Light.WAITING,
            trouble="no market data for 12 s",
            day_net=Decimal("-1002.5"),
            armed_until=NOW + timedelta(hours=1),
            turns_at=NOW + timedelta(minutes=4),
            heat=Decimal(1200),
        ),
        skipped=3,
    ),
    frames=2,
    notice=Notice(text="17-stop: outcome unknown", tone=Tone.FAULT, until=9.0),
)
_FOREIGN_TEXT = FeedLine(
    number=1,
    at=NOW,
    kind=FeedKind.ALERT,
    text="\x1b[31m注文 拒否\x07 🚀 [bold]余力不足[/] \u202eabc",
)
WIDE = model(
    scene(
        0,
        orders={
            "a": order(1, order_id="a", symbol="トヨタ自動車", note="余力不足", rule="👍🏽"),
            "b": order(2, order_id="b", symbol="e\u0301a", is_unknown=True),
            "c": order(3, order_id="c", short="foreign-123456789-x", is_foreign=True),
        },
        positions=(
            position(1, symbol="三菱UFJ"),
            position(3, symbol="🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀"),
        ),
        feed=(_FOREIGN_TEXT,),
    )
)
_GONE = LineState(is_up=False, words="its control socket is closed")
_EDIT = EditDialog(
    title="Modify 5-stop  SELL 50 GOOG STOP",
    fields=(
        Field(name="quantity", label="Quantity", text="50", was="50"),
        Field(name="stop", label="Stop", text="141.0", was="140.35"),
    ),
    before=order(5),
    at=1,
    hint="Tab next field  Ctrl-U clear  Enter send  Esc leave it as it is",
    weighed=Weighed(typed=("50", "141.0"), reduces=True, notes=("risk falls by 32.50",)),
)
_HALT = ConfirmDialog(
    title="Halt?",
    lines=("Nothing more is opened until somebody resumes (r).",),
    choices=(
        Choice(key="y", label="halt: cancel what could open, keep stops"),
        Choice(key="k", label="halt, and cancel nothing"),
    ),
    is_grave=True,
)
_LAST_STOP = TypedDialog(
    title="Cancel the last stop of GOOG",
    lines=("GOOG would be without a stop.",),
    expected="GOOG",
    text="GO",
    fault="that is not GOOG; Esc leaves everything as it is",
    is_grave=True,
)
_HELP = Page(title="Keys", lines=tuple(f"  {n:<4}what key {n} does" for n in range(40)), top=3)
_ACT = Act(call=1, command="revise.modify", words="modify 5-stop: stop 139.00")
NOTHING = scene(0, 0, gauges=(), warnings=(), decisions=(), feed=(), equity=())

SCREENS: dict[str, Stored] = {
    "desk-80x24": Stored(DESK, 80, 24),
    "desk-120x40": Stored(DESK, 120, 40),
    "desk-200x60": Stored(DESK, 200, 60),
    "desk-60x15": Stored(DESK, 60, 15),
    "small-40x8": Stored(DESK, 40, 8),
    "live-80x24": Stored(LIVE, 80, 24),
    "live-120x40": Stored(LIVE, 120, 40),
    "empty-80x24": Stored(model(NOTHING), 80, 24),
    "wide-80x24": Stored(WIDE, 80, 24),
    "wide-200x60": Stored(WIDE, 200, 60),
    "waiting-80x24": Stored(Model(), 80, 24),
    "stale-80x24": Stored(model(scene(8, 3), line=_GONE), 80, 24),
    "many-80x24": Stored(
        model(
            scene(500, 20),
            selected={Panel.ORDERS: "k7qav-250-stop", Panel.POSITIONS: "265608"},
            sorting={Panel.ORDERS: Sorting("Age", is_descending=True)},
        ),
        80,
        24,
    ),
    "filter-80x24": Stored(
        model(scene(30, 5), filter="aap", dialog=FilterLine(text="aap", was="ms")), 80, 24
    ),
    "risk-80x24": Stored(model(scene(8, 3), panel=Panel.RISK), 80, 24),
    "signals-60x15": Stored(model(scene(8, 3), panel=Panel.SIGNALS), 60, 15),
    "modify-80x24": Stored(model(scene(8, 3), dialog=_EDIT), 80, 24),
    "halt-120x40": Stored(model(scene(8, 3), dialog=_HALT), 120, 40),
    "last-stop-80x24": Stored(model(scene(8, 3), dialog=_LAST_STOP), 80, 24),
    "help-80x24": Stored(model(scene(8, 3), dialog=_HELP), 80, 24),
    "staged-80x24": Stored(
        model(scene(8, 3), staged=Staged(act=_ACT, begins=10.0, ends=11.5), now=10.4), 80, 24
    ),
    "typed-80x24": Stored(model(scene(8, 3), typed_id="105"), 80, 24),
}


def write() -> None:
    """Write every screen anew, and take away those that are not in the table any more."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, stored in SCREENS.items():
        (FOLDER / f"{name}.txt").write_text(drawn(stored), encoding="utf-8")


if __name__ == "__main__":
    write()
