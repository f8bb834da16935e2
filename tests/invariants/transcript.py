"""A day, byte for byte: what crossed the wire and when, and what the journal holds.

`python -m tests.invariants.transcript SEED…` prints a line for each: the digests of both. The
same seed gives the same line, in whichever process.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

from ibkr_trader.core import codec
from tests.invariants.playing import Play
from tests.invariants.schedule import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.invariants.whole_world import WholeWorld


def wire_of(world: WholeWorld) -> Iterator[bytes]:
    """Yield every write to the network: its moment, connection and direction, and its bytes."""
    assert world.loop.network is not None
    for crossing in world.loop.network.crossings:
        yield f"{crossing.at!r} {crossing.connection} {crossing.way} ".encode() + crossing.data


def journal_of(world: WholeWorld) -> Iterator[bytes]:
    """Yield every record of the journal as it is written down."""
    for number, message in world.journal.messages():
        yield f"{number} {type(message).__name__} ".encode() + codec.encode(message)


def line(seed: int) -> str:
    """Live the day of a seed, and return its line."""
    play = Play(draw(seed))
    found = play.run()
    wire, journal = list(wire_of(play.world)), list(journal_of(play.world))
    told = " ".join(f"{len(part)}:{_digest(part)}" for part in (wire, journal))
    return f"{seed} {told} {len(found)}"


def _digest(lines: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


if __name__ == "__main__":
    for seed in map(int, sys.argv[1:]):
        sys.stdout.write(f"{line(seed)}\n")
