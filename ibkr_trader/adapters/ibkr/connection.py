"""One standing connection to TWS or IB Gateway: dial, watch, lose, dial again.

`open()` makes the first connection and gives up after so many attempts; `run()` keeps it,
with growing pauses and without giving up, because a position may be open. Each connection
has an epoch; so has each time TWS itself comes back to IBKR, since news may have been lost
in between. A new epoch means: nothing is known until everything has been asked again.

The link counts as dead when a heartbeat is not answered: a silent socket looks alive for ever.
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.absence import STILL, Absence
from ibkr_trader.adapters.ibkr.client import load
from ibkr_trader.adapters.ibkr.dialing import (
    NOBODY_THERE,
    ClientIdInUse,
    Dialer,
    LinkSettings,
    LinkState,
    Session,
    choose_account,
    new_port,
    pause_before,
)
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.adapters.ibkr.event_queue import EventQueue
from ibkr_trader.adapters.ibkr.heartbeat import ask_time, listen_for_life
from ibkr_trader.adapters.ibkr.lanes import Lanes, Parcel
from ibkr_trader.adapters.ibkr.receiver import VITAL
from ibkr_trader.adapters.ibkr.requests import Requests
from ibkr_trader.adapters.ibkr.switchboard import Switchboard
from ibkr_trader.core.accounts import is_simulated
from ibkr_trader.core.errors import AccountMismatch, BrokerUnavailable, ConfigError
from ibkr_trader.core.events import ConnectEvent, DisconnectEvent, ErrorEvent
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ibkr_trader.adapters.ibkr.client import ApiClient
    from ibkr_trader.adapters.ibkr.link import Link
    from ibkr_trader.execution.ports import Clock

__all__ = ["ClientIdInUse", "IBKRConnection", "LinkSettings", "LinkState"]

_QUIET_NOTICES = frozenset({2104, 2106, 2107, 2108, 2119, 2158})
_MOVES = 1300
_RESYNC_PAUSE = 5.0  # seconds between two resyncs that a message nobody can read asks for
_CLOCK_SLACK = timedelta(seconds=1)  # the gateway states whole seconds


class IBKRConnection:
    """The link, its lanes, its questions under way, and the news it brings.

    `on_server_time` hears the gateway's time whenever the clock is found to differ from it
    by more than a second; under the simulator that sets the clock. `on_retry` is called before
    a lost link is dialled again: who knows where the gateway is by now puts it into `settings`.
    `dialled` is the epoch with which the link that stands began.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        clock: Clock,
        on_server_time: Callable[[datetime], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if settings.client_id <= 0:
            raise ConfigError(
                f"client_id is {settings.client_id}: TWS binds orders typed by hand to client 0",
                hint="IBKR_CLIENT_ID=1",
            )
        self.settings = settings
        self.clock = clock
        self.news = EventQueue()
        self.inbox = Switchboard()
        self.on_retry: Callable[[], None] = lambda: None
        self.requests = Requests()
        self.lanes = Lanes(write=self._write)
        self.state = LinkState.DISCONNECTED
        self.epoch = self.dialled = 0
        self.account = settings.account or ""
        self.clock_offset: timedelta | None = None
        self._on_server_time = on_server_time
        self._jitter = jitter
        self.library = load(settings.client_library)
        self._session: Session | None = None
        self._queued = asyncio.Event()
        self._lost = asyncio.Event()
        self._closed = asyncio.Event()
        self._resynced_at: float | None = None
        self._is_resync_due = False
        self._lost_words = ""  # how TWS said that it has lost IBKR
        self._absence = Absence(settings.restart_window)
        self.news.on_full = self._pause
        self.news.on_drained = self._resume
        self._listen()

    # -- what it is ---------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The link that stands.

        Raises:
            BrokerUnavailable: If none does.
        """
        if self._session is None:
            raise BrokerUnavailable(f"not connected to {self.settings.address}", hint=NOBODY_THERE)
        return self._session

    @property
    def is_simulator(self) -> bool:
        """Whether the account is the simulator's."""
        return is_simulated(self.account)

    # -- its life -----------------------------------------------------------------------

    async def open(self) -> None:
        """Make the first connection.

        Raises:
            ClientIdInUse: If another program has our client id.
            AccountMismatch: If the login has not the account, or several and none is named.
            BrokerUnavailable: If no attempt succeeded; the last one's reason.
        """
        for attempt in range(max(1, self.settings.max_attempts)):
            try:
                await self._dial()
            except ClientIdInUse:
                raise
            except BrokerUnavailable:
                if attempt + 1 >= self.settings.max_attempts:
                    raise
                await asyncio.sleep(self._pause_before(attempt))
            else:
                return

    async def run(self) -> None:
        """Keep the connection until `close()`; its tasks end with this call.

        Raises:
            AccountMismatch: If the gateway comes back with another account.
        """
        if self._session is None:
            await self.open()
        async with alongside(self._pump(), self._beat(), self._keep()):
            await self._closed.wait()

    def close(self) -> None:
        """End the connection for good. What waits in the lanes is dropped, and says so."""
        if self.state is LinkState.CLOSED:
            return
        self._drop("closed by us", is_news=False)
        self.state = LinkState.CLOSED
        self._closed.set()
        self.news.close()

    # -- for the ports built on it --------------------------------------------------------

    def encode(self, request: Callable[[ApiClient], None]) -> str:
        """Return the frame for `request`, to be put into a parcel.

        Raises:
            BrokerUnavailable: If there is no link: a frame is only valid on its own.
        """
        return self.session.encode(request)

    def put(self, parcel: Parcel) -> None:
        """Send `parcel`: now if its lane may, else as soon as it may.

        Raises:
            BrokerUnavailable: If there is no link.
        """
        if self.session.link.is_open:
            self.lanes.put(parcel)
            self.lanes.pump(self.clock.monotonic())
            if len(self.lanes):
                self._queued.set()
        else:
            raise BrokerUnavailable(f"the link to {self.settings.address} is closing")

    def resync(self, reason: str) -> None:
        """Begin a new epoch on the same link: all that is known must be asked again."""
        now = self.clock.monotonic()
        if self._resynced_at is not None and now - self._resynced_at < _RESYNC_PAUSE:
            self._is_resync_due = True
            return
        self._resynced_at = now
        self._is_resync_due = False
        self._publish_error(0, f"asking everything again: {reason}", is_serious=True)
        self._begin_epoch()

    # -- dialling -------------------------------------------------------------------------

    async def _dial(self) -> None:
        dialer = Dialer(
            self.library, self.settings, publish=self.inbox.pass_on, on_lost=self._link_lost
        )
        self._lost_words = ""
        session = await dialer.dial()
        if self.state is LinkState.CLOSED:
            session.link.abort("closed by us")
            raise BrokerUnavailable("closed while connecting")
        try:
            self.account = choose_account(self.settings, session.accounts, known=self.account)
        except AccountMismatch:
            session.link.close("the account is not the one to trade")
            raise
        self._session = session
        self._lost.clear()
        self.lanes.is_open = True
        try:
            await ask_time(self)
        except BrokerUnavailable:
            self._drop("silent after the handshake")
            session.link.abort("silent after the handshake")
            raise
        self.dialled = self.epoch + 1
        self._begin_epoch()
        if self._lost_words:  # TWS said so before we were through the door
            self._degrade(self._lost_words)
        self.inbox.pass_on(m.SubscriptionsLost())

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self.state = LinkState.CONNECTED
        self.news.publish(
            ConnectEvent(
                at=self.clock.now(),
                epoch=self.epoch,
                server_version=self.session.version,
                accounts=self.session.accounts,
                is_simulator=self.is_simulator,
            )
        )

    def _link_lost(self, link: Link, reason: str) -> None:
        if self._session is not None and self._session.link is link:
            self._drop(reason)

    def _degrade(self, reason: str) -> None:
        self.state = LinkState.DEGRADED
        self._publish_loss(reason)

    def _drop(self, reason: str, *, is_news: bool = True) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        before, self.state = self.state, LinkState.DISCONNECTED
        session.link.close(reason)
        self.requests.fail_all(reason)
        self.lanes.clear(f"the link was lost before it was sent: {reason}")
        if is_news and before is LinkState.CONNECTED:
            self._publish_loss(reason)
        elif is_news and before is LinkState.DEGRADED:  # the loss is on record already
            self._publish_error(0, f"{STILL}: now the gateway is gone, too: {reason}")
        self._lost.set()

    def _publish_loss(self, reason: str) -> None:
        now = self.clock.now()
        until = self._absence.begin(now)
        self.news.publish(DisconnectEvent(at=now, epoch=self.epoch, reason=reason, until=until))

    async def _keep(self) -> None:
        while True:
            await self._lost.wait()
            attempt = 0
            while self._session is None:
                await asyncio.sleep(self._pause_before(attempt))
                self.on_retry()
                try:
                    await self._dial()
                except BrokerUnavailable as error:
                    attempt += 1
                    words, is_serious = self._absence.words(error.message, self.clock.now())
                    if words:
                        self._publish_error(0, words, is_serious=is_serious)

    def _pause_before(self, attempt: int) -> float:
        return pause_before(attempt, self.settings, jitter=self._jitter())

    # -- working ----------------------------------------------------------------------------

    def _write(self, frame: str) -> None:
        if self._session is not None:
            self._session.link.write(frame)

    async def _pump(self) -> None:
        while True:
            delay = self.lanes.pump(self.clock.monotonic())
            self._queued.clear()
            try:
                async with asyncio.timeout(delay):
                    await self._queued.wait()
            except TimeoutError:
                continue

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.settings.heartbeat_every)
            if self._is_resync_due and self._session is not None:
                self.resync("a message could not be read")
            await listen_for_life(self)

    def _pause(self) -> None:
        if self._session is not None:
            self._session.link.pause()

    def _resume(self) -> None:
        if self._session is not None:
            self._session.link.resume()

    # -- what comes ---------------------------------------------------------------------------

    def _listen(self) -> None:
        """Hear what the link itself lives by, before anybody else hears it."""
        self.inbox.on(m.End, self.requests.take_end)
        self.inbox.on(m.ErrorReport, self._take_error)
        self.inbox.on(m.ServerTime, self._take_time)
        self.inbox.on(m.NextOrderId, self._take_number)
        self.inbox.on(m.DecodeFailure, self._take_failure)

    def _take_number(self, message: m.NextOrderId) -> None:
        if self._session is not None:
            self._session.next_order_id = max(self._session.next_order_id, message.order_id)

    def _take_time(self, message: m.ServerTime) -> None:
        there = message.at + _CLOCK_SLACK / 2
        self.clock_offset = there - self.clock.now()
        if self._on_server_time is not None and abs(self.clock_offset) > _CLOCK_SLACK:
            self._on_server_time(there)
        self.requests.take_end(m.End("currentTime"))

    def _take_error(self, error: m.ErrorReport) -> None:
        if self.requests.take_error(error) or self.inbox.is_claimed(error):
            return
        rule = rule_for(error.code)
        text = f"{error.text} ({rule.hint})" if rule.hint else error.text
        match rule.kind:
            case Kind.LINK_LOST:
                self._lost_words = f"{error.code} {error.text}"
                if self.state is LinkState.CONNECTED:
                    self._degrade(self._lost_words)
                if error.code == _MOVES and self._session is not None:
                    self._move(self._session.link, new_port(error.text))
            case Kind.LINK_BACK | Kind.LINK_RESET:
                self._lost_words = ""
                if self.state in {LinkState.CONNECTED, LinkState.DEGRADED}:
                    self._begin_epoch()
                    if rule.kind is Kind.LINK_RESET:
                        self.inbox.pass_on(m.SubscriptionsLost())
            case Kind.NOTICE if error.code in _QUIET_NOTICES:
                return
            case _:
                is_serious = rule.kind in {Kind.CONFIG, Kind.PACING, Kind.CLIENT_ID}
                self._publish_error(error.code, text, is_serious=is_serious)

    def _move(self, link: Link, port: int | None) -> None:
        """Follow TWS to the port that it names; who answers there must have our account."""
        if port is not None:
            self.settings = msgspec.structs.replace(self.settings, port=port)
            words = f"TWS listens at port {port} from now on: it is dialled there"
            self._publish_error(_MOVES, f"{words}; write port = {port} into config.toml")
        link.close("TWS has moved to another port")

    def _take_failure(self, failure: m.DecodeFailure) -> None:
        is_vital = failure.message_id in VITAL or failure.message_id < 0
        what = f"message {failure.message_id} could not be read ({failure.reason})"
        self._publish_error(0, what, is_serious=is_vital)
        self.requests.take_error(failure)
        if is_vital and self.epoch and self._session is not None:
            self.resync(what)

    def _publish_error(self, code: int, message: str, *, is_serious: bool = False) -> None:
        self.news.publish(
            ErrorEvent(at=self.clock.now(), code=code, message=message, is_serious=is_serious)
        )
