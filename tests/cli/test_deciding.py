from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.cli.deciding import Decides, check, taking, telling
from ibkr_trader.cli.strategies import StrategyShelf
from ibkr_trader.config import Settings, load
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.signals import Malformed
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told


@pytest.mark.parametrize(("age", "code"), [(1, ""), (40, "stale"), (-30, "future")])
async def test_in_the_simulator_a_producers_time_is_turned_into_its_own(
    age: int, code: str
) -> None:
    floor = StrategyFloor()  # whose time stands still, on a day in 2026
    made = SystemClock().now() - timedelta(seconds=age)
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=True)
        reply = await take(floor.claim(issued_at=made))
        assert reply.code == code


async def test_what_has_no_time_and_what_is_no_signal_is_left_as_it_is() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=True)
        assert (await take(floor.claim(issued_at=None))).outcome is Outcome.ACTED
        assert (await take(Malformed(source="test", message="no"))).code == "malformed"


async def test_with_a_real_gateway_times_are_as_they_are() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=False)
        made = floor.clock.now() - timedelta(seconds=31)
        assert (await take(floor.claim(issued_at=made))).code == "stale"
        also = await take(floor.claim(signal_id="s2", ticker="MSFT", confidence=Decimal("0.9")))
        assert also.code == "unknown_symbol"
        desk.signals.also = frozenset({"MSFT"})
        also = await take(floor.claim(signal_id="s3", ticker="MSFT", confidence=Decimal("0.9")))
        assert also.outcome is Outcome.NOTHING


async def test_what_is_said_of_a_source_is_on_record() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        source: Any = SimpleNamespace(trouble="down")
        say = telling(desk.trader, source)
        say("signals of file do not come: down; it is tried again")
        source.trouble = ""
        say("signals of file come again")
        ill, well = told(desk.trader.journal, ev.ErrorEvent)
        assert (ill.code, ill.at) == (0, floor.clock.now())
        assert ill.message.startswith("signals of file do not come")
        assert (ill.is_serious, well.is_serious) == (True, False)


class Facing:
    """As much of a face as a check looks at."""

    def __init__(self, folder: Path, text: str = "") -> None:
        path = folder / "config.toml"
        path.write_text(text)
        self._settings = load({}, environ={"IBKR_CONFIG": str(path)}, cwd=folder)

    def settings(self) -> Settings:
        return self._settings


COUNTS = """
from pathlib import Path

from ibkr_trader import StrategyProgram

with Path({file!r}).open("a") as file:
    file.write("run\\n")


class Counts(StrategyProgram):
    name = "counts"
    symbols = ("AAPL",)

    def on_signal(self, moment):
        return ()
"""


async def test_a_python_strategy_runs_once_and_what_was_checked_is_what_trades(
    tmp_path: Path,
) -> None:
    runs, path = tmp_path / "runs", tmp_path / "counts.py"
    path.write_text(COUNTS.format(file=str(runs)))
    os.utime(path, (0, 0))  # one that was written just now is read twice, to be sure
    face: Any = Facing(tmp_path)
    ready = check(face, Decides(live=(path,), symbols=("MSFT",)))
    async with StrategyFloor().strategist() as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(ready.strategies)
        (strategy,) = desk.rules.strategies
        assert strategy is ready.strategies[0].loaded.strategy
        await shelf.look()
    assert runs.read_text() == "run\n"
    assert ready.symbols == ("MSFT",)


async def test_what_is_edited_between_check_and_start_goes_into_the_shadow(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(ENTRY)
    face: Any = Facing(tmp_path)
    ready = check(face, Decides(live=(path,)))
    beside = tmp_path / "new"
    beside.write_text(ENTRY.replace("0.85", "0.95"))
    beside.replace(path)
    async with StrategyFloor().strategist() as desk:
        shelf = StrategyShelf(desk.trader, desk)
        await shelf.open(ready.strategies)
        await shelf.look()
        (trades,), (tries,) = desk.rules.strategies, desk.rules.shadows
        assert trades is ready.strategies[0].loaded.strategy
        assert tries.version != trades.version


def test_sources_and_sinks_are_made_by_the_check_and_wrong_ones_refused_by_it(
    tmp_path: Path,
) -> None:
    text = '[signals.webhook]\nport = 0\nkeys = { k1 = "DESK_KEY" }\n'
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_KEY", "s3cr3t-of-mine-and-of-nobody-else")
        face: Any = Facing(tmp_path, text)
        ready = check(face, Decides())
    assert [source.name for source in ready.sources] == ["webhook"]
    assert not ready.sinks
    assert not ready.strategies
    wrong: Any = Facing(tmp_path, "[sinks.pigeon]\n")
    with pytest.raises(ConfigError, match="there is no such sink"):
        check(wrong, Decides())


def test_two_of_one_name_are_refused_by_the_check(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(ENTRY)
    two.write_text(ENTRY)
    face: Any = Facing(tmp_path)
    assert len(check(face, Decides(live=(one,), shadows=(two,))).strategies) == 2
    with pytest.raises(ConfigError, match="another strategy is called"):
        check(face, Decides(live=(one, two)))
