"""What the shell needs from outside, as protocols: broker, market data, journal, clock.

An adapter meets a port by having its methods; nothing inherits. `app.py` is the one
place that knows which class stands behind which port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.portfolio.snapshot import BrokerSnapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.enums import SecType
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import (
        Bar,
        Contract,
        ContractDetails,
        OrderId,
        OrderSpec,
        Quote,
        WhatIf,
    )
    from ibkr_trader.core.signals import Incoming, SignalReply
    from ibkr_trader.core.trading_day import Announced
    from ibkr_trader.portfolio.payloads import Payload
    from ibkr_trader.risk.verdict import Approved

__all__ = [
    "Broker", "BrokerSnapshot", "Calendar", "Clock", "Journal", "JournalState", "KillFlag",
    "KillNote", "MarketData", "PayloadSink", "SignalSource",
]  # fmt: skip


class Broker(Protocol):
    """The far side of the money: IBKR, or the simulator standing in for it.

    The broker is the single source of truth for orders, fills, positions and cash.
    `send()` returns once a command has been handed over; what became of it arrives
    through `events()`. News has one way in, whether the order was ours, a child that
    IBKR triggered, or one typed into TWS by hand.

    Only `Approved` commands are accepted, and only `risk.guard` makes them.

    Attributes:
        on_record: Asked of a reference that another journal gave: whether that order was taken
            over, so that it is ours and goes by its reference.

    Raises:
        BrokerUnavailable: From any method, and then nothing was sent. Any other doubt
            (a timeout, a socket lost after sending) is not an error: the order stays in
            flight until the next `snapshot()` settles it.
    """

    on_record: Callable[[OrderId], bool]

    def reserve_order_ids(self, count: int, *, floor: int) -> tuple[int, ...]:
        """Return `count` fresh ascending broker order ids, none below `floor`.

        They exceed the broker's next valid id and every order id seen from this client.
        """

    async def send(self, approved: Approved) -> None:
        """Hand over one command.

        The orders of a `SubmitOrders` go all or none; their `broker_order_id` is set.
        Cancelling a closed order is harmless.
        """

    async def what_if(self, spec: OrderSpec, *, timeout: float) -> WhatIf:
        """Ask what an order would do to the account, without placing it.

        Each order is asked about by itself: its parent and its OCA group are left out. The
        broker's id of `spec` is not used; the question takes a fresh one, which is then used
        up. At most one question leaves in a second.

        Args:
            spec: The order in full, its account and contract named.
            timeout: How long to wait for the answer, in seconds.

        Raises:
            OrderRejectedError: If the broker would refuse it; with its code and words.
            BrokerUnavailable: If there is no link, or no answer came in time. Nothing that
                could trade was sent.
        """

    async def snapshot(self) -> BrokerSnapshot:
        """Return open and completed orders, today's fills, positions and cash.

        Raises:
            BrokerUnavailable: If any of them was not answered to its end: unknown is
                never an empty answer.
        """

    def events(self) -> AsyncIterator[BaseEvent]:
        """Yield every event in order of arrival, until the broker is closed.

        Events may repeat after a reconnect. Their ids (`fill_id`, `order_id`) do not
        change, and intake drops what it has seen.
        """


class MarketData(Protocol):
    """Contracts and prices."""

    async def resolve(
        self, symbol: str, *, sec_type: SecType | None = None, currency: str = "USD"
    ) -> ContractDetails:
        """Return the one contract that `symbol` (a ticker, or an OCC option symbol) names.

        Raises:
            AmbiguousContract: If it names none, or more than one.
            BrokerUnavailable: If nobody answers.
        """

    async def quote(self, contract: Contract, *, timeout: float) -> Quote | None:
        """Return a current quote, subscribing if need be; None if none came in `timeout` s."""

    def last_quote(self, con_id: int) -> Quote | None:
        """Return the newest quote at hand, however old; `PriceEvent`s bring each change."""

    async def bars(
        self, contract: Contract, *, duration: str, bar_size: str, timeout: float | None = None
    ) -> tuple[Bar, ...]:
        """Return historical bars of regular hours, oldest first; the last may be under way.

        Args:
            contract: A resolved contract.
            duration: How far back, in TWS's words: `1 D`, `2 W`, `1 Y`.
            bar_size: In TWS's words: `1 min`, `5 mins`, `1 day`. A day's bar begins at 0:00 UTC,
                or when its session does.
            timeout: How long to wait for the answer, in seconds; None is the usual time.

        Raises:
            DataRefused: If there is no such history, or it was asked for too fast.
            BrokerUnavailable: If nobody answers.
        """


class Clock(Protocol):
    """The time. Under the simulator it is the gateway's."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps, for ages and timeouts."""


