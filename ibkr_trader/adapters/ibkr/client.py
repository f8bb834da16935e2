# ruff: noqa: N802, N803 - the protocols repeat the client library's own names
"""The one import seam for the client library: `ib_insync`, or its successor `ib_async`.

Used of it: `Client`, which writes requests in TWS's field order, `Decoder`, which reads
answers, and their value classes. Not used: its `IB` and `Wrapper`, which mark live orders
cancelled at any error code and format whole trades into log lines; its throttle, one queue
in which a cancel waits behind data; its socket, whose handlers swallow exceptions.

Quirks met here and nowhere else: importing eventkit asks for the thread's event loop, which
must exist and is not created any more on Python 3.14; the decoder of the library logs what
it cannot read and goes on, where we must know that something was lost.
"""

from __future__ import annotations

import asyncio
import importlib
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ibkr_trader.adapters.ibkr.translate_values import number
from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ibkr_trader.adapters.ibkr.lib_types import LibContract, LibFilter, LibOrder

LIBRARIES = ("ib_insync", "ib_async")


class ApiClient(Protocol):
    """The requests we make, with the library's names; each writes exactly one frame."""

    def startApi(self) -> None: ...
    def placeOrder(self, orderId: int, contract: LibContract, order: LibOrder) -> None: ...
    def cancelOrder(self, orderId: int) -> None: ...
    def reqGlobalCancel(self) -> None: ...
    def reqIds(self, numIds: int) -> None: ...
    def reqCurrentTime(self) -> None: ...
    def reqAllOpenOrders(self) -> None: ...
    def reqCompletedOrders(self, apiOnly: bool) -> None: ...  # noqa: FBT001 - the library's signature
    def reqExecutions(self, reqId: int, execFilter: LibFilter) -> None: ...
    def reqPositions(self) -> None: ...
    def reqAccountUpdates(self, subscribe: bool, acctCode: str) -> None: ...  # noqa: FBT001 - the library's signature
    def reqContractDetails(self, reqId: int, contract: LibContract) -> None: ...
    def reqMarketRule(self, marketRuleId: int) -> None: ...
    def reqMarketDataType(self, marketDataType: int) -> None: ...
    def cancelMktData(self, reqId: int) -> None: ...
    def cancelHistoricalData(self, reqId: int) -> None: ...
    def reqMktData(  # noqa: PLR0917 - the library's signature
        self,
        reqId: int,
        contract: LibContract,
        genericTickList: str,
        snapshot: bool,  # noqa: FBT001 - the library's signature
        regulatorySnapshot: bool,  # noqa: FBT001 - the library's signature
        mktDataOptions: list[Any],
    ) -> None: ...
    def reqHistoricalData(  # noqa: PLR0917 - the library's signature
        self,
        reqId: int,
        contract: LibContract,
        endDateTime: str,
        durationStr: str,
        barSizeSetting: str,
        whatToShow: str,
        useRTH: bool,  # noqa: FBT001 - the library's signature
        formatDate: int,
        keepUpToDate: bool,  # noqa: FBT001 - the library's signature
        chartOptions: list[Any],
    ) -> None: ...


class ApiDecoder(Protocol):
    """What turns the fields of one message into a call on the receiver."""

    serverVersion: int
    handlers: dict[int, Callable[[list[str]], None]]


class Library:
    """One of the two client libraries, loaded."""

    def __init__(self, name: str, modules: dict[str, Any]) -> None:
        self.name = name
        self._modules = modules
        client = modules["client"].Client
        self.versions = (int(client.MinClientVersion), int(client.MaxClientVersion))

    def client(self, *, client_id: int, version: int, write: Callable[[str], None]) -> ApiClient:
        """Return an encoder for `version` that gives each frame's text to `write`."""
        client: Any = self._modules["client"].Client(_Mute())
        client.clientId = client_id
        client.serverVersion = lambda: version
        client.isConnected = lambda: True
        client.sendMsg = write
        encoder: ApiClient = client
        return encoder

    def decoder(self, receiver: object, *, version: int) -> ApiDecoder:
        """Return a decoder that calls `receiver` and raises at what it cannot read."""
        base = self._modules["decoder"].Decoder

        def wrap(_: object, name: str, types: list[type], skip: int = 2) -> Any:
            readers = [_READERS.get(kind, number) for kind in types]

            def handle(fields: list[str]) -> None:
                method = getattr(receiver, name, None)
                if method is not None:
                    values = zip(readers, fields[skip:], strict=False)  # newer TWS append fields
                    method(*[read(text) for read, text in values])

            return handle

        decoder: ApiDecoder = type("StrictDecoder", (base,), {"wrap": wrap})(receiver, version)
        return decoder

    def contract(self) -> LibContract:
        """Return an empty contract."""
        contract: LibContract = self._modules["contract"].Contract()
        return contract

    def order(self) -> LibOrder:
        """Return an order with the library's defaults."""
        order: LibOrder = self._modules["order"].Order()
        return order

    def execution_filter(self, account: str) -> LibFilter:
        """Return a filter for today's executions of `account`, whichever client's."""
        criteria: LibFilter = self._modules["objects"].ExecutionFilter(acctCode=account)
        return criteria


class _Mute:
    """Stands where the library's client wants a wrapper; ours is given to the decoder."""


_READERS: dict[type, Callable[[str], object]] = {
    str: str,
    int: lambda text: int(text or 0),
    bool: lambda text: text not in {"", "0"},
}  # what remains is a float: read as the Decimal that stands on the wire


def load(name: str) -> Library:
    """Import the client library called `name`.

    Raises:
        ConfigError: If it is none of the two, or not installed.
    """
    if name not in LIBRARIES:
        raise ConfigError(f"client_library is {name!r}", hint=f"one of {', '.join(LIBRARIES)}")
    parts = ("client", "decoder", "contract", "order", "objects")
    try:
        with _a_loop_to_import_in(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            modules = {part: importlib.import_module(f"{name}.{part}") for part in parts}
    except ImportError as error:
        raise ConfigError(
            f"the client library {name} cannot be imported: {error}",
            hint="set client_library to the one that is installed",
        ) from error
    return Library(name, modules)


@contextmanager
def _a_loop_to_import_in() -> Iterator[None]:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            yield
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    else:
        asyncio.set_event_loop(running)
        yield
