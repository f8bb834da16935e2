"""A command's end of the control socket: every way in which a trader can be there, or not."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters import control_client
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
    Started,
    Told,
    listen,
    pack,
    write_card,
)
from ibkr_trader.adapters.control_client import LineLost, is_open, knock
from ibkr_trader.adapters.control_server import Client
from ibkr_trader.core.errors import AccountLocked
from tests.adapters.control_parts import DONE, HELLO, SINCE, deaf, door, says, says_nothing, trader

CALL = Call(command="orders.order")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


def all_of(folder: Path) -> list[FromTrader]:
    line = knock(folder)
    assert line is not None
    with line:
        line.call(CALL)
        told: list[FromTrader] = []
        while not told or not isinstance(told[-1], Done):
            told.append(line.hear())
            if isinstance(told[-1], Asked):
                line.agree()
        return told


async def test_a_call_is_made_and_followed() -> None:
    async def serve(call: Call, client: Client) -> Done:
        await client.ask(f"Really {call.command}?")
        client.tell("well then", is_note=True)
        return DONE

    async with door(serve) as folder:
        assert await asyncio.to_thread(is_open, folder)
        told = await asyncio.to_thread(all_of, folder)
    assert told == [
        Started(),
        Asked(question="Really orders.order?"),
        Told(text="well then", is_note=True),
        DONE,
    ]


def test_without_a_card_there_is_no_trader(folder: Path) -> None:
    assert knock(folder) is None
    assert not is_open(folder)


@pytest.mark.parametrize("is_left", [True, False])
def test_what_a_dead_trader_left_is_no_trader(folder: Path, *, is_left: bool) -> None:
    path = folder / "trader.sock"
    write_card(folder, Card(pid=1, socket=str(path), since=SINCE))
    if is_left:
        listen(path).close()
    assert knock(folder) is None


def test_a_trader_that_says_nothing_holds_the_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "KNOCK_PATIENCE", 0.1)
    with (
        trader(folder, says_nothing),
        pytest.raises(AccountLocked, match=rf"process {os.getpid()}\) holds .* does not answer"),
    ):
        knock(folder)
    with trader(folder, says_nothing):
        assert is_open(folder)  # waiting for the lock would be in vain


def test_a_trader_that_takes_nobody_any_more_holds_the_account(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "KNOCK_PATIENCE", 0.1)
    with deaf(folder), pytest.raises(AccountLocked, match="does not answer"):
        knock(folder)


def test_a_trader_that_is_just_leaving_is_none(folder: Path) -> None:
    with trader(folder, says()):
        assert knock(folder) is None


def test_another_protocol_is_told_apart(folder: Path) -> None:
    other = Hello(protocol=PROTOCOL + 1, version="10.0", pid=1, since=SINCE)
    with (
        trader(folder, says(other)),
        pytest.raises(
            AccountLocked, match=rf"version 10\.0 and speaks protocol {PROTOCOL + 1}"
        ) as caught,
    ):
        knock(folder)
    assert "start the trader again" in caught.value.hint


@pytest.mark.parametrize(
    ("message", "words"),
    [(Refused(message="full up", hint="wait"), "full up"), (Started(), "introduce itself")],
)
def test_one_that_does_not_greet_is_not_talked_to(
    folder: Path, message: Message, words: str
) -> None:
    with trader(folder, says(message)), pytest.raises(AccountLocked, match=words):
        knock(folder)


def test_another_users_trader_is_not_talked_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "peer_uid", lambda _: 4_242)
    with (
        trader(folder, says(HELLO)),
        pytest.raises(AccountLocked, match=r"another user \(uid 4242\)"),
    ):
        knock(folder)


@pytest.mark.parametrize(("told", "has_started"), [((), False), ((Started(),), True)])
def test_a_trader_that_dies_says_how_far_it_had_come(
    folder: Path, told: tuple[Message, ...], *, has_started: bool
) -> None:
    with trader(folder, says(HELLO, *told)), pytest.raises(LineLost, match="is gone") as caught:
        all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (has_started, False)


@pytest.mark.parametrize("odd", [b"\x00\x00\x00\x02{}", b"\xff\xff\xff\xff"])
def test_a_trader_that_talks_nonsense_is_not_believed(folder: Path, odd: bytes) -> None:
    def behave(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()) + odd)
        line.recv(1 << 16)

    with trader(folder, behave), pytest.raises(LineLost, match="cannot be understood") as caught:
        all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (True, True)


def test_a_trader_that_stops_in_the_middle_does_not_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "PATIENCE", 0.1)

    def behave(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()))
        while line.recv(1 << 16):
            pass

    with trader(folder, behave), pytest.raises(LineLost, match="does not answer") as caught:
        all_of(folder)
    assert (caught.value.has_started, caught.value.is_silent) == (True, True)
