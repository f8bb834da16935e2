"""What people must hear of, and whether somebody has: the alarms that stand.

An alarm is about one trouble, named by its key: however often that shows, it is one. It stands
until a person takes note of it. One that costs nothing by itself, such as a link that is back,
is over when it is over; of all that touches money a person hears also after its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.portfolio.state import PortfolioState

UNKNOWN_FOR = timedelta(seconds=30)  # an order whose fate nobody knows
LEAVING_FOR = timedelta(seconds=60)  # an order whose cancel the broker has not confirmed
APART_FOR = timedelta(seconds=30)  # broker and ledger differ, and nothing explains it
GONE_FOR = timedelta(seconds=60)  # the link, while something is at stake
_MOST = 200  # alarms remembered: beyond, those seen first go
_LONGEST = 60  # letters of an error's words that tell it from another


class Trouble(NamedTuple):
    """One thing that is wrong.

    Attributes:
        key: What it is about.
        message: In words.
        must_be_seen: A person must take note of it even if it ends by itself.
        is_over: It has ended.
    """

    key: str
    message: str
    must_be_seen: bool = True
    is_over: bool = False


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """The alarms that nobody has taken note of, by key, oldest first."""

    standing: Mapping[str, ev.AlarmEvent] = MappingProxyType({})

    @property
    def kept(self) -> tuple[ev.AlarmEvent, ...]:
        """What a checkpoint keeps of them."""
        return tuple(self.standing.values())

    def after(self, event: ev.BaseEvent) -> Alarms:
        """Return the alarms as `event` leaves them."""
        match event:
            case ev.AlarmEvent():
                return self._with(event)
            case ev.CheckpointEvent(alarms=kept):
                return Alarms(standing=MappingProxyType({one.key: one for one in kept}))
            case _:
                return self

    def is_news(self, trouble: Trouble) -> bool:
        """Whether a state that is looked at again and again is not what its alarm says of it."""
        known = self.standing.get(trouble.key)
        if known is None or known.is_over:
            return not trouble.is_over
        return trouble.is_over or trouble.message != known.message

    def struck(self, trouble: Trouble, now: datetime) -> ev.AlarmEvent | None:
        """Return what a trouble makes of the alarm about it; None if that changes nothing."""
        known = self.standing.get(trouble.key)
        if known is None:
            if trouble.is_over:
                return None
            return ev.AlarmEvent(
                at=now,
                key=trouble.key,
                message=trouble.message,
                since=now,
                must_be_seen=trouble.must_be_seen,
            )
        if trouble.is_over:
            return None if known.is_over else msgspec.structs.replace(known, at=now, is_over=True)
        return msgspec.structs.replace(
            known, at=now, message=trouble.message, count=known.count + 1, is_over=False
        )

    def _with(self, event: ev.AlarmEvent) -> Alarms:
        standing = dict(self.standing)
        standing.pop(event.key, None) if _is_done(event) else standing.update({event.key: event})
        while len(standing) > _MOST:
            del standing[next(iter(standing))]
        return Alarms(standing=MappingProxyType(standing))


def _is_done(alarm: ev.AlarmEvent) -> bool:
    return bool(alarm.seen_by) or (alarm.is_over and not alarm.must_be_seen)


def heard(event: ev.BaseEvent) -> Trouble | None:
    """Return the trouble that an event tells of, or whose end it tells; None for other news."""
    match event:
        case ev.CoverEvent():
            return _of_cover(event)
        case ev.StateEvent():
            return _of_state(event)
        case ev.LossEvent() | ev.CloseEndEvent() | ev.GroupEvent():
            return _of_group(event)
        case ev.NoticeEvent(is_serious=True):
            return Trouble(f"notice:{event.origin}", event.message)
        case ev.ErrorEvent(is_serious=True):
            about = str(event.code) if event.code else event.message[:_LONGEST]
            return Trouble(f"error:{about}", event.message)
        case _:
            return None


def _of_cover(event: ev.CoverEvent) -> Trouble | None:
    if not (event.is_serious or event.is_well):
        return None  # bare for a moment, as it may be
    return Trouble(f"cover:{label(event.contract)}", event.message, is_over=event.is_well)


def _of_group(event: ev.LossEvent | ev.CloseEndEvent | ev.GroupEvent) -> Trouble | None:
    match event:
        case ev.LossEvent(is_serious=True):
            return Trouble(f"loss:{event.symbol}", event.message)
        case ev.CloseEndEvent(message=message) if message:
            return Trouble(f"close:{short_id(event.group_id)}", message)
        case ev.GroupEvent(is_serious=True):
            name = short_id(event.group_id)  # an alarm stands alone, so it says whose it is
            return Trouble(f"group:{name}", f"group {name}: {event.message}")
        case _:
            return None


def _of_state(event: ev.StateEvent) -> Trouble:
    key, where = f"state:{event.symbol}", event.symbol or "the desk"
    if event.state is TradingState.ACTIVE:
        return Trouble(key, f"{where} trades again", is_over=True)
    return Trouble(key, f"{where} is {event.state}: {event.reason}")


class Standing(NamedTuple):
    """What troubles are looked for in, as of one moment.

    Attributes:
        apart_since: Since when broker and ledger have differed; None if they do not.
        gone_since: Since when the link has been down, unless it was to be; None if it is not.
        unwritten: Why the journal is behind; empty if it is not.
        leaving_since: Since when orders have been on their way out, by id.
    """

    portfolio: PortfolioState
    now: datetime
    apart_since: datetime | None = None
    gone_since: datetime | None = None
    unwritten: str = ""
    leaving_since: Mapping[OrderId, datetime] = MappingProxyType({})


def leaving(
    portfolio: PortfolioState, since: Mapping[OrderId, datetime], now: datetime
) -> dict[OrderId, datetime]:
    """Return since when each order has been on its way out, by what was known of it before."""
    status = OrderStatus.PENDING_CANCEL
    asked = (o.order_id for o in portfolio.orders.values() if o.status is status)
    return {order_id: since.get(order_id, now) for order_id in asked}


def looked(found: Standing) -> Iterator[Trouble]:
    """Yield the troubles that time makes of how things stand, and (as over) those that are not."""
    yield from _unknown(found)
    yield _leaving(found)
    portfolio = found.portfolio
    apart = ", ".join(sorted(portfolio.drift)) or "the account"
    yield Trouble(
        "drift",
        f"broker and ledger differ about {apart}: ibkr-trader reconcile",
        is_over=not _is_longer(found.apart_since, APART_FOR, found.now),
    )
    held, working = len(portfolio.positions), len(portfolio.orders)
    yield Trouble(
        "link",
        f"no link to the broker, with {held} held and {working} at work; stops there stay",
        must_be_seen=False,
        is_over=not (_is_longer(found.gone_since, GONE_FOR, found.now) and (held or working)),
    )
    behind = f"nothing may be opened: {found.unwritten}"
    yield Trouble("journal", behind, is_over=not found.unwritten)


def _unknown(found: Standing) -> Iterator[Trouble]:
    doubtful = (o for o in found.portfolio.orders.values() if o.status is OrderStatus.UNKNOWN)
    lost = [one for one in doubtful if _is_longer(one.updated_at, UNKNOWN_FOR, found.now)]
    names = ", ".join(short_id(order.order_id) for order in lost)
    yield Trouble(
        "unknown",
        f"nobody can account for {names}: never send it again; ibkr-trader reconcile",
        is_over=not lost,
    )


def _leaving(found: Standing) -> Trouble:
    """Of cancels that nobody confirms: outside regular hours that may take until the opening."""
    since = found.leaving_since.items()
    slow = [order_id for order_id, at in since if _is_longer(at, LEAVING_FOR, found.now)]
    names = ", ".join(short_id(order_id) for order_id in sorted(slow))
    return Trouble(
        "cancel",
        f"the broker does not confirm the cancel of {names}: it may trade until it does",
        is_over=not slow,
    )


def _is_longer(since: datetime | None, span: timedelta, now: datetime) -> bool:
    return since is not None and now - since >= span
