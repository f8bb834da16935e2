"""S7, S8 and S11: what exits may trade, and what protects.

Judged by the frames and the states of the exchange alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, Side
from tests.invariants.ability import able_since, given_up
from tests.invariants.evidence import (
    STOPS,
    T_ASKED,
    T_EVENT,
    T_NAKED,
    T_RESIZE,
    T_REST,
    ZERO,
    closing,
    contracts,
    is_exit,
    role,
    role_of,
    spans,
    surplus,
)
from tests.invariants.reading import is_unheard, read
from tests.invariants.watched import US, Frame, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.invariants.world import World


def s7_no_orphan_exit(world: World) -> list[str]:
    """Judge that exits never exceed the position and its live entries: no frame adds surplus.

    (b): a second after everything has come to rest there is none, of what could execute now.
    """
    found = []
    for frame in _ours(world):
        if frame.terms is None:
            continue
        con_id = frame.terms.con_id
        if is_unheard(world, frame):
            continue
        after, before = surplus(frame.after, con_id), surplus(frame.before, con_id)
        if after > max(ZERO, before):
            found.append(f"S7a {frame.at:%T.%f} {frame.ref} leaves {after} too many exits")
    for con_id in contracts(world):
        for patience, rest in ((T_RESIZE, _scene), (T_REST, None)):
            found += _lasting(
                world,
                con_id,
                partial(_is_crowded, con_id),
                patience=patience + world.latency,
                words=f"S7b {con_id} has more exits than position",
                rest=partial(rest, con_id) if rest is not None else None,
            )
    return found


def s8_protected(world: World) -> list[str]:
    """Judge that what our entries opened has its stops, two seconds after it could be known.

    While a closing order works there is nothing to protect any more than by it. Contracts
    that a human has traded, and stops that somebody took away on purpose, are not judged; nor is
    what a group has left to a person, because TWS is set to refuse its close.
    """
    found = []
    touched = {con_id for con_id, _ in world.touches}
    for con_id in contracts(world) - touched - world.bared:
        found += _lasting(
            world,
            con_id,
            partial(_is_owed, con_id, given_up(world, con_id)),
            patience=T_NAKED + world.latency,
            words=f"S8 {con_id} is held without its stops",
        )
    return found


def s19_answered(world: World) -> list[str]:
    """Judge that what protects a fill, where the broker leaves it out, was asked for in time.

    At once after an addition, whose exits nobody else enlarges; a second after an entry's own fill,
    half of which is left to the broker, or where no exit is left that could be enlarged. A cancel
    that makes room is an answer too; S8 judges what comes of it, and has the same exceptions.
    """
    found = []
    own = {con_id for con_id, _ in world.touches} | world.bared
    for execution in world.exchange.orders.executions():
        con_id, at, ref = execution.con_id, execution.at, role_of(execution.order_ref)
        if ref is None or ref.role is not OrderRole.ENTRY or con_id in own:
            continue
        until = at + T_EVENT + world.latency
        if ref.copy == 1 or not _has_exit(world, ref.group_id, until):
            until += T_ASKED
        able = able_since(world, until, con_id)
        if until >= world.clock.now() or able is None or able > at:
            continue
        during = [state for state, end in spans(world) if end > at and state.at <= until]
        is_left = any(begins <= until and at <= ends for begins, ends in given_up(world, con_id))
        if is_left or _has_asked(world, con_id, ref.group_id, at=at, until=until):
            continue
        if all(_is_naked(con_id, state) for state in during):
            found.append(f"S19 {execution.exec_id} of {at:%T.%f} called for stops; nobody asked")
    return found


def _has_exit(world: World, group_id: str, moment: datetime) -> bool:
    """Whether an exit of the group works at a moment: one that could be enlarged."""
    state = next((one for one in reversed(world.exchange.states) if one.at <= moment), None)
    return state is not None and any(
        is_exit(order) and _is_of(order.terms.order_ref, group_id) for order in state.working
    )


def _has_asked(world: World, con_id: int, group_id: str, *, at: datetime, until: datetime) -> bool:
    """Whether we have asked for anything in a contract, or of a group, between two moments.

    What TWS itself has refused the exchange never saw. A change may arrive at the very instant of
    the fill; what was placed then came with the entry, and is no answer.
    """
    asked = [f for f in _ours(world) if at <= f.at <= until and f.con_id == con_id]
    sent = (one.entry for one in read(world).sent if at < one.entry.at <= until)
    return any(f.at > at or f.is_change for f in asked) or any(
        _is_of(entry.order_ref, group_id) for entry in sent
    )


def _is_of(name: str, group_id: str) -> bool:
    ref = role_of(name)
    return ref is not None and ref.group_id == group_id


def _is_crowded(con_id: int, state: State) -> bool:
    return surplus(state, con_id, active_only=True) > 0


def _is_naked(con_id: int, state: State) -> bool:
    held = state.held.get(con_id, ZERO)
    side = Side.SELL if held > 0 else Side.BUY
    mine = [o for o in state.working if o.terms.con_id == con_id and o.side is side and is_exit(o)]
    if not held or any(role(order) is OrderRole.CLOSE for order in mine):
        return False
    stops = [order for order in mine if order.terms.order_type in STOPS]
    return sum((order.remaining for order in stops if not order.is_held), ZERO) < abs(held)


def _is_owed(con_id: int, left: Sequence[tuple[datetime, datetime]], state: State) -> bool:
    """Whether a stop is missing, and not for a refusal within the time in which it was due."""
    is_left = any(begins - T_NAKED <= state.at <= ends for begins, ends in left)
    return _is_naked(con_id, state) and not is_left


def s11_reduce_only(world: World) -> list[str]:
    """Judge that no closing order, with all other exits, could turn a position round."""
    found = []
    for frame in _ours(world):
        ref = role_of(frame.ref)
        if frame.terms is None or ref is None or ref.role is not OrderRole.CLOSE:
            continue
        con_id, side = frame.terms.con_id, Side(frame.terms.action)
        if is_unheard(world, frame):
            continue
        # What it filled at once is gone from the position and from the order alike.
        held = max(ZERO, -frame.before.held.get(con_id, ZERO) * side.sign)
        could = closing(frame.before, con_id, side, active_only=True)
        could += frame.terms.quantity if frame.is_new else 0
        if could > held:
            found.append(f"S11 {frame.at:%T.%f} {frame.ref}: {could} against {held} held")
    return found


def _ours(world: World) -> Iterator[Frame]:
    return (frame for frame in world.exchange.frames if frame.key.client_id == US)


def _scene(con_id: int, state: State) -> object:
    """What has to stand still for a contract to be at rest."""
    mine = [(o.key, o.quantity, o.status) for o in state.working if o.terms.con_id == con_id]
    return state.held.get(con_id), mine


def _lasting(
    world: World,
    con_id: int,
    is_so: Callable[[State], bool],
    *,
    patience: timedelta,
    words: str,
    rest: Callable[[State], object] | None = None,
) -> list[str]:
    """Return a violation for each stretch that lasted too long under a trader who could end it.

    With `rest` it counts from the last change of what that returns.
    """
    found: list[str] = []
    since: datetime | None = None
    scene: object = None
    for state, until in spans(world):
        if not is_so(state):
            since = None
            continue
        before, scene = scene, rest(state) if rest is not None else None
        since = since if since is not None and before == scene else state.at
        able = able_since(world, until, con_id)
        if able is not None and until - max(since, able) > patience:
            found.append(f"{words} since {since:%T.%f} (seen at {until:%T.%f})")
            since = until  # once is enough
    return found
