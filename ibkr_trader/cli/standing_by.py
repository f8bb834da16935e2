"""Waiting for the lease, before anything of the desk is opened: another host may trade.

A trader that stands by has no connection, no lock and no door: commands of this host go their
own way meanwhile. It can be told to end, in good order.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.leading import kept, stand_by
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app import make_lease
from ibkr_trader.cli import logs, output
from ibkr_trader.cli.exits import Exit, Verdict
from ibkr_trader.execution.leadership import Leadership
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ibkr_trader.cli.face import Face

_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@asynccontextmanager
async def led(face: Face) -> AsyncIterator[Leadership | None]:
    """Lead for the length of the block, from when the lease is ours; None if there is no lease.

    Raises:
        ConfigError: If the lease's settings cannot be used.
        AccountLocked: If waiting is of no use, or the lease was lost within the block.
        Verdict: If the process was told to end while it stood by: it is done.
    """
    settings = face.settings()
    if settings.lease is None:
        yield None
        return
    logs.start(private_folder(settings.place.folder))
    leadership = Leadership(SystemClock())
    leadership.waits, leadership.say = True, output.note
    lease = make_lease(settings, settings.lease, leadership.lose)
    with _told_to_end() as ending:
        async with alongside(_end_with(ending)):
            grant = await stand_by(lease, say=output.note)
    output.note(f"leading in epoch {grant.epoch}")
    async with kept(lease, leadership, grant):
        yield leadership
    if leadership.lost.is_set():
        raise leadership.refusal()


async def leave_when_lost(leadership: Leadership | None) -> None:
    """Tell this process to end, as a person would, once it leads no more."""
    if leadership is not None:
        await leadership.lost.wait()
        signal.raise_signal(signal.SIGTERM)


async def _end_with(ending: asyncio.Event) -> None:
    await ending.wait()
    output.note("ending: it has only stood by")
    raise Verdict(Exit.DONE)


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """Turn the signals that end a process into an event, and then leave them as they were."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    before = {number: signal.getsignal(number) for number in _ENDS}
    for number in _ENDS:
        loop.add_signal_handler(number, ending.set)
    try:
        yield ending
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
