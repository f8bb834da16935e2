"""`symbol_limits.json`: read strictly, written whole or not at all, by one at a time.

A change is read, made and written under a lock, into a new file that takes the old one's
place at once: whoever reads, and whatever is killed, sees the old one or the new one.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.limits_reader import read_limits
from ibkr_trader.adapters.limits_writer import EMPTY, amended, text_of
from ibkr_trader.adapters.private_files import private_folder, replace_private
from ibkr_trader.adapters.trusted_file import mark_of, read_trusted
from ibkr_trader.core.errors import AccountLocked, ConfigError, InvariantBroken
from ibkr_trader.risk.limits import SymbolLimitRegistry
from ibkr_trader.risk.limits_reading import LimitsFault, LimitsReading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

    from ibkr_trader.risk.limits import RiskLimits

FILE = "symbol_limits.json"
MOST = 1_000_000  # bytes
LOCK_PATIENCE = 10.0  # seconds; a change takes milliseconds


class LimitsFile:
    """The limits file of one data folder.

    Attributes:
        path: Where it is, or would be.
    """

    def __init__(self, folder: Path, cap: RiskLimits) -> None:
        self.path = folder / FILE
        self._path = str(self.path)  # `mark` is asked before every review
        self._cap = cap

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self._path

    def mark(self) -> object:
        """Return what changes whenever the file does; None if it is missing."""
        return mark_of(self._path)

    def read(self) -> LimitsReading:
        """Return what the file says; whatever is wrong with it is in the answer."""
        try:
            found = read_trusted(self.path, MOST)
        except FileNotFoundError:
            return LimitsReading()
        if found.why:
            return LimitsReading(faults=(LimitsFault(message=found.why),), mark=found.mark)
        return msgspec.structs.replace(read_limits(found.data, self._cap), mark=found.mark)

    def parse(self, content: str) -> LimitsReading:
        """Return what a text says that `text` has made."""
        return read_limits(content.encode(), self._cap)

    def text(self, registry: SymbolLimitRegistry) -> str:
        """Return limits as the text of a file; the same limits are always the same text."""
        return text_of(registry)

    def change(
        self, symbol: str, limits: Mapping[str, Decimal] | None
    ) -> tuple[SymbolLimitRegistry, SymbolLimitRegistry]:
        """Set some limits of `symbol` (or `*`), or with None remove them all, durably.

        Returns:
            What the file said before, and what it says now.

        Raises:
            ConfigError: If the file is damaged (every fault is in the message), or cannot be
                written.
            AccountLocked: If another process is writing it and does not end.
        """
        with self._alone():
            before, after, text = self._amended(symbol, limits)
            self._replace(text)
        return before, after

    def would(
        self, symbol: str, limits: Mapping[str, Decimal] | None
    ) -> tuple[SymbolLimitRegistry, SymbolLimitRegistry]:
        """Return what `change` would, and write nothing.

        Raises:
            ConfigError: If the file is damaged, with every fault.
        """
        return self._amended(symbol, limits)[:2]

    def restore(self, content: str) -> Path | None:
        """Write the file again as it was in force; return where a damaged one was put aside.

        Raises:
            ConfigError: If it cannot be written.
            AccountLocked: If another process is writing it and does not end.
        """
        with self._alone():
            aside = None
            if self.mark() is not None:
                aside = self.path.with_name("symbol_limits.damaged.json")
                try:
                    aside.unlink(missing_ok=True)
                    os.link(self.path, aside, follow_symlinks=False)
                except OSError as error:
                    raise _unwritable(aside, error) from error
            self._replace(content)
        return aside

    def _sound(self) -> SymbolLimitRegistry:
        """Return what the file says; nothing, if there is none.

        Raises:
            ConfigError: If it is damaged, with every fault.
        """
        reading = self.read()
        if reading.faults:
            lines = "; ".join(f"{self.path} {fault}" for fault in reading.faults)
            raise ConfigError(lines, hint="mend it, or: ibkr-trader limits --restore")
        return reading.registry or SymbolLimitRegistry()

    def _amended(
        self, symbol: str, limits: Mapping[str, Decimal] | None
    ) -> tuple[SymbolLimitRegistry, SymbolLimitRegistry, str]:
        before = self._sound()
        text = EMPTY if self.mark() is None else self.path.read_text(encoding="utf-8")
        text = amended(text, symbol, limits)
        written = self.parse(text)
        if written.registry is None:
            raise InvariantBroken(f"what is to be written is no limits file: {written.faults}")
        if len(text) > MOST:
            raise ConfigError(f"{self.path} would be larger than {MOST:,} bytes")
        return before, written.registry, text

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only one that writes the file, for the length of the block."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only who writes needs it

        folder = private_folder(self.path.parent)
        lock = FileLock(folder / f".{FILE}.lock", timeout=LOCK_PATIENCE, mode=0o600)
        try:
            with lock:
                yield
        except Timeout:
            message = f"another process is writing {self.path}"
            raise AccountLocked(message, hint="wait until it has ended, and try again") from None

    def _replace(self, text: str) -> None:
        try:
            replace_private(self.path, text.encode())
        except OSError as error:
            raise _unwritable(self.path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    message = f"{path} cannot be written: {error.strerror or error}"
    return ConfigError(message, hint="nothing was changed; make room, or choose --data-dir")
