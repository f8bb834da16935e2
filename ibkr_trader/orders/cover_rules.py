"""The two rules of the cover policy, for one contract: too many exits, and too few stops."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT
from ibkr_trader.core.events import CoverEvent
from ibkr_trader.core.models import ZERO, Order
from ibkr_trader.core.text import price
from ibkr_trader.core.text import quantity as number
from ibkr_trader.orders.asking import PATIENCE, TRIES
from ibkr_trader.orders.cover_orders import KIND, Attach, CoverRules, Policy, emergency_stop
from ibkr_trader.orders.cover_scene import (
    Action,
    Flatten,
    Found,
    Known,
    Look,
    Scene,
    Terms,
    Watch,
)
from ibkr_trader.orders.cover_surplus import Cut, cuts, excess, making_room
from ibkr_trader.orders.coverage import Coverage, clusters, coverage, protects
from ibkr_trader.orders.members import traded

if TYPE_CHECKING:
    from collections.abc import Iterable

SETTLE = timedelta(milliseconds=400)  # what the broker's own links do, they do within this
SEEN = timedelta(seconds=1)  # a gap that is shorter is not worth a word
AT_START = timedelta(seconds=2)  # for groups to mend themselves after a restart
HOLD = timedelta(seconds=10)  # beyond the grace, for what is about to mend itself
RELAPSE = timedelta(minutes=10)  # stops that are gone again within it are taken away by somebody
_FIX = "ibkr-trader cover --fix"
_CHANGING = frozenset({OrderStatus.PENDING_MODIFY, OrderStatus.PENDING_CANCEL})


def too_much(scene: Scene, watch: Watch, terms: Terms, *, settle: timedelta = SETTLE) -> Found:
    """Take away what exits of ours could trade beyond what is held."""
    if scene.is_left_alone:
        return Found(watch)
    now, exits = terms.now, terms.known.exits
    found = cuts(scene.held, scene.orders, exits)
    if not found:
        if watch.surplus_seen is None or excess(scene.held, scene.orders, exits):
            return Found(watch)  # none, or what there is has been asked away
        tried = {key: one for key, one in watch.tried.items() if not key.startswith("cut ")}
        return Found(msgspec.structs.replace(watch, surplus_seen=None, tried=tried))
    watch = msgspec.structs.replace(watch, surplus_seen=watch.surplus_seen or now)
    if watch.surplus_seen is not None and now - watch.surplus_seen < settle:
        return Found(watch)
    actions: list[Action] = []
    for cut in found:
        key = f"cut {cut.order.order_id} {cut.left}"
        command = trimming(cut)
        if command is not None and watch.may_try(key, now):
            actions.append(command)
            watch = watch.having_tried(key, now)
    if not actions:
        return Found(watch)
    return Found(watch, tuple(actions), (_surplus_word(scene, found, terms),))


def trimming(cut: Cut) -> CancelOrder | ModifyOrder | None:
    """Return what takes a surplus away; None while the broker may not have the order."""
    order = cut.order
    if not cut.left:
        return CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=KIND
        )
    if order.status.is_in_flight:
        return None
    size = traded(order) + cut.left
    return ModifyOrder(order_id=order.order_id, quantity=size, origin=KIND)


def _surplus_word(scene: Scene, found: tuple[Cut, ...], terms: Terms) -> CoverEvent:
    surplus = excess(scene.held, scene.orders, terms.known.exits)
    done = ", ".join(
        f"{order.order_id} is " + (f"cut to {number(left)}" if left else "cancelled")
        for order, left in found
    )
    what = label(scene.contract)
    message = (
        f"exits of {what} could trade {number(surplus)} more than the "
        f"{number(abs(scene.held))} that are held: {done}"
    )
    return _event(scene, terms.now, message=message, surplus=surplus, is_serious=True)


def too_little(scene: Scene, watch: Watch, terms: Terms) -> Found:
    """Call out what no stop would end, and act on it once the grace has passed."""
    stands, now, rules = coverage(scene.held, scene.orders, mark=scene.mark), terms.now, terms.rules
    if not stands.naked:
        return _covered(scene, watch, now=now)
    if scene.is_left_alone:
        return Found(watch)
    seen = watch.naked_seen or now
    since = watch.naked_since or min(scene.since or now, now)
    watch = msgspec.structs.replace(watch, naked_seen=seen, naked_since=since)
    told: list[CoverEvent] = []
    if not watch.is_told and now - seen >= SEEN:
        message = f"{_naked(scene, stands)} without a working stop"
        told.append(_event(scene, now, message=message, since=since))
        watch = msgspec.structs.replace(watch, is_told=True)
    if now < max(since + rules.grace, seen + min(rules.grace, AT_START)):
        return Found(watch, (), tuple(told))
    action, why = _answer(scene, stands, watch, terms=terms)
    if action is not None:
        watch = watch.having_tried(_key(action), now)
    if isinstance(action, Attach):
        watch = msgspec.structs.replace(watch, placed=(*watch.placed, now))
    if watch.alerted_at is None or now - watch.alerted_at >= rules.repeat:
        watch = msgspec.structs.replace(watch, alerted_at=now)
        message = f"{_naked(scene, stands)} without a stop since {since:%H:%M:%S} UTC: {why}"
        told.append(_event(scene, now, message=message, since=since, is_serious=True))
    return Found(watch, () if action is None else (action,), tuple(told))


def _covered(scene: Scene, watch: Watch, *, now: datetime) -> Found:
    if watch.naked_seen is None:
        return Found(watch)
    told: tuple[CoverEvent, ...] = ()
    if watch.is_told and watch.naked_since is not None:
        seconds = (now - watch.naked_since).total_seconds()
        how = "is covered again" if scene.held else "is closed"
        message = f"{label(scene.contract)} {how} after {seconds:.0f} s without a stop"
        told = (_event(scene, now, message=message),)
    tried = {key: one for key, one in watch.tried.items() if key.startswith("cut ")}
    left = Watch(surplus_seen=watch.surplus_seen, tried=tried, placed=watch.placed)
    return Found(left, (), told)


def _answer(
    scene: Scene, stands: Coverage, watch: Watch, *, terms: Terms
) -> tuple[Action | None, str]:
    """What to do, if anything, and what to say of it: one answer for now."""
    rules, ours = terms.rules, looked_after(scene, terms.rules)
    size = min(stands.naked, ours - stands.covered)
    against = doubt(scene, watch, terms)
    if rules.policy is Policy.ALERT or against:
        return None, against or _FIX
    if size <= 0 or (rules.policy is Policy.FLATTEN and ours < abs(scene.held)):
        return None, f"not all was opened here (protection.cover_foreign is off); {_FIX}"
    if rules.policy is Policy.FLATTEN:
        action: Action | None = Flatten(scene.contract)
        why = "it is being closed"
    else:
        action, why = remedy(scene, size, terms)
    return (action, why) if action is None else _patiently(action, watch, why, now=terms.now)


def looked_after(scene: Scene, rules: CoverRules) -> Decimal:
    """Return how much of a position is the desk's to protect: what it has opened, or all of it."""
    return abs(scene.held) if rules.cover_foreign else scene.ours


