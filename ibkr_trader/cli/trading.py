"""The desk as the commands use it: opened from the common options, with its errors in words."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr.dialing import NOBODY_THERE
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app import open_desk
from ibkr_trader.cli import logs, output
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.config import Profile, refuse_live
from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from ibkr_trader.adapters.account_lock import Holder
    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Settings
    from ibkr_trader.execution.desk import Desk


@asynccontextmanager
async def desk_for(
    face: Face, *, timeout: float | None = None, handlers: Iterable[object] = ()
) -> AsyncIterator[Desk]:
    """Open the desk that the common options name, for the length of the block.

    Raises:
        TraderError: Whatever keeps it from opening; see `open_desk`.
    """
    settings = face.settings()
    refuse_live(settings)
    if not settings.data_dir.exists() and not face.json:
        output.note(f"state is kept in {settings.data_dir}")
    logs.start(private_folder(settings.place.folder))
    try:
        async with open_desk(
            settings=_impatient(settings), handlers=handlers, timeout=timeout, on_wait=_say_who
        ) as desk:
            yield desk
    except BrokerUnavailable as error:
        if error.hint == NOBODY_THERE:
            error.hint = _how_to_start(settings)
        raise


def title(settings: Settings, desk: Desk) -> str:
    """Return whose account it is: `SIM SIM0000001`."""
    return f"{settings.profile.value.upper()} {desk.trader.account}"


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