class Calendar(Protocol):
    """What the exchanges announce, as a second opinion beside the broker's own hours."""

    def zone(self, details: ContractDetails) -> tzinfo:
        """Return the zone of the contract's exchange; UTC if nobody knows it."""

    def announced(self, details: ContractDetails, day: date) -> Announced | None:
        """Return what is announced for `day`; None if this market is not known here."""


class KillNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a flag that halts everything says.

    Attributes:
        origin: Who put it there.
        keeps_entries: Nothing is to be cancelled.
        mark: Tells it from one that is put there later; empty if it could not be looked at.
    """

    reason: str
    origin: str
    keeps_entries: bool = False
    mark: tuple[int, ...] = ()


class KillFlag(Protocol):
    """A flag outside the process: while it is there, everything is halted."""

    def reason(self) -> str:
        """Return why it halts, empty if it is not there; asked at every review."""

    def seen(self) -> KillNote | None:
        """Return what it says, or None if it is not there."""

    def remove(self, seen: KillNote) -> str:
        """Take away the very one that was seen; return why one is still there, if so."""


class JournalState(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal alone knows; one that takes no more words knows it still."""

    install: str  # the prefix of our order ids
    last_group: int  # the highest group number ever given out
    last_order_id: int  # the highest broker order id ever written down
    last_record: int  # the number of the newest record; 0 if there is none
    session: int  # counts openings of the journal


class Journal(Protocol):
    """The one record of what happened: written before anything is sent, never changed."""

    @property
    def state(self) -> JournalState:
        """What is known of ids, as of now."""

    def append(self, messages: Sequence[Command | BaseEvent]) -> int:
        """Write `messages` durably, all or none, and return the last one's number.

        Raises:
            JournalError: If they are not on disk. Then nothing may be sent.
        """

    def messages(self, *, since: int = 0) -> Iterator[tuple[int, Command | BaseEvent]]:
        """Yield what was written after record `since`, oldest first.

        Raises:
            JournalError: At a record that is damaged.
        """

    def resume(self) -> Iterator[Command | BaseEvent]:
        """Yield what a restart needs, oldest first: bounded, however old the journal is.

        That is whatever concerns the orders that the last `CheckpointEvent` left alive,
        then the checkpoint itself, then everything after it.
        """

    def observe(self, *, group: int = 0, order_id: int = 0) -> None:
        """Take note of numbers seen at the broker, so that a restored backup repeats none."""

    def next_group(self) -> int:
        """Return a group number that was never used, and count it as used."""


class SignalSource(Protocol):
    """Where signals come from: a poll, a queue, a file, a door that others knock at."""

    @property
    def name(self) -> str:
        """What its signals are called by: `api`, `redis`."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often what happened, by a name of its own."""

    @property
    def trouble(self) -> str:
        """Why nothing comes of it, in words; empty while it is well."""

    async def run(
        self,
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        say: Callable[[str], None] = ...,
    ) -> None:
        """Hand over what comes, one at a time, until there is no more or it is cancelled.

        `take` answers once the journal has the decision: only then is a signal acknowledged
        to its producer, and only if the reply is final. What is wrong with the source itself
        (it is down, it lies) is logged, counted and tried again, with growing pauses; it
        never raises. `say` tells people that it is in trouble, is well again, or has ended.
        """


class PayloadSink(Protocol):
    """Somebody who is told what happens: a stream, a file, a web address.

    Telling is at least once and in order. A sink has all the time it needs up to a timeout, after
    which it is cancelled and told the same again; it never blocks the event loop, and it reads
    nothing from us but payloads. `execution/egress.py` keeps what waits.
    """

    @property
    def name(self) -> str:
        """What a person calls it: `redis`, `webhook`; nothing secret."""

    async def emit(self, payloads: Sequence[Payload]) -> None:
        """Pass these on, in order; return once they are taken for good.

        Raises:
            SinkUnavailable: If it is not certain that all of them are: they are told again.
            SinkRefused: If they will never be taken: they are left out, and counted.
        """

    async def close(self) -> None:
        """Let go of connections and files; harmless if there are none. It never raises."""
