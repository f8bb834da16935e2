"""One client's conversation, from its first byte to its last, without any I/O.

The server gives bytes and the exchange's time; it takes what waits to be sent, and closes the
socket once `is_closed` says so. A session never raises at what a client sends: garbage ends the
conversation, a message that cannot be read is answered with 320, an unknown one with 505.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.gateway.account_replies import ManagedAccounts, NextValidId
from ibkr_trader.sim.gateway.account_requests import ReqIds, SetServerLogLevel, StartApi
from ibkr_trader.sim.gateway.desk import Desk
from ibkr_trader.sim.gateway.faults import TAKEN
from ibkr_trader.sim.gateway.floor import Floor
from ibkr_trader.sim.gateway.framing import Frame, FrameReader, Prologue, ProtocolError
from ibkr_trader.sim.gateway.items import MalformedMessage
from ibkr_trader.sim.gateway.replies import handshake
from ibkr_trader.sim.gateway.requests import UnknownMessage, decode
from ibkr_trader.sim.gateway.session_account import AccountDesk
from ibkr_trader.sim.gateway.session_faults import CompetingSession, Outage, Stale
from ibkr_trader.sim.gateway.session_history import HistoryDesk
from ibkr_trader.sim.gateway.session_market import MarketDesk
from ibkr_trader.sim.gateway.session_orders import OrderDesk
from ibkr_trader.sim.gateway.session_positions import PositionDesk
from ibkr_trader.sim.gateway.session_reference import ReferenceDesk
from ibkr_trader.sim.gateway.talk import NO_REQUEST, Talk
from ibkr_trader.sim.gateway.uplink import LOST
from ibkr_trader.sim.gateway.wire import Fate

OLDEST = 157
NEWEST = 178
AVOIDED = 158  # ib_insync reads openOrder's duration from 159 only, ibapi from 158
NOTICES = (
    (2104, "Market data farm connection is OK:simulator"),
    (2106, "HMDS data farm connection is OK:simulator"),
    (2158, "Sec-def data farm connection is OK:simulator"),
)

_OF_MARKETS = (MarketDesk, HistoryDesk)


def negotiate(offer: Prologue) -> int | None:
    """Return the version to speak, or None if there is none in common."""
    version = min(offer.max_version, NEWEST)
    if version == AVOIDED:
        version -= 1
    return version if version >= max(offer.min_version, OLDEST) else None


class Session:
    """One socket's worth of TWS.

    Attributes:
        is_closed: Send what waits, then close the socket.
        is_reset: Send nothing, and break the connection off.
        is_cut_off: Send nothing more, not even what is under way.
    """

    def __init__(self, floor: Floor) -> None:
        self.is_closed = False
        self.is_reset = False
        self.is_cut_off = False
        self._floor = floor
        self._reader = FrameReader()
        self._talk = Talk(floor)
        self._market = MarketDesk(self._talk)
        self._desks: tuple[Desk, ...] = ()
        self._handlers: dict[type[msgspec.Struct], Callable[[Any], None]] = {
            StartApi: self._start,
        }

    @property
    def client_id(self) -> int:
        """Who it is; -1 before startApi."""
        return self._talk.client_id

    @property
    def talk(self) -> Talk:
        """The way to answer."""
        return self._talk

    @property
    def market(self) -> MarketDesk:
        """Its market data."""
        return self._market

    def receive(self, data: bytes) -> None:
        """Take bytes from the client and act on every message that is complete."""
        self._reader.receive(data)
        while not self.is_closed:
            try:
                event = self._reader.next_event()
            except ProtocolError:
                self.close()
                return
            if event is None:
                return
            if isinstance(event, Prologue):
                self._greet(event)
            else:
                self._handle(event)

    def hear(self, event: SimEvent) -> None:
        """Take news from the exchange."""
        self._talk.is_news = True
        for desk in self._reached():
            desk.hear(event)
        self._talk.is_news = False

    def overhear(self, data: bytes) -> None:
        """Take note of what a client sent and the gateway will never get."""
        wiring = self._floor.wiring
        self._reader.receive(data)
        try:
            while (event := self._reader.next_event()) is not None:
                if isinstance(event, Frame):
                    self._miss(event)
        except ProtocolError:
            return
        if self._reader.pending:
            wiring.hear_bytes(self._talk.client_id, self._reader.pending)

    def tick(self, now: datetime) -> None:
        """Send subscribers what is due at `now`."""
        for desk in self._reached():
            desk.tick(now)

    def close(self) -> None:
        """End the conversation: subscriptions go, orders stay."""
        if self.is_closed:
            return
        self.is_closed = True
        self._floor.leave(self._talk.client_id, self)
        for desk in self._desks:
            desk.close()

    def _greet(self, offer: Prologue) -> None:
        version = negotiate(offer)
        if version is None:
            self.close()
            return
        self._talk.version = version
        moment = self._floor.now.astimezone(NEW_YORK)
        self._talk.say_raw(handshake(version, f"{moment:%Y%m%d %H:%M:%S %Z}"))

    def _handle(self, message: Frame) -> None:
        talk = self._talk
        try:
            request = decode(message.fields, talk.version)
        except MalformedMessage as error:
            self._floor.wiring.hear_request(None, talk.client_id)
            text = f"Server error when reading an API client request. {error}"
            talk.refuse(NO_REQUEST, 320, text)
            return
        except UnknownMessage:
            self._floor.wiring.hear_request(None, talk.client_id)
            talk.refuse(NO_REQUEST, 505, "Fatal Error: Unknown message id")
            return
        wiring = self._floor.wiring
        subject = wiring.hear_request(request, talk.client_id)
        if wiring.faults.is_idle:
            self.act(request)
        else:
            wiring.faults.take(self, request, subject)

    def _miss(self, message: Frame) -> None:
        try:
            request = decode(message.fields, self._talk.version)
        except (MalformedMessage, UnknownMessage):
            request = None
        self._floor.wiring.hear_request(request, self._talk.client_id, fate=Fate.LOST)

    def act(self, request: msgspec.Struct) -> None:
        """Do what a request asks for."""
        if self._floor.wiring.uplink.keeps(self, request):
            return
        handler = self._handlers.get(type(request))
        if handler is None:
            self._talk.invalid(getattr(request, "req_id", NO_REQUEST), self._why_not())
            return
        handler(request)

    def cut(self, *, reset: bool, keep: bool) -> None:
        """End the connection, broken off or in order; `keep` sends first what waits."""
        if not keep:
            for part in self._talk.take_parts():
                self._floor.wiring.hear_part(part, self.client_id, passed=0)
        self.is_reset = reset
        self.is_cut_off = not keep
        self.close()

    def _reached(self) -> tuple[Desk, ...]:
        """Return the desks that news of the broker's reaches at present."""
        uplink = self._floor.wiring.uplink
        if not uplink.armed:
            return self._desks
        if uplink.has(Outage):
            return ()
        is_dataless = uplink.has(CompetingSession, Stale)
        return tuple(d for d in self._desks if not (is_dataless and isinstance(d, _OF_MARKETS)))

    def _why_not(self) -> str:
        if not self._desks:
            return "The API has not been started (startApi)."
        return "This request is not supported by the simulator."

    def _start(self, request: StartApi) -> None:
        talk = self._talk
        if self._desks:
            talk.invalid(NO_REQUEST, "The API has been started already.")
            return
        if request.client_id < 0:
            talk.invalid(NO_REQUEST, f"Invalid client id {request.client_id}.")
            self.close()
            return
        if not self._floor.join(request.client_id, self):
            talk.refuse(NO_REQUEST, *TAKEN)
            self.close()
            return
        talk.client_id = request.client_id
        self._desks = (
            OrderDesk(talk),
            PositionDesk(talk),
            AccountDesk(talk),
            self._market,
            HistoryDesk(talk),
            ReferenceDesk(talk),
        )
        for desk in self._desks:
            self._handlers.update(desk.handlers)
        self._handlers[ReqIds] = self._next_id
        self._handlers[SetServerLogLevel] = lambda _: None  # TWS answers nothing either
        talk.say(ManagedAccounts(accounts=self._floor.exchange.config.account))
        self._next_id()
        for code, text in NOTICES:
            talk.refuse(NO_REQUEST, code, text)
        if self._floor.wiring.uplink.outage is not None:
            talk.refuse(NO_REQUEST, 2110, LOST[2110])

    def _next_id(self, _: ReqIds | None = None) -> None:
        free = self._floor.exchange.orders.next_order_id(self._talk.client_id)
        self._talk.say(NextValidId(order_id=free))
