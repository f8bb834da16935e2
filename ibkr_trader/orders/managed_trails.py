"""A stop that rests at the broker and is tightened from here as the market moves.

The stop is a plain native one at all times: if this program dies, it stays where it is and
protects. What follows the market is only ever a modification of it, never a cancel and a new
order. Where the trail stands is the stop price that works at the broker, so a restart has
nothing to restore but the plan.

It is tightened, never widened; at most once a second; by a step that is worth a message; to
the newest price, once the last change is confirmed; and never at or past the market.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.models import ZERO, Contract, GroupId, Order, OrderSpec, PriceBand
from ibkr_trader.core.text import price, quantity
from ibkr_trader.core.ticks import increment_at, round_protective_stop
from ibkr_trader.orders.asking import PATIENCE, Memory, Word
from ibkr_trader.orders.following import Following
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.orders.members import Members, follow, traded, why_ended, written
from ibkr_trader.orders.wishes import is_taken_back

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "managed-trail"
ORIGIN = "trail"
PACE = timedelta(seconds=1)  # between two changes of one stop
FRESH = timedelta(seconds=5)  # an older quote moves nothing
STEP = Decimal("0.001")  # of the stop's price: less is not worth a message
MOST_BELIEVED = Decimal("0.01")  # of the price, in one tick
_WORKING = frozenset({OrderStatus.PRESUBMITTED, OrderStatus.SUBMITTED})
_PER_CENT = 100


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """How a stop follows: by an amount or a percentage, from `activation` on if there is one.

    `bands` are the contract's price steps: they are kept, for the broker may be away when the
    trail goes on.
    """

    amount: Decimal | None = None
    percent: Decimal | None = None
    activation: Decimal | None = None
    bands: tuple[PriceBand, ...] = (PriceBand(ZERO, Decimal("0.01")),)

    def behind(self, best: Decimal, side: Side) -> Decimal:
        """Return where a stop of `side` belongs when the market was at `best`."""
        return round_protective_stop(best + self.distance(best) * side.sign, side, self.bands)

    def distance(self, best: Decimal) -> Decimal:
        """Return how far the stop stays behind `best`."""
        if self.amount is not None:
            return self.amount
        return best * (self.percent or ZERO) / _PER_CENT

    def leeway(self, best: Decimal) -> Decimal:
        """Return how far one tick is believed: no tick may eat more than half the trail."""
        return min(self.distance(best) / 2, best * MOST_BELIEVED)

    @property
    def words(self) -> str:
        """How far it stays behind, for people: `2%`, `3.00`."""
        return price(self.amount) if self.amount is not None else f"{self.percent:f}%"

    def plan(self) -> dict[str, str]:
        """Return the trail as text, for the journal."""
        figures = {
            "trail_amount": self.amount,
            "trail_percent": self.percent,
            "activation_price": self.activation,
        }
        plan = {name: f"{value:f}" for name, value in figures.items() if value is not None}
        bands = (f"{band.low_edge:f}:{band.increment:f}" for band in self.bands)
        return {**plan, "bands": " ".join(bands)}

    @classmethod
    def planned(cls, plan: Mapping[str, str]) -> Trail:
        """Return the trail that `plan` describes."""
        figures = {name: Decimal(text) for name, text in plan.items() if name != "bands"}
        bands = (pair.partition(":") for pair in plan["bands"].split())
        return cls(
            amount=figures.get("trail_amount"),
            percent=figures.get("trail_percent"),
            activation=figures.get("activation_price"),
            bands=tuple(PriceBand(Decimal(edge), Decimal(step)) for edge, _, step in bands),
        )


class ManagedTrail(msgspec.Struct, frozen=True, kw_only=True):
    """One resting stop, and the market that it follows.

    Attributes:
        orders: By id: the stop.
        trail: How it follows.
        market: What it has seen of the market.
        is_active: It follows already; false while the market has not reached the activation.
        is_paused: Somebody moved the stop away from the market: it is theirs from now on.
        is_waived: Somebody took the stop back on purpose.
        asked_at: When a change was asked for last.
        refused_at: When one was refused last.
        memory: What it has told.
    """

    group_id: GroupId
    orders: Members
    trail: Trail
    market: Following = Following()
    is_active: bool = False
    is_paused: bool = False
    is_waived: bool = False
    asked_at: datetime | None = None
    refused_at: datetime | None = None
    memory: Memory = Memory()

    @classmethod
    def resting(cls, spec: OrderSpec, trail: Trail) -> ManagedTrail:
        """Return the trail of a stop that is yet to be placed."""
        return cls(
            group_id=spec.group_id,
            orders=written((spec,)),
            trail=trail,
            is_active=trail.activation is None,
        )

    @classmethod
    def following(cls, stop: Order, trail: Trail, group_id: GroupId) -> ManagedTrail:
        """Return the trail of a stop that rests already, under a name of its own."""
        return cls(
            group_id=group_id,
            orders={stop.order_id: stop},
            trail=trail,
            is_active=trail.activation is None,
        )

    @property
    def stop(self) -> Order:
        """The order that protects."""
        return next(iter(self.orders.values()))

    @property
    def follows(self) -> frozenset[Contract]:
        """The contract whose prices it waits for."""
        return frozenset({self.stop.spec.contract})

    @property
    def outside_rth(self) -> bool:
        """Whether the stop can fire outside regular hours, so that it follows there, too."""
        return self.stop.spec.outside_rth

    @property
    def is_closed(self) -> bool:
        """Whether the stop cannot trade any more."""
        return self.stop.status.is_closed

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before it goes out."""
        trail = self.trail
        begins = f"It begins to follow once the market is at {price(trail.activation)}."
        return (
            f"A stop rests at IBKR, and a running trader keeps it {trail.words} behind the market.",
            *((begins,) if trail.activation is not None else ()),
            "Without a trader it stays where it is: ibkr-trader run --headless",
        )

    def open(self) -> SubmitOrders:
        """Return the stop to send."""
        return SubmitOrders(
            group_id=self.group_id, orders=(self.stop.spec,), kind=KIND, plan=self.trail.plan()
        )

    def react(self, event: ev.BaseEvent) -> Step:
        """Follow the stop and the market, and tighten when it is due."""
        if isinstance(event, ev.PriceEvent):
            if event.contract.con_id != self.stop.spec.contract.con_id:
                return Step(self)
            return self._seen(event)._moved(event.at)  # noqa: SLF001 - of our own kind
        orders = follow(self.orders, event, self.group_id)
        if orders is not self.orders and isinstance(event, ev.OrderEvent):
            return _saying(self._told(event, orders), event.at)
        if isinstance(event, ev.DisconnectEvent):  # nobody knows where the market is now
            market = msgspec.structs.replace(self.market, market=None)
            return Step(msgspec.structs.replace(self, market=market))
        if isinstance(event, ev.MarketEvent | ev.OrderEvent):
            return Step(self)
        return self._stood(event.at)._moved(event.at)  # noqa: SLF001 - as above

    def unsent(self, _: Command, /) -> ManagedTrail:
        """Forget that a change was asked for: it could not be sent."""
        return msgspec.structs.replace(self, asked_at=None)

    # -- what it sees ------------------------------------------------------------------------

    def _seen(self, event: ev.PriceEvent) -> ManagedTrail:
        side, best = self.stop.spec.side, self.market.best
        leeway = ZERO if best is None else self.trail.leeway(best)
        return self._believing(self.market.after(event.quote, event.at, side=side, leeway=leeway))

    def _stood(self, at: datetime) -> ManagedTrail:
        seen_at = self.market.seen_at
        if seen_at is None or at - seen_at > FRESH:
            return self
        return self._believing(self.market.standing(at, side=self.stop.spec.side))

    def _believing(self, market: Following) -> ManagedTrail:
        if market is self.market:
            return self
        side = self.stop.spec.side
        is_active = self.is_active or _has_reached(market.best, self.trail.activation, side)
        return msgspec.structs.replace(self, market=market, is_active=is_active)

    def _told(self, event: ev.OrderEvent, orders: Members) -> ManagedTrail:
        group = msgspec.structs.replace(self, orders=orders)
        match event:
            case ev.ModifyEvent(spec=wanted, origin=origin):
                gain = gained(self.stop.spec.stop_price, wanted.stop_price, wanted.side)
                # Only a person widens, and only a person takes that back.
                return msgspec.structs.replace(
                    group,
                    is_paused=gain < 0 or (self.is_paused and not gain),
                    is_active=self.is_active or (origin == ORIGIN and gain > 0),
                )
            case ev.ModifyRejectEvent() | ev.DenyEvent():
                return msgspec.structs.replace(group, refused_at=event.at)
            case ev.CancelRequestEvent() if is_taken_back(event):
                return msgspec.structs.replace(group, is_waived=True)
            case _:
                return group

    # -- what it does ------------------------------------------------------------------------

    def _moved(self, at: datetime) -> Step:
        due = self._due(at)
        if due is None:
            return Step(self)
        command = ModifyOrder(
            order_id=self.stop.order_id, stop_price=due, origin=ORIGIN, is_cosmetic=True
        )
        return Step(msgspec.structs.replace(self, asked_at=at), (command,))

    def _due(self, at: datetime) -> Decimal | None:
        """Return the price to move the stop to now, if there is one."""
        market = self.market
        if (
            market.best is None
            or market.market is None
            or market.seen_at is None
            or at - market.seen_at > FRESH
        ):
            return None
        stop = self.stop
        if not self._may_move(stop, at):
            return None
        side, now = stop.spec.side, stop.spec.stop_price or ZERO
        wanted = self.trail.behind(market.best, side)
        step = least_step(now, self.trail.bands)
        if gained(now, wanted, side) < step or (market.market - wanted) * side.sign >= 0:
            return None  # not worth it; or the market is through already, and it must not fire
        return wanted

    def _may_move(self, stop: Order, at: datetime) -> bool:
        if _within(self.asked_at, at, PACE) or _within(self.refused_at, at, PATIENCE):
            return False
        return not (
            not self.is_active
            or self.is_paused
            or stop.is_overridden
            or stop.status not in _WORKING  # a change under way is awaited, too
            or traded(stop)
        )


