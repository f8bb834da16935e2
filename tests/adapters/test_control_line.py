"""A dashboard's end of the control socket: the same traders as a command meets, without waiting."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters import control_client, control_line
from ibkr_trader.adapters.control import (
    PROTOCOL,
    Asked,
    Call,
    Card,
    Done,
    FromTrader,
    Hello,
    Message,
    Refused,
    Seen,
    Started,
    Told,
    listen,
    pack,
    write_card,
)
from ibkr_trader.adapters.control_client import LineLost
from ibkr_trader.adapters.control_line import open_line
from ibkr_trader.adapters.control_server import Client
from ibkr_trader.core.errors import AccountLocked
from tests.adapters.control_parts import (
    DONE,
    HELLO,
    SINCE,
    deaf,
    door,
    endless,
    says,
    says_nothing,
    trader,
)

CALL = Call(command="orders.order")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


async def all_of(folder: Path) -> list[FromTrader]:
    """Make a call, answer each question with its own length, and return what is told."""
    told: list[FromTrader] = []
    async with open_line(folder) as line:
        assert line is not None
        await line.call(CALL)
        async for message in line.messages():
            told.append(message)
            if isinstance(message, Asked):
                await line.answer(str(len(message.question)))
    return told


async def nobody(folder: Path) -> bool:
    async with open_line(folder) as line:
        return line is None


async def test_a_call_is_made_and_followed() -> None:
    typed: list[str] = []

    async def serve(call: Call, client: Client) -> Done:
        typed.append(await client.ask(f"Really {call.command}?", is_typed=True))
        client.stream(b'{"n":1}')
        client.tell("well then", is_note=True)
        return DONE

    async with door(serve, watches=lambda _: True) as folder:
        told = await all_of(folder)
    assert told == [
        Started(),
        Asked(question="Really orders.order?", is_typed=True),
        Seen(glimpse=msgspec.Raw(b'{"n":1}')),
        Told(text="well then", is_note=True),
        DONE,
    ]
    assert typed == ["20"]


async def test_a_message_longer_than_any_buffer_comes_whole() -> None:
    reply = Done(reply=msgspec.Raw(b'"' + b"x" * 1_000_000 + b'"'))

    async def serve(call: Call, client: Client) -> Done:
        return reply

    async with door(serve) as folder:
        assert await all_of(folder) == [Started(), reply]


async def test_leaving_hangs_up_and_the_command_is_cancelled() -> None:
    ended = asyncio.Event()

    async with door(endless(ended)) as folder:
        async with open_line(folder) as line:
            assert line is not None
            await line.call(CALL)
            async for message in line.messages():
                assert message == Started()
                break
            assert not ended.is_set()
        async with asyncio.timeout(20):
            await ended.wait()


@pytest.mark.parametrize("is_left", [None, True, False])
async def test_without_a_trader_there_is_no_line(folder: Path, *, is_left: bool | None) -> None:
    path = folder / "trader.sock"
    if is_left is not None:
        write_card(folder, Card(pid=1, socket=str(path), since=SINCE))
    if is_left:
        listen(path).close()
    assert await nobody(folder)


async def test_a_trader_that_is_just_leaving_is_none(folder: Path) -> None:
    with trader(folder, says()):
        assert await nobody(folder)


async def test_a_trader_that_says_nothing_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_line, "KNOCK_PATIENCE", 0.1)
    words = rf"process {os.getpid()}\) holds .* does not answer"
    with trader(folder, says_nothing), pytest.raises(AccountLocked, match=words):
        await nobody(folder)


async def test_a_trader_that_takes_nobody_any_more_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_line, "KNOCK_PATIENCE", 0.1)
    with deaf(folder), pytest.raises(AccountLocked, match="does not answer"):
        await nobody(folder)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Refused(message="full up", hint="wait"), "full up"),
        (Started(), "introduce itself"),
        (Hello(protocol=PROTOCOL + 1, version="10.0", pid=1, since=SINCE), "speaks protocol"),
    ],
)
async def test_one_that_does_not_greet_is_not_talked_to(
    folder: Path, message: Message, words: str
) -> None:
    with trader(folder, says(message)), pytest.raises(AccountLocked, match=words):
        await nobody(folder)


async def test_another_users_trader_is_not_talked_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "peer_uid", lambda _: 4_242)
    with (
        trader(folder, says(HELLO)),
        pytest.raises(AccountLocked, match=r"another user \(uid 4242\)"),
    ):
        await nobody(folder)


@pytest.mark.parametrize(("told", "has_started"), [((), False), ((Started(),), True)])
async def test_a_trader_that_dies_says_how_far_it_had_come(
    folder: Path, told: tuple[Message, ...], *, has_started: bool
) -> None:
    with trader(folder, says(HELLO, *told)), pytest.raises(LineLost, match="is gone") as caught:
        await all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (has_started, False)


@pytest.mark.parametrize("odd", [b"\x00\x00\x00\x02{}", b"\xff\xff\xff\xff"])
async def test_a_trader_that_talks_nonsense_is_not_believed(folder: Path, odd: bytes) -> None:
    def behave(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()) + odd)
        line.recv(1 << 16)

    with trader(folder, behave), pytest.raises(LineLost, match="cannot be understood") as caught:
        await all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (True, True)


async def test_a_trader_that_stops_in_the_middle_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_line, "PATIENCE", 0.1)

    def behave(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()))
        while line.recv(1 << 16):
            pass

    with trader(folder, behave), pytest.raises(LineLost, match="does not answer") as caught:
        await all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (True, True)


async def test_a_call_that_is_refused_was_not_begun(folder: Path) -> None:
    refusal = Refused(message="8 dashboards watch", hint="close one")
    with (
        trader(folder, says(HELLO, refusal)),
        pytest.raises(AccountLocked, match="8 dashboards") as caught,
    ):
        await all_of(folder)
    assert caught.value.hint == "close one"
