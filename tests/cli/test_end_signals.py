from __future__ import annotations

import asyncio
import os
import signal
from contextlib import nullcontext
from types import FrameType

import pytest

from ibkr_trader.cli.end_signals import ends_heard, lent_signals, told_to_end
from ibkr_trader.cli.stop_signals import ENDS


async def heard(ending: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await ending.wait()


@pytest.mark.parametrize("number", ENDS)
async def test_a_signal_is_an_event_and_its_handler_comes_back(number: signal.Signals) -> None:
    def mine(_number: int, _frame: FrameType | None) -> None:
        pytest.fail("nobody should come here")

    before = signal.signal(number, mine)
    try:
        with told_to_end() as ending:
            os.kill(os.getpid(), number)
            await heard(ending)
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ENDS)
async def test_lent_to_a_screen_it_ends_all_the_same_before_and_after(
    number: signal.Signals,
) -> None:
    with told_to_end() as ending:
        with lent_signals(ending):
            assert getattr(signal.getsignal(number), "__module__", "") != "asyncio.unix_events"
            os.kill(os.getpid(), number)
            await heard(ending)
            ending.clear()
        os.kill(os.getpid(), number)
        await heard(ending)


@pytest.mark.parametrize("is_lent", [False, True])
async def test_who_is_aside_hears_it_though_the_loop_is_stuck(is_lent: bool) -> None:
    asides: list[bool] = []
    with (
        told_to_end(lambda: asides.append(True)) as ending,
        lent_signals(ending, lambda: asides.append(True)) if is_lent else nullcontext(),
    ):
        os.kill(os.getpid(), signal.SIGTERM)  # and no turn for the loop
        assert asides == [True]
        assert not ending.is_set()
        await heard(ending)


@pytest.mark.parametrize("number", ENDS)
async def test_a_command_hears_which_it_was_and_its_handler_comes_back(
    number: signal.Signals,
) -> None:
    heard_of: list[int] = []
    ending = asyncio.Event()

    def hear(which: int) -> None:
        heard_of.append(which)
        ending.set()

    before = signal.getsignal(number)
    with ends_heard(hear):
        os.kill(os.getpid(), number)
        await heard(ending)
    assert heard_of == [number]
    assert signal.getsignal(number) is before
