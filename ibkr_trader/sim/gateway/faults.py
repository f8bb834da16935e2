"""Carries out the faults that are armed: loses, delays, repeats and reorders what passes.

Every message passes the armed faults in the order they were armed; what one lets through, the
next one sees. With none armed, nothing is looked at. What is held back is released by the
exchange's clock (`tick`), by the message it waits for, or when its fault is lifted.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import NamedTuple, Protocol

import msgspec

from ibkr_trader.sim.calendar import next_opening
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.chaos import Chaos
from ibkr_trader.sim.gateway.fault_acts import (
    BadUtf8,
    HalfFrame,
    HoldBack,
    Kill,
    Resize,
    Ring,
    TurnAway,
    UntilOpen,
)
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.naming import OrderNames, Subject
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.rewriting import rewritten
from ibkr_trader.sim.gateway.spoiling import Spoil, spoil_of
from ibkr_trader.sim.orders import OrderKey

NEVER = datetime.max.replace(tzinfo=UTC)
RESIZED = (481, "Order size was reduced.")
TAKEN = (
    326,
    "Unable to connect as the client id is already in use. Retry with another one.",
)


class Hearer(Protocol):
    """Who is told, as a fault needs to know it."""

    client_id: int

    def post(self, reply: msgspec.Struct, *, spoil: Spoil | None = None) -> None:
        """Send a reply, past all faults; `spoil` is done to its bytes."""

    def refuse(self, req_id: int, code: int, text: str) -> None:
        """Send an error."""


class Asker(Protocol):
    """Who asks, as a fault needs to know it."""

    @property
    def talk(self) -> Hearer:
        """The way to answer."""

    def act(self, request: msgspec.Struct) -> None:
        """Do what is asked for."""

    def cut(self, *, reset: bool, keep: bool) -> None:
        """End the connection; `keep` sends first what waits to be sent."""


class Fates(NamedTuple):
    """What may befall a working order at the exchange: nothing happens to any other.

    Attributes:
        trade: So much of it trades.
        kill: The broker cancels it, with a reason.
        pend: It is said to be about to be cancelled; tells whether it still works.
    """

    trade: Callable[[OrderKey, Decimal], None]
    kill: Callable[[OrderKey, str], None]
    pend: Callable[[OrderKey], bool]


class _News(NamedTuple):
    hearer: Hearer
    reply: msgspec.Struct
    subject: Subject


class Armed:
    """A fault in force.

    Attributes:
        number: It is lifted by.
        fault: What it is.
        struck: How often it has struck.
        kept: What waits for others; `freed` are the orders that wait no longer.
        is_lifted: It was taken back.
    """

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.struck = 0
        self.kept: list[_News] = []
        self.freed: set[OrderKey | None] = set()
        self.is_lifted = False
        self._seen = 0

    @property
    def is_over(self) -> bool:
        """Whether it will not strike again."""
        times = self.fault.when.times
        return self.is_lifted or (bool(times) and self.struck >= times)

    def strikes(self, subject: Subject, client_id: int) -> bool:
        """Say whether it strikes this message, which counts if it is one of those meant."""
        when = self.fault.when
        if self.is_over or not when.chooses(subject, client_id):
            return False
        self._seen += 1
        return self._seen >= when.nth


class Faults:
    """The faults of one gateway, and what they hold back.

    `names` knows the orders, `now` the exchange's time, `fates` decides what befalls an order, and
    `number` gives each fault the number it is lifted by.

    Attributes:
        ring: Is told of a plan whose message has come by.
        chaos: Draws faults; None does not.
    """

    def __init__(
        self,
        names: OrderNames,
        *,
        now: Callable[[], datetime],
        fates: Fates,
        number: Callable[[], int],
    ) -> None:
        self._names = names
        self._now = now
        self._fates = fates
        self._number = number
        self.ring: Callable[[int], None] = lambda _: None
        self.chaos: Chaos | None = None
        self._armed: list[Armed] = []
        self._pending: set[OrderKey] = set()  # cancels that wait for the opening
        self._waiting: list[tuple[datetime, int, Armed, Callable[[], None]]] = []
        self._places = count()

    @property
    def armed(self) -> tuple[Armed, ...]:
        """The faults in force, oldest first; one that is done, and holds nothing back, is gone."""
        holding = {entry[2] for entry in self._waiting}
        return tuple(o for o in self._armed if not o.is_over or o.kept or o in holding)

    @property
    def is_idle(self) -> bool:
        """Whether nothing needs to be looked at."""
        return not self._armed and self.chaos is None

    def arm(self, *faults: Fault) -> tuple[int, ...]:
        """Put faults in force; return the numbers they are lifted by."""
        new = [Armed(self._number(), fault) for fault in faults]
        self._armed = [*self.armed, *new]
        return tuple(one.number for one in new)

    def lift(self, number: int | None = None) -> int:
        """End one fault, or all, and release what it holds; return how many there were."""
        gone = [one for one in self.armed if number in {None, one.number}]
        self._armed = [one for one in self.armed if one not in gone]
        due = sorted(entry for entry in self._waiting if number is None or entry[2] in gone)
        self._waiting = [entry for entry in self._waiting if entry not in due]
        heapq.heapify(self._waiting)
        for one in gone:
            one.is_lifted = True
        for one in gone:
            kept, one.kept = one.kept, []
            for news in kept:
                self._tell(news, ())
        for _, _, _, go_on in due:
            go_on()
        return len(gone)

    def tick(self) -> None:
        """Release what has waited long enough."""
        while self._waiting and self._waiting[0][0] <= self._now():
            heapq.heappop(self._waiting)[3]()

    # -- what clients ask ---------------------------------------------------------------------

    def take(self, asker: Asker, request: msgspec.Struct, subject: Subject) -> None:
        """Let a request pass the faults, and be done if it gets through."""
        drawn = self.chaos.draw(subject, asker.talk.client_id) if self.chaos else None
        if drawn is not None:
            self.arm(drawn)
        key = subject.key if subject.name == "cancelOrder" else None
        if key is not None and key in self._pending and self._fates.pend(key):
            return  # to ask once more changes nothing
        self._take(asker, request, subject, rest=tuple(self._armed))

    def _take(
        self, asker: Asker, request: msgspec.Struct, subject: Subject, *, rest: tuple[Armed, ...]
    ) -> None:
        for place, one in enumerate(rest, 1):
            if one.fault.when.of_requests and one.strikes(subject, asker.talk.client_id):
                one.struck += 1
                met = _cut_down(request, one.fault.act)
                go_on = partial(self._take, asker, met, subject, rest=rest[place:])
                self._meet(one, asker, subject, go_on=go_on)
                return
        asker.act(request)

    def _meet(
        self, one: Armed, asker: Asker, subject: Subject, *, go_on: Callable[[], None]
    ) -> None:
        number = subject.key.order_id if subject.key is not None else -1
        match one.fault.act:
            case rules.Delay(seconds=seconds):
                self._wait(one, seconds, go_on)
            case HoldBack(seconds=seconds):
                self._wait(one, seconds, go_on)
            case rules.Reject(code=code, text=text):
                asker.talk.refuse(number, code, text.replace("{id}", str(number)))
            case rules.Warn(code=code, text=text):
                go_on()
                asker.talk.refuse(number, code, text.replace("{id}", str(number)))
            case rules.Cut(how=how, at=at):
                if at != "before":
                    go_on()
                asker.cut(reset=how == "rst", keep=at == "answered")
            case Ring(plan=plan):
                self.ring(plan)
                go_on()
            case TurnAway():
                asker.talk.refuse(-1, *TAKEN)
                asker.cut(reset=False, keep=True)
            case _:
                self._steer(one, asker, subject, go_on=go_on)

    def _steer(
        self, one: Armed, asker: Asker, subject: Subject, *, go_on: Callable[[], None]
    ) -> None:
        """Decide an order's luck at the exchange, or lose the request."""
        key = subject.key
        if key is None:
            return
        match one.fault.act:
            case rules.FillFirst(shares=shares):
                self._fates.trade(key, shares)
                go_on()
            case Kill(code=code, text=text):
                go_on()
                asker.talk.refuse(key.order_id, code, text)
                self._fates.kill(key, text)
            case Resize():
                go_on()
                asker.talk.refuse(key.order_id, *RESIZED)
            case UntilOpen():
                self._fates.pend(key)
                self._pending.add(key)
                opens = next_opening("STK", self._now(), extended=False)
                seconds = (opens - self._now()).total_seconds()
                self._wait(one, seconds, partial(self._carry_out, key, go_on))
            case _:  # it is dropped
                return

    def _carry_out(self, key: OrderKey, go_on: Callable[[], None]) -> None:
        """Do a cancel that has waited for the opening."""
        self._pending.discard(key)
        go_on()

    # -- what clients are told ----------------------------------------------------------------

    def tell(self, hearer: Hearer, reply: msgspec.Struct, *, is_news: bool) -> None:
        """Let a reply pass the faults, and be sent if it gets through."""
        subject = self._names.of_reply(reply, hearer.client_id)
        self._tell(_News(hearer, reply, subject), tuple(self._armed), is_news=is_news)

    def _tell(self, news: _News, rest: tuple[Armed, ...], *, is_news: bool = True) -> None:
        for place, one in enumerate(rest, 1):
            when = one.fault.when
            if when.of_requests or not (is_news or when.answers):
                continue
            is_struck = one.strikes(news.subject, news.hearer.client_id)
            if is_struck and self._hold(one, news, rest[place:]):
                return
        news.hearer.post(news.reply)
        if is_news:
            self._free(news.subject)

    def _hold(self, one: Armed, news: _News, rest: tuple[Armed, ...]) -> bool:
        """Do to a message what the fault does; False lets it pass as it is."""
        go_on = partial(self._tell, news, rest)
        act = one.fault.act
        match act:
            case rules.Delay(seconds=seconds):
                self._wait(one, seconds, go_on)
            case rules.Repeat(seconds=seconds):
                go_on()
                self._wait(one, seconds, go_on)
            case rules.Shuffle(order=order):
                one.kept.append(news)
                if len(one.kept) <= max(order):
                    return True  # it has not struck yet: it waits for the rest
                kept, one.kept = one.kept, []
                one.struck += 1
                for index in order:
                    self._tell(kept[index], rest)
                return True
            case rules.Behind():
                if news.subject.key in one.freed:
                    return False
                one.kept.append(news)
            case _:
                return self._alter(one, news, rest)
        one.struck += 1
        return True

    def _alter(self, one: Armed, news: _News, rest: tuple[Armed, ...]) -> bool:
        """Send a message as the fault makes it, or (dropped) not at all."""
        act = one.fault.act
        if isinstance(act, HalfFrame | BadUtf8):
            one.struck += 1
            news.hearer.post(news.reply, spoil=spoil_of(act))
            return True
        if isinstance(act, Ring):
            one.struck += 1
            self.ring(act.plan)
            return False
        if isinstance(act, rules.Drop):
            one.struck += 1
            return True
        changed = rewritten(act, news.reply)
        if changed is None:
            return False
        one.struck += 1
        self._tell(news._replace(reply=changed), rest)
        return True

    def _free(self, subject: Subject) -> None:
        """Release what waited for such a message about the same order."""
        armed = tuple(self._armed)
        for place, one in enumerate(armed, 1):
            act = one.fault.act
            if not isinstance(act, rules.Behind) or act.name != subject.name:
                continue
            one.freed.add(subject.key)
            due = [news for news in one.kept if news.subject.key == subject.key]
            one.kept = [news for news in one.kept if news.subject.key != subject.key]
            for news in due:
                self._tell(news, armed[place:])

    def _wait(self, one: Armed, seconds: float | None, go_on: Callable[[], None]) -> None:
        if seconds is not None and seconds <= 0:
            go_on()
            return
        due = NEVER if seconds is None else self._now() + timedelta(seconds=seconds)
        heapq.heappush(self._waiting, (due, next(self._places), one, go_on))


def _cut_down(request: msgspec.Struct, act: rules.Act) -> msgspec.Struct:
    """Return the order that the broker takes in the place of the one that was sent."""
    if not (isinstance(act, Resize) and isinstance(request, PlaceOrder)):
        return request
    fewer = min(request.order.quantity, act.shares)
    smaller = msgspec.structs.replace(request.order, quantity=fewer)
    return msgspec.structs.replace(request, order=smaller)
