"""The first seconds of a link: handshake, version, accounts, next order id.

Each way it can fail has a sentence of its own, because each asks for something else: start
TWS, confirm a dialog in it, choose another client id.
"""

from __future__ import annotations

import asyncio
import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.adapters.ibkr.link import Inlet, Link
from ibkr_trader.adapters.ibkr.receiver import Receiver
from ibkr_trader.core.errors import AccountMismatch, BrokerUnavailable
from ibkr_trader.core.pauses import growing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.ibkr.client import ApiClient, Library
    from ibkr_trader.adapters.ibkr.frames import Frame

# A face that knows who should be listening says it better.
NOBODY_THERE = "start TWS or IB Gateway, or the simulator: ibkr-trader gateway start"
_HELLO_FIELDS = 2
_LAST_NUMBER = re.compile(r"([0-9]{1,5})[^0-9]*$")
_MOST_PORT = 65_535


class LinkState(StrEnum):
    """How things stand with the gateway."""

    DISCONNECTED = "DISCONNECTED"
    CONNECTED = "CONNECTED"
    DEGRADED = "DEGRADED"  # TWS answers, but has lost IBKR: nothing may be opened
    CLOSED = "CLOSED"


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway is, who we are to it, and how patient to be. Times are seconds.

    Attributes:
        account: The account to trade; None if the login has only one.
        max_attempts: Of the first connection; a lost one is dialled without end.
        heartbeat_every: How long after one sign of life the next is asked for; with
            `heartbeat_timeout` it makes how long a dead link can go unnoticed.
        restart_window: When the gateway restarts each day, by the exchange's clock, such as
            `23:40-00:20`: a link that is lost then was to be lost. Empty is never.
    """

    port: int
    host: str = "127.0.0.1"
    client_id: int = 1
    account: str | None = None
    client_library: str = "ib_insync"
    connect_timeout: float = 10.0
    max_attempts: int = 5
    backoff: float = 1.0
    backoff_max: float = 60.0
    heartbeat_every: float = 4.0
    heartbeat_timeout: float = 5.0
    restart_window: str = ""

    @property
    def address(self) -> str:
        """Where, for a person to read."""
        return f"{self.host}:{self.port}"


class ClientIdInUse(BrokerUnavailable):
    """Another program is connected with our client id.

    Another id is never chosen in silence: orders belong to the one that placed them, and no
    other can change them.
    """


class Session:
    """A link that has introduced itself."""

    def __init__(self, link: Link, *, client: ApiClient, outbox: list[str], version: int) -> None:
        self.link = link
        self.version = version
        self.accounts: tuple[str, ...] = ()
        self.next_order_id = 0
        self._client = client
        self._outbox = outbox

    def encode(self, request: Callable[[ApiClient], None]) -> str:
        """Return the frame that `request` makes of the client library."""
        self._outbox.clear()
        request(self._client)
        (frame,) = self._outbox
        return frame


class Dialer:
    """Makes one session; `publish` takes its messages from the first on."""

    def __init__(
        self,
        library: Library,
        settings: LinkSettings,
        *,
        publish: Callable[[m.Message], None],
        on_lost: Callable[[Link, str], None],
    ) -> None:
        self._library = library
        self._settings = settings
        self._publish = publish
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._session: Session | None = None
        self._is_ready = False
        self._settled = asyncio.Event()
        self._failure: BrokerUnavailable | None = None
        self._last_words = ""
        self._stage = "did not answer the handshake"
        self._link = Link(on_frame=self._frame, on_lost=self._lost)

    async def dial(self) -> Session:
        """Return a session that is ready for requests.

        Raises:
            ClientIdInUse: If the gateway says so.
            BrokerUnavailable: If nobody listens, or nobody answers in time.
        """
        where = self._settings.address
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: Inlet(self._link), self._settings.host, self._settings.port
                )
                low, high = self._library.versions
                self._link.write_hello(f"v{low}..{high}")
                await self._settled.wait()
        except TimeoutError:
            self._link.abort("it took too long to connect")
            raise BrokerUnavailable(
                f"{where} {self._stage} within {self._settings.connect_timeout:g} s",
                hint="a dialog in TWS may ask whether to accept the connection",
            ) from None
        except OSError as error:
            raise BrokerUnavailable(
                f"nothing answers at {where}: {error.strerror or error}",
                hint=NOBODY_THERE,
            ) from None
        except asyncio.CancelledError:
            self._link.abort("cancelled")
            raise
        if self._failure is not None or self._session is None:
            self._link.abort("the handshake failed")
            raise self._failure or BrokerUnavailable(f"{where} closed the connection")
        self._is_ready = True
        return self._session

    def _frame(self, frame: Frame) -> None:
        if self._receiver is None:
            self._hello(frame)
        else:
            self._receiver.take(frame)

    def _hello(self, frame: Frame) -> None:
        low = self._library.versions[0]
        version = frame.fields[0] if len(frame.fields) == _HELLO_FIELDS else ""
        if not version.isdecimal() or int(version) < low:
            self._fail(f"answers as {version or 'something else'}, not as TWS {low} or later")
            return
        outbox: list[str] = []
        client = self._library.client(
            client_id=self._settings.client_id, version=int(version), write=outbox.append
        )
        self._session = Session(self._link, client=client, outbox=outbox, version=int(version))
        self._receiver = Receiver(self._library, version=int(version), publish=self._message)
        self._stage = "did not state accounts and order ids"
        self._link.write(self._session.encode(lambda api: api.startApi()))

    def _message(self, message: m.Message) -> None:
        session = self._session
        if self._is_ready or session is None:
            self._publish(message)
            return
        match message:
            case m.Accounts(names=names):
                session.accounts = names
            case m.NextOrderId(order_id=order_id):
                session.next_order_id = order_id
            case m.ErrorReport(code=code, text=text):
                self._last_words = f": {code} {text}"
                if rule_for(code).kind is Kind.CLIENT_ID:
                    self._failure = ClientIdInUse(
                        f"client id {self._settings.client_id} is in use at"
                        f" {self._settings.address}: {code} {text}",
                        hint=rule_for(code).hint,
                    )
                    self._settled.set()
            case _:
                pass
        self._publish(message)
        if session.accounts and session.next_order_id:
            self._settled.set()

    def _fail(self, what: str) -> None:
        self._failure = BrokerUnavailable(
            f"{self._settings.address} {what}", hint="is this the API port of TWS?"
        )
        self._settled.set()
        self._link.close(what)

    def _lost(self, reason: str) -> None:
        if self._is_ready:
            self._on_lost(self._link, reason)
            return
        self._failure = self._failure or BrokerUnavailable(
            f"{self._settings.address} closed the connection during the handshake"
            f"{self._last_words}",
            hint=f"client id {self._settings.client_id} may be in use, or the API be disabled",
        )
        self._settled.set()


def new_port(text: str) -> int | None:
    """Return the port that TWS says it moves to (1300); None if it names none."""
    found = _LAST_NUMBER.search(text)
    port = int(found[1]) if found is not None else 0
    return port if 0 < port <= _MOST_PORT else None


def pause_before(attempt: int, settings: LinkSettings, *, jitter: float) -> float:
    """Return how long to wait before an attempt (from 0), in seconds.

    `jitter` (0 to 1) spreads it by half: whoever lost the gateway does not come back as one.
    """
    most = settings.backoff_max
    return growing(attempt + 1, first=min(settings.backoff, most), most=most) * (0.5 + jitter)


def choose_account(settings: LinkSettings, accounts: tuple[str, ...], *, known: str = "") -> str:
    """Return the account to trade, of those of the login; one that is `known` stays so.

    Raises:
        AccountMismatch: If it has not the one that is wanted, or several and none is named.
    """
    wanted = settings.account or known or None
    if wanted is None and len(accounts) == 1:
        return accounts[0]
    if wanted is not None and wanted in accounts:
        return wanted
    problem = f"has not account {wanted}" if wanted else f"has {len(accounts)} accounts"
    raise AccountMismatch(
        f"the login at {settings.address} {problem}: {', '.join(accounts)}",
        hint=f"IBKR_ACCOUNT={accounts[0]}" if not known else "log TWS in to the account as before",
    )
