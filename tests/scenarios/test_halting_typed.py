"""At a terminal, closing everything and resuming take a typed word, and no other will do."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.processes import warm
from tests.scenarios.traders import running

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    yield one
    one.stop_gateway()


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def typed(line: CommandLine, command: str, answer: str) -> tuple[int, str]:
    """Run `command` with a person at the terminal who types `answer` to whatever is asked."""
    with terminal() as (ours, theirs):
        os.write(ours, f"{answer}\n".encode())  # it waits in the terminal until it is read
        done = warm.run(
            [*line.program, *command.split()],
            cwd=line.folder, env=line.env, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
            text=True, timeout=50, check=False,
        )  # fmt: skip
        os.write(theirs, b"\0")
        said = b""
        while not said.endswith(b"\0"):
            said += os.read(ours, 65_536)
    return done.returncode, done.stdout + said.decode()


def state(line: CommandLine) -> str:
    return str(line("status --json").document["trading_state"])


@pytest.mark.parametrize("at_a_trader", [False, True])
def test_flatten_and_resume_take_a_typed_word(line: CommandLine, *, at_a_trader: bool) -> None:
    assert line(f"{BRACKET} --wait filled").code == 0
    with running(line) if at_a_trader else nullcontext():
        for wrong in ("y", "flatten", ""):
            code, said = typed(line, "halt --flatten", wrong)
            assert code == 9, said
            assert "close +10 AAPL at the market? Type FLATTEN:" in said
            assert "HALTED, and nothing was closed" in said
            assert state(line) == "HALTED"
            assert len(line("positions --json").document["positions"]) == 1
        code, said = typed(line, "halt --flatten", "FLATTEN")
        assert code == 0, said
        assert "Closed AAPL." in said
        assert line("positions --json").document["positions"] == []
        for wrong in ("y", "SIM0000002", ""):
            code, said = typed(line, "resume --reason checked", wrong)
            assert code == 9, said
            assert "To resume, type SIM0000001:" in said
            assert state(line) == "HALTED"
        code, said = typed(line, "resume --reason checked", "SIM0000001")
        assert code == 0, said
        assert state(line) == "ACTIVE"


def test_nothing_that_lowers_risk_waits_for_a_word(line: CommandLine) -> None:
    """The halt itself, and the cancels that go with it, ask nobody."""
    resting = "order --symbol MSFT --side buy --quantity 5 --type limit --limit 410 --no-stop"
    assert line(resting).code == 0
    assert line(f"{BRACKET} --wait filled").code == 0
    code, said = typed(line, "halt --flatten", "no")
    assert code == 9, said
    left = {str(order["role"]) for order in line("orders --json").document["orders"]}
    assert left == {"stop", "target"}
