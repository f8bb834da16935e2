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

    def __init__(self, message: str, *, has_started: bool, is_silent: bool) -> None:
        super().__init__(message)
        self.has_started = has_started
        self.is_silent = is_silent


class TraderLine:
    """A line to a running trader that has introduced itself."""

    def __init__(self, line: socket.socket, card: Card) -> None:
        self._line = line
        self._card = card
        self._has_started = False

    def __enter__(self) -> Self:
        """Return the line, which is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up; a command that still runs is cancelled by that."""
        self._line.close()

    @property
    def name(self) -> str:
        """What a message calls the trader."""
        return f"the trader (process {self._card.pid})"

    def meet(self) -> Hello:
        """Return the trader's introduction.

        Raises:
            AccountLocked: If it is not our user's, speaks another protocol, or refuses.
            LineLost: If it is gone, or does not answer.
        """
        uid = peer_uid(self._line)
        if uid != os.geteuid():
            raise AccountLocked(f"{self.name} belongs to another user (uid {uid})")
        self._line.settimeout(KNOCK_PATIENCE)
        hello = self.hear()
        if not isinstance(hello, Hello):
            raise AccountLocked(f"{self.name} does not introduce itself", hint=self._how_to_end())
        if hello.protocol != PROTOCOL:
            raise AccountLocked(
                f"{self.name} is of version {hello.version} and speaks protocol "
                f"{hello.protocol}; this command speaks {PROTOCOL}",
                hint=f"start the trader again, of this version: {self._how_to_end()}",
            )
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
            message = read_answer(self._exactly(size))
        except TimeoutError:
            raise self._lost("does not answer", is_silent=True) from None
        except FrameFault as error:
            raise self._lost(f"cannot be understood: {error.message}", is_silent=True) from error
        except OSError as error:
            raise self._lost(f"is gone ({error.strerror or 'it hung up'})") from error
        if isinstance(message, Refused):
            raise AccountLocked(message.message, hint=message.hint)
        self._has_started |= isinstance(message, Started)
        return message

    def _send(self, message: Message) -> None:
        try:
            self._line.sendall(pack(message))
        except TimeoutError:
            raise self._lost("does not answer", is_silent=True) from None
        except OSError as error:
            raise self._lost(f"is gone ({error.strerror})") from error

    def _exactly(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._line.recv(min(size, 1 << 16))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _lost(self, what: str, *, is_silent: bool = False) -> LineLost:
        return LineLost(f"{self.name} {what}", has_started=self._has_started, is_silent=is_silent)

    def _how_to_end(self) -> str:
        return f"kill {self._card.pid}"


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
    except (FileNotFoundError, ConnectionRefusedError):
        line.close()
        return None
    except LineLost as lost:
        line.close()
        if lost.is_silent:
            raise _not_answering(card) from lost
        return None  # it was just leaving
    except OSError as error:  # its queue is full: it takes nobody any more
        line.close()
        raise _not_answering(card) from error
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


def _not_answering(card: Card) -> AccountLocked:
    return AccountLocked(
        f"the trader (process {card.pid}) holds this account and does not answer",
        hint=f"wait, or end it: kill {card.pid}; what works at the broker stays there",
    )
