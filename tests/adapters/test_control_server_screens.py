"""Screens at the trader's door: they see what they can read, and are in nobody's way."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest

from ibkr_trader.adapters import control_server
from ibkr_trader.adapters.control import Alive, Call, Done, Hello, Refused, Seen, Started, pack
from ibkr_trader.adapters.control_server import Client
from tests.adapters.control_parts import DONE, caller, door, heard, say

CALL = pack(Call(command="look.orders"))
WATCH = pack(Call(command="screen.watch"))
BIG = b'"' + b"x" * 400_000 + b'"'  # more than any kernel keeps of a socket


def watches(call: Call) -> bool:
    return call.command == "screen.watch"


async def test_a_screen_that_has_read_sees_the_next_and_one_that_has_not_does_not() -> None:
    clients: asyncio.Queue[Client] = asyncio.Queue(1)

    async def serve(call: Call, client: Client) -> Done:
        await clients.put(client)
        await asyncio.Event().wait()
        return DONE

    async with door(serve, watches=watches) as folder, caller(folder) as line:
        await say(line, WATCH)
        client = await clients.get()
        assert client.stream(BIG)
        waiting = client._writer.transport.get_write_buffer_size()
        assert [client.stream(b"{}") for _ in range(3)] == [False] * 3
        assert client._writer.transport.get_write_buffer_size() == waiting, "nothing is kept"
        assert [type(await heard(line)) for _ in range(2)] == [Hello, Started]
        assert await heard(line) == Seen(glimpse=msgspec.Raw(BIG))
        assert client.has_read
        assert client.stream(b"{}")
        assert await heard(line) == Seen(glimpse=msgspec.Raw(b"{}"))


async def test_the_kernel_keeps_little_for_a_screen_that_stands_still() -> None:
    counts: asyncio.Queue[int] = asyncio.Queue(1)

    async def serve(call: Call, client: Client) -> Done:
        glimpse = b'"' + b"x" * 1_000 + b'"'
        await counts.put([client.stream(glimpse) for _ in range(1_000)].count(True))
        await asyncio.Event().wait()
        return DONE

    async with door(serve, watches=watches) as folder, caller(folder) as line:
        await say(line, WATCH)
        assert 1 <= await counts.get() <= 20, "what it reads when it wakes is not old"


async def test_an_unread_screen_gathers_no_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "HEARTBEAT", 0.01)
    clients: asyncio.Queue[Client] = asyncio.Queue(1)

    async def serve(call: Call, client: Client) -> Done:
        if watches(call):
            client.stream(BIG)
            await clients.put(client)
        await asyncio.Event().wait()
        return DONE

    async with door(serve, watches=watches) as folder, caller(folder) as still:
        await say(still, WATCH)
        client = await clients.get()
        waiting = client._writer.transport.get_write_buffer_size()
        async with caller(folder) as line:
            await say(line, CALL)
            told = [type(await heard(line)) for _ in range(6)]
        assert told == [Hello, Started, Alive, Alive, Alive, Alive]  # as many beats went by
        assert client._writer.transport.get_write_buffer_size() == waiting


async def test_a_screen_that_hangs_up_ends_its_stream() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def serve(call: Call, client: Client) -> Done:
        try:
            while True:
                client.stream(b"{}")
                began.set()
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with door(serve, watches=watches) as folder:
        async with caller(folder) as line:
            await say(line, WATCH)
            await began.wait()
        await ended.wait()


async def test_a_command_that_streams_has_said_so() -> None:
    async def serve(call: Call, client: Client) -> Done:
        with pytest.raises(RuntimeError, match="streams=True"):
            client.stream(b"{}")
        return DONE

    async with door(serve) as folder, caller(folder) as line:
        await say(line, WATCH)
        assert [await heard(line) for _ in range(3)][1:] == [Started(), DONE]


async def test_screens_and_commands_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "MOST_CLIENTS", 2)
    monkeypatch.setattr(control_server, "MOST_WATCHERS", 3)
    gone: asyncio.Queue[None] = asyncio.Queue(1)

    async def serve(call: Call, client: Client) -> Done:
        if watches(call):
            try:
                await asyncio.Event().wait()
            finally:
                gone.put_nowait(None)
        return DONE

    async with door(serve, watches=watches) as folder:
        lines = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for line in lines:
            line.setblocking(False)
            await asyncio.get_running_loop().sock_connect(line, str(folder / "trader.sock"))
            await say(line, WATCH)
            assert [type(await heard(line)) for _ in range(2)] == [Hello, Started]
        async with caller(folder) as late:
            await say(late, WATCH)
            assert isinstance(await heard(late), Hello)
            refused = await heard(late)
            assert isinstance(refused, Refused)
            assert "3 dashboards watch this trader already" in refused.message
            assert await heard(late) is None
        async with caller(folder) as command:  # more are inside than commands may be
            await say(command, CALL)
            assert [type(await heard(command)) for _ in range(3)] == [Hello, Started, Done]
        lines.pop().close()
        await gone.get()
        async with caller(folder) as line:
            await say(line, WATCH)
            assert [type(await heard(line)) for _ in range(2)] == [Hello, Started]
        await gone.get()
        for line in lines:
            line.close()
            await gone.get()


@pytest.mark.parametrize("payload", [b"{}", BIG])
async def test_closing_waits_for_no_screen(payload: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "FAREWELL", 600.0)  # pytest would end it long before
    began, works, is_over = (asyncio.Event() for _ in range(3))

    async def serve(call: Call, client: Client) -> Done:
        if not watches(call):
            works.set()
            await is_over.wait()  # a command has its time; a screen ends at once, and before it
            return DONE
        client.stream(payload)
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            is_over.set()
        return DONE

    with socket.socket(socket.AF_UNIX) as line, socket.socket(socket.AF_UNIX) as command:
        async with asyncio.timeout(20), door(serve, watches=watches) as folder:
            for one, call in ((line, WATCH), (command, CALL)):
                one.setblocking(False)
                await asyncio.get_running_loop().sock_connect(one, str(folder / "trader.sock"))
                await say(one, call)
            await began.wait()
            await works.wait()
        assert [type(await heard(command)) for _ in range(3)] == [Hello, Started, Done]
