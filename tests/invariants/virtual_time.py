"""An event loop whose time is its own: it runs ahead whenever everybody waits.

Nothing sleeps for real. When no callback is ready and no socket has anything to read, the loop
jumps to its next timer, so an hour of trading takes as long as the work in it. A run is the same
every time as long as it stays within one process: `VirtualLoop(seed=…)` has a network of its own
(`memory_network.py`), where the same seed gives the same bytes at the same times. With sockets
(loopback, both ends in this loop) it first gives the kernel a moment to hand over what was written,
as long as there is anything that it may not have handed over yet; `kernel_network.py` knows
what that is, and waits for all of it.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import selectors
import termios
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.invariants.memory_network import MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tests.invariants.kernel_network import KernelNetwork

HAND_OVER = 0.0005  # seconds of the machine's: what is written to loopback is readable at once
_NONE = bytes(4)


class VirtualSelector(selectors.DefaultSelector):
    """Looks at the sockets, and instead of waiting lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.hand_over: Callable[[], bool] = _nothing
        self._known: frozenset[object] = frozenset()

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready; if nothing is, `timeout` seconds have then passed."""
        is_due = self.hand_over()
        ready = super().select(0)
        if ready or is_due or timeout == 0:
            return list(ready)
        if self.is_under_way():
            ready = super().select(HAND_OVER)
            if ready:
                return list(ready)
        if timeout is None:  # everybody waits for something that no timer brings
            return list(super().select(None))
        self.elapsed += timeout
        return []

    def is_under_way(self) -> bool:
        """Whether the kernel may have something to hand over: bytes, a line that began or ended."""
        there = frozenset(self.get_map())
        is_new, self._known = there != self._known, there
        return is_new or any(map(_has_unread, there))


def _has_unread(file: object) -> bool:
    """Whether the other end has not taken all that was written there; a system may not say."""
    try:
        return fcntl.ioctl(file, termios.TIOCOUTQ, _NONE) != _NONE  # type: ignore[call-overload,no-any-return]  # a descriptor
    except OSError as error:
        return error.errno != errno.EINVAL  # one that only listens


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time begins at zero, and passes as fast as there is nothing to do.

    Attributes:
        network: Where connections go that are made on this loop; None is the kernel's.
    """

    def __init__(self, *, seed: int | None = None, selector: VirtualSelector | None = None) -> None:
        self._virtual = selector or VirtualSelector()
        super().__init__(self._virtual)
        self.network: MemoryNetwork | KernelNetwork | None = None
        if seed is not None:
            self.network = MemoryNetwork(self, seed)
            self._virtual.hand_over = self.network.hand_over

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listen in the network: `create_server(factory, sock=…)`, with what it has bound."""
        if not isinstance(self.network, MemoryNetwork):
            return await super().create_server(*arguments, **options)
        (options["sock"].accept,) = arguments
        return options["sock"]

    async def create_connection(self, *arguments: Any, **options: Any) -> Any:
        """Connect in the network: `create_connection(factory, host, port)`."""
        if not isinstance(self.network, MemoryNetwork):
            return await super().create_connection(*arguments, **options)
        factory, _, port = arguments
        return await self.network.connect(factory, port)

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._virtual.elapsed


class LoopClock:
    """The `Clock` port on a virtual loop: it begins at `start`, and never jumps."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the present moment."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return the seconds since the loop began."""
        return self._loop.time()


def fail_loudly(loop: asyncio.AbstractEventLoop, found: list[BaseException]) -> None:
    """Collect what a task died of with nobody to hear it."""

    def hear(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            found.append(error)

    handler: Callable[[asyncio.AbstractEventLoop, Any], object] = hear
    loop.set_exception_handler(handler)


def _nothing() -> bool:
    """There is nothing to hand over but what the kernel has."""
    return False


__all__ = ["LoopClock", "VirtualLoop", "fail_loudly"]
