"""S1 to S6: each order once, written down first, under a number of its own, and knowingly.

Judged by the frames, by the messages where the trader speaks over the gateway, and by the
journal. What is on its way is judged as of the moment when it may have left.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus
from tests.invariants.evidence import role_of, spans
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.commands import Command
    from ibkr_trader.sim.orders import OrderKey
    from tests.invariants.reading import Reading
    from tests.invariants.watched import Frame
    from tests.invariants.world import World

_INERT = (Kind.WARNING, Kind.UNKNOWN)
_LOST = (OrderStatus.UNKNOWN, OrderStatus.NOT_SENT)


def s1_at_most_once(world: World) -> list[str]:
    """Judge that no order was placed under two numbers, and no change was sent twice."""
    keys: dict[str, set[OrderKey]] = {}
    changes = Counter[str]()
    found = []
    asked = read(world).asked
    for frame, is_first in _named(world):
        keys.setdefault(frame.ref, set()).add(frame.key)
        changes[frame.ref] += not is_first and frame.key in keys[frame.ref]
    for ref, numbers in keys.items():
        if len(numbers) > 1:
            found.append(f"S1 {ref} went out as {sorted(numbers)}")
        wishes = sum(isinstance(wish.command, ModifyOrder) for wish in asked.get(ref, ()))
        # What only lowers risk passes a full disk, and is owed to it until the next record.
        if changes[ref] > wishes and not world.diskless:
            found.append(f"S1 {ref} was changed {changes[ref]} times for {wishes} wishes")
    return found


def s2_write_ahead(world: World) -> list[str]:
    """Judge that the record of every request was there before the request was.

    What gets out may pass a disk that refuses: such a stretch is not judged for exits.
    """
    reading, found = read(world), []
    placed: set[OrderKey] = set()
    for frame in _ours(world):
        is_first = frame.terms is not None and frame.key not in placed
        if is_first:
            placed.add(frame.key)
        if _is_authorised(reading, frame, is_first=is_first) or _is_excused(world, frame):
            continue
        what = "cancel" if frame.terms is None else "order" if is_first else "change"
        found.append(f"S2 {frame.at:%T.%f} {what} {frame.ref or frame.key} is not on record")
    return found


def s3_numbers_ascend(world: World) -> list[str]:
    """Judge that a new order's number is above all that journal, wire and broker have named.

    Given out in that order, they leave in it: TWS takes none below one that it has had.
    """
    reading, found, highest = read(world), [], 0
    for _, message in reading.records:
        for spec in message.orders if isinstance(message, SubmitOrders) else ():
            if spec.broker_order_id <= highest:
                found.append(f"S3 {spec.order_id} got {spec.broker_order_id} after {highest}")
            highest = max(highest, spec.broker_order_id)
    owners: dict[int, str] = {}
    for frame in world.exchange.frames:
        if frame.key.client_id == US and frame.is_new:
            owner = owners.setdefault(frame.key.order_id, frame.ref)
            if owner != frame.ref:
                found.append(f"S3 {frame.ref} took the number of {owner}")
    return [*found, *_out_of_turn(world, reading), *_too_low(reading)]


def s4_no_blind_resend(world: World) -> list[str]:
    """Judge that nothing of unknown or failed fate is sent again: not by name, not as a copy.

    Once it is proven that an addition never arrived, a person may ask for as much again. While
    nobody knows, not even he may.
    """
    reading, found = read(world), []
    for frame, is_first in _named(world):
        if not is_first:
            continue
        left = _left(world, frame)
        status = reading.status(frame.ref, until=left)
        if status in _LOST:
            found.append(f"S4 {frame.at:%T.%f} {frame.ref} was sent, though {status}")
        if _is_of_a_dead_process(world, reading, frame):
            found.append(f"S4 {frame.at:%T.%f} {frame.ref} was sent by a later process")
        found += [
            f"S4 {frame.at:%T.%f} {frame.ref} repeats {other}, which is {fate}"
            for other, fate in _elder_copies(reading, frame.ref)
            if fate in _LOST and reading.opens(other)
            if fate is OrderStatus.UNKNOWN or not _is_asked_for(world, reading, frame.ref)
        ]
    return found


def s5_knowledge_gate(world: World) -> list[str]:
    """Judge that nothing is opened on a link that has not told everything: five ends, none less.

    In process there are no such messages: then the journal's own sync is what must come first.
    """
    reading = read(world)
    found = [
        f"S5 {sent.entry.at:%T.%f} {sent.entry.order_ref} went out knowing {sorted(sent.link.ends)}"
        for sent in reading.sent
        if sent.entry.name == "placeOrder"
        and reading.opens(sent.entry.order_ref)
        and not sent.is_synced
    ]
    linked = synced = (datetime.min.replace(tzinfo=UTC), 0)  # in process, the two may cross
    for _, message in reading.records:
        match message:
            case ev.ConnectEvent() | ev.DisconnectEvent():
                linked = (message.at, message.epoch)
            case ev.SyncEvent():
                synced = (message.at, message.epoch)
            case ev.NewOrderEvent(order_id=order_id) if reading.opens(order_id):
                if synced < linked:
                    found.append(f"S5 {message.at:%T.%f} {order_id} was decided out of sync")
    return found


def s6_unknown_codes_are_inert(world: World) -> list[str]:
    """Judge that a code which is no evidence ends no order that the exchange has working.

    An execution is evidence of its own; asked for, it bears the whole second in which it was.
    """
    reading, found = read(world), []
    for entry in reading.refused:
        if rule_for(entry.message.code).kind not in _INERT:  # type: ignore[union-attr]  # an error
            continue
        for step in reading.steps.get(entry.order_ref, ()):
            if isinstance(step.event, ev.FillEvent):
                continue
            is_near = entry.at <= step.event.at <= entry.at + world.latency
            is_end = step.after is not None and step.after.is_closed and step.before != step.after
            if is_near and is_end and _works_on(world, entry.order_ref, step.event.at):
                code = entry.message.code  # type: ignore[union-attr]  # an error has one
                found.append(f"S6 {entry.at:%T.%f} {code} made {entry.order_ref} {step.after}")
    return found


def _out_of_turn(world: World, reading: Reading) -> Iterator[str]:
    """Say which numbers left after a higher one; in process, which came after it."""
    # Once each: a change that comes after the end of its order looks like a new one there.
    came = dict.fromkeys(frame.key.order_id for frame in _ours(world) if frame.is_new)
    highest = 0
    for number in came if world.loop.network is None else reading.turns:
        if number < highest:
            yield f"S3 number {number} left after {highest}"
        highest = max(highest, number)


def _too_low(reading: Reading) -> Iterator[str]:
    """Say which numbers the broker had told to be used up."""
    known: set[OrderKey | None] = set()
    for sent in reading.sent:
        key = sent.entry.key
        if sent.entry.name == "placeOrder" and key is not None and key not in known:
            known.add(key)  # what comes again under its number is a change, however late
            if key.order_id < sent.least:
                yield f"S3 {sent.entry.order_ref} is below the broker's next, {sent.least}"


def _ours(world: World) -> Iterator[Frame]:
    """What our process asked for; a stranger of our client id places, and asks no more."""
    for frame in world.exchange.frames:
        is_strange = frame.is_new and role_of(frame.ref) is None
        if frame.key.client_id == US and not is_strange:
            yield frame


def _named(world: World) -> Iterator[tuple[Frame, bool]]:
    """Each order that was placed, and whether for the first time: a change may come too late."""
    placed: set[OrderKey] = set()
    for frame in _ours(world):
        if frame.terms is not None:
            yield frame, frame.key not in placed
            placed.add(frame.key)


def _left(world: World, frame: Frame) -> int | datetime:
    """Until where the journal may speak of it: what is on its way left a while ago."""
    if not world.transit:
        return frame.written
    return read(world).left.get(frame.key, frame.at) - world.transit  # a gateway may hold it back


def _is_authorised(reading: Reading, frame: Frame, *, is_first: bool) -> bool:
    if frame.terms is not None and is_first:
        wishes = reading.submitted.get(frame.ref, ())
        return any(
            number <= frame.written and spec.broker_order_id == frame.key.order_id
            for number, spec in wishes
        )
    kind: type[Command] = CancelOrder if frame.terms is None else ModifyOrder
    asked = (*reading.asked.get(frame.ref, ()), *reading.asked.get(frame.key.order_id, ()))
    return any(isinstance(w.command, kind) and w.number <= frame.written for w in asked)


def _is_excused(world: World, frame: Frame) -> bool:
    """Whether it only gets out, while the disk refuses every record."""
    parts = role_of(frame.ref)
    is_exit = frame.terms is None or (parts is not None and parts.role.is_protective)
    return is_exit and any(begun <= frame.at for begun, _ in world.diskless)


def _is_of_a_dead_process(world: World, reading: Reading, frame: Frame) -> bool:
    steps = reading.steps.get(frame.ref)
    if not steps:
        return False
    decided, left = steps[0].event.at, reading.left.get(frame.key, frame.at)
    return any(decided <= one < left - world.transit for one in world.died_at)


def _elder_copies(reading: Reading, ref: str) -> Iterator[tuple[str, OrderStatus | None]]:
    """Orders in the same part of the same group that an earlier command had.

    Each with what was on record of it when `ref` was decided: what came to light only while
    that was on its way was no reason for it.
    """
    parts = role_of(ref)
    if parts is None or parts.copy == 1:
        return
    decided = reading.submitted[ref][0][0] if reading.submitted[ref] else 0
    for other, wishes in tuple(reading.submitted.items()):
        one = role_of(other)
        if one is None or not wishes or wishes[0][0] >= decided:
            continue
        if (one.group_id, one.role) == (parts.group_id, parts.role):
            yield other, reading.status(other, until=decided)


def _is_asked_for(world: World, reading: Reading, ref: str) -> bool:
    """Whether people had asked for as many additions of that size as there are then."""
    number, spec = reading.submitted[ref][0]
    size = (spec.contract.con_id, spec.quantity)
    decided = next((step.event.at for step in reading.steps.get(ref, ())), None)
    made = 0
    for other, wishes in tuple(reading.submitted.items()):
        is_made = bool(wishes) and wishes[0][0] <= number and reading.opens(other)
        if is_made and (wishes[0][1].contract.con_id, wishes[0][1].quantity) == size:
            made += any(True for _ in _elder_copies(reading, other))
    asked = [one for one in world.additions if (one.con_id, one.quantity) == size]
    return decided is not None and made <= sum(one.at <= decided for one in asked)


def _works_on(world: World, ref: str, since: datetime) -> bool:
    """Whether the exchange has it working at that moment or later: what is over stays over."""
    return any(
        until > since and any(order.terms.order_ref == ref for order in state.working)
        for state, until in spans(world)
    )
