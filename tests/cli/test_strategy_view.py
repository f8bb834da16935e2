"""`strategy list|promote|rollback` at the desk of a running trader."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.cli.strategies import StrategyShelf, read
from ibkr_trader.config import Settings
from ibkr_trader.execution.desk import Desk
from tests.cli.serving_parts import Counter, counter
from tests.execution.strategy_stage import ENTRY, StrategyFloor

NAME = "prediction-entry"


@asynccontextmanager
async def shelf(settings: Settings, path: Path, *, is_open: bool = True) -> AsyncIterator[Counter]:
    """A counter at a trader with the strategy of a file."""
    path.write_text(ENTRY)
    async with StrategyFloor().strategist() as desk:
        ask = Counter(Desk(desk.trader), settings)
        made = StrategyShelf(desk.trader, desk)
        if is_open:
            await made.open(read([path], []))
        ask.clerk._trader.shelf = made
        yield ask


def edit(path: Path, new: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(ENTRY.replace("0.85", new))
    beside.replace(path)


async def asked(ask: Counter, command: str, **call: Any) -> dict[str, Any]:
    reply = await ask(f"strategy.{command}", json=True, **call)
    assert isinstance(reply, Sent), reply
    found: dict[str, Any] = json.loads(bytes(reply.data))
    return found


def card(ask: Counter) -> StrategyShelf:
    made = ask.clerk._trader.shelf
    assert made is not None
    return made


async def test_what_trades_and_what_is_in_the_shadow_is_listed(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.toml"
    async with shelf(settings, path) as ask:
        edit(path, "0.95")
        await card(ask).look()
        rows = (await asked(ask, "list"))["strategies"]
        assert [(row["name"], row["stage"]) for row in rows] == [(NAME, "live"), (NAME, "shadow")]
        assert rows[0]["rules"] == ["PredictionEntry", "PredictionExit", "ShortEntry"]
        assert (rows[0]["symbols"], rows[0]["fenced"]) == (["AAPL"], [])
        text = await ask("strategy.list")
        assert isinstance(text, Sent)
        assert "shadow" in str(text.blocks)


async def test_without_a_strategy_the_list_says_how_to_run_one(
    settings: Settings, tmp_path: Path
) -> None:
    async with shelf(settings, tmp_path / "one.toml", is_open=False) as ask:
        reply = await ask("strategy.list")
        assert isinstance(reply, Sent)
        assert "no strategy runs" in str(reply.blocks[0])
        assert reply.blocks[1] == "Next: ibkr-trader run --strategy FILE"


async def test_promoted_and_rolled_back_with_a_question_and_a_dry_run(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.toml"
    async with shelf(settings, path) as ask:
        (first,) = (await asked(ask, "list"))["strategies"]
        edit(path, "0.95")
        await card(ask).look()
        options = {"name": NAME}
        early = await ask("strategy.promote", options=options, yes=True)
        assert isinstance(early, Failure)
        assert "--anyway" in early.hint
        anyway = {**options, "anyway": True}
        tried = await asked(ask, "promote", options=anyway, dry_run=True)
        assert (tried["version"], tried["changed"]) == (first["version"], False)
        done = await asked(ask, "promote", options=anyway)
        assert done["changed"]
        assert done["version"] != first["version"]
        assert any(
            f"in place of {first['version']}. Promote it?" in one for one in ask.terminal.asked
        )
        tried = await asked(ask, "rollback", options=options, dry_run=True)
        assert (tried["version"], tried["changed"]) == (done["version"], False)
        back = await asked(ask, "rollback", options=options)
        assert (back["version"], back["changed"]) == (first["version"], True)


@pytest.mark.parametrize("command", ["promote", "rollback"])
async def test_what_cannot_be_moved_says_what_there_is(
    command: str, settings: Settings, tmp_path: Path
) -> None:
    async with shelf(settings, tmp_path / "one.toml") as ask:
        reply = await ask(f"strategy.{command}", options={"name": "other"}, yes=True)
        assert isinstance(reply, Failure)
        assert (reply.code, "other" in reply.message) == ("usage", True)
        assert reply.hint


@pytest.mark.parametrize(
    ("command", "options"), [("list", {}), ("promote", {"name": "x"}), ("rollback", {"name": "x"})]
)
async def test_without_a_trader_that_runs_strategies_there_is_nothing_to_move(
    command: str, options: dict[str, Any], settings: Settings
) -> None:
    async with counter(settings) as ask:
        reply = await ask(f"strategy.{command}", options=options)
        assert isinstance(reply, Failure)
        assert (reply.exit_code, reply.hint) == (2, "ibkr-trader run --strategy FILE")


async def test_an_edit_that_is_not_taken_is_remarked_and_not_promoted_in_silence(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.toml"
    async with shelf(settings, path) as ask:
        edit(path, "0.95")
        await card(ask).look()
        edit(path, "no_such_word")  # nobody has looked since: promoting does
        refused = await ask("strategy.promote", options={"name": NAME}, yes=True)
        assert isinstance(refused, Failure)
        assert "one.toml is not taken" in refused.message
        assert "--anyway" in refused.hint
        rows = (await asked(ask, "list"))["strategies"]
        assert all("no_such_word" in row["not_taken"] for row in rows)
        text = await ask("strategy.list")
        assert isinstance(text, Sent)
        assert f"{NAME}: the edited one.toml is not taken" in str(text.blocks)
        anyway = {"name": NAME, "anyway": True}
        tried = await ask("strategy.promote", options=anyway, dry_run=True)
        assert isinstance(tried, Sent)
        assert "one.toml is not taken" in str(tried.blocks[0])
        assert (await asked(ask, "promote", options=anyway))["changed"]
        assert "one.toml is not taken" in ask.terminal.asked[-1]


async def test_the_day_is_cut_along_the_strategies(settings: Settings, tmp_path: Path) -> None:
    path, floor = tmp_path / "one.toml", StrategyFloor()
    path.write_text(ENTRY)
    async with floor.strategist() as desk:
        ask = Counter(Desk(desk.trader), settings)
        made = StrategyShelf(desk.trader, desk)
        await made.open(read([path], []))
        ask.clerk._trader.shelf = made
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        mine, nobody = (await asked(ask, "list"))["accounts"]
        account = desk.trader.outlook.view().strategy_accounts().account(NAME)
        assert (mine["name"], mine["positions"], mine["entries"]) == (NAME, ["AAPL"], 1)
        assert mine["messages"] == account.day.traffic.messages > 0
        assert mine["efficiency"] is not None
        assert Decimal(mine["day_pnl"]) == account.net
        assert (nobody["name"], nobody["entries"], nobody["efficiency"]) == (None, 0, None)
        text = await ask("strategy.list")
        assert isinstance(text, Sent)
        assert "(no strategy)" in str(text.blocks[-1])
        assert f"{NAME}" in str(text.blocks[-1])


async def test_what_only_tries_is_a_shadow_and_trades_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "one.toml"
    async with shelf(settings, path) as ask:
        edit(path, "0.95")
        await card(ask).look()
        accounts = (await asked(ask, "list"))["accounts"]
        assert [(one["name"], one["entries"]) for one in accounts] == [(NAME, 0), (None, 0)]