@ORDER_TYPES.register(KIND)
def managed_trail_of(
    _: GroupId, specs: tuple[OrderSpec, ...], plan: Mapping[str, str]
) -> ManagedTrail:
    """Return the trail as it was when it was opened, from its stop and its plan."""
    return ManagedTrail.resting(specs[0], Trail.planned(plan))


def least_step(now: Decimal, bands: Sequence[PriceBand]) -> Decimal:
    """Return how far a stop at `now` is moved at least: less is not worth a message."""
    return max(increment_at(now, bands), now * STEP)


def banded(bands: Sequence[PriceBand]) -> tuple[PriceBand, ...]:
    """Return the price steps of a contract, or those of most, if nobody has said."""
    return tuple(bands) or Trail().bands


def _saying(group: ManagedTrail, at: datetime) -> Step:
    """The step after news of the stop: nothing else gives anything to tell."""
    done = group.memory.after((), _words(group), at=at, group_id=group.group_id)
    if done.memory is not group.memory:
        group = msgspec.structs.replace(group, memory=done.memory)
    return group._moved(at)._replace(events=done.events)  # noqa: SLF001 - of our own kind


def _words(group: ManagedTrail) -> Iterator[Word]:
    stop = group.stop
    symbol, at = stop.spec.contract.symbol, stop.spec.stop_price
    what = f"the stop of {symbol} at {price(at)}"
    if stop.status.is_closed:
        yield from _end_words(group, symbol)
    elif group.is_paused or stop.is_overridden:
        yield Word("paused", f"{what} was moved by hand: the trail leaves it alone from now on")
    elif group.refused_at is not None and stop.reason:
        yield Word(f"refused {stop.reason}", f"{what} stays: {stop.reason}")


def _end_words(group: ManagedTrail, symbol: str) -> Iterator[Word]:
    stop = group.stop
    done, left = traded(stop), quantity(stop.spec.quantity - traded(stop))
    why = why_ended(stop)
    if stop.status is OrderStatus.FILLED:
        yield Word("over", f"{symbol} is over: its stop traded {quantity(done)}", is_serious=False)
    elif group.is_waived:
        yield Word("over", f"the trail of {symbol} ends: its stop was taken back", is_serious=False)
    elif stop.status is not OrderStatus.DENIED:
        yield Word("over", f"{left} {symbol} are held without their stop: {why}")


def gained(before: Decimal | None, after: Decimal | None, side: Side) -> Decimal:
    """Return how much nearer to the market a stop of `side` has come; negative is wider."""
    return ZERO if before is None or after is None else (before - after) * side.sign


def _has_reached(best: Decimal | None, activation: Decimal | None, side: Side) -> bool:
    return best is not None and activation is not None and (activation - best) * side.sign >= 0


def _within(since: datetime | None, at: datetime, span: timedelta) -> bool:
    # A clock that was set back must not stop the trail.
    return since is not None and timedelta(0) <= at - since < span
