"""The dashboard on this terminal: attached to a trader elsewhere, or to the one in this process.

Either way it is a client at the trader's door: it sees and does nothing that another terminal
could not. So a screen that fails, stalls or is killed is no business of the trader's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.adapters.user import user_name
from ibkr_trader.cli.attaching import TraderLink
from ibkr_trader.cli.exits import Stopped, UsageFault
from ibkr_trader.cli.printed import kept_off
from ibkr_trader.cli.remote import wishes
from ibkr_trader.dashboard.effects import Leave
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.palette import palette
from ibkr_trader.dashboard.shell import Shell
from ibkr_trader.dashboard.terminal.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ibkr_trader.cli.face import Face
    from ibkr_trader.dashboard.palette import Colours

_DUMB = frozenset({"", "dumb", "unknown"})
_PLAIN = ("vt1", "vt2", "vt3", "vt5", "xterm-mono")  # they have no colours
_LIGHT = frozenset({"7", "15"})  # of COLORFGBG


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How a screen looks, and who sits at it.

    Attributes:
        operator: The name that the journal keeps with each act.
        is_light: Whether the terminal's background is; None to find out.
    """

    operator: str = ""
    is_light: bool | None = None


def is_terminal(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a dashboard can be shown here."""
    term = environ.get("TERM", "")
    return term not in _DUMB and sys.stdin.isatty() and sys.stdout.isatty()


def require_terminal() -> None:
    """Refuse to go on without a terminal.

    Raises:
        UsageFault: If there is none.
    """
    if not is_terminal():
        message = "the dashboard needs a terminal that it can draw on, and this is none"
        raise UsageFault(message, hint="ibkr-trader status --json")


def colours(environ: Mapping[str, str]) -> Colours | None:
    """Return how many colours the terminal has; None for none, or if none are wanted."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term.startswith(_PLAIN):
        return None
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "truecolor"
    return "256" if "256color" in term else "standard"


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light; many say nothing."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT


def dashboard(face: Face, look: Look) -> None:
    """Show a running trader until the screen is left; the trader goes on.

    Raises:
        UsageFault: Without a terminal.
        Stopped: If a signal ended it.
    """
    require_terminal()
    face.place()  # a setting that is wrong is said before the screen is taken

    ended: list[int] = []
    left = asyncio.run(show(face, look, on_end=ended.append))
    if left.is_interrupted:
        ended.append(signal.SIGINT)
    if ended:
        raise Stopped(ended[0])


async def show(
    face: Face,
    look: Look,
    *,
    on_end: Callable[[int], None],
    is_own: bool = False,
    on_print: Callable[[str], None] = lambda _: None,
    aside: Callable[[], None] | None = None,
) -> Leave:
    """Show the trader of the face's profile until the screen is left, and return how.

    Args:
        face: Of the command; its settings are the operator's wishes.
        look: How it looks.
        on_end: Called with the signal by which the process is to end; the screen is left.
        is_own: Whether the trader runs in this very process.
        on_print: Called with each line that this process prints meanwhile, beside the log.
        aside: Called when the process is told to end, though the loop be stuck.
    """
    place, operator = face.place(), look.operator or user_name()
    link = TraderLink(
        place.folder,
        operator=operator,
        settings={} if is_own else wishes(face),  # our own trader has them already
        utc=face.utc,
        flag=HaltFile(place.kill_flag),
    )
    light = is_light(os.environ) if look.is_light is None else look.is_light
    depth = colours(os.environ)
    with kept_off(on_print) as out_fd:
        terminal = Terminal(
            sys.stdin.fileno(), out_fd, look=palette(is_light=light, colours=depth), colours=depth
        )
        shell = Shell(link, terminal, Model(operator=operator, is_own=is_own, is_utc=face.utc))

        def end(number: int) -> None:
            on_end(number)
            shell.leave()

        async with terminal.taken(shell, on_end=end, may_stop=not is_own, aside=aside):
            return await shell.run()
