"""A signal ends a command in good order, with the number the shell expects."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT

PROGRAM = """
import asyncio, sys
from ibkr_trader.cli.exits import Stopped
from ibkr_trader.cli.waiting import run_async

async def body():
    try:
        print("waiting", flush=True)
        await asyncio.Event().wait()
    finally:
        print("tidied", flush=True)

try:
    run_async(body())
except Stopped as stopped:
    sys.exit(128 + stopped.number)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_unwind_the_command(number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        assert process.stdout.read() == "tidied\n"
    assert process.returncode == code
