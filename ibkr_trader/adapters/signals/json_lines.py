"""Signals from a file, or from standard input: each line is one envelope.

A file is followed unless it is told to end: it may grow, be cut short, and be replaced by
another of its name. Nothing remembers how far it was read: after a restart it is read again
from its beginning, and what was seen before is known by its id.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.settings import (
    Seconds,
    SourceName,
    Text,
    keys_of,
    read_settings,
)
from ibkr_trader.adapters.signals.envelope import read_envelope
from ibkr_trader.adapters.signals.health import Health, nobody
from ibkr_trader.adapters.signals.line_splitter import LineSplitter
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.pauses import growing
from ibkr_trader.core.signals import Malformed
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from ibkr_trader.core.signals import Incoming, SignalReply

logger = logging.getLogger(__name__)
PATH = "signals.file"
STDIN = "-"
_CHUNK = 65_536
_LONGEST_PAUSE = 60.0


class FileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file, and whether it ends.

    Attributes:
        path: The file; `-` is standard input.
        name: What the source is called.
        follow: Wait for more at its end; if left out, that is done with a file. Standard input
            ends when it ends.
        poll_seconds: How often a file that is followed, or missing, is looked at.
        keys: The variables of the environment that hold the keys that may sign, by key id.
    """

    path: Text
    name: SourceName = "file"
    follow: bool | None = None
    poll_seconds: Seconds = 0.5
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path == STDIN and self.follow:
            raise ValueError("follow: standard input ends when it ends")

    @property
    def is_followed(self) -> bool:
        """Whether more is waited for at its end: who names a file writes to it while we run."""
        return self.path != STDIN if self.follow is None else self.follow


class JsonLines:
    """Hands over the lines of a file, in their order.

    Args:
        settings: Which file.
        keys: The keys that may have signed, by their id.
        sleep: Waits for so many seconds.
        stdin: The file descriptor that `-` stands for.
    """

    def __init__(
        self,
        settings: FileSettings,
        *,
        keys: Mapping[str, bytes],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        stdin: int = 0,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._sleep = sleep
        self._stdin = stdin
        self._counts: Counter[str] = Counter()
        self._health = Health(settings.name, say=nobody)

    @property
    def name(self) -> str:
        """What its signals are called by."""
        return self._settings.name

    @property
    def trouble(self) -> str:
        """Why nothing comes of it; empty while it is well."""
        return self._health.trouble

    @property
    def counts(self) -> Mapping[str, int]:
        """How often what happened: `handed_over`, `malformed`, `failures`, `restarts`."""
        return dict(self._counts)

    async def run(
        self,
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        say: Callable[[str], None] = nobody,
    ) -> None:
        """Hand over line by line until the end, if there is one; see `SignalSource`."""
        self._health = Health(self.name, say=say)
        source = self._from_stdin() if self._settings.path == STDIN else self._from_file()
        async with aclosing(source):
            async for line in source:
                if line.strip():
                    await self._hand_over(line, take)
        self._health.end(f"{self._where} is read to its end")

    async def _hand_over(
        self, line: bytes, take: Callable[[Incoming], Awaitable[SignalReply]]
    ) -> None:
        incoming = read_envelope(line, source=self.name, keys=self._keys)
        self._counts["malformed"] += isinstance(incoming, Malformed)
        tries = 1
        while not (await take(incoming)).is_final:
            await self._sleep(self._pause(tries))
            tries += 1
        self._counts["handed_over"] += 1

    @property
    def _where(self) -> str:
        is_stdin = self._settings.path == STDIN
        return "standard input" if is_stdin else plain(self._settings.path)

    def _pause(self, tries: int) -> float:
        return growing(tries, first=self._settings.poll_seconds, most=_LONGEST_PAUSE)

    async def _from_stdin(self) -> AsyncGenerator[bytes, None]:
        lines = LineSplitter()
        while data := await _read_when_ready(self._stdin):
            for line in lines.feed(data):
                yield line
        if rest := lines.rest():
            yield rest

    async def _from_file(self) -> AsyncGenerator[bytes, None]:
        """The lines of the file, once there is one, and of those that take its place."""
        failures = 0
        while True:
            try:
                async with aclosing(self._lines(self._settings.path)) as lines:
                    async for line in lines:
                        failures = 0
                        yield line
            except OSError as error:
                failures += 1
                self._counts["failures"] += 1
                if failures == 1:
                    told = "the signals of %s cannot be read: %s; it is tried again"
                    logger.error(told, self._settings.path, error.strerror)  # noqa: TRY400 - said
                self._health.worsen(f"{self._where} cannot be read: {error.strerror}")
                await self._sleep(self._pause(failures))
            else:
                if not self._settings.is_followed:
                    return
                failures = 0
                self._counts["restarts"] += 1

    async def _lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """The lines of one file, to its end; if it is followed, until another has its name.

        Raises:
            OSError: If it cannot be read.
        """
        lines, is_over = LineSplitter(), not self._settings.is_followed
        with _opened(path) as file:
            while True:
                while data := os.read(file, _CHUNK):
                    self._health.mend()  # before what is read acts
                    for line in lines.feed(data):
                        yield line
                self._health.mend()
                if is_over:
                    break
                await self._sleep(self._settings.poll_seconds)
                if _is_cut(file):
                    self._counts["restarts"] += 1
                    os.lseek(file, 0, os.SEEK_SET)
                    lines = LineSplitter()
                is_over = self._is_replaced(file)  # and is read once more, to its very end
        if rest := lines.rest():
            yield rest

    def _is_replaced(self, file: int) -> bool:
        """Whether the name stands for another file by now; one that is missing is none yet."""
        try:
            return not os.path.samestat(Path(self._settings.path).stat(), os.fstat(file))
        except OSError:
            return False


@contextmanager
def _opened(path: str) -> Iterator[int]:
    """Open a regular file; anything else could keep us waiting.

    Raises:
        OSError: If it cannot be read, or is no file.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "it is no regular file")
        yield file
    finally:
        os.close(file)


def _is_cut(file: int) -> bool:
    return os.fstat(file).st_size < os.lseek(file, 0, os.SEEK_CUR)


async def _read_when_ready(file: int) -> bytes:
    """Read what is there, once something is; a terminal that others use stays as it is."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(file, ready.set)
    except PermissionError:  # a regular file is always ready, and cannot be waited for
        await asyncio.sleep(0)
    else:
        try:
            await ready.wait()
        finally:
            loop.remove_reader(file)
    return os.read(file, _CHUNK)


@SOURCES.register("file")
def file(values: Mapping[str, Any]) -> JsonLines:
    """Make the source from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
    """
    settings = read_settings(values, FileSettings, path=PATH)
    return JsonLines(settings, keys=keys_of(settings.keys, path=f"{PATH}.keys"))
