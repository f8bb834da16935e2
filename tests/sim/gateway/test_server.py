"""The server outlives whatever a socket does to it, and serves the next client."""

import asyncio
import socket
import struct
from pathlib import Path

import pytest
from ib_insync import LimitOrder, Trade

from ibkr_trader.sim.gateway.framing import API_SIGNATURE, frame
from ibkr_trader.sim.gateway.lines import MOST_LINES
from ibkr_trader.sim.gateway.probe import answers
from ibkr_trader.sim.gateway.server import HOST
from ibkr_trader.sim.gateway.store import StoreError
from tests.sim.gateway.desk import AAPL, ACCOUNT, OPENED, Desk, open_desk

HELLO = API_SIGNATURE + struct.pack(">I", 9) + b"v157..176"


async def raw(desk: Desk) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, desk.server.port)


async def read_frame(reader: asyncio.StreamReader) -> list[str]:
    size = int.from_bytes(await asyncio.wait_for(reader.readexactly(4), 5), "big")
    return (await reader.readexactly(size)).decode().split("\0")[:-1]


async def started(desk: Desk, client_id: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await raw(desk)
    writer.write(HELLO)
    assert (await read_frame(reader))[0] == "176"
    writer.write(frame(("71", "2", str(client_id), "")))
    return reader, writer


async def test_the_conversation_starts_as_tws_starts_it(desk: Desk) -> None:
    reader, writer = await started(desk, 5)
    assert await read_frame(reader) == ["15", "1", ACCOUNT]
    assert (await read_frame(reader))[:2] == ["9", "1"]
    codes = [(await read_frame(reader))[3] for _ in range(3)]
    assert codes == ["2104", "2106", "2158"]
    writer.close()
    await writer.wait_closed()


async def test_nothing_follows_the_handshake_before_the_api_starts(desk: Desk) -> None:
    reader, writer = await raw(desk)
    writer.write(HELLO)
    await read_frame(reader)
    desk.wait(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.05)
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 64,
        API_SIGNATURE + struct.pack(">I", 2**31),
        HELLO + struct.pack(">I", 2**31) + b"x" * 100,
        API_SIGNATURE + struct.pack(">I", 8) + b"v100..12",
        API_SIGNATURE + struct.pack(">I", 9) + b"v200..226",
    ],
)
async def test_garbage_and_foreign_versions_end_the_conversation(desk: Desk, data: bytes) -> None:
    reader, writer = await raw(desk)
    writer.write(data)
    rest = await asyncio.wait_for(reader.read(), 5)
    assert rest == b"" or rest[4:7] == b"176"
    writer.close()
    assert (await desk.connect(1)).isConnected()


async def test_a_message_that_cannot_be_read_is_320_and_the_next_is_answered(desk: Desk) -> None:
    reader, writer = await started(desk, 5)
    for _ in range(5):
        await read_frame(reader)
    writer.write(frame(("4", "1", "not a number", "")) + frame(("777",)) + frame(("49", "1")))
    assert (await read_frame(reader))[2:4] == ["-1", "320"]
    assert (await read_frame(reader))[2:4] == ["-1", "505"]
    assert (await read_frame(reader))[0] == "49"
    writer.close()
    await writer.wait_closed()


async def test_a_half_frame_disturbs_nobody(desk: Desk) -> None:
    _, writer = await started(desk, 5)
    writer.write(struct.pack(">I", 100) + b"49\0")
    await writer.drain()
    ib = await desk.connect(1)
    assert await ib.reqCurrentTimeAsync() == OPENED
    writer.close()
    await writer.wait_closed()


async def test_a_taken_client_id_is_326_and_then_the_socket_closes(desk: Desk) -> None:
    await desk.connect(5)
    reader, writer = await started(desk, 5)
    refusal = await read_frame(reader)
    assert refusal[2:4] == ["-1", "326"]
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await writer.wait_closed()


async def test_a_client_id_is_free_again_after_its_client_left(desk: Desk) -> None:
    first = await desk.connect(5)
    await desk.leave(first)
    assert (await desk.connect(5)).isConnected()


async def test_a_hundred_silent_sockets_do_not_shut_the_door(desk: Desk) -> None:
    lines = [await raw(desk) for _ in range(MOST_LINES + 20)]
    assert (await desk.connect(1)).isConnected()
    assert len(desk.server.lines._lines) == MOST_LINES
    for _, writer in lines:
        writer.close()


async def test_a_client_that_does_not_read_is_dropped_and_the_others_are_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.sim.gateway.lines.MOST_UNSENT", 100_000)
    slow = socket.create_connection((HOST, desk.server.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(slow, HELLO)
    await loop.sock_recv(slow, 4096)
    await loop.sock_sendall(slow, frame(("71", "2", "9", "")))
    ask = frame(("24", "1")) * 500 + frame(("16", "1")) * 500

    async def flood() -> None:
        for _ in range(2000):
            await asyncio.wait_for(loop.sock_sendall(slow, ask), 5)
            await asyncio.sleep(0)

    with pytest.raises(OSError, match=r"reset|pipe"):
        await flood()
    slow.close()
    assert (await desk.connect(1)).isConnected()


async def test_what_cannot_be_written_is_never_answered(tmp_path: Path) -> None:
    trades: list[Trade] = []
    with pytest.raises(StoreError, match="cannot write"):
        await fill_the_disk(tmp_path / "exchange.sqlite3", trades)
    assert len(trades) == 40
    assert {trade.orderStatus.status for trade in trades} == {"PendingSubmit"}


async def fill_the_disk(path: Path, trades: list[Trade]) -> None:
    async with open_desk(store=path) as desk:
        ib = await desk.connect(1)
        kept = ib.placeOrder(AAPL, LimitOrder("BUY", 1, 100))
        await ib.reqCurrentTimeAsync()
        assert kept.orderStatus.status == "Submitted"
        assert desk.store is not None
        db = desk.store._db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
        trades += [ib.placeOrder(AAPL, LimitOrder("BUY", n, 100)) for n in range(1, 41)]
        async with asyncio.timeout(5):
            await asyncio.Event().wait()


@pytest.mark.parametrize("port", [7496, 7497, 4001, 4002])
async def test_it_never_takes_a_port_of_tws(desk: Desk, port: int) -> None:
    with pytest.raises(ValueError, match="of TWS or IB Gateway"):
        await desk.server.listen(port)


async def test_it_listens_on_this_machine_only(desk: Desk) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, desk.server.port)) == 0
    own = socket.gethostbyname(socket.gethostname())
    if own != HOST:
        with socket.socket() as probe:
            assert probe.connect_ex((own, desk.server.port)) != 0


async def test_a_probe_is_answered_and_takes_no_client_id(desk: Desk) -> None:
    assert await asyncio.to_thread(answers, desk.server.port)
    assert not await asyncio.to_thread(answers, _free_port())


def _free_port() -> int:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        port: int = holder.getsockname()[1]
        return port
