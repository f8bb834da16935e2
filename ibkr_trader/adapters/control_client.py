"""A command's end of the control socket: blocking, small, and quick to import.

Every wait has an end. A trader that is silent for too long does not answer, which is
something else than one that is not there, or that died while the command ran.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Self

from ibkr_trader.adapters.control import (
    HEADER,
    MOST_TOLD,
    PROTOCOL,
    FrameFault,
    Hello,
    Refused,
    Started,
    Yes,
    pack,
    peer_uid,
    read_answer,
    read_card,
    size_of,
)
from ibkr_trader.core.errors import AccountLocked, TraderError

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.adapters.control import Call, Card, FromTrader, Message

KNOCK_PATIENCE = 5.0  # seconds for the trader to introduce itself
PATIENCE = 10.0  # seconds without a word while a command runs: it says `Alive` every other second


class LineLost(TraderError):
    """The trader is gone, or silent.

    Attributes:
        has_started: Whether the command may have done something.
        is_silent: Whether it still holds the line.
    """

    def __init__(self, message: str, *, has_started: bool, is_silent: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.has_started = has_started
        self.is_silent = is_silent


class Counterpart:
    """The trader at the other end: what its words mean, and its silence.

    It waits for nothing, so that it serves a line that blocks and one that does not.
    """

    def __init__(self, card: Card) -> None:
        self._pid = card.pid
        self._has_started = False

    @property
    def name(self) -> str:
        """What a message calls the trader."""
        return f"the trader (process {self._pid})"

    def require_ours(self, line: socket.socket) -> None:
        """Refuse to talk to another user's process.

        Raises:
            AccountLocked: If it is one.
        """
        uid = peer_uid(line)
        if uid != os.geteuid():
            raise AccountLocked(f"{self.name} belongs to another user (uid {uid})")

    def introduced(self, hello: FromTrader) -> Hello:
        """Return the trader's introduction.

        Raises:
            AccountLocked: If it is none, or of another protocol.
        """
        how_to_end = f"kill {self._pid}"
        if not isinstance(hello, Hello):
            raise AccountLocked(f"{self.name} does not introduce itself", hint=how_to_end)
        if hello.protocol != PROTOCOL:
            raise AccountLocked(
                f"{self.name} is of version {hello.version} and speaks protocol "
                f"{hello.protocol}; this command speaks {PROTOCOL}",
                hint=f"start the trader again, of this version: {how_to_end}",
            )
        return hello

    def heard(self, body: bytes) -> FromTrader:
        """Return the message that has come.

        Raises:
            AccountLocked: If the trader refuses.
            LineLost: If it cannot be understood.
        """
        try:
            message = read_answer(body)
        except FrameFault as error:
            raise self.lost(error) from error
        if isinstance(message, Refused):
            raise AccountLocked(message.message, hint=message.hint)
        self._has_started |= isinstance(message, Started)
        return message

    def lost(self, error: OSError | FrameFault) -> LineLost:
        """Return what it means that `error` came instead of a message."""
        if isinstance(error, TimeoutError):
            what = "does not answer"
        elif isinstance(error, FrameFault):
            what = f"cannot be understood: {error.message}"
        else:
            what = f"is gone ({error.strerror or 'it hung up'})"
        is_there = isinstance(error, TimeoutError | FrameFault)
        return LineLost(f"{self.name} {what}", has_started=self._has_started, is_silent=is_there)


class TraderLine:
    """A line to a running trader that has introduced itself."""

    def __init__(self, line: socket.socket, card: Card) -> None:
        self._line = line
        self._trader = Counterpart(card)

    def __enter__(self) -> Self:
        """Return the line, which is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up; a command that still runs is cancelled by that."""
        self._line.close()

    @property
    def name(self) -> str:
        """What a message calls the trader."""
        return self._trader.name

    def meet(self) -> Hello:
        """Return the trader's introduction.

        Raises:
            AccountLocked: If it is not our user's, speaks another protocol, or refuses.
            LineLost: If it is gone, or does not answer.
        """
        self._trader.require_ours(self._line)
        self._line.settimeout(KNOCK_PATIENCE)
        hello = self._trader.introduced(self.hear())
        self._line.settimeout(PATIENCE)
        return hello

    def call(self, call: Call) -> None:
        """Ask the trader to run a command.

        Raises:
            LineLost: If it is gone.
        """
        self._send(call)

    def agree(self, *, typed: str = "") -> None:
        """Answer the trader's question with yes, or with what was typed.

        Raises:
            LineLost: If it is gone.
        """
        self._send(Yes(typed=typed))

    def hear(self) -> FromTrader:
        """Return what the trader says next.

        Raises:
            AccountLocked: If it refuses.
            LineLost: If it is gone, or says nothing for too long.
        """
        try:
            size = size_of(self._exactly(HEADER.size), limit=MOST_TOLD)
            body = self._exactly(size)
        except (OSError, FrameFault) as error:
            raise self._trader.lost(error) from error
        return self._trader.heard(body)

    def _send(self, message: Message) -> None:
        try:
            self._line.sendall(pack(message))
        except OSError as error:
            raise self._trader.lost(error) from error

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._line.recv(min(size, 1 << 16))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def knock(folder: Path) -> TraderLine | None:
    """Return a line to the trader of `folder`, or None if none runs.

    Raises:
        AccountLocked: If one runs and cannot be talked to.
    """
    card = read_card(folder)
    if card is None:
        return None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    trader = TraderLine(line, card)
    try:
        line.settimeout(KNOCK_PATIENCE)
        line.connect(card.socket)
        trader.meet()
    except (LineLost, OSError) as error:
        line.close()
        locked = who_is_there(card, error)
        if locked is not None:
            raise locked from error
        return None
    except BaseException:
        line.close()
        raise
    return trader


def is_open(folder: Path) -> bool:
    """Whether a trader takes commands for `folder`."""
    try:
        trader = knock(folder)
    except AccountLocked:
        return True
    if trader is None:
        return False
    with trader:
        return True


def who_is_there(card: Card, error: LineLost | OSError) -> AccountLocked | None:
    """Return what it means that nobody was met at the door of `card`; None: no trader runs."""
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return None
    if isinstance(error, LineLost) and not error.is_silent:
        return None  # it was just leaving
    return AccountLocked(  # it is stuck, or its queue is full: it takes nobody any more
        f"the trader (process {card.pid}) holds this account and does not answer",
        hint=f"wait, or end it: kill -9 {card.pid}; what works at the broker stays, its stops too",
    )
