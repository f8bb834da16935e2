"""What waits on disk under a token: a file each, private, and taken away before it is used.

`TOKEN.json` may still be used. Whoever does renames it to `TOKEN.used` first: of two at once
one succeeds, and a crash afterwards leaves it used. What is a day old goes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from ibkr_trader.adapters.private_files import (
    open_private,
    private_folder,
    replace_private,
    sync_folder,
)
from ibkr_trader.core.errors import ConfigError, TicketRefused

if TYPE_CHECKING:
    from pathlib import Path

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that looks like another
LENGTH = 7
KEPT = timedelta(days=1)
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})
_LARGEST = 1 << 20  # bytes
_TRIES = 5

_encoder = msgspec.json.Encoder(decimal_format="string")


class Kept(Protocol):
    """Something that may be used once, for a while."""

    def require_fresh(self, token: str, now: datetime) -> None:
        """Refuse to be used now, with a `TicketRefused`, if it is too late."""

    @property
    def remark(self) -> str:
        """What to say once it was used."""


K = TypeVar("K", bound=Kept)


class Naming(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """What is kept, what people call it, and what to do without it.

    Attributes:
        kind: Its type.
        noun: `ticket`.
        folder: Within the profile's folder.
        again: How to get another.
        afterwards: Where to look once it was used.
        used: What to say of one that was used and cannot be read.
        source: Where its token comes from.
    """

    kind: type[K]
    noun: str
    folder: str
    again: str
    afterwards: str
    used: str
    source: str


class TokenFolder(Generic[K]):
    """What is kept under tokens for one profile, in a folder of its own."""

    def __init__(self, folder: Path, naming: Naming[K]) -> None:
        self._folder = folder / naming.folder
        self._naming = naming
        self._decoder = msgspec.json.Decoder(naming.kind)

    def token_of(self, text: str) -> str:
        """Return what was typed as a token: in capitals, `O` read as 0, `I` and `L` as 1.

        Raises:
            TicketRefused: If it cannot be one.
        """
        token = text.strip().upper().translate(_LOOKALIKES)
        if len(token) != LENGTH or not set(token) <= set(ALPHABET):
            noun = self._naming.noun
            message = f"{text[:40]!r} is no {noun}: a token has {LENGTH} letters and figures"
            raise TicketRefused(message, hint=self._naming.source)
        return token

    def keep(self, kept: K, *, now: datetime) -> str:
        """Put something on disk and return its token; old ones are taken away.

        Raises:
            ConfigError: If the folder cannot be used.
        """
        private_folder(self._folder)
        self._purge(now)
        for _ in range(_TRIES):
            token = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            if not (self._path(token).exists() or self._path(token, is_used=True).exists()):
                self._write(token, _encoder.encode(kept))
                return token
        raise ConfigError(f"the folder {self._folder} is full of {self._naming.noun}s")

    def read(self, token: str, *, now: datetime) -> K:
        """Return what is kept under a token (of `token_of`) and may still be used.

        Raises:
            TicketRefused: If it is unknown, damaged, expired, or was used before.
        """
        try:
            kept = self._decoder.decode(self._content(token))
        except FileNotFoundError:
            raise self._missing(token) from None
        except (msgspec.MsgspecError, ValueError, OSError, ConfigError) as error:
            message = (
                f"{self._naming.noun} {token} is damaged and cannot be sent: {str(error)[:200]}"
            )
            raise TicketRefused(message, hint=self._naming.again) from error
        kept.require_fresh(token, now)
        return kept

    def claim(self, token: str) -> None:
        """Use it up: from here on nobody can use it again, whatever happens.

        Raises:
            TicketRefused: If somebody else has just done so.
            ConfigError: If it cannot be made durable; then nothing is sent either.
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
        naming, used = self._naming, self._path(token, is_used=True)
        if used.exists():
            remark = naming.used
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                remark = self._decoder.decode(used.read_bytes()).remark
            message = f"{naming.noun} {token} was used already: {remark}"
            return TicketRefused(message, hint=naming.afterwards)
        message = f"there is no {naming.noun} {token}"
        return TicketRefused(message, hint=naming.again)

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
        noun = self._naming.noun
        return ConfigError(f"{noun}s cannot be kept in {self._folder}: {why}; nothing was sent")