def doubt(scene: Scene, watch: Watch, terms: Terms) -> str:
    """Return what stands against acting now on what no stop covers; empty if nothing does."""
    lost = scene.lost[-1].order_id if scene.lost else None
    if lost in terms.known.wishes and not terms.rules.auto_reprotect:
        return f"{lost} was cancelled on request; {_FIX}"
    if any(order.status.is_in_flight for order in _exits(scene)):
        return f"an order that may be live would cover it; {WHAT_BECAME_OF_IT}"
    seen = watch.naked_seen or terms.now
    if terms.now - seen < terms.rules.grace + HOLD and _is_mending(scene):
        return "its orders are changing"
    return ""


def remedy(
    scene: Scene, size: Decimal, terms: Terms
) -> tuple[CancelOrder | ModifyOrder | Attach | Look | None, str]:
    """Return what brings a stop under `size` more of the position, and what to say of it.

    An exit that could trade beside it goes first, once it is certain that the stop can come.
    """
    action, why = _new_stop(scene, size, terms)
    if action is None or isinstance(action, Look):
        return action, why
    for cut in making_room(scene.held, scene.orders, terms.known.exits, size=size):
        room = trimming(cut)
        return room, f"{cut.order.order_id} makes room: {why}"
    if any(order.status is OrderStatus.PENDING_CANCEL for order in _exits(scene)):
        return None, f"an exit makes room: {why}"
    return action, why


