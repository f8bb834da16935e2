"""A trader that stays, and commands that go through it: real processes, the real socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.run_transcripts import shape
from ibkr_trader.adapters import control_client
from ibkr_trader.adapters.control import read_card
from tests.cli.conftest import CommandLine, Ran
from tests.cli.test_entry import LEAN
from tests.processes import warm
from tests.scenarios.traders import running

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
RESTING = "order --symbol AAPL --side buy --no-stop --quantity 10 --type limit --limit 140"

DAY = [
    f"{BRACKET} --wait filled",
    "orders",
    "orders --json",
    "positions",
    "positions --json",
    "fills",
    "quote AAPL",
    "account",
    "modify 1-stop --stop 146",
    "modify 1-stop --stop 146 --json",  # changes nothing: denied
    f"{RESTING} --dry-run",
    "bracket-order --symbol AAPL --quantity 1.5 --stop-loss 145 --take-profit 155",
    "bracket-order --symbol AAPL --quantity 5 --stop-loss 155 --take-profit 145 --json",
    "order --symbol AAPL --side buy --no-stop --quantity 100000 --type limit --limit 140",
    "order --symbol AAPL --side buy --no-stop --quantity 100000 --type limit --limit 140 --json",
    "order --symbol NOBODY --side buy --no-stop --quantity 1",
    "cancel 99",
    f"{RESTING} --utc",
    "cancel --symbol AAPL --dry-run",
    "close AAPL --dry-run --json",
    "close AAPL",
    "orders --all",
    "positions",
    "cancel --all",
]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    """Commands in this process; whoever asks first starts the gateway."""
    one = CommandLine(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    yield one
    one.stop_gateway()


def alike(ran: Ran) -> tuple[int, list[str], list[str]]:
    return ran.code, shape(ran.out), shape(ran.err)


def keys(document: Any) -> Any:
    """What a document has in it, without the figures."""
    if isinstance(document, dict):
        return {name: keys(value) for name, value in document.items()}
    if isinstance(document, list):
        return [keys(one) for one in document]
    return type(document).__name__


def test_every_command_says_the_same_with_a_trader_and_without(tmp_path: Path) -> None:
    for name in ("alone", "through"):
        (tmp_path / name).mkdir()
    alone, through = (CommandLine(tmp_path / name) for name in ("alone", "through"))
    for one in (alone, through):
        assert one("positions").code == 0  # the first command says where state is kept
    try:
        with running(through) as trader:
            for command in DAY:
                expected, found = alone(command), through(command)
                differ = set(alike(found)[2]) ^ set(alike(expected)[2])
                assert alike(found) == alike(expected), (command, differ)
                if command.endswith("--json"):
                    assert keys(found.document) == keys(expected.document)
            assert trader.end() == 0
    finally:
        alone.stop_gateway()
        through.stop_gateway()


def test_a_trader_is_seen_and_ends_in_good_order(line: CommandLine) -> None:
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        trader.hear("position +10 AAPL at 150.01")

        second = line("run --headless")
        assert second.code == 8
        assert f"process {trader.process.pid} " in second.err

        row = next(x for x in line("status").out.splitlines() if x.startswith("trader"))
        assert f"process {trader.process.pid} since " in row
        assert row.endswith(", 1 group, connected, in sync")
        seen = line("status --json").document["trader"]
        assert (seen["pid"], seen["groups"]) == (trader.process.pid, 1)

        checks = {one["name"]: one["text"] for one in line("doctor --json").document["checks"]}
        assert f"process {trader.process.pid} since " in checks["trader"]
        assert {"settings", "journal", "gateway", "account", "market data"} <= checks.keys()

        assert trader.end() == 0
        trader.hear("ending; 1 position, 2 orders, 1 group: at the broker it all stays")
    left = line("orders --json").document["orders"]
    assert [order["status"] for order in left] == ["SUBMITTED", "PRESUBMITTED"]
    assert line("status --json").document["trader"] is None
    assert not list((line.data / "sim").glob("trader.*"))


def test_a_command_through_a_trader_imports_nothing_heavy(line: CommandLine) -> None:
    with running(line):
        done = subprocess.run(
            [sys.executable, "-c", LEAN, *RESTING.split()],
            cwd=line.folder, env=line.env, capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "[]\n"), done.stdout


def test_a_trader_tells_scripts_one_document_a_line(line: CommandLine) -> None:
    with running(line, "--json") as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        told = json.loads(trader.hear("FillEvent"))
        assert told["schema"] == "ibkr-trader/event/1"
        assert told["fill"]["price"] == "150.01"
        assert trader.end(signal.SIGINT) == 0


def test_a_killed_trader_leaves_nothing_in_the_way(line: CommandLine) -> None:
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        assert trader.end(signal.SIGKILL) == -signal.SIGKILL
    card = read_card(line.data / "sim")
    assert card is not None
    assert Path(card.socket).is_socket()  # stale
    assert len(line("orders --json").document["orders"]) == 2
    with running(line) as trader:
        assert trader.said[-1].endswith("1 position, 2 orders, 1 group")
        assert line("close AAPL").code == 0
        trader.hear("flat in AAPL")
        assert trader.end() == 0


def test_a_trader_that_hangs_holds_the_account(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(line) as trader:
        trader.process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(control_client, "KNOCK_PATIENCE", 0.2)
        code, out, err = line("orders")
        assert (code, out) == (8, "")
        assert f"process {trader.process.pid}) holds this account and does not answer" in err
        trader.process.send_signal(signal.SIGCONT)
        monkeypatch.undo()
        assert line("orders").code == 0


def waiting(line: CommandLine, command: str) -> subprocess.Popen[str]:
    return warm.Popen(
        [*line.program, *command.split()],
        cwd=line.folder,
        env=line.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_client_that_goes_away_leaves_what_it_sent(line: CommandLine) -> None:
    with running(line) as trader:
        for limit, number, code in ((140, signal.SIGTERM, 143), (141, signal.SIGKILL, -9)):
            order = RESTING.replace("140", str(limit))
            with waiting(line, f"{order} --wait filled --timeout 60") as client:
                trader.hear(f"LIMIT {limit}.00")
                client.send_signal(number)
                _, err = client.communicate(timeout=20)
                assert client.returncode == code
            if code > 0:
                assert err == "stopped; what was sent stays at the broker: ibkr-trader orders\n"
        assert len(line("orders --json").document["orders"]) == 2
        assert line("cancel --all").code == 0
        assert trader.end() == 0


def test_a_trader_that_ends_does_not_wait_for_long_commands(line: CommandLine) -> None:
    with running(line) as trader:
        with waiting(line, f"{RESTING} --wait filled --timeout 600") as client:
            trader.hear("sent ")
            assert trader.end() == 0  # within five seconds, on a machine that is not too busy
            _, err = client.communicate(timeout=20)
            assert client.returncode == 10
        assert "it may have been sent" in err
    assert len(line("orders --json").document["orders"]) == 1


def test_a_trader_that_dies_in_the_middle_leaves_the_outcome_unknown(line: CommandLine) -> None:
    with running(line) as trader:
        with waiting(line, f"{RESTING} --wait filled --timeout 60 --json") as client:
            trader.hear("sent ")
            trader.end(signal.SIGKILL)
            out, _ = client.communicate(timeout=20)
            assert client.returncode == 10
        error = json.loads(out)["error"]
        assert error["code"] == "outcome_unknown"
        assert "it may have been sent" in error["message"]
        assert error["hint"] == "ibkr-trader reconcile --plan"
    assert len(line("orders --json").document["orders"]) == 1


def test_a_trader_outlives_its_gateway(line: CommandLine) -> None:
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        assert line("gateway stop").code == 0
        trader.hear("gateway lost")
        code, _, err = line("order --symbol AAPL --side buy --no-stop --quantity 1")
        assert code == 4, err
        assert "lost: " in line("status").out
        assert line("gateway start").code == 0  # on another port, as likely as not
        trader.hear("in sync: 1 position")
        assert line("close AAPL").code == 0
        assert trader.end() == 0


def test_settings_that_name_another_account_are_not_passed_over(line: CommandLine) -> None:
    with running(line):
        line.env["IBKR_CLIENT_ID"] = "7"
        code, _, err = line("orders")
        assert code == 3
        assert "environment IBKR_CLIENT_ID: client_id is 7, and the running trader's is 1" in err
        del line.env["IBKR_CLIENT_ID"]
        line.env["IBKR_READONLY"] = "true"
        assert line("orders").code == 0
        code, _, err = line(RESTING)
        assert code == 6
        assert "nothing is sent, not even a cancel" in err
