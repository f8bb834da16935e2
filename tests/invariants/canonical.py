"""What a day wrote: to the byte, or without its moments and what only they decide.

Lived in lockstep a day writes the same bytes at the same moments, over the kernel's TCP as in
memory: `exact` compares all of it. Delays that are drawn change when anything is heard of, so with
what else a request shares its moment, and when prices come: `timeless` leaves the requests about
orders in their order, and the records. Where one write ends and the next begins is in neither.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.sim.gateway.framing import Frame, FrameReader
from tests.invariants.transcript import journal_of, wire_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.invariants.whole_world import WholeWorld

_ABOUT_ORDERS = frozenset({"3", "4", "58"})  # placed or changed, cancelled, all of them cancelled


class Written(NamedTuple):
    """What a day left behind: what crossed the wire, and what the journal holds."""

    wire: tuple[str, ...]
    journal: tuple[str, ...]


def exact(world: WholeWorld) -> Written:
    """Return every byte both ways with its moment and connection, and every record."""
    wire = (line.decode("latin-1") for line in wire_of(world))
    return Written(tuple(wire), tuple(line.decode() for line in journal_of(world)))


def timeless(world: WholeWorld) -> Written:
    """Return what was asked about orders, by connection, and every record, without moments."""
    return Written(tuple(_asked(world)), tuple(_recorded(world)))


def _asked(world: WholeWorld) -> Iterator[str]:
    assert world.loop.network is not None
    readers: dict[int, FrameReader] = defaultdict(FrameReader)
    for crossing in world.loop.network.crossings:
        if crossing.way != ">":
            continue
        reader = readers[crossing.connection]
        reader.receive(crossing.data)
        while (found := reader.next_event()) is not None:
            if isinstance(found, Frame) and found.fields[0] in _ABOUT_ORDERS:
                yield f"{crossing.connection} {found.fields}"


def _recorded(world: WholeWorld) -> Iterator[str]:
    for number, message in world.journal.messages():
        told = msgspec.to_builtins(message, builtin_types=(datetime,))
        yield f"{number} {type(message).__name__} {_without_moments(told)}"


def _without_moments(value: Any) -> Any:
    match value:
        case datetime():
            return "then"
        case dict():
            return {key: _without_moments(one) for key, one in value.items()}
        case list() | tuple():
            return [_without_moments(one) for one in value]
        case _:
            return value
