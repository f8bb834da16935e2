"""S16 to S20: the ledger is the broker's, whatever is told twice, late or in another order.

Judged by the journal against the exchange's executions and positions. That the trader's own
picture is the exchange's too is one of the judgements. S17, that the order of the news does not
matter, needs every order of the news: `test_commuting.py`.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from tests.invariants.evidence import T_EVENT, ZERO, alive_since
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Fill
    from tests.invariants.reading import Reading
    from tests.invariants.world import World


def s16_conservation(world: World) -> list[str]:
    """Judge, at rest, that executions add up to positions: in the journal, and in our picture.

    Of each execution the latest revision counts. What the executions cannot explain, such as a
    split or a trade of yesterday's, must have been told as drift.
    """
    trader = world.trader
    if trader is None:
        return []
    theirs = world.exchange.state().held
    ours = {c: p.quantity for c, p in trader.portfolio.positions.items() if p.quantity}
    found = [] if ours == theirs else [f"S16 ours {ours}, the broker's {theirs}"]
    reading = read(world)
    sums = _sums(reading)
    for con_id in sums.keys() | theirs.keys():
        added, held = sums.get(con_id, ZERO), theirs.get(con_id, ZERO)
        if added != held and not _has_drifted(reading, con_id):
            found.append(f"S16 executions on record of {con_id} add up to {added} of {held}")
    return found


def _sums(reading: Reading) -> dict[int, Decimal]:
    latest: dict[str, Fill] = {}
    for _, message in reading.records:
        for fill in _fills_in(message):
            known = latest.get(fill.fill_id)
            if known is None or fill.revision > known.revision:
                latest[fill.fill_id] = fill
    sums = Counter[int]()
    for fill in latest.values():
        sums[fill.contract.con_id] += fill.quantity * fill.side.sign  # type: ignore[assignment]  # Counter takes any number
    return {con_id: Decimal(total) for con_id, total in sums.items()}


def _fills_in(message: object) -> tuple[Fill, ...]:
    return (message.fill,) if isinstance(message, ev.FillEvent) else ()


def _has_drifted(reading: Reading, con_id: int) -> bool:
    return any(
        isinstance(message, ev.DriftEvent) and str(con_id) in message.subject
        for _, message in reading.records
    )


def s18_legal(world: World) -> list[str]:
    """Judge that every change of status in the journal is one that the table allows."""
    return [
        f"S18 {step.event.order_id}: {type(step.event).__name__} at {step.before}"
        for steps in read(world).steps.values()
        for step in steps
        if step.after is None
    ]


def s19_not_delayed(world: World) -> list[str]:
    """Judge that a fill is on record 50 ms after the exchange has told of it."""
    heard: dict[str, datetime] = {}
    for _, message in read(world).records:
        if isinstance(message, ev.FillEvent):  # a correction later is other news
            heard.setdefault(message.fill.fill_id, message.at)
    found = []
    for execution in world.exchange.orders.executions():
        if execution.client_id != US:
            continue  # TWS tells nobody else's: a look-up finds them (S20)
        since = alive_since(world, execution.at)
        still = alive_since(world, execution.at + T_EVENT + world.latency)
        is_too_early = world.clock.now() - execution.at <= T_EVENT + world.latency
        if is_too_early or since is None or still is None or still < since:
            continue  # or it died in between: the next process hears of it
        if any(
            begun <= execution.at + world.latency
            for begun, ended in world.diskless
            if ended is None or ended >= execution.at
        ):
            continue  # it cannot be on record
        at = heard.get(_family(execution.exec_id))
        if at is None or at - execution.at > T_EVENT + world.latency:
            found.append(f"S19 {execution.exec_id} of {execution.at:%T.%f} was heard at {at}")
    return found


def s20_nothing_dropped(world: World) -> list[str]:
    """Judge, at rest, that every execution of the account is on record, and counted once."""
    if world.trader is None:
        return []
    heard = Counter(
        (message.fill.fill_id, message.fill.revision)
        for _, message in read(world).records
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


def _family(exec_id: str) -> str:
    return exec_id.rpartition(".")[0]
