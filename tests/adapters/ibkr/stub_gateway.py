"""A gateway that does exactly what a test tells it: silence, half frames, resets, bad text.

Not a simulator: it knows no orders. It answers the handshake and the questions of a
snapshot with empty answers, until a test takes an answer away or puts another in.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Answer = "Callable[[list[str]], list[tuple[object, ...]]]"

ACCOUNT = "SIM0000001"
UNSET = "1.7976931348623157E308"
CONTRACT = (265598, "AAPL", "STK", "", "0", "?", "", "SMART", "USD", "AAPL", "NMS")


class StubGateway:
    """One port; every frame that arrives is kept in `received`, as its fields."""

    def __init__(self, *, version: int = 176) -> None:
        self.version = version
        self.port = 0
        self.received: list[list[str]] = []
        self.connections = 0
        self.hello: bytes | None = None  # raw answer to the handshake, in place of the right one
        self.is_silent = False  # reads, and never writes again
        self.answers: dict[int, Callable[[list[str]], list[tuple[object, ...]]]] = {
            71: lambda _: [(15, 1, ACCOUNT), (9, 1, 1)],
            49: lambda _: [(49, 1, 1_800_000_000)],
            16: lambda _: [(53, 1)],
            99: lambda _: [(102,)],
            7: lambda fields: [(55, 1, fields[2])],
            61: lambda _: [(62, 1)],
            6: lambda _: [(54, 1, ACCOUNT)],
        }
        self._writers: list[asyncio.StreamWriter] = []
        self._arrived = asyncio.Condition()

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[StubGateway]:
        """Listen on a loopback port until the block ends."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)

    def send(self, *fields: object) -> None:
        """Write one message to whoever is connected."""
        self.send_raw(frame(*fields))

    def send_raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self._writers and not self.is_silent:
            self._writers[-1].write(data)

    def hang_up(self) -> None:
        """End the connection in good order (FIN)."""
        self._writers[-1].close()

    def reset(self) -> None:
        """End the connection with a reset (RST)."""
        handle = self._writers[-1].get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writers[-1].transport.abort()

    async def heard(self, message_id: int, *, times: int = 1) -> list[str]:
        """Wait until requests of this kind have come so many times; return the last one."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: self.count(message_id) >= times)
        return [fields for fields in self.received if fields[0] == str(message_id)][-1]

    async def met(self, times: int) -> None:
        """Wait until so many connections have introduced themselves."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: self.count(71) >= times)

    def count(self, message_id: int) -> int:
        """Return how many requests of this kind have come."""
        return Counter(fields[0] for fields in self.received)[str(message_id)]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connections += 1
        try:
            await reader.readexactly(4)
            await self._frame(reader)
            if self.hello is not None:
                self.send_raw(self.hello)
            else:
                self.send(self.version, "20261121 10:00:00 EST")
            while True:
                await self._take(await self._frame(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def _frame(self, reader: asyncio.StreamReader) -> bytes:
        (size,) = struct.unpack(">I", await reader.readexactly(4))
        return await reader.readexactly(size)

    async def _take(self, payload: bytes) -> None:
        fields = payload.decode().split("\0")[:-1]
        async with self._arrived:
            self.received.append(fields)
            self._arrived.notify_all()
        answer = self.answers.get(int(fields[0]))
        for message in answer(fields) if answer is not None else []:
            self.send(*message)


def frame(*fields: object) -> bytes:
    """Return one message as it goes over the wire."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


def order_status(number: int, status: str, **changes: object) -> tuple[object, ...]:
    """Return an orderStatus message."""
    values = {"filled": 0, "remaining": 10, "average": 0, "perm_id": 900 + number} | changes
    return (
        3, number, status, values["filled"], values["remaining"], values["average"],
        values["perm_id"], 0, 0, values.get("client_id", 1), values.get("held_for", ""), 0,
    )  # fmt: skip


def execution(number: int, exec_id: str, **changes: object) -> tuple[object, ...]:
    """Return an execDetails message."""
    values = {"request_id": -1, "shares": 10, "price": "150.25", "ref": "", "side": "BOT"} | changes
    return (
        11, values["request_id"], number, *CONTRACT, exec_id, "20261120 10:00:01 US/Eastern",
        ACCOUNT, "ISLAND", values["side"], values["shares"], values["price"],
        values.get("perm_id", 900 + number), values.get("client_id", 1),
        values.get("liquidation", 0), values["shares"],
        values["price"], values["ref"], "", "", "", 2,
    )  # fmt: skip


def open_order(number: int, status: str = "Submitted", **changes: object) -> tuple[object, ...]:
    """Return an openOrder message for version 176: a plain order as TWS echoes it."""
    values: dict[str, object] = {
        "action": "BUY", "quantity": 10, "type": "LMT", "limit": "150.0", "aux": "0.0",
        "tif": "DAY", "ref": "", "client_id": 1, "perm_id": 900 + number, "parent": 0,
        "oca": "", "oca_type": 3, "warning": "", "after": "", "trail_stop": "", "percent": "",
        "adjusted": "None", "trigger": UNSET, "offset": UNSET, "adjusted_stop": UNSET,
        "adjusted_limit": UNSET, "adjusted_trail": UNSET, "unit": 0,
    } | changes  # fmt: skip
    unset = UNSET
    return (
        5, number, *CONTRACT, values["action"], values["quantity"], values["type"],
        values["limit"], values["aux"], values["tif"], values["oca"], ACCOUNT, "", 0,
        values["ref"], values["client_id"], values["perm_id"], 0, 0, 0, values["after"],
        "", "", "", "", "",
        "", "", "", "", "", 0, "", -1, 0, "", "", "", "", "", 2147483647, 0, 0, 0, "",
        values["oca_type"], 0, 0, "", values["parent"], 0, "", 0, "", "", 0, 0,
        values["trail_stop"], values["percent"], "", "", "", 0, 0,
        0, "", "", "", "", 0, "", "IB", 0, 0, "", 0, 0, status, *[unset] * 9, "", "",
        "", "", values["warning"], 0, 0, 0, values["adjusted"], values["trigger"],
        values["trail_stop"] or unset, values["offset"], values["adjusted_stop"],
        values["adjusted_limit"], values["adjusted_trail"], values["unit"],
        "", "", "", 0, 1, 0, 0, 0, "", "", 0, "", "", "", "", "",
    )  # fmt: skip
