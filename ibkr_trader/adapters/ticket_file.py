"""Tickets on disk: a file each, private, and taken away before it is used.

`TOKEN.json` is a ticket that may still be sent. Whoever sends it renames it to `TOKEN.used`
first: of two at once one succeeds, and a crash afterwards leaves it used. What is a day old
goes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.private_files import (
    open_private,
    private_folder,
    replace_private,
    sync_folder,
)
from ibkr_trader.core.errors import ConfigError, TicketRefused
from ibkr_trader.execution.tickets import Ticket

if TYPE_CHECKING:
    from pathlib import Path

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that looks like another
LENGTH = 7
KEPT = timedelta(days=1)
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})
_LARGEST = 1 << 20  # bytes; a ticket has a few thousand
_TRIES = 5

_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder = msgspec.json.Decoder(Ticket)


def token_of(text: str) -> str:
    """Return what was typed as a token: in capitals, `O` read as 0, `I` and `L` as 1.

    Raises:
        TicketRefused: If it cannot be one.
    """
    token = text.strip().upper().translate(_LOOKALIKES)
    if len(token) != LENGTH or not set(token) <= set(ALPHABET):
        message = f"{text[:40]!r} is no ticket: a token has {LENGTH} letters and figures"
        raise TicketRefused(message, hint="it is the last line of what --preview prints")
    return token


class TicketFolder:
    """The tickets of one profile, in `tickets/` of its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tickets"

    def keep(self, ticket: Ticket, *, now: datetime) -> str:
        """Put a ticket on disk and return its token; old ones are taken away.

        Raises:
            ConfigError: If the folder cannot be used.
        """
        private_folder(self._folder)
        self._purge(now)
        for _ in range(_TRIES):
            token = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            if not (self._path(token).exists() or self._path(token, is_used=True).exists()):
                self._write(token, _encoder.encode(ticket))
                return token
        raise ConfigError(f"the folder {self._folder} is full of tickets")

    def read(self, token: str, *, now: datetime) -> Ticket:
        """Return the ticket of a token (see `token_of`) that may still be sent.

        Raises:
            TicketRefused: If it is unknown, damaged, expired, or was used before.
        """
        try:
            ticket = _decoder.decode(self._content(token))
        except FileNotFoundError:
            raise self._missing(token) from None
        except (msgspec.MsgspecError, ValueError, OSError, ConfigError) as error:
            message = f"ticket {token} is damaged and cannot be sent: {str(error)[:200]}"
            raise TicketRefused(message, hint="repeat the command with --preview") from error
        ticket.require_fresh(token, now)
        return ticket

    def claim(self, token: str) -> None:
        """Use a ticket up: from here on nobody can send it again, whatever happens.

        Raises:
            TicketRefused: If somebody else has just done so.
            ConfigError: If it cannot be made durable; then it is not sent either.
        """
        try:
            self._path(token).rename(self._path(token, is_used=True))
        except FileNotFoundError:
            raise self._missing(token) from None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            sync_folder(self._folder)
        except OSError as error:
            raise self._unusable(error) from error

    def _missing(self, token: str) -> TicketRefused:
        used = self._path(token, is_used=True)
        if used.exists():
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                group = _decoder.decode(used.read_bytes()).command.group_id
                message = f"ticket {token} was used already: what it placed is {group}, if anything"
                return TicketRefused(message, hint="ibkr-trader orders --all")
            message = f"ticket {token} was used already: look what it placed"
            return TicketRefused(message, hint="ibkr-trader orders --all")
        message = f"there is no ticket {token}"
        return TicketRefused(message, hint="repeat the command with --preview")

    def _path(self, token: str, *, is_used: bool = False) -> Path:
        return self._folder / f"{token}.{'used' if is_used else 'json'}"

    def _content(self, token: str) -> bytes:
        descriptor = open_private(self._path(token), os.O_RDONLY)
        try:
            return os.read(descriptor, _LARGEST)
        finally:
            os.close(descriptor)

    def _write(self, token: str, content: bytes) -> None:
        try:
            replace_private(self._path(token), content)
        except OSError as error:
            raise self._unusable(error) from error

    def _purge(self, now: datetime) -> None:
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                if abs(now - made) > KEPT:  # one from the future is of no use either
                    path.unlink()

    def _unusable(self, error: OSError) -> ConfigError:
        why = error.strerror or str(error)
        return ConfigError(f"tickets cannot be kept in {self._folder}: {why}; nothing was sent")
