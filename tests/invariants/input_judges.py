"""S15 and S27: what one signal may lead to, how much may be opened, and on how old a word.

Judged by the journal, where each order names the decision and each decision its signal, by the
frames, and by the prices that crossed the wire.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.ids import parse_order_id
from tests.invariants.evidence import role_of
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from tests.invariants.world import World

_TICKS = frozenset({"tickPrice", "tickSize", "tickString", "tickGeneric"})
OLDEST_SIGNAL = timedelta(seconds=30)


def s15_fan_out(world: World) -> list[str]:
    """Judge that no second, minute or day has more openings on the wire than its limit."""
    limits, reading = world.limits, read(world)
    first: dict[str, datetime] = {}
    for frame in world.exchange.frames:
        parts = role_of(frame.ref)
        if frame.key.client_id == US and frame.is_new and parts and reading.opens(frame.ref):
            first.setdefault(parts.group_id, frame.at)
    found = []
    for window, most in (
        (timedelta(seconds=1), limits.max_openings_per_second),
        (timedelta(minutes=1), limits.max_openings_per_minute),
        (timedelta(days=1), limits.max_openings_per_day),
    ):
        # What was on its way may come closer together than it left.
        worst = _most_within(sorted(first.values()), window - world.transit)
        if worst > most:
            found.append(f"S15 {worst} openings within {window}; the limit is {most}")
    return found + s15_one_group_a_signal(message for _, message in reading.records)


def s15_one_group_a_signal(messages: Iterable[Command | ev.BaseEvent]) -> list[str]:
    """Judge that no signal led to more than one group that opens."""
    causes: dict[str, str] = {}
    groups: dict[str, set[str]] = defaultdict(set)
    for message in messages:
        if isinstance(message, ev.DecisionEvent):
            causes[message.decision_id] = message.cause
        elif isinstance(message, ev.NewOrderEvent) and not message.reduces:
            parts = parse_order_id(message.order_id)
            cause = causes.get(message.correlation_id)
            if parts is not None and not parts.role.is_protective and cause:
                groups[cause].add(parts.group_id)
    return [
        f"S15 signal {cause} opened {sorted(made)}"
        for cause, made in groups.items()
        if len(made) > 1
    ]


def s27_stale_never_trades(messages: Iterable[Command | ev.BaseEvent]) -> list[str]:
    """Judge that nothing is opened on an old signal, and no signal is taken twice."""
    found, causes = [], dict[str, str]()
    issued: dict[str, datetime] = {}
    seen: set[tuple[str, str]] = set()
    for message in messages:
        match message:
            case ev.PredictionSignalEvent(source=source, signal_id=signal_id):
                if (source, signal_id) in seen:
                    found.append(f"S27 signal {signal_id} of {source} was taken twice")
                seen.add((source, signal_id))
                issued[message.name] = message.issued_at or message.at
            case ev.DecisionEvent():
                causes[message.decision_id] = message.cause
            case ev.NewOrderEvent(reduces=False):
                began = issued.get(causes.get(message.correlation_id, ""))
                if began is not None and message.at - began > OLDEST_SIGNAL:
                    age = (message.at - began).total_seconds()
                    found.append(f"S27 {message.order_id} acts on a signal {age:g} s old")
            case _:
                pass
    return found


def s27_no_old_price(world: World) -> list[str]:
    """Judge that the price an opening went by was told within the age that is allowed.

    As of when it was sent: where the line holds everything back, the log has it much later.
    """
    reading, found = read(world), []
    patience = world.limits.max_quote_age + world.transit
    asked: dict[int, int] = {}
    heard: dict[int, list[datetime]] = defaultdict(list)
    for entry in world.wire.entries:
        if entry.client_id != US:
            continue
        message = entry.message
        if entry.name == "reqMktData":
            asked[message.req_id] = message.contract.con_id  # type: ignore[union-attr]  # it has both
        elif entry.name in _TICKS:
            heard[asked.get(message.req_id, 0)].append(entry.at)  # type: ignore[union-attr]  # it answers one
        elif entry.name == "placeOrder" and reading.opens(entry.order_ref):
            con_id = message.order.contract.con_id  # type: ignore[union-attr]  # it is an order
            left = min(entry.at, reading.left.get(entry.key, entry.at))
            place = bisect_right(heard[con_id], left)
            if place and left - heard[con_id][place - 1] > patience:
                price_at = heard[con_id][place - 1]
                found.append(f"S27 {left:%T.%f} {entry.order_ref} by a price of {price_at:%T}")
    return found


def _most_within(times: list[datetime], window: timedelta) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - window and first < last:
            first += 1
        most = max(most, last - first + 1)
    return most
