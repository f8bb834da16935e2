"""The invariants of RELIABILITY section 2.3, each a function over the exchange's evidence.

Each returns what it holds against the run, one line a violation, and nothing if it holds. `W`,
the frames, and `B`, the states, are the exchange's own; `J` is the journal. Times are the
exchange's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.ids import OrderRef, parse_order_id
from ibkr_trader.orders import lifecycle
from tests.invariants.world import INSTALL, LIMITS, US, Frame, State, World

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.sim.orders import SimOrder

ZERO = Decimal(0)
T_NAKED = timedelta(seconds=2)
T_COVER = timedelta(seconds=1)
T_RESIZE = timedelta(seconds=1)
T_EVENT = timedelta(milliseconds=50)
STOPS = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})


def role_of(ref: str) -> OrderRef | None:
    """Return the parts of one of our own order ids."""
    found = parse_order_id(ref)
    return found if found is not None and found.install == INSTALL else None


def is_exit(order: SimOrder) -> bool:
    """Whether it is ours and its only purpose is to end a position."""
    found = role_of(order.terms.order_ref)
    return found is not None and found.role.is_protective


def is_entry(order: SimOrder) -> bool:
    """Whether it is ours and begins or adds to a position."""
    found = role_of(order.terms.order_ref)
    return found is not None and found.role is OrderRole.ENTRY


def closing(state: State, con_id: int, side: Side, *, active_only: bool = False) -> Decimal:
    """Return what our exits on `side` can trade: of each group that excludes others, the most."""
    alone, groups = ZERO, Counter[str]()
    for order in state.working:
        if order.terms.con_id != con_id or order.side is not side or not is_exit(order):
            continue
        if active_only and order.is_held and order.why_held == "child":
            continue
        if order.oca_group:
            groups[order.oca_group] = max(groups[order.oca_group], order.remaining)  # type: ignore[assignment]  # Counter takes any number
        else:
            alone += order.remaining
    return alone + sum((Decimal(part) for part in groups.values()), ZERO)


def entering(state: State, con_id: int, side: Side) -> Decimal:
    """Return what our live entries on `side` can still add."""
    return sum(
        (
            o.remaining
            for o in state.working
            if o.terms.con_id == con_id and o.side is side and is_entry(o)
        ),
        ZERO,
    )


def surplus(state: State, con_id: int, *, active_only: bool = False) -> Decimal:
    """Return by how much our exits could trade more than there is to end."""
    held = state.held.get(con_id, ZERO)
    worst = ZERO
    for side in Side:
        room = max(ZERO, -held * side.sign)
        if not active_only:
            room += entering(state, con_id, side.opposite)
        worst = max(worst, closing(state, con_id, side, active_only=active_only) - room)
    return worst


def contracts(world: World) -> frozenset[int]:
    """Return every contract that anything happened in."""
    states = world.exchange.states
    held = {con_id for state in states for con_id in state.held}
    return frozenset(held | {o.terms.con_id for state in states for o in state.working})


def alive_since(world: World, at: datetime) -> timedelta | None:
    """Return how long the trader had been in sync at `at`; None if it was not running."""
    booted = max((b for b in world.booted_at if b <= at), default=None)
    killed = max((k for k in world.killed_at if k <= at), default=None)
    if booted is None or (killed is not None and killed >= booted):
        return None
    return at - booted


def is_unheard(world: World, con_id: int, at: datetime) -> bool:
    """Whether a human has just acted there, and nobody can know of it yet."""
    return any(one == con_id and when <= at <= when + T_COVER for one, when in world.touches)


def spans(world: World) -> Iterator[tuple[State, datetime]]:
    """Yield each state of the exchange with the moment that ended it."""
    states = world.exchange.states
    ends = [state.at for state in states[1:]] + [world.clock.now()]
    yield from zip(states, ends, strict=True)


# -- exposure ------------------------------------------------------------------------------


def s7_no_orphan_exit(world: World) -> list[str]:
    """Judge that exits never exceed the position and its live entries: no frame adds surplus.

    (b): a second after everything has come to rest there is none, of what could execute now.
    """
    found = []
    for frame in _ours(world):
        if frame.terms is None:
            continue
        con_id = frame.terms.con_id
        if is_unheard(world, con_id, frame.at):
            continue
        after, before = surplus(frame.after, con_id), surplus(frame.before, con_id)
        if after > max(ZERO, before):
            found.append(f"S7a {frame.at:%T.%f} {frame.ref} leaves {after} too many exits")
    for con_id in contracts(world):
        found += _lasting(
            world,
            lambda state, con_id=con_id: surplus(state, con_id, active_only=True) > 0,
            patience=T_RESIZE + world.latency,
            words=f"S7b {con_id} has more exits than position",
        )
    return found


def s8_protected(world: World) -> list[str]:
    """Judge that what our entries opened has its stops, two seconds after it could be known.

    While a closing order works there is nothing to protect any more than by it. Contracts
    that a human has traded, and stops that somebody took away on purpose, are not judged.
    """
    found = []
    touched = {con_id for con_id, _ in world.touches}
    for con_id in contracts(world) - touched - world.bared:
        found += _lasting(
            world,
            lambda state, con_id=con_id: _is_naked(state, con_id),
            patience=T_NAKED + world.latency,
            words=f"S8 {con_id} is held without its stops",
        )
    return found


def _is_naked(state: State, con_id: int) -> bool:
    held = state.held.get(con_id, ZERO)
    side = Side.SELL if held > 0 else Side.BUY
    mine = [o for o in state.working if o.terms.con_id == con_id and o.side is side and is_exit(o)]
    if not held or any(_role(order) is OrderRole.CLOSE for order in mine):
        return False
    stops = [order for order in mine if order.terms.order_type in STOPS]
    return sum((order.remaining for order in stops if not order.is_held), ZERO) < abs(held)


def s9_never_widens(world: World) -> list[str]:
    """Judge that the stops of a group only ever move toward profit."""
    found = []
    best: dict[tuple[str, int], Decimal] = {}
    for state in world.exchange.states:
        for order in state.working:
            if not is_exit(order) or order.stop_price is None or _role(order) is not OrderRole.STOP:
                continue
            ref = role_of(order.terms.order_ref)
            if ref is None or order.terms.order_ref in world.widened:
                continue
            # Several stops of one group have their own levels; a replacement has its sibling's.
            place = (ref.group_id, order.order_id)
            sign = 1 if order.side is Side.SELL else -1
            before = best.get(place)
            if before is not None and (order.stop_price - before) * sign < 0:
                found.append(
                    f"S9 {state.at:%T.%f} {order.terms.order_ref}: {before} -> {order.stop_price}"
                )
            best[place] = order.stop_price
    return list(dict.fromkeys(found))


def s10_limits(world: World) -> list[str]:
    """Judge that with every opening frame all that could fill would keep the limit."""
    found = []
    limit = LIMITS.max_position_size
    for frame in _ours(world):
        if frame.terms is None:
            continue
        if is_unheard(world, frame.terms.con_id, frame.at):
            continue
        con_id = frame.terms.con_id  # the last frame of a bracket, an exit, sets the entry free
        for side in Side:
            worst = _worst(frame.after, con_id, side)
            if worst > limit and worst > _worst(frame.before, con_id, side):
                found.append(f"S10 {frame.at:%T.%f} {frame.ref}: {worst} in the worst case")
    return found


def _worst(state: State, con_id: int, side: Side) -> Decimal:
    """Return the largest position on `side` that orders of any kind could lead to."""
    alone, groups = ZERO, dict[str, Decimal]()
    for order in state.working:
        if order.terms.con_id != con_id or order.side is not side or is_exit(order):
            continue
        if order.oca_group:
            groups[order.oca_group] = max(groups.get(order.oca_group, ZERO), order.remaining)
        else:
            alone += order.remaining
    return state.held.get(con_id, ZERO) * side.sign + alone + sum(groups.values(), ZERO)


def s11_reduce_only(world: World) -> list[str]:
    """Judge that no closing order, with all other exits, could turn a position round."""
    found = []
    for frame in _ours(world):
        ref = role_of(frame.ref)
        if frame.terms is None or ref is None or ref.role is not OrderRole.CLOSE:
            continue
        con_id, side = frame.terms.con_id, Side(frame.terms.action)
        if is_unheard(world, con_id, frame.at):
            continue
        # What it filled at once is gone from the position and from the order alike.
        held = max(ZERO, -frame.before.held.get(con_id, ZERO) * side.sign)
        could = closing(frame.before, con_id, side) + (frame.terms.quantity if frame.is_new else 0)
        if could > held:
            found.append(f"S11 {frame.at:%T.%f} {frame.ref}: {could} against {held} held")
    return found


# -- ledger --------------------------------------------------------------------------------


def s16_conservation(world: World) -> list[str]:
    """Judge, at rest, that our positions are the broker's."""
    trader = world.trader
    if trader is None:
        return []
    ours = {c: p.quantity for c, p in trader.portfolio.positions.items() if p.quantity}
    theirs = world.exchange.state().held
    return [] if ours == theirs else [f"S16 ours {ours}, the broker's {theirs}"]


