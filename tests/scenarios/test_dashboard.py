"""The whole loop: keys on a real terminal, orders changed at the gateway, what the screen shows.

The trader, the gateway and the dashboard are processes of their own. What the gateway then holds
is asked of it by another client, never of the dashboard.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.scenarios.screens import SIZES, STORED, Seat, masked, seated
from tests.scenarios.traders import at_the_gateway, running

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 160"
RESTING = (
    "bracket-order --symbol MSFT --quantity 5 --limit {at} --stop-loss {stop} --take-profit {goal}"
)
ESC, ENTER, CTRL_U, CTRL_C, CTRL_Z = "\x1b", "\r", "\x15", "\x03", "\x1a"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    yield one
    one.stop_gateway()


@contextmanager
def watching(line: CommandLine, *words: str, columns: int = 120, rows: int = 40) -> Iterator[Seat]:
    """A protected position, a trader that looks after it, and a dashboard at it."""
    with running(line):
        assert line(f"{BRACKET} --wait filled").code == 0
        command = ("dashboard", "--operator", "anna", *words)
        with seated(line, *command, columns=columns, rows=rows) as seat:
            seat.wait_for("1-stop")
            yield seat


def live(line: CommandLine) -> dict[str, dict[str, object]]:
    """Return our open orders by their short ids, as the gateway holds them."""
    documents = line("orders --json").document["orders"]
    for one in documents:
        del one["updated_at"]  # the broker may say the same thing again
    return {str(one["id"]).partition("-")[2]: one for one in documents}


def stop(line: CommandLine) -> Decimal:
    return Decimal(str(live(line)["1-stop"]["stop_price"]))


def row_of(seat: Seat, order: str) -> str:
    """Return an order's row of the panel; empty while it is asked for and not confirmed."""
    found = [row.partition("│")[0].rstrip() for row in seat.lines if row[2:].startswith(order)]
    return found[0] if found and "ASKED" not in found[0] else ""


def cursor(seat: Seat) -> list[str]:
    return [row for row in seat.lines if row.startswith("▶ ")]


def choose(seat: Seat, order: str) -> None:
    """Go down until the cursor is on `order`."""
    for _ in range(10):
        before = cursor(seat)
        if any(order in row for row in before):
            return
        seat.press("j")
        seat.wait_until(partial(_moved, seat, before), f"a cursor that moves to {order}")
    pytest.fail(f"{order} is not on the screen:\n{seat.text}")


def _moved(seat: Seat, before: list[str]) -> bool:
    return cursor(seat) != before


async def test_dashboard_cancel_order(line: CommandLine) -> None:
    with watching(line) as seat:
        install = str(next(iter(line("orders --json").document["orders"]))["id"]).partition("-")[0]
        choose(seat, "1-target")
        seat.press("c")
        seat.wait_until(lambda: "1-target    " not in seat.text, "the target gone")
        assert set(live(line)) == {"1-stop"}
        choose(seat, "1-stop")
        seat.press("c")
        seat.wait_for("nothing protects what is held in AAPL")
        seat.press("y")
        seat.wait_for("> y_")
        seat.press(ENTER)
        seat.wait_for("that is not AAPL")
        seat.press(CTRL_U)
        seat.wait_for("> _")
        seat.type("AAPL")
        seat.wait_for("> AAPL_")
        seat.press(ENTER)
        seat.wait_for("NAKED")
        truth = await at_the_gateway(line, install)
        assert not truth.open_orders
        seat.press("u")
        seat.wait_for("Undo the last cancel?")
        seat.press("y")  # too quick: it may have been meant for something else
        seat.insist("y", lambda: "Undo the last cancel?" not in seat.text)
        seat.wait_until(lambda: "NAKED" not in seat.text, "a position that is covered again")
        truth = await at_the_gateway(line, install)
        assert 145 in [one.spec.stop_price for one in truth.open_orders]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
async def test_dashboard_modify_order(line: CommandLine, columns: int, rows: int) -> None:
    with watching(line, columns=columns, rows=rows) as seat:
        choose(seat, "1-stop")
        seat.press("m")
        seat.wait_for("Modify 1-stop")
        seat.press(CTRL_U)
        seat.type("200")
        seat.wait_for("it would fire at once")
        seat.press(ENTER)
        assert stop(line) == Decimal(145)
        seat.press(CTRL_U)
        seat.wait_until(lambda: "fire at once" not in seat.text, "an empty field")
        seat.type("147.5")
        seat.wait_for("It can only lower the risk")
        seat.press(ENTER)
        seat.wait_for("done: modify 1-stop")
        assert stop(line) == Decimal("147.50")
        seat.wait_until(lambda: is_moved(row_of(seat, "1-stop")), "the new price")
        shown = masked([row_of(seat, "1-target"), row_of(seat, "1-stop")])
        stored = STORED / f"orders_{columns}x{rows}.txt"
        if os.environ.get("REWRITE_SCREENS"):
            stored.write_text(shown)
        assert shown == stored.read_text()


