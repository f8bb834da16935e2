"""Background work lives as long as its block, and what goes wrong comes out as itself."""

from __future__ import annotations

import asyncio

import pytest

from ibkr_trader.execution.tasks import alongside


class Work:
    """Waits for ever, and takes note of its end."""

    is_over = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.is_over = True


async def fail(message: str) -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError(message)


async def test_it_ends_with_its_block() -> None:
    works = [Work(), Work()]
    async with alongside(*(work.run() for work in works)):
        await asyncio.sleep(0)
        assert not any(work.is_over for work in works)
    assert all(work.is_over for work in works)


async def test_what_the_block_raises_comes_out_as_itself() -> None:
    work = Work()

    async def block() -> None:
        async with alongside(work.run()):
            await asyncio.sleep(0)
            message = "the caller's own"
            raise LookupError(message)

    with pytest.raises(LookupError, match="the caller's own"):
        await block()
    assert work.is_over


async def test_what_a_work_raises_ends_the_block_and_comes_out_alone() -> None:
    work = Work()

    async def block() -> None:
        async with alongside(fail("once"), work.run()):
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError, match="once"):
        await block()
    assert work.is_over


async def test_of_several_failures_none_is_lost() -> None:
    async def block() -> None:
        async with alongside(fail("one"), fail("two")):
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as failed:
        await block()
    assert {str(one) for one in failed.value.exceptions} == {"one", "two"}


async def test_a_cancelled_block_is_cancelled() -> None:
    work = Work()
    started = asyncio.Event()

    async def block() -> None:
        async with alongside(work.run()):
            started.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(block())
        await started.wait()
        running.cancel()
    assert running.cancelled()
