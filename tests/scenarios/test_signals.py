"""Signals through rules to fills on the gateway, by processes as people run them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.adapters import control_client
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core import events as ev
from tests.cli.conftest import CommandLine
from tests.scenarios.traders import at_the_gateway, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
PREDICTION = ROOT / "examples" / "strategies" / "prediction.toml"
BUY = "signal send --symbol AAPL --action buy --confidence 0.91"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    yield one
    one.stop_gateway()


def install(line: CommandLine) -> str:
    document = line("status --json").document
    return str(document["install"]) if "install" in document else "x"


async def test_long_and_short_in_several_symbols_and_out_again(line: CommandLine) -> None:
    with running(line, "--strategy", str(PREDICTION)) as trader:
        assert line(f"{BUY} --id a1").code == 0
        trader.hear("position +")
        short = line("signal send --symbol MSFT --action short --confidence 0.9 --id m1 --json")
        assert short.document["outcome"] == "acted"
        trader.hear("position -")
        held = {p["symbol"]: p for p in line("positions --json").document["positions"]}
        assert float(held["AAPL"]["quantity"]) > 0 > float(held["MSFT"]["quantity"])
        assert float(held["AAPL"]["stop"]) < float(held["AAPL"]["average_cost"])
        assert float(held["MSFT"]["stop"]) > float(held["MSFT"]["average_cost"])
        assert "saw: signal.action BUY" in line("why a1").out
        assert line("why nonsense").code == 2
        assert line("signal send --symbol MSFT --action sell").code == 0  # no long: nothing
        assert line("signal send --symbol AAPL --action sell").code == 0
        trader.hear("flat in AAPL")
        truth = await at_the_gateway(line, "none")
        assert [p.contract.symbol for p in truth.positions if p.quantity] == ["MSFT"]
        assert {o.spec.contract.symbol for o in truth.open_orders} == {"MSFT"}
        assert line("close --all").code == 0


async def test_killed_after_it_acted_it_does_not_act_again(line: CommandLine) -> None:
    with running(line, "--strategy", str(PREDICTION)) as trader:
        assert line(f"{BUY} --id once").code == 0
        trader.hear("position +")
        trader.end(signal.SIGKILL)
    with running(line, "--strategy", str(PREDICTION)):
        again = line(f"{BUY} --id once --json")
        assert (again.code, again.document["code"]) == (0, "duplicate")
    truth = await at_the_gateway(line, "none")
    (fill,) = {one.order_id for one in truth.fills}
    assert fill
    with closing(sqlite3.connect(line.data / "sim" / "journal.db")) as journal:
        (count,) = journal.execute(
            "SELECT count(*) FROM records WHERE kind = 'DecisionEvent'"
        ).fetchone()
    assert count == 1


def test_an_exit_that_died_with_its_trader_is_said_at_the_next_start(line: CommandLine) -> None:
    """On record, and no close asked for: the SIGKILL came in between."""
    with running(line, "--strategy", str(PREDICTION)) as trader:
        assert line(f"{BUY} --id in").code == 0
        trader.hear("position +")
        trader.end(signal.SIGKILL)
    path, clock = line.data / "sim" / "journal.db", SystemClock()
    with SqliteJournal(path, clock=clock) as journal:
        journal.append([_decided_to_exit(clock.now())])
    with running(line, "--strategy", str(PREDICTION)) as trader:
        (told,) = [one for one in trader.said if "never carried out" in one]
        assert "the exit of AAPL that prediction/PredictionExit decided" in told
        assert told.endswith("are still held. Next: ibkr-trader close AAPL")
        assert len(line("positions --json").document["positions"]) == 1  # not closed by itself
        why = line("why AAPL").out
        assert "unknown: the process ended before it was known" in why
        assert line("close AAPL --yes").code == 0
    with running(line, "--strategy", str(PREDICTION)) as trader:
        assert not [one for one in trader.said if "never carried out" in one]


def test_an_exit_while_the_gateway_is_away_is_unknown_and_goes_on(line: CommandLine) -> None:
    """Its stop works at the broker throughout: nobody is told that nothing protects."""
    with running(line, "--strategy", str(PREDICTION)) as trader:
        assert line(f"{BUY} --id in").code == 0
        trader.hear("position +")
        orders = line("orders --json").document["orders"]
        target = next(one["id"] for one in orders if one["id"].endswith("target"))
        assert line(f"cancel {target} --yes").code == 0  # its stop alone is left
        line("gateway stop")
        trader.hear("gateway lost")
        out = line("signal send --symbol AAPL --action sell --id out --json").document
        assert out["outcome"] == "unknown", out
        assert "its stop still works at the broker" in str(out["reasons"])
        line("gateway start")
        trader.hear("AAPL is closed, as was asked before")
        said = "\n".join(trader.said)
        assert "UNPROTECTED" not in said
        assert ": failed" not in said
        assert line("positions --json").document["positions"] == []


# It never returns, and leaves the processor to the tests beside it.
HANGS = """
import time

