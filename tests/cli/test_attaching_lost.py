"""What a dashboard makes of traders that are gone, stuck, full, or talk nonsense."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters import control_line
from ibkr_trader.adapters.control import (
    Asked,
    Done,
    Failed,
    Message,
    Refused,
    Seen,
    Started,
    Told,
    pack,
)
from ibkr_trader.adapters.control_client import LineLost
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remote import Relayed, pack_reply
from ibkr_trader.core.errors import AccountLocked
from tests.adapters.control_parts import HELLO, says, trader
from tests.cli.test_attaching import GLIMPSE, PREVIEW, act, link, nobody


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


async def test_watching_ends_with_the_trader(folder: Path) -> None:
    seen = Seen(glimpse=msgspec.Raw(msgspec.json.encode(GLIMPSE)))
    with trader(folder, says(HELLO, Started(), seen)):
        glimpses = link(folder).watch()
        assert await anext(glimpses) == GLIMPSE
        with pytest.raises(LineLost, match="is gone"):
            await anext(glimpses)


@pytest.mark.parametrize(
    ("messages", "kind", "words"),
    [
        ((Refused(message="8 dashboards watch"),), AccountLocked, "8 dashboards"),
        ((Started(), Seen(glimpse=msgspec.Raw(b'{"head":1}'))), LineLost, "cannot be understood"),
        ((Started(), Asked(question="?")), LineLost, "cannot be understood"),
        (
            (Started(), Failed(failure=msgspec.Raw(b'{"message":"no such command"}'))),
            Relayed,
            "no such command",
        ),
    ],
)
async def test_a_trader_that_lets_nobody_watch_says_why(
    folder: Path, messages: tuple[Message, ...], kind: type[Exception], words: str
) -> None:
    with trader(folder, says(HELLO, *messages)), pytest.raises(kind, match=words):
        await anext(link(folder).watch())


async def test_without_a_trader_there_is_nothing_to_watch(folder: Path) -> None:
    with pytest.raises(LineLost, match="no trader runs") as caught:
        await anext(link(folder).watch())
    assert caught.value.hint == "start one: ibkr-trader run"


async def test_a_person_who_thinks_is_not_kept_waiting_for_a_trader_that_is_gone(
    folder: Path,
) -> None:
    given_up = asyncio.Event()

    async def think(question: str, is_typed: bool) -> str | None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return None

    with trader(folder, says(HELLO, Started(), Asked(question="Sure?"))):
        async with asyncio.timeout(20):
            outcome = await link(folder).act(act(), answer=think)
    assert outcome.is_unknown
    assert given_up.is_set()


@pytest.mark.parametrize(
    ("told", "more", "is_unknown"),
    [
        ((Started(),), {}, True),
        ((Started(), Told(text="x")), {}, True),
        ((), {}, False),  # it had not begun
        ((Started(),), {"looks": True}, False),
        ((Started(),), {"options": PREVIEW}, False),
    ],
)
async def test_a_trader_that_dies_leaves_no_doubt_but_where_there_is_one(
    folder: Path, told: tuple[Message, ...], more: dict[str, Any], *, is_unknown: bool
) -> None:
    with trader(folder, says(HELLO, *told)):
        outcome = await link(folder).act(act(**more), answer=nobody)
    assert (outcome.is_done, outcome.is_unknown) == (False, is_unknown)
    assert "is gone" in outcome.lines[0]
    assert ("it may have been sent" in outcome.lines[0]) is is_unknown
    assert outcome.code == ("outcome_unknown" if is_unknown else "trader_lost")


async def test_a_trader_that_is_stuck_leaves_the_outcome_unknown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_line, "PATIENCE", 0.1)

    def stuck(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()))
        while line.recv(1 << 16):
            pass

    with trader(folder, stuck):
        outcome = await link(folder).act(act(), answer=nobody)
    assert outcome.is_unknown
    assert "does not answer, in the middle of this" in outcome.lines[0]


@pytest.mark.parametrize(
    "message",
    [
        Done(reply=msgspec.Raw(b'{"exit":0}')),
        Done(reply=msgspec.Raw(b'{"schema":"x/1","exit":0,"data":[]}')),
        Failed(failure=msgspec.Raw(b"[]")),
        Seen(glimpse=msgspec.Raw(b"{}")),
    ],
)
async def test_what_makes_no_sense_in_the_middle_is_no_answer(
    folder: Path, message: Message
) -> None:
    with trader(folder, says(HELLO, Started(), message)):
        outcome = await link(folder).act(act(), answer=nobody)
    assert (outcome.is_done, outcome.is_unknown) == (False, True)


async def test_what_the_trader_does_not_know_nobody_knows(folder: Path) -> None:
    failure = Failure(code="outcome_unknown", message="silence", exit_code=Exit.UNKNOWN)
    failed = Failed(failure=msgspec.Raw(msgspec.json.encode(failure)))
    with trader(folder, says(HELLO, Started(), failed)):
        outcome = await link(folder).act(act(), answer=nobody)
    assert (outcome.is_done, outcome.is_unknown, outcome.lines) == (False, True, ("silence",))
    reply = Reply(schema="x/1", data={}, blocks=["perhaps"], exit=Exit.UNKNOWN)
    with trader(folder, says(HELLO, Started(), pack_reply(reply, json=True, both=True))):
        outcome = await link(folder).act(act(), answer=nobody)
    assert (outcome.is_done, outcome.is_unknown, outcome.code) == (False, True, "unknown")


@pytest.mark.parametrize(
    ("messages", "code", "words"),
    [
        (None, "trader_lost", "no trader runs here"),
        ((HELLO, Refused(message="full up", hint="wait")), "account_locked", "full up"),
    ],
)
async def test_what_was_not_taken_was_not_begun(
    folder: Path, messages: tuple[Message, ...] | None, code: str, words: str
) -> None:
    if messages is None:
        outcome = await link(folder).act(act(), answer=nobody)
    else:
        with trader(folder, says(*messages)):
            outcome = await link(folder).act(act(), answer=nobody)
    assert (outcome.is_done, outcome.is_unknown, outcome.code) == (False, False, code)
    assert outcome.lines[0] == words
    assert outcome.lines[1].startswith("fix: ")
