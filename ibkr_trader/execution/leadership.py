"""Whether this desk may trade the account, where a lease says which of several does.

It is asked at every review and once more as an order leaves, by the lease's own clocks: so it
holds for what was decided a moment too early, and for a process that stood still for an hour.
Getting out needs no lease: what lowers risk goes out, whoever leads.

The epoch is the beginning of every order's number. An order at the broker that names a higher
one says that somebody leads after us, whatever the lease's server says.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.core.ids import EPOCH, epoch_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.execution.ports import Clock, Journal
    from ibkr_trader.execution.trader import Trader

AGAIN = "a supervisor that starts it again has it stand by"


class Leadership:
    """The right to open positions in an account, for as long as it lasts.

    Attributes:
        epoch: The lease's; 0 while it is not ours.
        lost: Set once it is ours no more.
        reason: Why it is not ours; empty while it is.
        waits: Whether the client id of a leader that died is waited for.
        say: Tells a person what is waited for.
    """

    def __init__(self, clock: Clock, *, reason: str = "no lease: it was not asked for") -> None:
        self._clock = clock
        self._trader: Trader | None = None
        self._is_held: Callable[[], bool] = lambda: False
        self._taken = 0.0
        self.epoch = 0
        self.lost = asyncio.Event()
        self.reason = reason
        self.waits = False
        self.say: Callable[[str], None] = lambda _: None
        self._epoch_seen: Callable[[], int] = lambda: 0

    def take(self, epoch: int, is_held: Callable[[], bool]) -> None:
        """Lead from now on, under `epoch`, for as long as `is_held` says so."""
        self.epoch, self._is_held, self.reason = epoch, is_held, ""
        self._taken = self._clock.monotonic()

    def lose(self, reason: str) -> None:
        """Lead no more, for good; the desk says why, once."""
        if self.reason:
            return
        self.reason = f"the lease is lost: {reason}"
        self.lost.set()
        if self._trader is not None:
            message = f"{self.reason}; nothing more is opened here"
            at = self._trader.clock.now()
            self._trader.record.witness(
                [ev.ErrorEvent(at=at, code=0, message=message, is_serious=True)]
            )

    def objection(self) -> str:
        """Return why nothing may be opened at this moment; empty if it may."""
        if self.reason:
            return self.reason
        if (seen := self._epoch_seen()) > self.epoch:
            return f"an order of epoch {seen} is at the broker, and ours is {self.epoch}"
        return "" if self._is_held() else "the lease has run out"

    def refusal(self) -> AccountLocked:
        """Return the error with which a trader ends that leads no more."""
        return AccountLocked(self.reason or self.objection(), hint=AGAIN)

    def attach(self, trader: Trader, *, epoch_seen: Callable[[], int]) -> None:
        """Bind a desk that is about to run; its strategist, if any, is made by now.

        Args:
            trader: The desk.
            epoch_seen: Asked at every look: the highest epoch that an order at the broker names.

        Raises:
            AccountLocked: If its journal knows a later epoch: the server has forgotten.
        """
        if self.epoch:
            self._number(trader.journal)
        self._trader, self._epoch_seen = trader, epoch_seen
        trader.outlook.book.lapse = self.objection
        trader.bus.subscribe(ev.BaseEvent, lambda _: self._look())
        if trader.strategist is not None:
            led = timedelta(seconds=self._clock.monotonic() - self._taken)
            trader.strategist.signals.ours_since = trader.clock.now() - led

    def _number(self, journal: Journal) -> None:
        """Have the groups of this desk numbered within the epoch."""
        known = epoch_of(journal.state.last_group)
        if known > self.epoch:
            message = f"the lease's epoch is {self.epoch}, and the journal knows {known} already"
            hint = "the server has lost data: once nobody trades, set its epoch to that"
            raise AccountLocked(message, hint=hint)
        journal.observe(group=self.epoch * EPOCH)

    def _look(self) -> None:
        """Find out that somebody leads after us; that time is up, the lease finds out itself."""
        if not self.reason and self._epoch_seen() > self.epoch:
            self.lose(self.objection())
