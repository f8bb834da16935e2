"""The screen in the trader's own terminal: whatever becomes of it, no order notices."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.scenarios.screens import seated

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 160"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    yield one
    one.stop_gateway()


def open_orders(line: CommandLine) -> list[str]:
    return [str(one["id"]) for one in line("orders --json").document["orders"]]


def logged(line: CommandLine) -> str:
    return (line.data / "sim" / "ibkr-trader.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_trader_in_good_order(line: CommandLine, number: signal.Signals) -> None:
    with seated(line, "run") as seat:
        seat.wait_for("No active orders")
        assert line(f"{BRACKET} --wait filled").code == 0
        seat.wait_for("1-stop")
        before = open_orders(line)
        assert seat.end(number) == 0
        assert b"\x1b[?1049l" in seat.raw
    assert "Ending: ending; 1 position, 2 orders" in logged(line)
    assert open_orders(line) == before


def test_a_terminal_that_stands_still_keeps_nothing_waiting(line: CommandLine) -> None:
    """Nobody reads it any more; commands go through the trader, and it ends when it is told to."""
    with seated(line, "run", columns=200, rows=60) as seat:
        seat.wait_for("No active orders")
        assert line(f"{BRACKET} --wait filled").code == 0
        for price in range(140, 148):  # each is a frame or two that nobody reads
            assert line(f"modify 1-stop --stop {price}").code == 0
        assert line("status --json").document["ok"]
        seat.process.send_signal(signal.SIGTERM)
        assert seat.process.wait(timeout=20) == 0
    assert "Ending: ending; 1 position, 2 orders" in logged(line)


def test_a_terminal_that_is_closed_ends_it_in_good_order(line: CommandLine) -> None:
    with seated(line, "run") as seat:
        seat.wait_for("No active orders")
        seat.hang_up()
        assert seat.process.wait(timeout=20) == 0
    assert "Ending: ending; 0 positions" in logged(line)


def test_a_screen_that_fails_leaves_a_trader_that_goes_on(line: CommandLine) -> None:
    broken = line.folder / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import ibkr_trader.dashboard.shell as shell\n"
        "def view(*_):\n    raise RuntimeError('no picture')\n"
        "shell.view = view\n"
    )
    path = os.pathsep.join([str(broken), line.env["PYTHONPATH"]])
    with seated(line, "run", columns=120, PYTHONPATH=path) as seat:
        seat.wait_for("the screen failed, its traceback is in the log; the trader goes on")
        assert line(f"{BRACKET} --wait filled").code == 0
        seat.wait_for("filled 1-entry BUY 10 AAPL")
        assert seat.end(signal.SIGINT) == 0
    assert "no picture" in logged(line)


def test_a_dashboard_that_fails_leaves_a_terminal_as_it_was(line: CommandLine) -> None:
    broken = line.folder / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import ibkr_trader.dashboard.shell as shell\n"
        "def view(*_):\n    raise RuntimeError('no picture')\n"
        "shell.view = view\n"
    )
    path = os.pathsep.join([str(broken), line.env["PYTHONPATH"]])
    with seated(line, "dashboard", PYTHONPATH=path) as seat:
        assert seat.end() == 1
        assert b"\x1b[?1049l" in seat.raw
        assert "this is a fault of ibkr-trader" in " ".join(seat.text.split())


def test_another_size_is_another_screen(line: CommandLine) -> None:
    with seated(line, "run") as seat:
        seat.wait_for("No active orders")
        for columns, rows in ((200, 60), (60, 15), (40, 8), (80, 24)):
            seat.resize(columns, rows)
            shown = "too small" if columns < 60 else "SIM0000001"
            seat.wait_until(lambda words=shown: words in seat.text, f"{columns}x{rows}")  # type: ignore[misc] # a default binds it
            assert all(len(row) <= columns for row in seat.lines)
        seat.press("q")
        seat.wait_for("Leave?")
        seat.press("y")
        assert seat.end() == 0


def test_the_demo_has_a_screen_of_its_own_and_leaves_nothing(line: CommandLine) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="ib-") as temporary,
        seated(line, "demo", "--dashboard", TMPDIR=temporary) as seat,
    ):
        seat.wait_for("1-stop", timeout=30)
        seat.wait_for("2-entry")
        seat.press("q")
        seat.wait_for("Leave?")
        seat.press("y")
        assert seat.end() == 0
        assert not list(Path(temporary).glob("ibkr-trader-demo-*"))
    assert not line.data.exists(), "nothing of the user's is touched"


TALKS = """
import os
import sys

from ibkr_trader import StrategyProgram


class Talks(StrategyProgram):
    name = "talks"
    symbols = ("AAPL",)

    def on_signal(self, moment):
        print("PRINTED in a rule")
        print("and to the other stream", file=sys.stderr)
        os.write(1, b"past Python, too\\n" * 40)
        return ()
"""


def test_what_a_strategy_prints_stands_in_the_feed_and_nowhere_else(line: CommandLine) -> None:
    file = line.folder / "talks.py"
    file.write_text(TALKS)
    with seated(line, "run", "--strategy", str(file), columns=120, rows=40) as seat:
        seat.wait_for("No active orders")
        assert line("signal send --symbol AAPL --action buy --confidence 0.9").code == 0
        seat.wait_for("printed by the program: past Python, too")
        assert all("printed by the program" in row for row in seat.lines if "past Python" in row)
        assert "Positions" in seat.text
        seat.press("q")
        seat.wait_for("Leave?")
        seat.press("n")
        assert line("signal send --symbol AAPL --action buy --confidence 0.8").code == 0
        seat.press("q")
        seat.wait_for("Leave?")
        seat.press("y")
        assert seat.end() == 0
    assert "printed: PRINTED in a rule" in logged(line)
    assert "printed: and to the other stream" in logged(line)
    assert b"\r\nPRINTED" not in seat.raw


def test_without_a_terminal_the_trader_says_so_and_prints_lines(line: CommandLine) -> None:
    with seated(line, "run", TERM="dumb") as seat:
        seat.wait_for("no terminal here: running headless")
        seat.wait_for("runs as process")
        assert seat.end(signal.SIGTERM) == 0
