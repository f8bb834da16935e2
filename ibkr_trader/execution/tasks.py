"""No task without an owner: background work that lives exactly as long as a block of code."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


@asynccontextmanager
async def alongside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `works` for the length of the block, and end them with it.

    What the block raises comes out as itself. What a work raises cancels the block and
    comes out in its place, alone if it was the only failure (several works may tell of it).
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            owned = [tasks.create_task(work) for work in works]
            try:
                yield
            finally:
                for task in owned:
                    task.cancel()
    except BaseExceptionGroup as failures:
        first, *others = failures.exceptions
        if all(one is first for one in others):
            # The group is our own doing; its only member is what happened.
            raise first from first.__cause__
        raise


def heed_cancellation() -> None:
    """End the task that runs if somebody has asked for it, even if a library has swallowed that.

    `asyncio.wait_for` does so before Python 3.12, if what it waited for was done at that moment.
    Whoever cancelled then waits for ever. For loops around a client that is not ours.

    Raises:
        asyncio.CancelledError: If this task has been cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
