"""S16, S17, S19 and S20: the ledger is the broker's, whatever is told twice, late or mixed up.

Judged by the journal against the exchange's executions and positions. That the trader's own
picture is the exchange's too is one of the judgements. S17, that the order of the news does not
matter, needs every order of the news: `test_commuting.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ibkr_trader.core import events as ev
from ibkr_trader.sim.gateway.order_replies import ExecDetails
from ibkr_trader.sim.gateway.wire import Fate, Way
from tests.invariants.evidence import T_EVENT, ZERO, alive_since
from tests.invariants.reading import read
from tests.invariants.watched import US

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.core.models import Fill
    from tests.invariants.reading import Reading
    from tests.invariants.world import World

NEWS = -1  # the number of no request: it is told because it has happened
NOTED = timedelta(seconds=0.25)  # how late the world takes note that a fault has struck


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


def _latest(reading: Reading) -> dict[str, Fill]:
    """Return the last revision on record of each execution, by its family."""
    latest: dict[str, Fill] = {}
    for _, message in reading.records:
        for fill in _fills_in(message):
            known = latest.get(fill.fill_id)
            if known is None or fill.revision > known.revision:
                latest[fill.fill_id] = fill
    return latest


def _sums(reading: Reading) -> dict[int, Decimal]:
    sums = Counter[int]()
    for fill in _latest(reading).values():
        sums[fill.contract.con_id] += fill.quantity * fill.side.sign  # type: ignore[assignment]  # Counter takes any number
    return {con_id: Decimal(total) for con_id, total in sums.items()}


def _fills_in(message: object) -> tuple[Fill, ...]:
    return (message.fill,) if isinstance(message, ev.FillEvent) else ()


def _has_drifted(reading: Reading, con_id: int) -> bool:
    return any(
        isinstance(message, ev.DriftEvent) and str(con_id) in message.subject
        for _, message in reading.records
    )


def s19_not_delayed(world: World) -> list[str]:
    """Judge that a fill is on record 50 ms after the exchange has told of it.

    When it went on record counts, and not what stamp it bears: the journal says when it kept what.
    Twice: from the execution on, with all that news may take; and from the gateway's message on.
    """
    kept = _kept(world)
    return [
        f"S19 {execution.exec_id} of {since:%T.%f} was on record at {_at(execution, kept)}"
        for execution, since, patience in (*_traded(world), *_told(world))
        if not _is_excused(world, since, patience)
        and not _is_kept(execution, kept, since + patience)
    ]


class _Kept(NamedTuple):
    """One execution on record: its revision, and when it was kept."""

    revision: int
    at: datetime


class _Named(Protocol):
    """Whatever has an execution's name."""

    @property
    def exec_id(self) -> str:
        """The name: family and revision."""


def _kept(world: World) -> dict[str, list[_Kept]]:
    """Return which revisions of each family are on record since when, oldest first."""
    ends = [last for last, _ in world.kept]
    found: dict[str, list[_Kept]] = defaultdict(list)
    for number, message in read(world).records:
        if isinstance(message, ev.FillEvent):
            at = world.kept[bisect_left(ends, number)][1]
            found[message.fill.fill_id].append(_Kept(message.fill.revision, at))
    return found


def _traded(world: World) -> Iterator[tuple[_Named, datetime, timedelta]]:
    """Yield our executions, when they came about, and by when each must be on record.

    TWS tells nobody else's: a look-up finds them (S20). A correction is told like a trade.
    """
    for execution in world.exchange.orders.executions():
        if execution.client_id == US:
            yield execution, execution.at, T_EVENT + world.latency


def _told(world: World) -> Iterator[tuple[_Named, datetime, timedelta]]:
    """Yield what the gateway has told as news, when it wrote that, and by when it is on record."""
    for entry in world.wire.entries:
        is_told = entry.way is Way.OUT and entry.client_id == US and entry.fate is Fate.WHOLE
        if is_told and isinstance(entry.message, ExecDetails) and entry.message.req_id == NEWS:
            yield entry.message, entry.at, T_EVENT + world.crossing


def _is_excused(world: World, since: datetime, patience: timedelta) -> bool:
    """Whether nobody could have it on record by then, or the time for it is not over."""
    before, after = alive_since(world, since), alive_since(world, since + patience + NOTED)
    if world.clock.now() - since <= patience:
        return True
    if before is None or after is None or after < before:
        return True  # or it died in between: the next process hears of it
    return any(  # it cannot be on record
        begun <= since + patience and (ended is None or ended >= since)
        for begun, ended in world.diskless
    )


def _is_kept(execution: _Named, kept: dict[str, list[_Kept]], until: datetime) -> bool:
    """Whether it was on record by then, or a later revision of it, which takes its place."""
    family, _, revision = execution.exec_id.rpartition(".")
    return any(one.at <= until and one.revision >= int(revision) for one in kept.get(family, ()))


def _at(execution: _Named, kept: dict[str, list[_Kept]]) -> str:
    family, _, revision = execution.exec_id.rpartition(".")
    times = (one.at for one in kept.get(family, ()) if one.revision >= int(revision))
    return f"{min(times, default=None)}"


def s20_nothing_dropped(world: World) -> list[str]:
    """Judge, at rest, that every execution of the account is on record as it was, counted once.

    As it was: of each the last revision, with the price and quantity that the exchange has.
    """
    if world.trader is None:
        return []
    reading = read(world)
    heard = Counter(
        (message.fill.fill_id, message.fill.revision)
        for _, message in reading.records
        if isinstance(message, ev.FillEvent)
    )
    found = [f"S20 {fill_id} counted {n} times" for (fill_id, _), n in heard.items() if n > 1]
    ours = _latest(reading)
    theirs = {_family(one.exec_id): one for one in world.exchange.orders.executions()}
    for family, execution in theirs.items():  # the last of each family is the one that holds
        fill = ours.get(family)
        if fill is None:
            found.append(f"S20 {execution.exec_id} was lost")
        elif (fill.quantity, fill.price) != (execution.shares, execution.price):
            was, is_so = (
                f"{fill.quantity} at {fill.price}",
                f"{execution.shares} at {execution.price}",
            )
            found.append(f"S20 {execution.exec_id} is {is_so}, and on record {was}")
    return found


def _family(exec_id: str) -> str:
    return exec_id.rpartition(".")[0]