def s18_legal(world: World) -> list[str]:
    """Judge that every change of status in the journal is one that the table allows."""
    found: list[str] = []
    orders: dict[OrderId, Order] = {}
    for _, message in world.journal.messages():
        if not isinstance(message, ev.OrderEvent):
            continue
        known = orders.get(message.order_id)
        if known is None:
            if isinstance(message, ev.NewOrderEvent):
                orders[message.order_id] = lifecycle.open_order(message)
            continue
        after = lifecycle.apply(known, message)
        if after is None:
            found.append(f"S18 {message.order_id}: {type(message).__name__} at {known.status}")
        else:
            orders[message.order_id] = after
    return found


def s19_not_delayed(world: World) -> list[str]:
    """Judge that a fill is on record 50 ms after the exchange has told of it."""
    heard = {
        message.fill.fill_id: message.at
        for _, message in world.journal.messages()
        if isinstance(message, ev.FillEvent)
    }
    found = []
    for execution in world.exchange.orders.executions():
        if execution.client_id != US:
            continue  # TWS tells nobody else's: a look-up finds them (S20)
        since = alive_since(world, execution.at)
        still = alive_since(world, execution.at + T_EVENT + world.latency)
        is_too_early = world.clock.now() - execution.at <= T_EVENT + world.latency
        if is_too_early or since is None or still is None or still < since:
            continue  # or it died in between: the next process hears of it
        at = heard.get(_family(execution.exec_id))  # type: ignore[call-overload]  # an id is text
        if at is None or at - execution.at > T_EVENT + world.latency:
            found.append(f"S19 {execution.exec_id} of {execution.at:%T.%f} was heard at {at}")
    return found


