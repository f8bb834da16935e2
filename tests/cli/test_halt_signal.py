"""SIGUSR1 writes the flag even while the loop is stuck, and wakes the desk when it is not."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.cli.halt_signal import HaltSignal
from ibkr_trader.core.enums import TradingState
from tests.execution.parts import Floor


def send() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def test_the_flag_is_there_before_the_next_line_of_a_loop_that_is_stuck(tmp_path: Path) -> None:
    flag = HaltFile(tmp_path / "HALT")

    async def stuck() -> str:
        send()
        return flag.reason()  # without giving anybody else a turn

    with HaltSignal(flag):
        assert asyncio.run(stuck()) == "the trader was sent SIGUSR1"


def test_the_desk_hears_of_it_even_if_the_flag_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    async def halted() -> str:
        async with Floor().trader() as trader:
            halting.reach(trader.halter)
            send()
            held = await trader.until(lambda _: trader.outlook.book.switch.everything, timeout=2)
            assert held is not None
            assert trader.outlook.view().trading_state is TradingState.HALTED
            return held.origin

    with HaltSignal(HaltFile(blocked / "HALT")) as halting:
        assert asyncio.run(halted()) == "SIGUSR1"


def test_it_is_given_back_and_may_come_twice(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    flag = HaltFile(tmp_path / "HALT")
    with HaltSignal(flag):
        send()
        send()
        note = flag.seen()
        assert note is not None
        assert note.origin == "SIGUSR1"
    assert signal.getsignal(signal.SIGUSR1) is before
    assert [one.name for one in tmp_path.iterdir()] == ["HALT"]