def is_moved(row: str) -> bool:
    """Whether a row shows the new price as the broker's, and not as what was asked for."""
    return "147.50" in row and "asked for" not in row


async def test_dashboard_cancel_all_confirmation(line: CommandLine) -> None:
    with watching(line) as seat:
        seat.press("a")
        seat.wait_for("Cancel all orders?")
        seat.wait_for("Nothing would protect AAPL")
        for answer in ("n", "aapl"):
            seat.type(answer)
            seat.wait_for(f"> {answer}_")
            seat.press(ENTER)
            seat.wait_for("that is not AAPL")
            seat.press(CTRL_U)
            seat.wait_for("> _")
        assert set(live(line)) == {"1-target", "1-stop"}
        seat.type("AAPL")
        seat.wait_for("> AAPL_")
        seat.press(ENTER)
        seat.wait_for("No active orders")
        assert live(line) == {}


async def test_dashboard_order_history(line: CommandLine) -> None:
    with watching(line) as seat:
        choose(seat, "1-target")
        seat.press("c")
        seat.wait_for("anna: cancel 1-target")
        seat.wait_for("cancelled 1-target")
        seat.wait_for("filled 1-entry BUY 10 AAPL")
    with closing(sqlite3.connect(line.data / "sim" / "journal.db")) as journal:
        kept = "\n".join(str(row) for row in journal.execute("SELECT kind, payload FROM records"))
    (pressed,) = [row for row in kept.splitlines() if "OperatorEvent" in row]
    assert '"operator":"anna"' in pressed
    assert '"command":"revise.cancel"' in pressed


async def test_dashboard_halt_and_resume(line: CommandLine) -> None:
    with watching(line) as seat:
        seat.press("h")
        seat.wait_for("Halt?")
        seat.press("y")
        seat.wait_until(lambda: "HALTED" in seat.lines[0], "a head that says so")
        assert line("status --json").document["trading_state"] == "HALTED"
        seat.press("r")
        seat.wait_for("Why may it go on?")
        seat.type("it was a test")
        seat.insist(ENTER, lambda: "Why may it go on" not in seat.text)
        seat.wait_for("SIM0000001 is HALTED")
        seat.answer("SIM0000001")
        seat.wait_until(lambda: "ACTIVE" in seat.lines[0], "a head that says so")
        assert line("status --json").document["trading_state"] == "ACTIVE"


async def test_dashboard_close(line: CommandLine) -> None:
    with watching(line) as seat:
        seat.press("x")
        seat.wait_for("Close AAPL?")
        seat.insist("y", lambda: "Close AAPL?" not in seat.text)
        seat.wait_for("No positions")
        assert line("positions --json").document["positions"] == []
        assert live(line) == {}


async def test_a_brackets_stop_is_let_trail(line: CommandLine) -> None:
    with watching(line) as seat:
        seat.press("t")
        seat.wait_for("Tighten 1-stop")
        seat.type("1%")
        seat.wait_for("1%_")
        seat.press(ENTER)
        seat.wait_for("1-stop follows the market by 1%")
        seat.wait_until(lambda: stop(line) > 148, "a stop that has followed")  # of about 150
        assert set(live(line)) == {"1-target", "1-stop"}
        seat.wait_for("trails, bra")
        assert line("trail 1-stop --off").code == 0
        seat.wait_for("1-stop stays where it is")


async def test_undo_brings_back_only_what_was_shown(line: CommandLine) -> None:
    with watching(line) as seat:
        choose(seat, "1-target")
        seat.press("c")
        seat.wait_for("cancelled 1-target")
        seat.press("u")
        seat.wait_for("Undo the last cancel?")
        seat.wait_for("in AAPL: 1-target")
        assert line("cancel 1-stop").code == 0  # somebody else, at another terminal
        seat.insist("y", lambda: "Undo the last cancel?" not in seat.text)
        seat.wait_for("something else was cancelled last by now")
        assert live(line) == {}


