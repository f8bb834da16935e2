"""One connection to Redis: a question, its answer, or a `RedisTrouble` that says what is wrong.

The library's own connection is used beneath its client: the client's retries, pools and reply
callbacks would hide when a request was sent, and cost more than the hop itself. Nothing is ever
asked twice here: whoever uses a link decides what a lost answer means.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ibkr_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import ModuleType

    from ibkr_trader.adapters.redis_address import RedisAddress

DOWN = "down"  # nobody answers there, or the connection broke
SLOW = "slow"  # no answer in time
GARBLED = "garbled"  # what answers there is no Redis
PATIENCE = 5.0  # seconds for an answer

Word = str | bytes | int


class RedisTrouble(Exception):
    """A question without its answer; `message` is plain and shows no secret.

    Attributes:
        code: `DOWN`, `SLOW`, `GARBLED`, or the first word of the server's own refusal, as
            `NOGROUP`, `WRONGTYPE`, `OOM`, `NOAUTH`, `LOADING`.
        is_refusal: The server refused this very question, and the connection stands.
    """

    def __init__(self, code: str, message: str, *, is_refusal: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.is_refusal = is_refusal

    @property
    def words(self) -> str:
        """What is wrong, with the server's own code if it is the server that says so."""
        return self.message if self.code in {DOWN, SLOW, GARBLED} else str(self)


class _Wire(Protocol):
    """What is used of `redis.asyncio.Connection`, which is typed in part."""

    async def connect(self) -> None: ...
    async def send_command(self, *words: Word) -> None: ...
    def pack_commands(self, commands: Sequence[Sequence[Word]]) -> list[bytes]: ...
    async def send_packed_command(self, command: list[bytes]) -> None: ...
    async def read_response(self) -> Any: ...
    async def disconnect(self, nowait: bool = ...) -> None: ...  # noqa: FBT001 - the library's own


class RedisLink:
    """Asks one server, one question at a time; after a failure it must be opened again.

    Raises:
        ConfigError: If the client library is not installed.
    """

    def __init__(self, address: RedisAddress, *, patience: float = PATIENCE) -> None:
        self.address = address
        _library()
        self._patience = patience
        self._wire: _Wire | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as was heard."""
        return self._wire is not None

    async def open(self) -> None:
        """Connect, and say who we are.

        Raises:
            RedisTrouble: If nobody is there, or does not let us in.
        """
        await self.close()
        wire = _wire(self.address)
        try:
            async with asyncio.timeout(self._patience):
                await wire.connect()
        except BaseException as error:
            await wire.disconnect(nowait=True)
            if not isinstance(error, Exception):
                raise
            raise self._trouble(error) from None
        self._wire = wire

    async def ask(self, *words: Word, wait: float = 0.0) -> Any:
        """Return the answer to one command: bytes, integers, None, and lists of them.

        Args:
            words: The command.
            wait: How long the server itself was asked to wait, in seconds.

        Raises:
            RedisTrouble: If there is none, or it is a refusal.
        """
        async with self._asking(wait) as wire:
            await wire.send_command(*words)
            return await wire.read_response()

    async def ask_all(self, commands: Sequence[Sequence[Word]]) -> list[Any]:
        """Return the answers to several commands, all of them sent before the first is read.

        Raises:
            RedisTrouble: If one has no answer, or is refused; others may have been carried out.
        """
        async with self._asking() as wire:
            await wire.send_packed_command(wire.pack_commands(commands))
            answers: list[Any] = []
            refusals: list[Exception] = []
            for _ in commands:  # all are read: an answer left over would be the next one's
                try:
                    answers.append(await wire.read_response())
                except _library().ResponseError as error:
                    refusals.append(error)
            if refusals:
                raise refusals[0]
            return answers

    @asynccontextmanager
    async def _asking(self, wait: float = 0.0) -> AsyncIterator[_Wire]:
        """Give the connection for a question and its answer; whatever goes wrong is told."""
        if self._wire is None:
            raise RedisTrouble(DOWN, f"not connected to {self.address}")
        try:
            async with asyncio.timeout(self._patience + wait):
                yield self._wire
        except BaseException as error:
            if not isinstance(error, Exception):  # an answer may be under way: it is not ours now
                await self.close()
                raise
            trouble = self._trouble(error)
            if not trouble.is_refusal:
                await self.close()
            raise trouble from None

    async def close(self) -> None:
        """Let go of the connection; harmless if there is none."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.disconnect(nowait=True)

    def _trouble(self, error: Exception) -> RedisTrouble:
        """What an error means: the library raises its own, the system's, and a parser's."""
        library = _library()

        text = self.address.hidden(str(error))
        if isinstance(error, TimeoutError | library.TimeoutError):
            return RedisTrouble(SLOW, f"{self.address} does not answer in {self._patience:g} s")
        code: str | None = getattr(error, "status_code", None)  # if the library cut it off
        if code:
            return RedisTrouble(code, text, is_refusal=isinstance(error, library.ResponseError))
        if isinstance(error, library.ResponseError):
            code, _, rest = text.partition(" ")
            return RedisTrouble(code, rest, is_refusal=True)
        if isinstance(error, OSError | library.ConnectionError):
            return RedisTrouble(DOWN, text)
        return RedisTrouble(GARBLED, f"{self.address} answers what Redis would not: {text}")


def _library() -> ModuleType:
    """The client library, which is an extra; it takes its time, so only whoever asks waits."""
    try:
        return importlib.import_module("redis.asyncio")
    except ImportError:
        raise ConfigError(
            "Redis is asked for, and its client library is not installed",
            hint="pip install 'ibkr-trader[redis]'",
        ) from None


def _wire(address: RedisAddress) -> _Wire:
    library = _library()
    options: dict[str, Any] = {
        "db": address.database,
        "username": address.user or None,
        "password": address.password or None,
        "protocol": 2,
        "socket_timeout": None,  # the link has its own
    }
    wire: _Wire
    if address.path:
        wire = library.UnixDomainSocketConnection(path=address.path, **options)
    elif address.is_tls:
        wire = library.SSLConnection(
            host=address.host,
            port=address.port,
            ssl_cert_reqs="required",
            ssl_check_hostname=True,
            ssl_ca_certs=address.ca_file or None,
            **options,
        )
    else:
        wire = library.Connection(host=address.host, port=address.port, **options)
    return wire
