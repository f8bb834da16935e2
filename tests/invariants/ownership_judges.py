"""S21 to S24: whose the account is, whose an order is, and that each is one.

Judged by the frames, the messages, the exchange's states and the journal.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core import events as ev
from ibkr_trader.core.ids import parse_order_id
from tests.invariants.evidence import alive_since, role_of, spans
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.invariants.watched import Frame, State
    from tests.invariants.world import World

T_DRIFT = timedelta(seconds=5)
ROUND = timedelta(seconds=300)  # what nobody tells of is asked for so often
T_HANDED_OVER = timedelta(seconds=10)  # no lease is shorter


class Gate(NamedTuple):
    """A stretch in which one process could open something, in seconds of one clock."""

    name: str
    opened: float
    closed: float


def s21_single_writer(gates: list[Gate]) -> list[str]:
    """Judge that no two processes could open anything in one account at once."""
    ordered = sorted(gates, key=lambda gate: gate.opened)
    return [
        f"S21 {later.name} could open from {later.opened:g} on, {early.name} until {early.closed:g}"
        for place, early in enumerate(ordered)
        for later in ordered[place + 1 :]
        if later.opened < early.closed
    ]


def s21_one_at_a_time(world: World) -> list[str]:
    """Judge that openings of different installations do not take turns within seconds."""
    found = []
    before: tuple[str, datetime] | None = None
    for frame in world.exchange.frames:
        parts = parse_order_id(frame.ref)
        if not frame.is_new or parts is None or parts.role.is_protective:
            continue
        is_other = before is not None and before[0] != parts.install
        if before is not None and is_other and frame.at - before[1] < T_HANDED_OVER:
            found.append(f"S21 {frame.at:%T.%f} {frame.ref} came right after {before[0]}'s")
        before = (parts.install, frame.at)
    return found


def s22_foreign_untouched(world: World) -> list[str]:
    """Judge that we change and cancel what is ours, and never everything."""
    reading = read(world)
    found = [
        f"S22 {sent.entry.at:%T.%f} everything was cancelled, whoever's it was"
        for sent in reading.sent
        if sent.entry.name == "globalCancel"
    ]
    for frame in world.exchange.frames:
        if frame.key.client_id != US or frame.is_new:
            continue
        standing = next((o for o in frame.before.working if o.key == frame.key), None)
        if standing is not None:
            is_ours = role_of(standing.terms.order_ref) is not None
        else:  # it is over, or never arrived: then its number must be one of ours, by the
            # journal, or by the bytes of an order that a full disk had no room for
            is_ours = frame.key in reading.named or any(
                frame.key.order_id in numbers for numbers in _numbers(world)
            )
        if not is_ours:
            what = "cancel" if frame.terms is None else "change"
            found.append(f"S22 {frame.at:%T.%f} {what} of {frame.key}, which is not ours")
    return found


def s23_account(world: World) -> list[str]:
    """Judge that every order names the one account that we trade, on the wire as well."""
    account = world.exchange.config.account
    found = [
        f"S23 {frame.at:%T.%f} {frame.ref} is for account {frame.terms.account!r}"
        for frame in world.exchange.frames
        if frame.terms is not None and _is_ours(frame) and frame.terms.account != account
    ]
    for sent in read(world).sent:
        order = getattr(sent.entry.message, "order", None)
        if order is not None and order.account != account:
            found.append(f"S23 {sent.entry.at:%T.%f} {sent.entry.order_ref} to {order.account!r}")
    return list(dict.fromkeys(found))


def s24_one_life(world: World) -> list[str]:
    """Judge that two live orders under one name of ours are told as drift, once it can be seen.

    TWS tells nobody of the second; it shows at the next look, which comes in time.
    """
    reading, found = read(world), []
    told = {m.subject: m.at for _, m in reading.records if isinstance(m, ev.DriftEvent)}
    patience = ROUND + T_DRIFT + world.latency
    for ref, since, until in _stretches(world, _doubled):
        begun = max([since, *(b for b in world.booted_at if b <= until)])
        alive = alive_since(world, until)
        is_late = alive is not None and until - begun > _patience(world, begun, patience)
        if is_late and (ref not in told or told[ref] < since):
            found.append(f"S24 {ref} lives twice since {since:%T.%f}, and nobody says so")
    return found


def _patience(world: World, begun: datetime, longest: timedelta) -> timedelta:
    """A start asks for everything: what was there by then is seen at once."""
    return T_DRIFT + world.latency if begun in world.booted_at else longest


def _doubled(state: State) -> frozenset[str]:
    seen: dict[str, set[int]] = defaultdict(set)
    for order in state.working:
        if role_of(order.terms.order_ref) is not None and order.perm_id:
            seen[order.terms.order_ref].add(order.perm_id)
    return frozenset(ref for ref, perm_ids in seen.items() if len(perm_ids) > 1)


def _stretches(
    world: World, marked: Callable[[State], frozenset[str]]
) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield what is marked in consecutive states, from when on and until when."""
    since: dict[str, datetime] = {}
    end = world.clock.now()
    for state, until in spans(world):
        here = marked(state)
        for gone in since.keys() - here:
            yield gone, since.pop(gone), state.at
        for ref in here:
            since.setdefault(ref, state.at)
        end = until
    yield from ((ref, begun, end) for ref, begun in since.items())


def _numbers(world: World) -> Iterator[frozenset[int]]:
    for wishes in read(world).submitted.values():
        yield frozenset(spec.broker_order_id for _, spec in wishes)


def _is_ours(frame: Frame) -> bool:
    return frame.key.client_id == US and role_of(frame.ref) is not None
