"""What a running trader does for others, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ibkr_trader.cli import logs, serving
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from tests.cli.serving_parts import counter, enter, own_commands


@pytest.fixture
def entered() -> Iterator[None]:
    """Let a test enter commands of its own, and take them out again."""
    with own_commands():
        yield


async def test_a_declared_command_is_run_on_the_traders_desk(settings: Settings) -> None:
    async with counter(settings) as ask:
        sent = await ask("look.orders", options={"order_id": "", "symbol": "", "everything": False})
        assert isinstance(sent, Sent)
        assert sent.schema == "orders/1"
        assert str(sent.blocks[0]).startswith("SIM SIM0000001  no open orders")
        sent = await ask("look.status", json=True)
        assert isinstance(sent, Sent)
        assert sent.blocks == []
        assert b'"trader":{"pid":' in bytes(sent.data)


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("setup.config show", {}, "knows no command"),
        ("run.run", {"headless": True}, "knows no command"),
        ("__import__", {}, "knows no command"),
        ("look.orders", {"face": "x"}, "takes other options for look.orders: "),
        ("orders.order", {"symbol": "AAPL"}, "takes other options"),
        ("look.orders", {"symbol": True}, "Expected `str`, got `bool`"),
        ("look.quote", {"symbols": "AAPL"}, "Expected `array`, got `str`"),
        ("look.orders", {"everything": "yes"}, "Expected `bool`, got `str`"),
    ],
)
async def test_nothing_else_can_be_called(
    settings: Settings, command: str, options: dict[str, Any], words: str
) -> None:
    async with counter(settings) as ask:
        failure = await ask(command, options=options)
    assert isinstance(failure, Failure)
    assert failure.code == "usage"
    assert words in failure.message


async def test_the_body_reads_its_options_as_strictly_as_anywhere(settings: Settings) -> None:
    words = ["quote", "AAPL", "--timeout", "soon"]
    async with counter(settings) as ask:
        failure = await ask(
            "look.quote", options={"symbols": ["AAPL"], "timeout": "soon"}, arguments=words
        )
    assert isinstance(failure, Failure)
    assert failure.hint == "ibkr-trader quote AAPL --timeout 30"


async def test_a_bug_in_a_command_is_its_clients_business(
    settings: Settings, entered: None
) -> None:
    async def broken(face: Face) -> Reply:
        raise ZeroDivisionError

    async def speechless(face: Face) -> None:
        return None

    enter("x.broken", broken)
    enter("x.speechless", speechless)
    async with counter(settings) as ask:
        for name in ("x.broken", "x.speechless"):
            failure = await ask(name)
            assert isinstance(failure, Failure)
            assert (failure.code, failure.exit_code) == ("bug", 1)
            assert f"its traceback is in {settings.data_dir}" in failure.message
        assert isinstance(await ask("look.fills", options={"symbol": ""}), Sent)
    assert "ZeroDivisionError" in (settings.data_dir / logs.FILE).read_text()


async def test_questions_and_news_go_to_the_client(settings: Settings, entered: None) -> None:
    async def curious(face: Face) -> Reply:
        face.tell("well")
        await face.ask("Really?")
        return Reply(schema="x/1", data={}, blocks=[])

    async def hasty(face: Face) -> Reply:
        face.confirm("Really?")
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.curious", curious)
    enter("x.hasty", hasty)
    async with counter(settings) as ask:
        assert isinstance(await ask("x.curious"), Sent)
        assert (ask.terminal.told, ask.terminal.asked) == (["well"], ["Really?"])
        assert isinstance(await ask("x.curious", yes=True), Sent)
        assert len(ask.terminal.asked) == 1
        failure = await ask("x.hasty")
        assert isinstance(failure, Failure)
        assert failure.code == "confirmation_needed"
        assert isinstance(await ask("x.hasty", yes=True), Sent)


async def test_what_is_not_whole_in_each_step_takes_turns(
    settings: Settings, entered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "TURN_PATIENCE", 0.05)
    may_end, steps = asyncio.Event(), []

    async def slow(face: Face) -> Reply:
        steps.append("begins")
        await may_end.wait()
        steps.append("ends")
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.slow", slow, is_alone=True)
    enter("x.beside", slow)
    async with counter(settings) as ask, asyncio.TaskGroup() as group:
        first = group.create_task(ask("x.slow"))
        await asyncio.sleep(0)
        second = await ask("x.slow")
        assert isinstance(second, Failure)
        assert (second.code, steps) == ("account_locked", ["begins"])
        beside = group.create_task(ask("x.beside"))
        preview = group.create_task(ask("x.slow", dry_run=True))
        await asyncio.sleep(0)
        assert steps == ["begins"] * 3  # what may run beside it does; so does what only looks
        may_end.set()
        assert {type(await one) for one in (first, beside, preview)} == {Sent}
        assert isinstance(await ask("x.slow"), Sent)  # the turn is free again


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"client_id": "7"}, "client_id is 7, and the running trader's is 1"),
        ({"client_id": "many"}, "client_id: 'many'"),
        ({"account": "DU1234567"}, "account is DU1234567, and the running trader's is None"),
    ],
)
async def test_settings_that_contradict_are_refused(
    settings: Settings, given: dict[str, str], words: str
) -> None:
    texts = {name: (text, "environment X") for name, text in given.items()}
    async with counter(settings) as ask:
        failure = await ask("look.status", settings=texts)
    assert isinstance(failure, Failure)
    assert failure.code == "config"
    assert f"environment X: {words}" in failure.message


async def test_settings_that_agree_or_do_not_matter_pass(settings: Settings) -> None:
    given = {"client_id": "1", "reconnect_max_attempts": "9", "port": "7497", "readonly": "true"}
    texts = {name: (text, f"environment {name}") for name, text in given.items()}
    async with counter(settings) as ask:
        assert isinstance(await ask("look.status", settings=texts), Sent)
        assert ask.terminal.told == ["(warning: environment port is ignored by the profile sim)"]


async def test_who_may_only_look_changes_nothing(settings: Settings, entered: None) -> None:
    async def done(face: Face) -> Reply:
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.done", done)
    enter("x.look", done, changes=False)
    texts = {"readonly": ("true", "environment IBKR_READONLY")}
    async with counter(settings) as ask:
        failure = await ask("x.done", settings=texts)
        assert isinstance(failure, Failure)
        assert (failure.code, failure.exit_code) == ("risk_denied", 6)
        assert isinstance(await ask("x.done", settings=texts, dry_run=True), Sent)
        assert isinstance(await ask("x.look", settings=texts), Sent)


async def test_the_client_brings_its_own_patience(settings: Settings, entered: None) -> None:
    found: list[float] = []

    async def patient(face: Face) -> Reply:
        found.append(face.settings().timeout_seconds)
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.patient", patient)
    async with counter(settings) as ask:
        await ask("x.patient")
        await ask("x.patient", settings={"timeout_seconds": ("7", "environment X")})
    assert found == [30, 7]
