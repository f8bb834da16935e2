"""The desk as the commands use it: opened from the common options, with its errors in words."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.control_client import is_open
from ibkr_trader.adapters.ibkr.dialing import NOBODY_THERE
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app import open_desk
from ibkr_trader.cli import logs, output
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.halts import state_words
from ibkr_trader.cli.wording import when
from ibkr_trader.config import Profile
from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.consent import asked_by
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from ibkr_trader.adapters.account_lock import Holder
    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Settings
    from ibkr_trader.execution.closer import Run
    from ibkr_trader.execution.leadership import Leadership
    from ibkr_trader.execution.ports import PayloadSink

_TO_TRADE = 2.0  # seconds that a closing order at the broker is given


@asynccontextmanager
async def desk_for(
    face: Face,
    *,
    timeout: float | None = None,
    patient: bool = False,
    looks: bool = False,
    decides: bool = False,
    sinks: Iterable[PayloadSink] = (),
    leadership: Leadership | None = None,
) -> AsyncIterator[Desk]:
    """Open the desk that the common options name, for the length of the block.

    At a running trader it is the trader's own, and stays open. `patient` says that nobody is
    waiting: then there are as many attempts to connect as are set. `looks` says that this run
    of a command sends nothing, as a dry run does not. `decides`, `sinks` and `leadership`
    are for a trader that stays.

    Raises:
        TraderError: Whatever keeps it from opening; see `open_desk`.
    """
    settings, looks = face.settings(), looks or face.dry_run
    if face.desk is not None:
        patience = timeout if timeout is not None else settings.timeout_seconds
        with asked_by(face):
            yield Desk(face.desk.trader, timeout=patience)
        return
    if not settings.data_dir.exists() and not face.json:
        output.note(f"state is kept in {settings.data_dir}")
    folder = private_folder(settings.place.folder)
    logs.start(folder, level=settings.log_level)
    try:
        async with open_desk(
            settings=settings if patient else _impatient(settings),
            timeout=timeout,
            on_wait=_say_who,
            is_vain=lambda: is_open(folder),
            # A command that only looks sends nothing, whatever it sees; one that stays does.
            duty=Duty.TRIM if (face.changes or patient) and not looks else Duty.NONE,
            # What somebody has asked for and could not end is another matter.
            goes_on=not looks,
            decides=decides,
            sinks=sinks,
            leadership=leadership,
        ) as desk:
            taken_up = _taken_up(face, desk)
            if not (face.changes or patient):
                await _settled(taken_up, timeout=settings.timeout_seconds)
            with asked_by(face):
                yield desk
        for run in taken_up:
            if run.trouble and run.is_resumed:  # else the command has asked for it, and says it
                output.note(run.trouble)
    except BrokerUnavailable as error:
        if error.hint == NOBODY_THERE:
            error.hint = _how_to_start(settings)
        raise


def _taken_up(face: Face, desk: Desk) -> tuple[Run, ...]:
    """Say which closings that were left in the middle go on now."""
    runs = desk.trader.closer.runs()
    for run in runs:
        begun = when(run.request.at, utc=face.utc)
        output.note(f"going on with the closing of {label(run.request.contract)}, begun {begun}")
    return runs


async def _settled(runs: Iterable[Run], *, timeout: float) -> None:
    """Wait until closings that go on are over: who looks in the middle sees what is so no more.

    What only waits for its order to trade, as in a halt, is seen as it is after a moment.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            for run in runs:
                await run.may_be_left()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TO_TRADE):
                        await run.heard()


def title(settings: Settings, desk: Desk) -> str:
    """Return whose account it is, and whether it may be traded: `SIM SIM0000001  HALTED: …`."""
    parts = (name(settings, desk), armed_words(desk), state_words(desk))
    return "  ".join(part for part in parts if part)


def name(settings: Settings, desk: Desk) -> str:
    """Return whose account it is: `SIM SIM0000001`."""
    return f"{settings.profile.value.upper()} {desk.trader.account}"


def armed_words(desk: Desk, *, utc: bool = False) -> str:
    """Return until when a live desk is armed, or that the desk is not; else nothing."""
    arming, now = desk.trader.arming.arming(as_typed=False), desk.trader.clock.now()
    if not arming.is_armed(now):
        return "NOT ARMED"
    return f"armed until {when(arming.until, utc=utc)}" if arming.is_live else ""


@contextmanager
def usage() -> Iterator[None]:
    """Turn a request that contradicts itself into a usage fault."""
    try:
        yield
    except msgspec.MsgspecError:
        raise
    except ValueError as error:
        raise UsageFault(str(error)) from error


def _how_to_start(settings: Settings) -> str:
    """What to do when nobody listens: that depends on who should."""
    if settings.profile is Profile.SIM:
        return "ibkr-trader gateway start"
    return (
        f"start TWS or IB Gateway, log in ({settings.profile}), and in its settings, under API, "
        f"enable socket clients on port {settings.port}; then: "
        f"ibkr-trader doctor --profile {settings.profile}"
    )


def _impatient(settings: Settings) -> Settings:
    """One attempt to connect, unless more were asked for: a person is waiting."""
    for one in settings.effective:
        if one.name == "reconnect_max_attempts" and one.origin == "default":
            return msgspec.structs.replace(settings, reconnect_max_attempts=1)
    return settings


def _say_who(holder: Holder) -> None:
    output.note(f"waiting for {holder}, which is trading this account …")
