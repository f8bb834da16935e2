"""Leading by a lease: ask for it, stand by while another host has it, keep it, give it back."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.lease import Denial
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.execution.leadership import Leadership
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ibkr_trader.adapters.lease import Grant, Lease
    from ibkr_trader.execution.ports import Clock

    MakeLease = Callable[[Callable[[str], None]], Lease]

_ROUND = 5.0  # seconds of asking, until it is looked whether there is news to tell


@asynccontextmanager
async def leading(make: MakeLease, clock: Clock) -> AsyncIterator[Leadership]:
    """Hold the lease for the length of the block if it is free; else the desk only reduces.

    Args:
        make: Makes the lease; its argument is called with the reason when it is lost.
        clock: The machine's own.
    """
    leadership = Leadership(clock)
    lease = make(leadership.lose)
    answer = await lease.acquire()
    if isinstance(answer, Denial):
        leadership.reason = answer.message
        yield leadership
        return
    async with kept(lease, leadership, answer):
        yield leadership


async def stand_by(lease: Lease, *, say: Callable[[str], None]) -> Grant:
    """Wait until the lease is ours, however long that is; who has it is said once.

    Raises:
        AccountLocked: If waiting is of no use: a person has to see to it.
    """
    told: tuple[str, str] | None = None
    while True:
        answer = await lease.acquire(wait=_ROUND if told else 0.0)
        if not isinstance(answer, Denial):
            return answer
        if answer.is_hopeless:
            raise AccountLocked(answer.message, hint=answer.hint)
        news = (answer.why.value, answer.holder)
        if news != told:
            told = news
            say(f"standing by: {answer.message}")


@asynccontextmanager
async def kept(lease: Lease, leadership: Leadership, grant: Grant) -> AsyncIterator[None]:
    """Renew a lease that was granted for the length of the block, and give it back after it."""
    leadership.take(grant.epoch, lambda: lease.held)
    try:
        async with alongside(lease.keep()):
            yield
    finally:
        await lease.release()
