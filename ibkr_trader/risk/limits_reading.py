"""What a look at the limits file found: limits, or everything that is wrong with it."""

from __future__ import annotations

import msgspec

from ibkr_trader.risk.limits import SymbolLimitRegistry


class LimitsFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a limits file; `line` 0 is the file as a whole."""

    line: int = 0
    column: int = 0
    key: str = ""
    message: str

    def __str__(self) -> str:
        """Return it as a message has it, without the file's name."""
        where = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{where}{self.key}{': ' if self.key else ''}{self.message}"


class LimitsReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the limits file found.

    Attributes:
        registry: What it says; None if it is missing or at fault.
        faults: Everything that is wrong with it.
        warnings: What is in it and has no effect.
        mark: What changes whenever the file does; None if it is missing.
    """

    registry: SymbolLimitRegistry | None = None
    faults: tuple[LimitsFault, ...] = ()
    warnings: tuple[LimitsFault, ...] = ()
    mark: object = None

    @property
    def is_missing(self) -> bool:
        """Whether there is no file."""
        return self.registry is None and not self.faults
