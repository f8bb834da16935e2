"""The trader's door: nobody who comes to it can do the trader harm."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from ibkr_trader.adapters import control_server
from ibkr_trader.adapters.control import (
    HEADER,
    MOST_ASKED,
    Alive,
    Asked,
    Call,
    Card,
    Done,
    Hello,
    Refused,
    Started,
    Told,
    Yes,
    pack,
    read_card,
)
from ibkr_trader.adapters.control_server import Client
from tests.adapters.control_parts import DONE, SINCE, caller, door, endless, heard, say

CALL = pack(Call(command="look.orders"))


async def test_a_call_is_answered() -> None:
    async def serve(call: Call, client: Client) -> Done:
        client.tell(f"ran {call.command}")
        return DONE

    async with door(serve) as folder, caller(folder) as line:
        hello = await heard(line)
        assert isinstance(hello, Hello)
        assert (hello.pid, hello.version) == (os.getpid(), "9.9")
        await say(line, CALL)
        told = [await heard(line) for _ in range(4)]
    assert told == [Started(), Told(text="ran look.orders"), DONE, None]


async def test_a_question_waits_for_its_answer() -> None:
    async def serve(call: Call, client: Client) -> Done:
        await client.ask("Sure?")
        client.tell("then")
        return DONE

    async with door(serve) as folder, caller(folder) as line:
        await heard(line)
        await say(line, CALL)
        assert [await heard(line) for _ in range(2)] == [Started(), Asked(question="Sure?")]
        await say(line, pack(Yes()))
        assert [await heard(line) for _ in range(2)] == [Told(text="then"), DONE]


async def test_what_is_typed_comes_back_and_what_it_should_be_never_leaves() -> None:
    typed: list[str] = []

    async def serve(call: Call, client: Client) -> Done:
        typed.append(await client.ask("Which account?", is_typed=True))
        return DONE

    async with door(serve) as folder, caller(folder) as line:
        await heard(line)
        await say(line, CALL)
        asked = Asked(question="Which account?", is_typed=True)
        assert [await heard(line) for _ in range(2)] == [Started(), asked]
        await say(line, pack(Yes(typed="U0000000")))
        assert await heard(line) == DONE
    assert typed == ["U0000000"]


async def test_a_client_that_hangs_up_has_its_command_cancelled() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def serve(call: Call, client: Client) -> Done:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return DONE

    async with door(serve) as folder:
        async with caller(folder) as line:
            await say(line, CALL)
            await began.wait()
        await ended.wait()
        async with caller(folder) as line:  # and the door stands
            assert isinstance(await heard(line), Hello)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HEADER.pack(MOST_ASKED + 1),
        HEADER.pack(5) + b"\xff\xff\xff\xff\xff",
        pack(Yes()),
        HEADER.pack(2) + b"{}",
        CALL + CALL,  # a second call, while the first one runs
        CALL + pack(Yes()) + pack(Yes()),  # answers to nothing
    ],
)
async def test_garbage_ends_the_line_and_nothing_else(garbage: bytes) -> None:
    async def serve(call: Call, client: Client) -> Done:
        await asyncio.Event().wait()
        return DONE

    async with door(serve) as folder:
        async with caller(folder) as line:
            await say(line, garbage)
            last: list[object] = []
            while (message := await heard(line)) is not None:
                last.append(message)
            assert not {type(one) for one in last} & {Done}
        async with caller(folder) as line:
            assert isinstance(await heard(line), Hello)


@pytest.mark.parametrize("part", [b"", CALL[:2], CALL[:-1]])
async def test_half_a_message_is_not_waited_for(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "CALL_PATIENCE", 0.05)
    async with door() as folder, caller(folder) as line:
        assert isinstance(await heard(line), Hello)
        await say(line, part)
        assert await heard(line) is None


async def test_no_more_than_so_many_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "MOST_CLIENTS", 2)
    async with door() as folder, caller(folder) as one, caller(folder) as two:
        assert isinstance(await heard(one), Hello)
        assert isinstance(await heard(two), Hello)
        async with caller(folder) as three:
            assert isinstance(await heard(three), Refused)
            assert await heard(three) is None
        await say(one, CALL)
        assert [await heard(one) for _ in range(3)] == [Started(), DONE, None]
        async with caller(folder) as four:
            assert isinstance(await heard(four), Hello)


async def test_a_client_that_reads_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "MOST_TOLD", 1_000)
    ended = asyncio.Event()

    async def serve(call: Call, client: Client) -> Done:
        try:
            while True:
                client.tell("x" * 1_000)
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with door(serve) as folder, caller(folder) as line:
        await say(line, CALL)
        await ended.wait()


async def test_a_long_command_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "HEARTBEAT", 0.01)

    async def serve(call: Call, client: Client) -> Done:
        await asyncio.Event().wait()
        return DONE

    async with door(serve) as folder, caller(folder) as line:
        await say(line, CALL)
        told = [await heard(line) for _ in range(4)]
        assert [type(one) for one in told] == [Hello, Started, Alive, Alive]


async def test_a_stranger_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Call] = []

    async def serve(call: Call, client: Client) -> Done:
        served.append(call)
        return DONE

    async with door(serve) as folder:
        monkeypatch.setattr(control_server, "peer_uid", lambda _: os.geteuid() + 1)
        async with caller(folder) as line:
            await say(line, CALL)
            assert await heard(line) is None
        monkeypatch.setattr(control_server, "peer_uid", lambda _: None)
        async with caller(folder) as line:
            assert await heard(line) is None
    assert served == []


async def test_closing_waits_for_what_runs_and_takes_nobody_else() -> None:
    may_end = asyncio.Event()

    async def serve(call: Call, client: Client) -> Done:
        await may_end.wait()
        return DONE

    async with door(serve) as folder:
        line = socket.socket(socket.AF_UNIX)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, str(folder / "trader.sock"))
        await say(line, CALL)
        assert [type(await heard(line)) for _ in range(2)] == [Hello, Started]
        asyncio.get_running_loop().call_later(0.05, may_end.set)
    with line:
        assert [await heard(line) for _ in range(2)] == [DONE, None]


async def test_what_runs_too_long_is_cancelled_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "FAREWELL", 0.05)
    ended = asyncio.Event()

    async with door(endless(ended)) as folder:
        line = socket.socket(socket.AF_UNIX)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, str(folder / "trader.sock"))
        await say(line, CALL)
        assert [type(await heard(line)) for _ in range(2)] == [Hello, Started]
    with line:
        assert ended.is_set()
        assert await heard(line) is None


async def test_the_door_is_found_by_its_card() -> None:
    async with door() as folder:
        assert read_card(folder) == Card(
            pid=os.getpid(), socket=str(folder / "trader.sock"), since=SINCE
        )


async def test_whoever_gave_up_before_it_began_is_not_obeyed() -> None:
    """A trader that was stuck finds calls whose callers told their people that it is."""
    served: list[str] = []

    async def serve(call: Call, client: Client) -> Done:
        served.append(call.command)
        return DONE

    async with door(serve) as folder:
        async with caller(folder) as line:
            assert isinstance(await heard(line), Hello)
            line.send(pack(Call(command="orders.order")))  # both before the trader looks again
        async with caller(folder) as line:
            await say(line, CALL)
            assert [type(await heard(line)) for _ in range(3)] == [Hello, Started, Done]
    assert served == ["look.orders"]
