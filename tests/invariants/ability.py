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

    from ibkr_trader.core.models import OrderSpec
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
    """Return the stretches in which what has no stop was left to a person, who was told.

    Each ends with the next order of ours that goes there.
    """
    begun = [*_refused_closes(world, con_id), *_lost_stops(world, con_id)]
    went = [f.at for f in world.exchange.frames if f.key.client_id == US and f.con_id == con_id]
    now = world.clock.now()
    return [(at, min((one for one in went if one > at), default=now)) for at in begun]


def _refused_closes(world: World, con_id: int) -> Iterator[datetime]:
    """When TWS refused, by a setting of its own, the close of what came late: there is one try."""
    reading = read(world)
    closes = {
        OrderKey(US, spec.broker_order_id): spec
        for spec in _asked_for(world, con_id)
        if spec.role is OrderRole.CLOSE
    }
    for entry in reading.refused:
        spec = closes.get(entry.key) if entry.key is not None else None
        if spec is None or entry.message.code not in SETTINGS:  # type: ignore[union-attr]  # as above
            continue
        if _is_said(world, spec, entry.at):
            yield entry.at


def _lost_stops(world: World, con_id: int) -> Iterator[datetime]:
    """When a stop that somebody placed by itself was lost on its way: nothing is sent twice."""
    asked = list(_asked_for(world, con_id))
    alone = {
        spec.order_id: spec
        for spec in asked
        if spec.role is OrderRole.STOP and sum(o.group_id == spec.group_id for o in asked) == 1
    }
    for _, message in read(world).records:
        if not isinstance(message, ev.UnknownEvent):
            continue
        lost = alone.get(message.order_id)
        if lost is not None and _is_said(world, lost, message.at):
            yield message.at


def _asked_for(world: World, con_id: int) -> Iterator[OrderSpec]:
    for wishes in read(world).submitted.values():
        yield from (spec for _, spec in wishes if spec.contract.con_id == con_id)


def _is_said(world: World, spec: OrderSpec, since: datetime) -> bool:
    """Whether the order's group has told a person of trouble from then on."""
    told = (one for _, one in read(world).records if isinstance(one, ev.GroupEvent))
    return any(one.is_serious and one.group_id == spec.group_id and one.at >= since for one in told)
