"""Where the gateway listens: there, gone for a while, or moved.

A port that comes back listens at once, so whoever connects from then on waits to be accepted; the
event loop begins to accept a moment later.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

HOST = "127.0.0.1"
PORTS_OF_TWS = frozenset({7496, 7497, 4001, 4002})
BACKLOG = 128

logger = logging.getLogger(__name__)


class Port:
    """One listening port, whose connections `accept` makes protocols for.

    Attributes:
        number: Where it listens, known once it does; it stays so while nobody listens.
        moved: Is told of every new number.
    """

    def __init__(self, accept: Callable[[], asyncio.Protocol]) -> None:
        self.number = 0
        self.moved: Callable[[int], None] | None = None
        self._accept = accept
        self._bound: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._past: list[asyncio.Server] = []
        self._news = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether somebody who connects now is accepted."""
        return self._bound is not None

    async def open(self, number: int) -> None:
        """Listen at a port (0 for a free one), and accept whoever comes.

        Raises:
            OSError: The port is taken.
            ValueError: It is one of TWS's or IB Gateway's: nobody may take this for either.
        """
        self._bind(number)
        await self._serve()

    def move(self, number: int) -> None:
        """Listen at another port (0 for a free one) from now on.

        Raises:
            OSError: The port is taken; it listens where it did.
            ValueError: It is one of TWS's.
        """
        before, server = self._bound, self._server
        self._bind(number)
        self._server = None
        self._leave(server, before)
        if self.moved is not None:
            self.moved(self.number)

    def shut(self) -> None:
        """Listen no longer: whoever connects is refused."""
        server, self._server = self._server, None
        bound, self._bound = self._bound, None
        self._leave(server, bound)

    async def ended(self) -> None:
        """Wait until everybody who was ever accepted is gone."""
        for server in self._past:
            await server.wait_closed()

    def reopen(self) -> None:
        """Listen again where it did; should somebody have taken the port, try again later."""
        try:
            self._bind(self.number)
        except OSError as error:
            logger.warning("port %d cannot be listened at again yet: %s", self.number, error)

    async def run(self) -> None:
        """Begin to accept whenever it listens anew, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            with suppress(OSError):  # it was shut in the meantime
                await self._serve()

    def _bind(self, number: int) -> None:
        if number in PORTS_OF_TWS:
            message = f"port {number} is of TWS or IB Gateway, and left alone"
            raise ValueError(message)
        try:
            bound = socket.create_server((HOST, number), backlog=BACKLOG)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            message = f"port {number} cannot be listened at: {why}"
            raise OSError(error.errno, message) from error
        bound.settimeout(0)
        self._bound = bound
        self.number = bound.getsockname()[1]
        self._news.set()

    async def _serve(self) -> None:
        bound = self._bound
        if bound is None or self._server is not None:
            return
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, sock=bound, backlog=BACKLOG)
        if self._bound is bound:
            self._server = server
        else:
            self._leave(server, None)

    def _leave(self, server: asyncio.Server | None, bound: socket.socket | None) -> None:
        if server is not None:
            server.close()
            self._past.append(server)
        elif bound is not None:
            bound.close()
