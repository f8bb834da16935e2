"""S30, S32 and L1 to L4: everything comes to an end, and in time, once the faults are over.

Judged by the journal against the exchange's books, and by the messages.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.sim.orders import SimStatus
from tests.invariants.ability import able_since
from tests.invariants.evidence import (
    STOPS,
    T_NAKED,
    ZERO,
    alive_since,
    is_exit,
    role,
    role_of,
    spans,
)
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from ibkr_trader.sim.orders import SimOrder
    from tests.invariants.watched import State
    from tests.invariants.world import World

T_KNOWN = timedelta(seconds=60)
T_SYNCED = timedelta(seconds=2)
T_DEAD = timedelta(seconds=10)
T_PAGED = timedelta(seconds=5)  # after it should have been mended
_NEVER = datetime.min.replace(tzinfo=UTC)


def s30_settled(world: World) -> list[str]:
    """Judge, at rest, that each order on record is what the exchange has of it: no more, no less.

    Unknown is allowed where the table of recovery allows it; lost, doubled and forgotten are not.
    """
    if world.trader is None:
        return []
    reading, found = read(world), []
    working = {o.terms.order_ref for o in world.exchange.orders.working() if _is_ours(o)}
    for ref in reading.steps:
        last = reading.last(ref)
        if last is None or last.after is None or last.after is OrderStatus.UNKNOWN:
            continue
        if last.after.is_closed and ref in working:
            found.append(f"S30 {ref} works, and is {last.after} on record")
        elif not last.after.is_closed and ref not in working:
            found.append(f"S30 {ref} is over, and {last.after} on record")
    return found + [
        f"S30 {ref} works, and nobody knows it" for ref in working - reading.steps.keys()
    ]


def s32_no_disk_no_opening(world: World) -> list[str]:
    """Judge that nothing is opened while the disk takes no record."""
    return [
        f"S32 {frame.at:%T.%f} {frame.ref} went out with no disk to hold it"
        for frame in world.exchange.frames
        if frame.key.client_id == US and frame.is_new and read(world).opens(frame.ref)
        if any(
            begun + world.transit < frame.at and (ended is None or frame.at < ended)
            for begun, ended in world.diskless
        )
    ]


def l1_known_in_time(world: World) -> list[str]:
    """Judge that no order is neither answered nor UNKNOWN a minute after it was decided."""
    reading, found = read(world), []
    now = world.clock.now()
    alive, writing = alive_since(world, now), writing_since(world)
    if alive is None or alive <= T_KNOWN or writing is None:
        return []
    for ref in reading.steps:
        last = reading.last(ref)
        is_open = last is not None and last.after is OrderStatus.PENDING
        if last is None or not is_open:
            continue
        if now - max(last.event.at, writing) > T_KNOWN + world.latency:
            found.append(f"L1 {ref} waits for a word since {last.event.at:%T.%f}")
    return found


def l2_synced_in_time(world: World) -> list[str]:
    """Judge that a new link has told everything within two seconds, and that the last one has.

    Where a fault struck between the two, or was in force, it only must come to that.
    """
    links, now = read(world).links, world.clock.now()
    struck = [one.at for one in world.faults_log]
    struck += world.weather
    found = []
    for link in links:
        synced = link.synced_at
        if synced is None or any(link.began <= at <= synced for at in struck):
            continue
        if synced - link.began > T_SYNCED:
            found.append(f"L2 the link of {link.began:%T.%f} knew everything at {synced:%T.%f}")
    if links and links[-1].synced_at is None and now - links[-1].began > T_SYNCED:
        found.append(f"L2 the link of {links[-1].began:%T.%f} never knew everything")
    return found if world.trader is not None else []


def l3_protection_replaced(world: World) -> list[str]:
    """Judge that a stop that was refused or taken away is replaced, or what it held closed.

    Two seconds, or it is said aloud: a serious word in the journal is the page. What a person
    has traded or bared on purpose is his own.
    """
    found = []
    own = {con_id for con_id, _ in world.touches} | world.bared
    for stop, at in _lost_stops(world):
        con_id, due = stop.terms.con_id, at + T_NAKED + world.latency
        able = able_since(world, due + T_PAGED, con_id)
        if con_id in own or due + T_PAGED > world.clock.now() or able is None or able > at:
            continue
        bare = all(_is_bare(s, con_id) for s, until in spans(world) if until > at and s.at <= due)
        if bare and not _is_paged(world, due - T_NAKED / 2, due + T_PAGED):
            found.append(
                f"L3 {stop.terms.order_ref} is gone since {at:%T.%f}, and nothing in its place"
            )
    return found


def l4_dead_link(world: World) -> list[str]:
    """Judge that a link on which nothing comes any more is given up within ten seconds."""
    reading = read(world)
    writing = writing_since(world)
    if not reading.links or world.trader is None or writing is None:
        return []
    link, now = reading.links[-1], world.clock.now()
    gone = [
        m.at for _, m in reading.records if isinstance(m, ev.DisconnectEvent) and m.at >= link.began
    ]
    if gone or now - max(link.last_told, writing) <= T_DEAD + world.latency:
        return []
    return [f"L4 nothing came since {link.last_told:%T.%f}, and the link is still taken for one"]


def writing_since(world: World) -> datetime | None:
    """Since when what becomes known goes on record; None while no disk takes it."""
    ends = [ended for _, ended in world.diskless]
    if None in ends:
        return None
    return max((ended for ended in ends if ended is not None), default=_NEVER)


def _lost_stops(world: World) -> list[tuple[SimOrder, datetime]]:
    """Our stops that went without having filled and without our asking, and when."""
    cancelled = {
        frame.key for frame in world.exchange.frames if frame.terms is None and not frame.is_new
    }
    found, states = [], world.exchange.states
    for before, after in pairwise(states):
        still = {order.key for order in after.working}
        for order in before.working:
            is_stop = is_exit(order) and order.terms.order_type in STOPS
            is_gone = order.key not in still | cancelled and not order.is_held
            end = world.exchange.orders.get(order.key)
            if is_stop and is_gone and end is not None and end.status is not SimStatus.FILLED:
                found.append((order, after.at))
    return found


def _is_bare(state: State, con_id: int) -> bool:
    held = state.held.get(con_id, ZERO)
    side = Side.SELL if held > 0 else Side.BUY
    mine = [o for o in state.working if o.terms.con_id == con_id and o.side is side and is_exit(o)]
    return bool(held) and not any(
        o.terms.order_type in STOPS or role(o) is OrderRole.CLOSE for o in mine
    )


def _is_paged(world: World, since: datetime, until: datetime) -> bool:
    return any(
        getattr(message, "is_serious", False) and since <= message.at <= until
        for _, message in read(world).records
        if isinstance(message, ev.SystemEvent)
    )


def _is_ours(order: SimOrder) -> bool:
    return order.key.client_id == US and role_of(order.terms.order_ref) is not None
