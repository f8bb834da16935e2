"""A command's side of a running trader: what it makes of whatever the trader says."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.adapters import control_client
from ibkr_trader.adapters.control import (
    Call,
    Done,
    Failed,
    Hello,
    Message,
    Refused,
    Started,
    Told,
    pack,
)
from ibkr_trader.adapters.control_server import Client
from ibkr_trader.cli.exits import Exit, Stopped, Unconfirmed
from ibkr_trader.cli.face import DeskCommand, Face
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.remote import Relayed, at_the_trader, pack_reply, unpack_reply
from ibkr_trader.config.sources import TABLES
from ibkr_trader.core.errors import AccountLocked, OutcomeUnknown
from tests.adapters.control_parts import HELLO, Serve, door, says, trader

REPLY = Reply(
    schema="x/1",
    data={"price": Decimal("150.10"), "none": None, "at": "2026-11-20"},
    blocks=["a line", Table(("A", "B"), (("1", "2"),), frozenset({"B"}))],
    exit=Exit.INCOMPLETE,
)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


async def nothing() -> None:
    """The body of a command that is never run here."""


def command(*, changes: bool = True) -> DeskCommand:
    return DeskCommand(
        name="x.do", body=nothing, options={}, required=frozenset(), changes=changes, is_alone=True
    )


def face(folder: Path, *, json: bool = False, yes: bool = False, dry_run: bool = False) -> Face:
    """A face whose profile's folder is `folder`."""
    words = ["do", "it"]
    return Face(data_dir=str(folder), arguments=words, json=json, yes=yes, dry_run=dry_run)


async def through(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, *, changes: bool = True, **options: bool
) -> Reply | None:
    """Run a command at a door that serves in a way of its own."""
    async with door(serve) as folder:
        monkeypatch.setattr(Face, "place", lambda _: Place(folder))
        return await asyncio.to_thread(
            at_the_trader, face(folder, **options), command(changes=changes), {"symbol": "AAPL"}
        )


