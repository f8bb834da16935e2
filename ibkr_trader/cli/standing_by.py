"""Waiting for the lease, before anything of the desk is opened: another host may trade.

A trader that stands by has no connection, no lock and no door: commands of this host go their
own way meanwhile. It can be told to end, in good order.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.leading import kept, stand_by
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app_parts import make_lease
from ibkr_trader.cli import logs, output
from ibkr_trader.cli.end_signals import told_to_end
from ibkr_trader.cli.exits import Exit, Verdict
from ibkr_trader.execution.leadership import Leadership
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.cli.face import Face


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
    logs.start(private_folder(settings.place.folder), level=settings.log_level)
    leadership = Leadership(SystemClock())
    leadership.waits, leadership.say = True, output.note
    lease = make_lease(settings, settings.lease, leadership.lose)
    with told_to_end() as ending:
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
