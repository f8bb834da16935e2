"""What a drill is, and where the drills are: one file each in `stories/`, found by itself."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.registry import Registry
from ibkr_trader.sim.families import BracketMode

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene

Story = Callable[["Scene"], Awaitable[None]]
MORNING = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
T_NAKED = timedelta(seconds=2)
T_SURPLUS = timedelta(seconds=2)


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """A named rehearsal.

    Attributes:
        name: What it is asked for by.
        sentence: What goes wrong.
        story: Its script.
        incidents: Which reports of others it rehearses, by their number in docs/drills.md.
        faults: Which faults of the catalogue, as `D09`.
        naked: How long a position may be without its full stop, at a stretch.
        surplus: How long exits may be able to trade more than there is to end, at a stretch.
        opened_at: The exchange's time at the beginning.
        brackets: How the broker treats the exits of an entry that fills in part.
    """

    name: str
    sentence: str
    story: Story
    incidents: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()
    naked: timedelta = T_NAKED
    surplus: timedelta = T_SURPLUS
    opened_at: datetime = MORNING
    brackets: BracketMode = BracketMode.RESIZED


DRILLS: Registry[Drill] = Registry("drill", "ibkr_trader.drills.stories")


def drill(
    name: str,
    *,
    incidents: tuple[int, ...] = (),
    faults: tuple[str, ...] = (),
    naked: timedelta = T_NAKED,
    surplus: timedelta = T_SURPLUS,
    opened_at: datetime = MORNING,
    brackets: BracketMode = BracketMode.RESIZED,
) -> Callable[[Story], Story]:
    """Return a decorator that enters a story as the drill `name`; its docstring is its sentence.

    Raises:
        InvariantBroken: If the name is taken, or nothing says what goes wrong.
    """

    def enter(story: Story) -> Story:
        sentence = (inspect.getdoc(story) or "").partition("\n")[0]
        if not sentence:
            raise InvariantBroken(f"the drill {name} does not say what goes wrong")
        found = Drill(
            name=name,
            sentence=sentence,
            story=story,
            incidents=incidents,
            faults=faults,
            naked=naked,
            surplus=surplus,
            opened_at=opened_at,
            brackets=brackets,
        )
        DRILLS.register(name)(found)
        return story

    return enter