from ibkr_trader import StrategyProgram

class Hangs(StrategyProgram):
    name, symbols = "hangs", ("AAPL",)

    def on_time(self, moment):
        while True:
            time.sleep(0.005)
"""


def test_a_strategy_that_does_not_return_is_named_and_the_process_can_be_ended(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "KNOCK_PATIENCE", 1.0)
    mine = line.folder / "hangs.py"
    mine.write_text(HANGS)
    with running(line, "--strategy", str(mine)) as trader:
        assert trader.process.stderr is not None
        told = next(one for one in trader.process.stderr if "has stood still" in one)
        assert f"{mine}:" in told
        assert "(Hangs.on_time)" in told
        refused = line("positions")
        assert refused.code == 8
        assert f"kill -9 {trader.process.pid}" in refused.err
        trader.process.send_signal(signal.SIGTERM)  # which the loop would obey
        with pytest.raises(subprocess.TimeoutExpired):
            trader.process.wait(timeout=2)
        assert trader.end() == 143  # and whoever asks twice does not wait for it


def _decided_to_exit(at: datetime) -> ev.DecisionEvent:
    return ev.DecisionEvent(
        at=at,
        strategy="prediction",
        decision_id="x-77",
        rule="PredictionExit",
        version="v1",
        ticker="AAPL",
        cause="api/out",
        wish="close",
        terms={"symbol": "AAPL", "only": "BUY"},
        words="close AAPL",
    )


def test_a_strategy_that_is_wrong_starts_nothing(line: CommandLine, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(PREDICTION.read_text().replace("signal.confidence", "signal.confidense", 1))
    found = line(f"run --headless --strategy {bad}")
    assert found.code == 3
    assert "line 19: rule.when: column 28" in found.err
    assert "did you mean" in found.err
    assert not (line.data / "sim" / "gateway").exists()


def test_signals_need_a_trader(line: CommandLine) -> None:
    found = line(BUY)
    assert found.code == 2
    assert "ibkr-trader run --strategy" in found.err


def test_a_source_that_is_unknown_is_named_with_its_line(line: CommandLine) -> None:
    (line.folder / "config.toml").write_text("[signals.carrier_pigeon]\nspeed = 1\n")
    line.env["IBKR_CONFIG"] = str(line.folder / "config.toml")
    found = line("run --headless")
    assert found.code == 3
    assert "line 1: signals.carrier_pigeon: there is no such source" in found.err


def test_edited_while_it_runs_it_goes_into_the_shadow(line: CommandLine, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(PREDICTION.read_text())
    with running(line, "--strategy", str(mine)) as trader:
        mine.write_text(PREDICTION.read_text().replace("0.85", "0.99"))
        trader.hear("only writes down what it would do")
        rows = line("strategy list --json").document["strategies"]
        assert [row["stage"] for row in rows] == ["live", "shadow"]
        assert line("strategy promote prediction --yes --anyway").code == 0
        (row,) = line("strategy list --json").document["strategies"]
        assert (row["stage"], row["version"]) == ("live", rows[1]["version"])
        assert line(BUY).code == 0
        assert line("positions --json").document["positions"] == []
        assert line("strategy rollback prediction --yes").code == 0
        trader.end(signal.SIGKILL)
    with running(line, "--strategy", str(mine)) as trader:  # a restart is no way round it
        said = next(text for text in trader.said if "as before the restart" in text)
        assert said.endswith("ibkr-trader strategy promote prediction, or start with --as-edited")
        again = line("strategy list --json").document["strategies"]
        assert [row["version"] for row in again] == [row["version"] for row in rows]
        assert line(BUY).code == 0
        trader.hear("position +")
