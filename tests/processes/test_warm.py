"""A program from the nursery is the program: also where a shell starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import ibkr_trader
from tests.processes import warm


def shell(line: str, tools: Path) -> str:
    env = {"HOME": str(tools), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=env, cwd=tools, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_a_shell_gets_its_words_its_exit_code_and_its_folder(tmp_path: Path) -> None:
    tools = warm.shim(tmp_path)
    assert shell("ibkr-trader --version | cat", tools) == f"ibkr-trader {ibkr_trader.__version__}\n"
    assert shell("ibkr-trader quote AAPL --bad 2> words; echo $?; pwd", tools) == (
        f"2\n{tmp_path.resolve()}\n"
    )
    assert "--bad" in (tmp_path / "words").read_text()


def test_of_two_at_once_each_has_its_own_streams(tmp_path: Path) -> None:
    tools = warm.shim(tmp_path)
    told = shell("ibkr-trader --version > a & ibkr-trader order > b 2>&1; wait; cat a", tools)
    assert told == f"ibkr-trader {ibkr_trader.__version__}\n"
    assert "usage" in (tmp_path / "b").read_text()
