"""Since when the trader could know how things stand in a contract, and do something about it.

What it could not know, the world tells (`alive_since`). What it could not do, one answer shows:
TWS, set to take no orders from anybody, refuses a request (321). Nothing tells when that is over,
so whoever was refused asks again, a minute later at the most. Other contracts are judged as ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.orders.asking import SLOWLY
from ibkr_trader.sim.orders import OrderKey
from ibkr_trader.sim.precautions import READ_ONLY
from tests.invariants.evidence import alive_since
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.invariants.world import World

SETTINGS = frozenset({163, 321, 383, 451})  # with which TWS refuses what a person has it refuse
AGAIN = SLOWLY + timedelta(seconds=6)  # by then what was refused has been asked again, and answered


def able_since(world: World, at: datetime, con_id: int) -> datetime | None:
    """Return since when it could do in a contract what is due there; None if it cannot at `at`."""
    alive = alive_since(world, at)
    freed = max((r + AGAIN for r in turned_down(world, con_id) if r <= at), default=None)
    if alive is None or (freed is not None and freed > at):
        return None
    return at - alive if freed is None else max(at - alive, freed)


def turned_down(world: World, con_id: int) -> Iterator[datetime]:
    """Yield when TWS, which took no orders, refused a request of ours about a contract."""
    for entry in read(world).refused:
        is_tied = entry.message.code == READ_ONLY.code  # type: ignore[union-attr]  # an error has one
        if is_tied and any(
            f.key == entry.key and f.con_id == con_id for f in world.exchange.frames
        ):
            yield entry.at


def given_up(world: World, con_id: int) -> list[tuple[datetime, datetime]]:
    """Return the stretches in which a group has left what came late to a person.

    It closes such a thing once. TWS refused that by a setting of its own, a person was told, and
    no order of ours has gone there since.
    """
    reading = read(world)
    closes = {
        OrderKey(US, spec.broker_order_id): spec.group_id
        for wishes in reading.submitted.values()
        for _, spec in wishes
        if spec.role is OrderRole.CLOSE and spec.contract.con_id == con_id
    }
    found = []
    for entry in reading.refused:
        group = closes.get(entry.key) if entry.key is not None else None
        if group is None or entry.message.code not in SETTINGS:  # type: ignore[union-attr]  # as above
            continue
        told = (m for _, m in reading.records if isinstance(m, ev.GroupEvent) and m.is_serious)
        if any(one.group_id == group and one.at >= entry.at for one in told):
            later = (
                f.at
                for f in world.exchange.frames
                if f.key.client_id == US and f.con_id == con_id and f.at > entry.at
            )
            found.append((entry.at, min(later, default=world.clock.now())))
    return found
