"""S12 to S14 and L5: what a halt promises, judged by frames, the states of the exchange and J.

The journal says since when a halt is durable; what was opened after that, the exchange knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side, TradingState
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.risk.switch import EVERYTHING, TradingSwitch
from ibkr_trader.sim.gateway.wire import Fate
from ibkr_trader.sim.orders import OrderKey
from tests.invariants.ability import SETTINGS, able_since
from tests.invariants.deeds import NAMES
from tests.invariants.evidence import (
    STOPS,
    ZERO,
    is_exit,
    role_of,
    spans,
    worst,
)
from tests.invariants.reading import crossed, is_unheard, read
from tests.invariants.watched import US, Frame, State

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.sim.gateway.wire import WireEntry
    from ibkr_trader.sim.orders import SimOrder
    from tests.invariants.reading import Reading
    from tests.invariants.world import World

T_GONE = timedelta(seconds=5)
T_CALLED = timedelta(seconds=30)  # after which a person is called for what is UNKNOWN
USED = 103  # a number at or below one that came before
T_CANCELS = ((1, 0.05), (10, 0.25), (50, 1.5))  # which cancel, within how many seconds
_NEVER = 1 << 62
DESK = "library"  # who asks, where a random day has a person ask for something


class Era(NamedTuple):
    """A stretch in which the same things were halted, from record `number` to record `ended`."""

    number: int
    ended: int
    since: datetime
    until: datetime
    switch: TradingSwitch

    def halts(self, con_id: int, *, cancels: bool = False) -> bool:
        """Whether nothing may be opened there, or (`cancels`) what could open is taken back."""
        held = self.switch.held
        found = [held[key] for key in (EVERYTHING, NAMES.get(con_id, "?")) if key in held]
        halted = [one for one in found if one.state is TradingState.HALTED]
        return any(not one.keeps_entries for one in halted) if cancels else bool(found)


def s12_kill(world: World) -> list[str]:
    """Judge that nothing is opened or made keener from the instant on that a halt is durable.

    No end of the process ends it; its own cancels never take protection away; and no closing
    order is denied because of it.
    """
    found, halted = [], list(eras(world))
    for frame in world.exchange.frames:
        if frame.key.client_id != US or frame.terms is None or is_unheard(world, frame):
            continue
        era = _in_force(world, halted, frame)
        if era is None or not era.halts(frame.terms.con_id):
            continue
        if _opens(frame) or _is_keener(frame):
            found.append(f"S12 {frame.at:%T.%f} {frame.ref} opens, halted since {era.since:%T.%f}")
    for _, message in read(world).records:
        if isinstance(message, ev.CancelRequestEvent) and message.origin == HALT:
            ref = role_of(message.order_id)
            if ref is not None and ref.role.is_protective:
                found.append(f"S12 {message.at:%T.%f} the halt cancels {message.order_id}")
        if isinstance(message, ev.DenyEvent) and _is_closing(message.order_id):
            checks = {breach.check for breach in message.breaches}
            # One that would open is none, whatever it is called.
            if "trading_state" in checks and "reduce_only" not in checks:
                found.append(f"S12 {message.at:%T.%f} a halt denies {message.order_id}")
    return found


def s13_latency(waits: Sequence[float], *, asked: int) -> list[str]:
    """Judge how long after a halt its cancels went to the wire, in seconds, in their order."""
    due = [(number, most) for number, most in T_CANCELS if number <= asked]
    return [
        f"S13 cancel {number} of {asked} had not left {most:g} s after the halt"
        for number, most in due
        if len(waits) < number or waits[number - 1] > most
    ]


def s14_flatten(world: World) -> list[str]:
    """Judge that flattening, however often it is asked for, ends in nothing and never beyond.

    Until somebody trades there by hand, no position that it found changes its sign.
    """
    found = []
    for number, message in read(world).records:
        if not (isinstance(message, ev.StateEvent) and message.flattens):
            continue
        switch = TradingSwitch().after(message)
        era = Era(number, _NEVER, message.at, world.clock.now(), switch)
        for con_id, sign in _held_at(world, message.at).items():
            until = min(
                (at for one, at in world.touches if one == con_id and at >= era.since),
                default=era.until,
            )
            if not era.halts(con_id):
                continue
            until = min(until, _traded_anew(world, number, con_id, default=until))
            turned = (
                s
                for s in world.exchange.states
                if era.since <= s.at < until and s.held.get(con_id, ZERO) * sign < 0
            )
            if (first := next(turned, None)) is not None:
                found.append(
                    f"S14 {first.at:%T.%f} flattening {con_id} turned it to {first.held[con_id]}"
                )
    return found


def _traded_anew(world: World, number: int, con_id: int, *, default: datetime) -> datetime:
    """When the contract was flat after the first resumption since a record: then all is new."""
    resumed = (
        message.at
        for later, message in read(world).records
        if later > number
        and isinstance(message, ev.StateEvent)
        and message.state is TradingState.ACTIVE
    )
    since = next(resumed, None)
    if since is None:
        return default
    flat = (s.at for s in world.exchange.states if s.at >= since and not s.held.get(con_id))
    return next(flat, default)


def s14_flat(world: World) -> list[str]:
    """Judge, at rest, that nothing is held any more where flattening is still in force.

    What somebody trades by hand shows at the next look only, and is his own; what a whole close
    still works on, in a market that has no more to give, is on its way. Nothing is sent twice, so
    four ends of a close are a person's. It was lost in the gateway on the link that stands, where
    nothing proves that it will not come. TWS refused it by its settings. A later order overtook it
    in there, which made its number one that was used (103). Or he has cancelled it by its name.
    """
    if world.trader is None:
        return []
    wanted: dict[str, datetime] = {}
    for _, message in read(world).records:
        if isinstance(message, ev.StateEvent) and message.state is TradingState.ACTIVE:
            wanted.pop(message.symbol, None)
        elif isinstance(message, ev.StateEvent) and message.flattens:
            wanted[message.symbol] = message.at
    now = world.exchange.state()
    return [
        f"S14 {now.held[con_id]} of {con_id} is held, flattened since {since:%T.%f}"
        for symbol, since in wanted.items()
        for con_id in now.held
        if symbol in {EVERYTHING, NAMES.get(con_id, "?")}
        and not any(one == con_id for one, _ in world.touches)
        and able_since(world, now.at, con_id) is not None
        and not _is_closing_all(now, con_id)
        and not _is_a_persons(world, con_id, since)
    ]


def l5_gone(world: World) -> list[str]:
    """Judge that five seconds after a halt nothing of ours that could open works any more."""
    found = []
    patience = T_GONE + world.latency
    for era in eras(world):
        for state, until in spans(world):
            end, begun = min(until, era.until), max(era.since, state.at)
            for order in state.working if end - begun > patience else ():
                if not _is_to_go(order, state, era):
                    continue
                able = able_since(world, end, order.terms.con_id)
                if able is not None and end - max(begun, able) > patience:
                    ref, since = order.terms.order_ref, max(era.since, able)
                    found.append(f"L5 {ref} works on at {end:%T.%f}, halted since {since:%T.%f}")
    return list(dict.fromkeys(found))


def eras(world: World) -> Iterator[Era]:
    """Yield the stretches in which anything was halted, oldest first, across all processes."""
    switch, number, since = TradingSwitch(), 0, world.exchange.states[0].at
    for at, message in read(world).records:
        if isinstance(message, ev.StateEvent) and (after := switch.after(message)) is not switch:
            if switch.held:
                yield Era(number, at, since, message.at, switch)
            switch, number, since = after, at, message.at
    if switch.held:
        yield Era(number, _NEVER, since, world.clock.now(), switch)


def _is_closing_all(state: State, con_id: int) -> bool:
    """Whether a close of ours works for all that is held."""
    held = state.held[con_id]
    mine = (o for o in state.working if o.terms.con_id == con_id and o.side.sign * held < 0)
    return any(_is_closing(o.terms.order_ref) and o.remaining >= abs(held) for o in mine)


def _is_a_persons(world: World, con_id: int, since: datetime) -> bool:
    """Whether the last close there came to nothing by no doing of ours, and a person was told."""
    reading = read(world)
    groups = {
        message.group_id
        for _, message in reading.records
        if isinstance(message, ev.CloseRequestEvent) and message.at >= since
        if message.contract.con_id == con_id
    }
    closes = [
        (number, spec)
        for wishes in reading.submitted.values()
        for number, spec in wishes
        if spec.role is OrderRole.CLOSE and spec.group_id in groups
    ]
    if not closes:
        return False
    _, last = max(closes, key=lambda one: one[0])
    return (
        _is_lost_inside(world, last)
        or _is_refused_in_there(world, last)
        or _is_taken_back(world, last)
    )


def _is_taken_back(world: World, spec: OrderSpec) -> bool:
    """Whether a person at the desk has cancelled it by its name: then what is held is his."""
    return any(
        isinstance(message, CancelOrder)
        and (message.order_id, message.origin) == (spec.order_id, DESK)
        for _, message in read(world).records
    )


def _is_lost_inside(world: World, spec: OrderSpec) -> bool:
    """Whether it reached the gateway on the link that stands, and never the exchange: UNKNOWN."""
    reading, key = read(world), OrderKey(US, spec.broker_order_id)
    last, link = reading.last(spec.order_id), reading.link
    if last is None or last.after is not OrderStatus.UNKNOWN or link is None:
        return False
    arrived = any(s.link is link and _is_whole(s.entry, key) for s in reading.sent)
    is_there = any(frame.key == key and frame.is_new for frame in world.exchange.frames)
    return arrived and not is_there and _is_told(world, "unknown", last.event.at + T_CALLED)


def _is_whole(entry: WireEntry, key: OrderKey) -> bool:
    return (entry.name, entry.key, entry.fate) == ("placeOrder", key, Fate.WHOLE)


def _is_told(world: World, alarm: str, due: datetime) -> bool:
    """Whether a person was called by then, or it is not due yet."""
    return world.clock.now() <= due + world.latency or any(
        isinstance(message, ev.AlarmEvent) and message.key == alarm
        for _, message in read(world).records
    )


def _is_refused_in_there(world: World, spec: OrderSpec) -> bool:
    """Whether the gateway refused it for what is none of our doing, and its closing said so."""
    reading, key = read(world), OrderKey(US, spec.broker_order_id)
    last = reading.last(spec.order_id)
    is_told = any(
        isinstance(message, ev.CloseEndEvent) and message.group_id == spec.group_id
        for _, message in reading.records
        if getattr(message, "message", "")
    )
    if last is None or last.after is not OrderStatus.REJECTED or not is_told:
        return False
    codes = {e.message.code for e in reading.refused if e.key == key}  # type: ignore[union-attr]  # errors have one
    return bool(codes & SETTINGS) or (USED in codes and has_come_in_turn(reading, key))


def has_come_in_turn(reading: Reading, key: OrderKey) -> bool:
    """Whether no order with a higher number had come to the gateway before it did."""
    placed = [s.entry.key for s in reading.sent if s.entry.name == "placeOrder" and s.entry.key]
    return key in placed and max(placed[: placed.index(key) + 1], key=_number) == key


def _number(key: OrderKey) -> int:
    return key.order_id


def _held_at(world: World, at: datetime) -> dict[int, int]:
    """Which side was held in each contract at that moment."""
    state = next(s for s in reversed(world.exchange.states) if s.at <= at)
    return {con_id: 1 if held > 0 else -1 for con_id, held in state.held.items()}


def _in_force(world: World, halted: list[Era], frame: Frame) -> Era | None:
    """The era that the frame left in; what was on its way when it began is of the one before.

    It left when it was sent, however long line and gateway then kept it from the exchange; what
    left in the moment that ended the era came after that end.
    """
    if not world.transit:
        return next((e for e in halted if e.number <= frame.written < e.ended), None)
    left = crossed(world, frame)
    return next((e for e in halted if e.since + world.transit < left < e.until), None)


def _opens(frame: Frame) -> bool:
    assert frame.terms is not None
    con_id = frame.terms.con_id
    before, after = frame.before, frame.after
    return any(worst(after, con_id, side) > worst(before, con_id, side) for side in Side)


def _is_keener(frame: Frame) -> bool:
    """Whether it makes an entry of ours trade sooner."""
    old = next((o for o in frame.before.working if o.key == frame.key), None)
    new = next((o for o in frame.after.working if o.key == frame.key), None)
    if not frame.is_change or old is None or new is None or is_exit(old):
        return False
    before, after = old.terms.limit_price, new.terms.limit_price
    return before is not None and after is not None and (after - before) * old.side.sign > 0


def _is_to_go(order: SimOrder, state: State, era: Era) -> bool:
    """Whether a halt takes it back: it is ours, and could open."""
    is_ours = order.key.client_id == US and role_of(order.terms.order_ref) is not None
    return is_ours and era.halts(order.terms.con_id, cancels=True) and _could_open(order, state)


def _could_open(order: SimOrder, state: State) -> bool:
    if is_exit(order) or not order.remaining:
        return False
    held = state.held.get(order.terms.con_id, ZERO) * order.side.sign
    return held >= 0 or (order.terms.order_type not in STOPS and order.remaining > -held)


def _is_closing(order_id: str) -> bool:
    ref = role_of(order_id)
    return ref is not None and ref.role is OrderRole.CLOSE