class Place:
    """Where a door was opened: in no profile's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


@pytest.mark.parametrize("json", [True, False])
def test_a_reply_comes_over_in_the_form_that_is_shown(*, json: bool) -> None:
    sent = pack_reply(REPLY, json=json)
    back = unpack_reply(sent)
    assert (back.schema, back.exit) == ("x/1", Exit.INCOMPLETE)
    if json:
        assert msgspec.json.encode(back.data) == b'{"price":"150.10","none":null,"at":"2026-11-20"}'
    else:
        assert back.blocks == REPLY.blocks


def test_a_dashboard_has_both_forms() -> None:
    back = unpack_reply(pack_reply(REPLY, json=True, both=True))
    assert msgspec.json.encode(back.data) == b'{"price":"150.10","none":null,"at":"2026-11-20"}'
    assert back.blocks == REPLY.blocks


async def test_the_call_says_all_that_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[Call] = []
    file = tmp_path / "config.toml"
    file.write_text("".join(f"[{table}]\n" for table in TABLES))  # the trader reads them itself
    monkeypatch.setenv("IBKR_CONFIG", str(file))

    async def serve(call: Call, client: Client) -> Done:
        calls.append(call)
        return pack_reply(REPLY, json=call.json)

    monkeypatch.setenv("IBKR_CLIENT_ID", "7")
    reply = await through(serve, monkeypatch, json=True, dry_run=True)
    assert reply is not None
    (call,) = calls
    assert call == Call(
        command="x.do",
        options={"symbol": "AAPL"},
        json=True,
        dry_run=True,
        settings={"client_id": ("7", "environment IBKR_CLIENT_ID")},
        arguments=["do", "it"],
    )


async def test_news_is_shown_where_it_belongs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def serve(call: Call, client: Client) -> Done:
        client.tell("soon")
        client.tell("by the way", is_note=True)
        return pack_reply(REPLY, json=False)

    await through(serve, monkeypatch)
    assert capsys.readouterr() == ("soon\n", "by the way\n")


async def test_a_question_is_answered_by_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(call: Call, client: Client) -> Done:
        await client.ask("Sure?")
        return pack_reply(REPLY, json=False)

    assert await through(serve, monkeypatch, yes=True) is not None


async def test_a_question_that_nobody_can_answer_ends_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = asyncio.Event()

    async def serve(call: Call, client: Client) -> Done:
        try:
            await client.ask("Sure?")
        finally:
            ended.set()
        return pack_reply(REPLY, json=False)

    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(BaseExceptionGroup) as caught:
        await through(serve, monkeypatch)
    assert caught.group_contains(Unconfirmed, match="no terminal")
    assert ended.is_set()


async def test_an_error_comes_over_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(code="rejected", message="no margin", exit_code=5, hint="less")

    async def serve(call: Call, client: Client) -> Failed:
        return Failed(failure=msgspec.Raw(msgspec.json.encode(failure)))

    with pytest.raises(BaseExceptionGroup) as caught:
        await through(serve, monkeypatch)
    (error,) = caught.value.exceptions
    assert isinstance(error, Relayed)
    assert (error.message, error.hint) == ("no margin", "less")
    assert msgspec.json.decode(error.failure, type=Failure) == failure


def at_a_trader_that_says(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, *messages: Message, **how: bool
) -> Reply | None:
    monkeypatch.setattr(Face, "place", lambda _: Place(tmp))
    changes = how.pop("changes", True)
    with trader(tmp, says(*messages)):
        return at_the_trader(face(tmp, **how), command(changes=changes), {})


def test_without_a_trader_it_is_done_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Face, "place", lambda _: Place(tmp_path))
    assert at_the_trader(face(tmp_path), command(), {}) is None


def test_settings_that_cannot_be_read_are_the_commands_own_affair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IBKR_CONFIG", str(tmp_path / "nowhere.toml"))
    assert at_the_trader(face(tmp_path), command(), {}) is None


@pytest.mark.parametrize(
    ("told", "how", "is_unknown"),
    [
        ((Started(),), {}, True),
        ((Started(), Told(text="x")), {}, True),
        ((), {}, False),  # it had not begun
        ((Started(),), {"dry_run": True}, False),
        ((Started(),), {"changes": False}, False),
    ],
)
def test_a_trader_that_dies_leaves_no_doubt_but_where_there_is_one(
    short_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: tuple[Message, ...],
    how: dict[str, bool],
    *,
    is_unknown: bool,
) -> None:
    if is_unknown:
        with pytest.raises(OutcomeUnknown, match="it may have been sent") as caught:
            at_a_trader_that_says(short_folder, monkeypatch, HELLO, *told, **how)
        assert caught.value.hint == "ibkr-trader reconcile --plan"
    else:
        assert at_a_trader_that_says(short_folder, monkeypatch, HELLO, *told, **how) is None


def test_a_trader_that_is_silent_is_not_gone(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "PATIENCE", 0.1)
    monkeypatch.setattr(Face, "place", lambda _: Place(short_folder))

    def stuck(line: socket.socket) -> None:
        line.sendall(pack(HELLO) + pack(Started()))
        while line.recv(1 << 16):
            pass

    with trader(short_folder, stuck), pytest.raises(AccountLocked, match="does not answer"):
        at_the_trader(face(short_folder), command(changes=False), {})


def test_a_trader_that_refuses_is_told(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccountLocked, match="full up"):
        at_a_trader_that_says(short_folder, monkeypatch, HELLO, Refused(message="full up"))


def test_what_was_not_expected_is_no_answer(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Hello(protocol=1, version="", pid=1, since=HELLO.since)
    with pytest.raises(AccountLocked, match="does not expect"):
        at_a_trader_that_says(short_folder, monkeypatch, HELLO, odd)


@pytest.mark.parametrize(
    ("stop", "number"), [(KeyboardInterrupt(), 2), (SystemExit(143), 15), (SystemExit(129), 1)]
)
def test_a_signal_ends_the_wait(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, number: int
) -> None:
    def interrupt(_: object, __: str) -> None:
        raise stop

    monkeypatch.setattr(Face, "tell", interrupt)
    with pytest.raises(Stopped) as caught:
        at_a_trader_that_says(short_folder, monkeypatch, HELLO, Started(), Told(text="x"))
    assert caught.value.number == number == signal.Signals(number)


def test_another_exit_is_left_alone(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: object, __: str) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(Face, "tell", leave)
    with pytest.raises(SystemExit) as caught:
        at_a_trader_that_says(short_folder, monkeypatch, HELLO, Started(), Told(text="x"))
    assert caught.value.code == 3
