"""A bar on a terminal's standard error, and not a byte elsewhere."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from ibkr_trader.cli.progress import progress

PROGRAM = """
from ibkr_trader.cli.progress import progress
with progress("daily prices") as report:
    report(0, 3, "AAPL")
    report(1, 3, "MSFT")
    report(0, 0, "waits 15 s")
"""


def test_off_a_terminal_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)
    with progress("daily prices") as report:
        report(1, 3, "AAPL")
    assert heard.getvalue() == ""


def test_on_anothers_terminal_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = io.StringIO()
    heard.isatty = lambda: True  # type: ignore[method-assign] # a terminal, as far as is asked
    monkeypatch.setattr(sys, "stderr", heard)
    with progress("daily prices", is_shown=False) as report:
        report(1, 3, "AAPL")
    assert heard.getvalue() == ""


@pytest.mark.parametrize(("more", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_sees_how_far_it_is(more: dict[str, str], is_coloured: bool) -> None:
    ours, theirs = os.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "80"} | more
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=50,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.stdout == b""  # the answer is not mixed with it
    assert "daily prices" in shown
    assert "1/3" in shown
    assert "waits 15 s" in shown
    assert ("\x1b[38" in shown) is is_coloured