def _new_stop(
    scene: Scene, size: Decimal, terms: Terms
) -> tuple[ModifyOrder | Attach | Look | None, str]:
    loose = [order for order in _exits(scene) if _may_grow(order, scene, terms.known)]
    if loose:
        order = max(loose, key=lambda one: one.remaining)
        more = order.spec.quantity + size
        grown = ModifyOrder(order_id=order.order_id, quantity=more, origin=KIND)
        return grown, f"{order.order_id} is being enlarged to {number(more)}"
    if scene.market is None:
        return Look(scene.contract), "no price of an open market is at hand"
    stop = emergency_stop(scene.held, scene.cost, scene.market, distance=terms.rules.stop_distance)
    if stop is None:
        return None, f"there is no room for a stop; ibkr-trader close {ticker(scene.contract)}"
    side = Side.closing(scene.held)
    return Attach(scene.contract, side, size, stop), f"a stop at {price(stop)} is being placed"


def _patiently(
    action: Action, watch: Watch, why: str, *, now: datetime
) -> tuple[Action | None, str]:
    """Do it again only after a while, and not for ever; looking does no harm."""
    before = watch.tried.get(_key(action))
    brings_a_stop = isinstance(action, Attach | CancelOrder)  # or makes room for one
    if brings_a_stop and len(watch.placed) >= TRIES and "attach" not in watch.tried:
        minutes = RELAPSE.total_seconds() / 60
        return None, f"its stop was taken away {TRIES} times within {minutes:.0f} min; {_FIX}"
    if before is None:
        return action, why
    if before.times >= TRIES and not isinstance(action, Look):
        return None, f"tried {TRIES} times in vain; look at it: ibkr-trader positions"
    return (action if now - before.at >= PATIENCE else None), why


def _key(action: Action) -> str:
    match action:
        case CancelOrder():
            return f"room {action.order_id}"
        case ModifyOrder():
            return f"size {action.order_id} {action.quantity}"
        case _:
            return type(action).__name__.lower()


def _exits(scene: Scene) -> Iterable[Order]:
    return (
        order
        for order in scene.orders
        if not order.is_foreign and order.spec.side.sign * scene.held < 0
    )


def _may_grow(order: Order, scene: Scene, known: Known) -> bool:
    """Whether it is a stop that nobody else sizes, and that stands by itself."""
    is_free = not order.spec.is_sized_by_others
    is_still = order.desired is None and order.status not in _CHANGING
    return order.order_id in known.loose and is_free and is_still and protects(order, scene.mark)


def _is_mending(scene: Scene) -> bool:
    """Whether an exit is being changed, or an entry still fills whose exits are at the broker."""
    exits = tuple(_exits(scene))
    if any(order.status is OrderStatus.PENDING_MODIFY for order in exits):
        return True
    return any(cluster.entering for cluster in clusters(exits, scene.orders))


def _naked(scene: Scene, stands: Coverage) -> str:
    held = f"{number(stands.naked)} of {number(abs(scene.held))} {label(scene.contract)}"
    return f"{held} are held"


def _event(
    scene: Scene,
    now: datetime,
    *,
    message: str,
    since: datetime | None = None,
    surplus: Decimal = ZERO,
    is_serious: bool = False,
) -> CoverEvent:
    return CoverEvent(
        at=now,
        contract=scene.contract,
        held=scene.held,
        covered=coverage(scene.held, scene.orders, mark=scene.mark).covered,
        surplus=surplus,
        since=since,
        message=message,
        is_serious=is_serious,
    )