def s20_nothing_dropped(world: World) -> list[str]:
    """Judge, at rest, that every execution of the account is on record, and counted once."""
    if world.trader is None:
        return []
    heard = Counter(
        (message.fill.fill_id, message.fill.revision)
        for _, message in world.journal.messages()
        if isinstance(message, ev.FillEvent)
    )
    twice = [f"S20 {fill_id} counted {n} times" for (fill_id, _), n in heard.items() if n > 1]
    families = {fill_id for fill_id, _ in heard}
    lost = [
        f"S20 {execution.exec_id} was lost"
        for execution in world.exchange.orders.executions()
        if _family(execution.exec_id) not in families
    ]
    return twice + lost


def s1_at_most_once(world: World) -> list[str]:
    """Judge that no order of ours was ever placed under two numbers."""
    keys: dict[str, set[object]] = {}
    for frame in world.exchange.frames:
        if frame.terms is not None and frame.key.client_id == US:
            keys.setdefault(frame.ref, set()).add(frame.key)
    return [f"S1 {ref} went out as {found}" for ref, found in keys.items() if len(found) > 1]


ALWAYS = (
    s1_at_most_once,
    s7_no_orphan_exit,
    s8_protected,
    s9_never_widens,
    s10_limits,
    s11_reduce_only,
    s18_legal,
    s19_not_delayed,
)
AT_REST = (s16_conservation, s20_nothing_dropped)


def verdict(world: World, *, at_rest: bool = False) -> list[str]:
    """Return every violation found, oldest invariant first."""
    judges = (*ALWAYS, *AT_REST) if at_rest else ALWAYS
    return [line for judge in judges for line in judge(world)]


def _ours(world: World) -> Iterator[Frame]:
    return (frame for frame in world.exchange.frames if frame.key.client_id == US)


def _role(order: SimOrder) -> OrderRole | None:
    found = role_of(order.terms.order_ref)
    return found.role if found is not None else None


def _family(exec_id: str) -> str:
    return exec_id.rpartition(".")[0]


def _lasting(
    world: World, is_so: Iterable[object] | object, *, patience: timedelta, words: str
) -> list[str]:
    """Return a violation for each stretch that lasted too long under a living trader."""
    assert callable(is_so)
    found: list[str] = []
    since: datetime | None = None
    for state, until in spans(world):
        if not is_so(state):
            since = None
            continue
        since = since or state.at
        begun = max([since, *(b for b in world.booted_at if b <= until)])
        alive = alive_since(world, until)
        if alive is not None and until - begun > patience and alive > patience:
            found.append(f"{words} since {since:%T.%f} (seen at {until:%T.%f})")
            since = until  # once is enough
    return found
