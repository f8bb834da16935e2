"""`signal send`: what is typed, what came of it, and the exit code that says so."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.cli import signalling
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from ibkr_trader.core import events as ev
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.strategist import Strategist
from tests.adapters.journal_parts import open_journal
from tests.cli.conftest import CommandLine
from tests.cli.serving_parts import Counter, counter
from tests.execution.parts import INSTALL, DeafBroker
from tests.execution.strategy_stage import ENTRY, StrategyFloor, entries, told


async def sent(ask: Counter, action: str = "buy", **options: str) -> tuple[Exit, dict[str, Any]]:
    """Send a signal of AAPL and return its exit code with what scripts are told."""
    typed: dict[str, Any] = {"symbol": "AAPL", "action": action, "confidence": "0.9", **options}
    reply = await ask("signal.send", options=typed, json=True)
    assert isinstance(reply, Sent), reply
    return reply.exit, json.loads(bytes(reply.data))


def at(desk: Strategist, settings: Settings) -> Counter:
    return Counter(Desk(desk.trader), settings)


async def test_each_outcome_has_its_words_and_its_exit_code(settings: Settings) -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        ask = at(desk, settings)
        code, said = await sent(ask, "sell", signal_id="a")
        assert (code, said["outcome"], said["code"]) == (Exit.DONE, "nothing", "")
        code, said = await sent(ask, signal_id="b")
        assert (code, said["outcome"]) == (Exit.DONE, "acted")
        assert said["signal"] == {"source": "cli", "id": "b", "symbol": "AAPL"}
        assert len(said["decisions"]) == 1
        code, said = await sent(ask, signal_id="b")
        assert (code, said["code"]) == (Exit.DONE, "duplicate")
        await floor.filled(desk, 10)
        code, said = await sent(ask, "short", signal_id="c")
        assert (code, said["outcome"]) == (Exit.DENIED, "refused")
        assert "never flips" in said["reasons"][0]
        code, said = await sent(ask, confidence="0.1")
        assert (code, said["code"]) == (Exit.DENIED, "low_confidence")
        assert len(entries(desk)) == 1


async def test_what_nobody_knows_ends_with_ten_and_is_not_to_be_repeated(
    settings: Settings,
) -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        desk.rules.timeout = 0.05
        desk.trader.broker.__class__ = DeafBroker
        reply = await at(desk, settings)(
            "signal.send", options={"symbol": "AAPL", "action": "buy", "confidence": "1"}
        )
        assert isinstance(reply, Sent)
        assert reply.exit is Exit.UNKNOWN
        head, *rest = reply.blocks
        assert "nobody knows what came of it" in str(head)
        assert rest[-1] == "Do not send it again. Next: ibkr-trader reconcile --plan"


async def test_two_typed_at_once_without_a_name_are_two(settings: Settings) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ENTRY, journal=journal) as desk:
        ask = at(desk, settings)
        async with asyncio.TaskGroup() as tasks:
            works = [tasks.create_task(sent(ask, action)) for action in ("buy", "sell")]
        assert [work.result()[1]["code"] for work in works] == ["", ""]
    async with floor.strategist(ENTRY, journal=journal) as desk:  # nor after a restart
        _, said = await sent(at(desk, settings), "sell")
        assert said["code"] == ""
    names = [one.signal_id for one in told(journal, ev.PredictionSignalEvent)]
    assert len(set(names)) == len(names) == 3


async def test_a_name_is_not_given_again_after_a_restart_though_nothing_came_of_it(
    settings: Settings, tmp_path: Path
) -> None:
    for _ in range(2):
        floor = StrategyFloor()
        with closing(open_journal(tmp_path / "journal.db")) as journal:
            async with floor.strategist(ENTRY, journal=journal) as desk:
                _, said = await sent(at(desk, settings), confidence="0.8")  # no rule wants it
                assert (said["outcome"], said["code"], said["decisions"]) == ("nothing", "", [])


async def test_without_strategies_there_is_nobody_to_send_it_to(settings: Settings) -> None:
    async with counter(settings) as ask:
        reply = await ask("signal.send", options={"symbol": "AAPL", "action": "buy"})
        assert isinstance(reply, Failure)
        assert "no trader runs here" in reply.message
        assert reply.hint == "ibkr-trader run --strategy FILE"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--action hold", "--action"),
        ("--action", "--action"),
        ("--action buy --confidence 1.1", "--confidence '1.1' must be a figure from 0 to 1"),
        ("--action buy --confidence -0.1", "--confidence"),
        ("--action buy --confidence nan", "--confidence"),
        ("--action buy --confidence 9e-1", "--confidence"),
        ("--action buy --confidence \u0660", "--confidence"),
        ("--action buy --price 0", "--price"),
        ("--action buy --price many", "--price"),
        ("--action buy --id a/b", "--id 'a/b' must have 1 to 64 letters"),
        (f"--action buy --id {'x' * 65}", "--id"),
    ],
)
def test_what_is_typed_wrong_is_named_and_nothing_is_sent(
    options: str, named: str, cli: CommandLine
) -> None:
    found = cli(f"signal send --symbol AAPL {options}")
    assert found.code == Exit.USAGE, found
    assert named in found.err
    assert not (cli.data / "sim" / "gateway").exists()


@pytest.mark.parametrize("text", ["0", "1", "1.0", "0.91", ".5", " 0.5 ", "0.000000001"])
def test_a_confidence_from_nothing_to_all_is_read(text: str) -> None:
    assert 0 <= signalling.confidence(text) <= 1


@pytest.mark.parametrize("text", ["", "1.01", "2", "01", "1.", "+1", "0,9", "1e0", "Infinity"])
def test_what_is_no_confidence_is_refused(text: str) -> None:
    with pytest.raises(UsageFault, match="must be a figure from 0 to 1"):
        signalling.confidence(text)


def test_a_name_is_kept_as_it_is_typed() -> None:
    assert [signalling.name(one) for one in ("", "a:b.c_d-1", "x" * 64)] == [
        "", "a:b.c_d-1", "x" * 64,
    ]  # fmt: skip
