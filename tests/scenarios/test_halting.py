"""Halting with real processes: a trader, commands beside it, the gateway, and signals.

Judged by what the gateway holds and by its wire log, never by what the desk says of itself.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CommandLine, Ran, Shell
from tests.processes import warm
from tests.scenarios.traders import RunningTrader, running

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
RESTING = "order --symbol MSFT --side buy --quantity 5 --type limit --limit 410 --no-stop"
DENIED = "order --symbol MSFT --side buy --quantity 3 --type limit --limit 409 --no-stop"
SOON = 10.0  # seconds: nothing takes that long, but on a machine that is busy with other things


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    """Commands in this process, and a gateway that writes down every message."""
    one = CommandLine(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    assert one("gateway start --wire-log").code == 0
    yield one
    one.stop_gateway()


def wire(line: CommandLine) -> list[dict[str, Any]]:
    """What came in at the gateway, oldest first."""
    text = (line.data / "sim" / "gateway" / "wire.jsonl").read_text()
    told = [json.loads(row) for row in text.splitlines() if row.endswith("}")]
    return [one for one in told if one["way"] == "in"]


def entries(line: CommandLine) -> list[dict[str, Any]]:
    """The opening orders that came in."""
    roles = ("-entry", "-single")
    return [
        one
        for one in wire(line)
        if one["name"] == "placeOrder" and one.get("order_ref", "").endswith(roles)
    ]


def cancelled(line: CommandLine) -> set[str]:
    return {one["order_ref"] for one in wire(line) if one["name"] == "cancelOrder"}


def await_cancel(line: CommandLine, order_id: str) -> None:
    """See the cancel of an order at the gateway."""
    deadline = time.monotonic() + SOON
    while order_id not in cancelled(line):
        assert time.monotonic() < deadline, cancelled(line)


def rest(line: CommandLine) -> str:
    """Place an entry that waits; return its id."""
    placed = line(f"{RESTING} --json")
    assert placed.code == 0, placed
    return str(placed.document["orders"][0]["id"])


def roles(line: CommandLine) -> list[str]:
    return sorted(str(one["role"]) for one in line("orders --json").document["orders"])


def test_a_halt_through_a_running_trader_and_its_end(line: CommandLine) -> None:
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        waiting = rest(line)
        done = line("halt --reason odd_fills --json")
        assert done.code == 0, done
        assert [one["id"] for one in done.document["cancelled"]] == [waiting]
        trader.hear("trading state HALTED, by hand: odd_fills. It ends with: ibkr-trader resume")
        assert cancelled(line) == {waiting}
        before = len(entries(line))
        denied = line(DENIED)
        assert denied.code == 6
        assert "odd_fills" in denied.err
        assert len(entries(line)) == before
        assert roles(line) == ["stop", "target"]
        for command in ("orders", "positions", "close AAPL --dry-run"):
            assert line(command).out.startswith("SIM SIM0000001  HALTED by hand: odd_fills")
        assert f"kill -USR1 {trader.process.pid}" in line("status").out
        assert line("modify 1-stop --stop 146").code == 0
        assert line("close AAPL").code == 0  # no state keeps anybody from closing
        assert line("resume --reason checked").code == 9
        assert line("resume --reason checked --yes").code == 0
        trader.hear("trading state ACTIVE, by hand: checked")
        assert line(DENIED).code == 0
        assert trader.end() == 0


def test_a_trader_that_stands_still_obeys_as_soon_as_it_goes_on(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.adapters.control_client.KNOCK_PATIENCE", 0.5)
    with running(line) as trader:
        waiting = rest(line)
        trader.process.send_signal(signal.SIGSTOP)
        done = line("halt --reason odd --json")
        assert done.code == 7, done
        assert (done.document["left"], done.document["is_recorded"]) == ([waiting], False)
        assert "does not answer" in done.document["trouble"]
        assert done.document["flag"] == str(line.data / "sim" / "HALT")
        said = line("halt --reason odd").out
        assert "HALTED by the flag file: nothing is opened; 1 opening order could not" in said
        assert line("halt --symbol AAPL --reason odd").code == 7  # and a symbol is not, so it says
        assert cancelled(line) == set()
        trader.process.send_signal(signal.SIGCONT)
        trader.hear("trading state HALTED, by hand: odd")
        await_cancel(line, waiting)
        assert line(DENIED).code == 6
        assert trader.end() == 0


def test_touching_the_file_halts_a_running_trader(line: CommandLine) -> None:
    with running(line) as trader:
        waiting = rest(line)
        (line.data / "sim" / "HALT").touch()
        assert line(DENIED).code == 6  # before anybody has noticed it, or after
        trader.hear("trading state HALTED, by the file HALT")
        await_cancel(line, waiting)
        (line.data / "sim" / "HALT").unlink()
        assert line(DENIED).code == 6
        assert trader.end(signal.SIGKILL) == -signal.SIGKILL
    assert line(DENIED).code == 6  # by the journal


def test_sigusr1_halts_a_running_trader_and_no_restart_resumes_it(line: CommandLine) -> None:
    with running(line) as trader:
        waiting = rest(line)
        trader.process.send_signal(signal.SIGUSR1)
        trader.hear("trading state HALTED, by SIGUSR1")
        await_cancel(line, waiting)
        note = json.loads((line.data / "sim" / "HALT").read_text())
        assert note["origin"] == "SIGUSR1"
        assert trader.end(signal.SIGKILL) == -signal.SIGKILL
    for number in (signal.SIGTERM, signal.SIGKILL):
        with running(line) as trader:
            assert "HALTED by SIGUSR1" in trader.said[-1]
            assert line(DENIED).code == 6
            trader.end(number)
    assert len(entries(line)) == 1


def test_a_gateway_that_is_gone_leaves_the_halt(line: CommandLine) -> None:
    with running(line) as trader:
        waiting = rest(line)
        line.stop_gateway()
        trader.hear("gateway lost")
        done = line("halt --reason odd --timeout 1 --json")
        assert done.code == 7, done
        assert done.document["left"] == [waiting]
        trader.hear("trading state HALTED, by hand: odd")
        assert line("gateway start --wire-log").code == 0
        await_cancel(line, waiting)  # as soon as it can be
        assert line(DENIED).code == 6
        assert trader.end() == 0


@pytest.mark.parametrize(
    ("checkpoint", "nth"), [("CP1", 1), ("CP2", 1), ("CP8", 1), ("CP2", 3), ("CP8", 3), ("CP8", 4)]
)
def test_s14_a_flatten_that_is_killed_and_asked_for_again(
    line: CommandLine, checkpoint: str, nth: int
) -> None:
    assert line(f"{BRACKET} --wait filled").code == 0
    waiting = rest(line)
    child = warm.run(
        [sys.executable, "-m", "tests.scenarios.halt_child", checkpoint, str(nth)],
        cwd=line.folder, env=line.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=50, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child
    assert (line.data / "sim" / "HALT").exists()
    for _ in range(2):
        done = line("halt --flatten --yes --json")
        assert done.code == 0, done
        assert done.document["is_flat"] is True
    assert waiting in cancelled(line)
    traded: Counter[str] = Counter()
    for fill in line("fills --json").document["fills"]:
        traded[fill["side"]] += int(fill["quantity"])
    assert traded == {"BUY": 10, "SELL": 10}
    assert (roles(line), line("positions --json").document["positions"]) == ([], [])
    assert line(DENIED).code == 6


def test_two_that_flatten_at_once_close_it_once(line: CommandLine) -> None:
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        shell = Shell(line.folder)
        shell.env = line.env
        results: list[Ran] = []
        several = [
            threading.Thread(target=lambda: results.append(shell("halt --flatten --yes --json")))
            for _ in range(3)
        ]
        for one in several:
            one.start()
        for one in several:
            one.join()
        assert [(ran.code, ran.document["is_flat"]) for ran in results] == [(0, True)] * 3
        closes = [one for one in wire(line) if one.get("order_ref", "").endswith("-close")]
        assert len(closes) == 1
        assert trader.end() == 0


def test_s12_orders_and_a_halt_at_the_same_time(line: CommandLine) -> None:
    """What was first, the journal knows; what came of it, the wire log."""
    shell = Shell(line.folder)
    shell.env = line.env
    with running(line) as trader:
        done: list[Ran] = []

        def order(number: int) -> None:
            done.append(
                shell(
                    f"bracket-order --symbol AAPL --quantity 1 --limit {149 - number} "
                    "--stop-loss 130 --take-profit 170 --json"
                )
            )

        several = [threading.Thread(target=order, args=(number,)) for number in range(6)]
        for one in several[:3]:
            one.start()
        heard_first(trader)
        halted = threading.Thread(target=lambda: done.append(shell("halt --reason odd --json")))
        halted.start()
        for one in several[3:]:
            one.start()
        for one in (*several, halted):
            one.join()
        assert trader.end() == 0
    placed = [ran for ran in done if ran.code == 0 and "group" in ran.document]
    assert {ran.code for ran in done} <= {0, 6, 7, 10}, done
    on_wire = {one["order_ref"] for one in entries(line)}
    story = journal(line)
    since = next(n for n, (kind, _) in enumerate(story) if kind == "StateEvent")
    before = {name for kind, name in story[:since] if kind == "NewOrderEvent"}
    after = {name for kind, name in story[since:] if kind == "NewOrderEvent"}
    assert on_wire <= before
    assert not {name for name in after if name.endswith("-entry")}
    assert on_wire <= cancelled(line)  # and each of them was taken back
    assert len(placed) <= len(on_wire)
    assert line("orders --json").document["orders"] == []


def heard_first(trader: RunningTrader) -> None:
    """Wait until the first of several orders is sent."""
    trader.hear("sent ")


def journal(line: CommandLine) -> list[tuple[str, str]]:
    """What is on record: each kind of event, and the order it is about."""
    from ibkr_trader.adapters.clock import SystemClock
    from ibkr_trader.adapters.journal import SqliteJournal

    path = line.data / "sim" / "journal.db"
    with SqliteJournal(path, clock=SystemClock(), read_only=True) as found:
        return [
            (type(message).__name__, str(getattr(message, "order_id", "")))
            for _, message in found.messages()
        ]