async def test_what_adds_risk_waits_and_any_key_stops_it(line: CommandLine) -> None:
    with watching(line) as seat:
        choose(seat, "1-stop")
        for stopping in (True, False):
            seat.press("m")
            seat.wait_for("Modify 1-stop")
            seat.press(CTRL_U)
            seat.type("140")
            seat.wait_for("risk 5")
            seat.press(ENTER)
            seat.wait_for("Goes out unless it is stopped")
            if stopping:
                seat.press("k")
                seat.wait_for("was not sent")
                assert stop(line) == Decimal("145.00")
        seat.wait_for("done: modify 1-stop")
        assert stop(line) == Decimal("140.00")


def test_leaving_never_stops_the_trader(line: CommandLine) -> None:
    with running(line) as trader:
        for way in ("q", CTRL_C, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with seated(line, "dashboard") as seat:
                seat.wait_for("No active orders")
                if isinstance(way, str):
                    seat.press(way)
                    assert seat.end() == (130 if way == CTRL_C else 0)
                else:
                    code = seat.end(way)
                    assert code == (128 + way if way is not signal.SIGKILL else -way)
                if way is not signal.SIGKILL:
                    assert seat.raw.rstrip().endswith(b"\x1b[?1049l") or b"\x1b[?1049l" in seat.raw
        assert trader.process.poll() is None
        assert line("status --json").document["ok"]


def test_the_trader_of_this_terminal_ends_only_when_asked(line: CommandLine) -> None:
    with seated(line, "run") as seat:
        seat.wait_for("No active orders")
        seat.press(CTRL_Z)
        seat.wait_for("Ctrl-Z would stop the trader")
        seat.press("q")
        seat.wait_for("Leave?")
        seat.press("n")
        seat.wait_for("No: nothing was done")
        seat.press(CTRL_C)
        seat.wait_for("Leave?")
        seat.press("b")
        seat.wait_for("the screen is closed; the trader goes on")
        assert line("status --json").document["ok"]
        assert seat.end(signal.SIGTERM) == 0


def test_a_dashboard_is_suspended_and_comes_back(line: CommandLine) -> None:
    with running(line), seated(line, "dashboard") as seat:
        seat.wait_for("No active orders")
        seat.press(CTRL_Z)
        seat.wait_raw(b"\x1b[?1049l")
        before = len(seat.raw)
        seat.process.send_signal(signal.SIGCONT)
        seat.wait_raw(b"\x1b[?1049h", after=before)
        seat.press("?")
        seat.wait_for("Keys")


def test_a_trader_that_ends_leaves_the_old_picture_marked(line: CommandLine) -> None:
    with running(line) as trader, seated(line, "dashboard") as seat:
        seat.wait_for("No active orders")
        trader.end()
        seat.wait_for("STALE")
        seat.press("a")
        with running(line):
            seat.wait_until(lambda: "STALE" not in seat.text, "the new trader")


def test_without_a_terminal_there_is_a_clear_line(line: CommandLine) -> None:
    found = line("dashboard")
    assert found.code == 2
    assert "needs a terminal" in found.err


def test_what_is_no_key_does_nothing(line: CommandLine) -> None:
    with watching(line) as seat:
        before = live(line)
        for noise in (
            b"\x1b[?62;22c",  # a terminal says what it is
            b"\x1b]11;rgb:aaaa/cccc/xxxx\x07",  # and which colour its background has
            b"\x1b[I",  # somebody looks at it again
            b"jjca\ryes\r",  # a paste that no terminal has marked
            b"\x1b[200~ca\ry\r\x1b[201~",
            b"\x9b?62;22c",
        ):
            parts = (noise,) if noise.startswith(b"jj") else (noise[:3], noise[3:])
            for part in parts:  # a slow line cuts what a terminal says in two
                seat.type(part)
                seat.read(0.01)
        seat.type(b"\x1b[200~c")
        seat.wait_for("a paste has begun and does not end")
        seat.type(b"\x1b[201~")
        seat.insist("?", lambda: "Keys" in seat.text)
        seat.insist("\x1b", lambda: "Keys" not in seat.text)
        assert live(line) == before
        assert "anna:" not in seat.text


def test_killed_at_any_moment_it_changes_nothing(line: CommandLine) -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    with running(line) as trader:
        assert line(f"{BRACKET} --wait filled").code == 0
        before = live(line)
        for _ in range(6):
            with seated(line, "dashboard") as seat:
                for _ in range(chance.randrange(0, 12)):
                    seat.read(chance.random() / 5)
                    seat.type(chance.choice("jkm/ot?h"))
                seat.process.kill()
                seat.process.wait()
        assert live(line) == before
        assert trader.process.poll() is None
        assert line("status --json").document["trading_state"] == "ACTIVE"
