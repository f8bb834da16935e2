"""Says so when the trader's loop stands still, and lets the process be ended all the same.

A strategy is asked on the loop, and one that does not return stops everything: orders, prices, the
door, and the signals that end the process, which the loop obeys. So a thread outside it looks on.
It does nothing that a `kill -9` would not do: journal and broker are safe with that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import ibkr_trader
from ibkr_trader.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

logger = logging.getLogger(__name__)
STILL = 10.0  # seconds without a beat until it is said
AGAIN = 300.0  # seconds until it is said again
GRACE = 10.0  # seconds that a loop which stands still has, once the process is told to end
_BEAT = 1.0  # seconds between two beats, and between two looks
_STUCK = 3.0  # seconds without a beat: whoever asks a second time is not kept waiting
_LATE = 5.0  # a look so late says that the whole process stood still, and not the loop
_STDERR = 2
_STAYS = "What works at the broker stays there, its stops too."
_PATHS = ("stdlib", "platstdlib", "purelib", "platlib")
_PLACES = (
    *(Path(sysconfig.get_paths()[name]) for name in _PATHS),
    Path(ibkr_trader.__file__).parent,
)
_NOT_THEIRS = tuple(f"{place}{os.sep}" for one in _PLACES for place in (one, one.resolve()))


class LoopWatch:
    """Watches the loop of the thread that makes it.

    Args:
        now: A clock that only goes forward.
        say: Tells people, from any thread.
        leave: Ends the process at once, with a code.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] | None = None,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._now, self._say, self._leave = now, say or _say, leave
        self._loops = threading.get_ident()
        self._over = threading.Event()
        self._beat = self._looked = now()
        self._said_at: float | None = None
        self._told_at: float | None = None

    async def work(self) -> None:
        """Beat for as long as the loop turns; never returns."""
        while True:
            self.beat()
            await asyncio.sleep(_BEAT)

    def beat(self) -> None:
        """Note that the loop turns."""
        self._beat = self._now()

    def told_to_end(self) -> None:
        """Note that the process is to end; a loop that is stuck is asked once.

        To be called by a signal's handler: that runs between two steps of Python code, so it
        runs while the loop is stuck in some.
        """
        if self._told_at is None:
            self._told_at = self._now()
        elif self._now() - self._beat > _STUCK:
            self._leave(Exit.TERMINATED)

    def look(self) -> None:
        """Look once, outside the loop: say that it stands still or goes on, or end the process."""
        now, before = self._now(), self._looked
        self._looked = now
        if now - before > _LATE:
            self._beat = now  # it was stopped and continued, as a whole
        still = now - self._beat
        if self._told_at is not None and min(still, now - self._told_at) >= GRACE:
            self._say(f"told to end, and stuck for {still:.0f} s: it ends now. {_STAYS}")
            self._leave(Exit.TERMINATED)
        elif still < STILL:
            if self._said_at is not None:
                self._said_at = None
                self._say("the trader goes on")
        elif self._said_at is None or now - self._said_at >= AGAIN:
            self._said_at = now
            self._say(
                f"the trader has stood still for {still:.0f} s, in {running_in(self._loops)}: "
                f"nothing is looked after. {_STAYS} kill {os.getpid()} ends it "
                f"{GRACE:.0f} s later, a second one at once"
            )

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look every second, for the length of the block."""
        thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(_BEAT)

    def _watch(self) -> None:
        while not self._over.wait(_BEAT):
            self.look()


def running_in(thread: int) -> str:
    """Return what a thread is doing: the file, line and function, of somebody's own code first.

    Neither this package nor a library is what one looks for, but where a strategy called it.
    """
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - documented, and there is no other
    if frame is None:
        return "a thread that has ended"
    inner = frame
    one: FrameType | None = frame
    while one is not None and not _is_theirs(one):
        one = one.f_back
    return _named(inner if one is None else one)


def _is_theirs(frame: FrameType) -> bool:
    """Whether it is somebody's own code; the outermost frame is the script that starts us."""
    is_known = frame.f_code.co_filename.startswith((*_NOT_THEIRS, "<frozen"))
    return not is_known and frame.f_back is not None


def _named(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} ({code.co_qualname})"


def _say(text: str) -> None:
    # Past sys.stderr, whose lock the loop may hold; and a reader that stands still stops nobody.
    with contextlib.suppress(OSError, ValueError):
        if select.select((), (_STDERR,), (), 0)[1]:
            os.write(_STDERR, f"{text}\n".encode(errors="replace"))
    logger.error("%s", text)
