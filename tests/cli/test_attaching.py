"""A dashboard at a trader: a real desk, a real door, a real line; and traders that misbehave."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters.control import (
    Call,
    Done,
)
from ibkr_trader.cli.attaching import WATCH, TraderLink
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.remote import pack_reply
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.events import OperatorEvent
from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.inputs import Outcome
from ibkr_trader.dashboard.scene import Glimpse, Head
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from tests.adapters.control_parts import door
from tests.cli.serving_parts import enter, own_commands, settings_in
from tests.execution.parts import Floor, request

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
GLIMPSE = Glimpse(
    head=Head(profile="sim", account="SIM0000001", state="ACTIVE", now=NOW, heat=Decimal("1.50"))
)
PREVIEW: dict[str, Any] = {"preview": True}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def entered() -> Iterator[None]:
    with own_commands():
        yield


def link(folder: Path, **more: Any) -> TraderLink:
    return TraderLink(folder, operator="anna", **more)


def act(command: str = "x.act", **more: Any) -> Act:
    return Act(call=1, command=command, **more)


async def nobody(question: str, is_typed: bool) -> str | None:
    raise AssertionError(question)


@asynccontextmanager
async def desk(tmp_path: Path) -> AsyncIterator[tuple[Path, Trader]]:
    """A trader with its clerk behind a door, as `run` has them."""
    with settings_in(tmp_path) as settings:
        async with Floor().trader() as at_work:
            clerk = Clerk(Desk(at_work), settings, TraderCard(at_work))
            async with door(clerk.serve, watches=clerk.watches) as folder:
                yield folder, at_work


# -- watching -----------------------------------------------------------------------------------


async def test_what_is_streamed_is_seen(tmp_path: Path) -> None:
    more, left = asyncio.Event(), asyncio.Event()

    async def watch(face: Any) -> Reply:
        try:
            face.stream(msgspec.json.encode(GLIMPSE))
            await more.wait()
            assert face.stream(msgspec.json.encode(msgspec.structs.replace(GLIMPSE, events=7)))
            await asyncio.Event().wait()
        finally:
            left.set()
        return Reply(schema="x/1", data={}, blocks=[])

    async with desk(tmp_path) as (folder, at_work):
        enter(WATCH, watch, changes=False, streams=True)
        async with aclosing(link(folder).watch()) as glimpses:
            assert await anext(glimpses) == GLIMPSE
            more.set()
            assert (await anext(glimpses)).events == 7
        async with asyncio.timeout(20):
            await left.wait()  # closing it hangs up
        assert not [one for _, one in at_work.journal.messages() if isinstance(one, OperatorEvent)]


# -- acting -------------------------------------------------------------------------------------


async def test_an_order_is_cancelled_and_it_is_on_record_who_did(tmp_path: Path) -> None:
    async with desk(tmp_path) as (folder, at_work):
        resting = await Desk(at_work).submit_order(request(limit="140.00"))
        asked = act(
            "revise.cancel",
            options={
                "orders": [resting.order_id], "symbol": "", "everything": False, "timeout": "",
            },
            words="cancel 1-single",
        )  # fmt: skip
        dry = await link(folder).act(msgspec.structs.replace(asked, looks=True), answer=nobody)
        assert (dry.is_done, dry.data["sent"]) == (True, False)
        assert resting.order_id in at_work.portfolio.orders, "what only looks is held to that"
        done = await link(folder).act(asked, answer=nobody)
        known = at_work.portfolio.order(resting.order_id)
        assert known is not None
        assert known.status is OrderStatus.CANCELLED
        (pressed,) = (m for _, m in at_work.journal.messages() if isinstance(m, OperatorEvent))
    assert (done.is_done, done.code, done.is_unknown) == (True, "", False)
    assert any("SIM SIM0000001" in line for line in done.lines)
    assert any("CANCELLED" in line for line in done.lines), done.lines
    assert done.data["orders"][0]["status"] == "CANCELLED"
    assert (pressed.operator, pressed.action, pressed.command) == (
        "anna",
        "cancel 1-single",
        "revise.cancel",
    )


async def test_an_error_is_told_with_its_reasons_and_what_helps(tmp_path: Path) -> None:
    async with desk(tmp_path) as (folder, _):
        order: dict[str, Any] = {"symbol": "AAPL", "quantity": "1000000", "side": "buy"}
        limit: dict[str, Any] = {"no_stop": True, "kind": "limit", "limit": "140"}
        denied = await link(folder).act(act("orders.order", options=order | limit), answer=nobody)
        unknown = await link(folder).act(act("x.nothing"), answer=nobody)
    assert (denied.is_done, denied.code, denied.is_unknown) == (False, "risk_denied", False)
    assert denied.lines[0] == "denied by our risk checks; nothing was sent"
    assert any(line.startswith("order_quantity: ") for line in denied.lines), denied.lines
    assert denied.lines[-1].startswith("fix: ")
    assert (unknown.is_done, unknown.code) == (False, "usage")


async def test_what_whoever_sits_there_may_not_do_is_not_done(tmp_path: Path) -> None:
    readonly = {"readonly": ("true", "environment IBKR_READONLY")}
    async with desk(tmp_path) as (folder, at_work):
        options: dict[str, Any] = {
            "orders": [], "symbol": "", "everything": True, "timeout": "",
        }  # fmt: skip
        found = await link(folder, settings=readonly).act(
            act("revise.cancel", options=options), answer=nobody
        )
        assert not [one for _, one in at_work.journal.messages() if isinstance(one, OperatorEvent)]
    assert (found.is_done, found.code) == (False, "risk_denied")


REPLY = Reply(
    schema="x/1",
    data={"price": Decimal("150.10")},
    blocks=["a \x1b[31mline\n", Table(("NAME", "PRICE"), (("a\x07", "1"),), frozenset({"PRICE"}))],
    exit=Exit.INCOMPLETE,
)


async def test_news_and_reply_become_lines_that_cannot_steer_a_terminal(tmp_path: Path) -> None:
    found: list[tuple[bool, bool, bool]] = []

    async def body(face: Face) -> Reply:
        found.append((face.is_attended, face.yes, face.dry_run))
        face.tell("so\x1b[2J far")
        return REPLY

    async with desk(tmp_path) as (folder, _):
        enter("x.act", body)
        outcome = await link(folder).act(act(), answer=nobody)
    assert outcome == Outcome(
        is_done=False,
        code="incomplete",
        lines=("so[2J far", "a [31mline", "NAME  PRICE", "a         1"),
        data={"price": "150.10"},
    )
    assert found == [(True, False, False)]


async def test_questions_reach_the_person_and_the_answers_the_command(tmp_path: Path) -> None:
    asked: list[tuple[str, bool]] = []

    async def body(face: Face) -> Reply:
        await face.ask("Send \x1b[2Jit?")
        await face.ask_typed("Type FLATTEN:", "FLATTEN")
        return Reply(schema="x/1", data={}, blocks=["done"])

    async def answer(question: str, is_typed: bool) -> str | None:
        asked.append((question, is_typed))
        return "FLATTEN" if is_typed else ""

    async with desk(tmp_path) as (folder, _):
        enter("x.act", body)
        outcome = await link(folder).act(act(), answer=answer)
    assert outcome == Outcome(is_done=True, lines=("done",))
    assert asked == [("Send [2Jit?", False), ("Type FLATTEN:", True)]


async def test_who_says_no_hangs_up_and_the_command_does_not_go_on(tmp_path: Path) -> None:
    went_on, ended = asyncio.Event(), asyncio.Event()

    async def body(face: Face) -> Reply:
        try:
            face.tell("halted already")
            await face.ask("Close all?")
            went_on.set()
        finally:
            ended.set()
        return Reply(schema="x/1", data={}, blocks=[])

    async def no(question: str, is_typed: bool) -> str | None:
        return None

    async with desk(tmp_path) as (folder, _):
        enter("x.act", body)
        outcome = await link(folder).act(act(), answer=no)
        async with asyncio.timeout(20):
            await ended.wait()
    assert (outcome.is_done, outcome.code) == (False, "confirmation_needed")
    assert outcome.lines == ("Not agreed to: it did not go on", "halted already")
    assert not outcome.is_unknown
    assert not went_on.is_set()


async def test_an_act_that_is_given_up_is_cancelled_at_the_trader(tmp_path: Path) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def body(face: Face) -> Reply:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return REPLY

    async with desk(tmp_path) as (folder, _):
        enter("x.act", body)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(link(folder).act(act(), answer=nobody))
            await began.wait()
            task.cancel()
        async with asyncio.timeout(20):
            await ended.wait()


async def test_the_call_says_who_and_what(folder: Path) -> None:
    calls: list[Call] = []

    async def serve(call: Call, client: object) -> Done:
        calls.append(call)
        return pack_reply(REPLY, json=True, both=True)

    async with door(serve) as where:
        asked = act("revise.cancel", options={"symbol": "AAPL"}, words="cancel AAPL")
        await link(where, utc=True, settings={"x": ("1", "y")}).act(asked, answer=nobody)
        looks = act("orders.order", options=PREVIEW, looks=True)
        await link(where).act(looks, answer=nobody)
    assert calls[0] == Call(
        command="revise.cancel",
        options={"symbol": "AAPL"},
        json=True,
        both=True,
        utc=True,
        is_attended=True,
        operator="anna",
        words="cancel AAPL",
        settings={"x": ("1", "y")},
        arguments=["cancel"],
    )
    assert not calls[1].dry_run, "a preview is one by itself, and refuses to be told so twice"
