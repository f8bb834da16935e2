"""Who acts at a dashboard is on record before anything is done; who watches waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.control import Call
from ibkr_trader.cli.face import DESK_COMMANDS, Face
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.events import NewOrderEvent, OperatorEvent
from tests.cli.serving_parts import Counter, counter, enter, own_commands
from tests.execution.parts import INSTALL, FullDisk, request


@pytest.fixture
def entered() -> Iterator[None]:
    """Let a test enter commands of its own, and take them out again."""
    with own_commands():
        yield


CANCEL = {"orders": ["12-stop"], "symbol": "", "everything": False, "timeout": ""}


def pressed(ask: Counter) -> list[OperatorEvent]:
    journal = ask.desk.trader.journal
    return [one for _, one in journal.messages() if isinstance(one, OperatorEvent)]


async def test_who_acts_is_on_disk_before_anything_is_done(
    settings: Settings, entered: None
) -> None:
    known: list[list[OperatorEvent]] = []

    async def act(face: Face) -> Reply:
        known.append(pressed(ask))
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.act", act)
    async with counter(settings) as ask:
        assert isinstance(await ask("x.act", operator="anna", words="cancel\n 12-stop"), Sent)
        assert isinstance(await ask("x.act", operator="bo"), Sent)
        assert isinstance(await ask("x.act"), Sent)
        at = ask.desk.trader.clock.now()
    first, second = (
        OperatorEvent(at=at, operator=who, action=what, command="x.act")
        for who, what in (("anna", "cancel 12-stop"), ("bo", "x.act"))
    )
    assert known == [[first], [first, second], [first, second]], "a command line names nobody"


@pytest.mark.parametrize(
    ("command", "call", "is_recorded"),
    [
        ("revise.cancel", {"options": CANCEL}, True),  # there is no such order: it was asked for
        ("revise.cancel", {"options": CANCEL, "dry_run": True}, False),
        ("revise.cancel", {"options": {**CANCEL, "price": "1"}}, False),  # never came so far
        ("kill.resume", {"options": {"reason": "well", "symbol": ""}}, True),
        ("protect.cover", {"options": {"fix": True, "timeout": ""}}, True),
        ("protect.cover", {"options": {"fix": False, "timeout": ""}}, False),
        ("risk.limits-look", {}, True),
        ("risk.limits-look", {"dry_run": True}, True),  # its body knows of no dry run
        ("look.status", {}, False),
        ("risk.limits", {"options": {"symbol": "", "restore": False}}, False),
    ],
)
async def test_what_acts_is_recorded_and_what_looks_is_not(
    settings: Settings, command: str, call: dict[str, Any], *, is_recorded: bool
) -> None:
    async with counter(settings) as ask:
        await ask(command, operator="anna", **call)
        assert [one.command for one in pressed(ask)] == [command] * is_recorded


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_halt_is_an_act(settings: Settings, *, dry_run: bool) -> None:
    options = {"reason": "me", "symbol": "", "keep_entries": True, "flatten": False, "timeout": ""}
    async with counter(settings) as ask:
        sent = await ask("kill.halt-here", options=options, operator="anna", dry_run=dry_run)
        assert isinstance(sent, Sent)
        assert len(pressed(ask)) == (not dry_run)


def test_every_command_that_changes_something_is_an_act() -> None:
    """A new command cannot be forgotten: what is no act is on this list of what only looks."""
    given = {"fix": True, "restore": True, "apply": "K7QAV2X"}
    looks = {
        name
        for name, one in DESK_COMMANDS.items()
        if not one.does({key: given.get(key) for key in one.options}, dry_run=False)
    }
    assert {name for name in looks if name.partition(".")[0] not in {"look", "screen"}} == {
        "alarms.alarms",
        "correlation.correlations",
        "heat.heat",
        "setup.deep-desk-check",
        "setup.desk-check",
        "strategy.list",
        "why.why",
    }
    orders = DESK_COMMANDS["orders.order"]
    assert not orders.does({"preview": True}, dry_run=False)
    assert orders.does({"preview": False}, dry_run=False)


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "line\nbreak", "x" * 65, " ", "anna ", "a\u202eb"])
async def test_a_name_that_could_do_harm_is_refused(
    settings: Settings, entered: None, name: str
) -> None:
    ran: list[str] = []

    async def act(face: Face) -> Reply:
        ran.append(name)
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.act", act)
    async with counter(settings) as ask:
        failure = await ask("x.act", operator=name)
        assert isinstance(failure, Failure)
        assert (failure.code, ran, pressed(ask)) == ("usage", [], [])
        assert isinstance(await ask("x.act", operator="x" * 64), Sent)


async def test_a_full_disk_stops_no_way_out_and_every_way_in(settings: Settings) -> None:
    disk = FullDisk(INSTALL)
    order = {"symbol": "AAPL", "quantity": "1", "side": "buy", "no_stop": True, "kind": "limit"}
    async with counter(settings, disk) as ask:
        resting = await ask.desk.submit_order(request(limit="140.00"))
        disk.is_full = True
        options = {**CANCEL, "orders": [resting.order_id]}
        sent = await ask("revise.cancel", options=options, operator="anna", words="cancel it")
        assert isinstance(sent, Sent)
        done = ask.desk.trader.portfolio.order(resting.order_id)
        assert done is not None
        assert done.status is OrderStatus.CANCELLED
        failure = await ask("orders.order", options={**order, "limit": "140"}, operator="anna")
        assert isinstance(failure, Failure)
        assert (failure.code, pressed(ask)) == ("risk_denied", [])
        disk.is_full = False
        assert isinstance(await ask("risk.limits-look", operator="bo"), Sent)
        assert [one.operator for one in pressed(ask)] == ["anna", "anna", "bo"], "all that is owed"
        placed = [one for _, one in disk.messages() if isinstance(one, NewOrderEvent)]
        assert [one.order_id for one in placed] == [resting.order_id]


async def test_a_call_may_ask_for_both_forms(settings: Settings) -> None:
    async with counter(settings) as ask:
        sent = await ask("look.status", json=True, both=True)
        assert isinstance(sent, Sent)
        assert b'"trader":{"pid":' in bytes(sent.data)
        assert sent.blocks


async def test_a_screen_waits_for_nobody(settings: Settings, entered: None) -> None:
    """Neither for the broker, who may be slow, nor for the turn of what changes the account."""
    may_end, seen = asyncio.Event(), asyncio.Event()

    async def slow(face: Face) -> Reply:
        await may_end.wait()
        return Reply(schema="x/1", data={}, blocks=[])

    async def watch(face: Face) -> Reply:
        seen.set()
        return Reply(schema="x/1", data={}, blocks=[])

    enter("x.slow", slow, is_alone=True)
    enter("x.watch", watch, changes=False, streams=True, believes=True)
    async with counter(settings) as ask, asyncio.TaskGroup() as group:
        trader = ask.desk.trader

        async def never() -> None:
            await may_end.wait()

        group.create_task(ask("x.slow"))
        await asyncio.sleep(0)
        trader.drift._look_up = never
        assert isinstance(trader.clock, ManualClock)
        trader.clock.advance(10)  # what the broker told is old by now
        assert ask.clerk.watches(Call(command="x.watch"))
        assert not ask.clerk.watches(Call(command="x.slow"))
        assert not ask.clerk.watches(Call(command="x.nothing"))
        async with asyncio.timeout(20):
            assert isinstance(await ask("x.watch"), Sent)
        assert seen.is_set()
        may_end.set()
