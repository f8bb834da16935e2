"""What became of a command, as a number: the one table of exit codes.

The numbers are a promise to scripts and cron; the words are the `code` of the JSON answer.
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.core import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Exit(IntEnum):
    """The exit codes, with what each of them means to the caller."""

    DONE = 0  # done and verified, or rightly nothing to do
    BUG = 1  # a fault of ours
    USAGE = 2  # what was typed is wrong
    CONFIG = 3  # a setting, a file or a folder is wrong
    UNREACHABLE = 4  # no gateway, or lost before sending; nothing was sent
    REJECTED = 5  # refused by the broker
    DENIED = 6  # refused by our risk checks; nothing was sent
    INCOMPLETE = 7  # not flat, not covered, drift found
    LOCKED = 8  # another process holds the account
    UNCONFIRMED = 9  # a confirmation is needed, and nobody can give it
    UNKNOWN = 10  # it may have been sent; never repeat it
    HUNG_UP = 129  # its terminal was closed
    INTERRUPTED = 130
    TERMINATED = 143


class UsageFault(errors.TraderError):
    """What was typed cannot be done.

    `option`, `typed` and `better` let the answer show the whole command, corrected: the
    value of that option, or (without one) the argument that was typed. `remedies` are
    options with their right values, each of them one way out.
    """

    def __init__(
        self,
        message: str,
        *,
        option: str = "",
        typed: str = "",
        better: str = "",
        hint: str = "",
        remedies: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.option = option
        self.typed = typed
        self.better = better
        self.remedies = remedies


class Unconfirmed(errors.TraderError):
    """A confirmation is needed, and there is no terminal and no `--yes`, or the answer was no."""


class Incomplete(errors.TraderError):
    """Part of what was asked for is done; the message says what is left."""


class Stopped(BaseException):
    """The process was asked to end while a command ran; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Verdict(errors.TraderError):
    """A command that found something wrong, and has already said what: only its code counts."""

    def __init__(self, code: Exit) -> None:
        super().__init__("")
        self.exit = code


# The first match wins, so a subclass stands before its base.
_TABLE: Mapping[type[BaseException], tuple[str, Exit]] = MappingProxyType(
    {
        UsageFault: ("usage", Exit.USAGE),
        Unconfirmed: ("confirmation_needed", Exit.UNCONFIRMED),
        Incomplete: ("incomplete", Exit.INCOMPLETE),
        errors.ConfigError: ("config", Exit.CONFIG),
        errors.JournalError: ("journal", Exit.CONFIG),
        errors.AccountMismatch: ("account_mismatch", Exit.CONFIG),
        errors.BrokerUnavailable: ("gateway_unreachable", Exit.UNREACHABLE),
        errors.AccountLocked: ("account_locked", Exit.LOCKED),
        errors.AmbiguousContract: ("unknown_contract", Exit.USAGE),
        errors.RiskCheckError: ("risk_denied", Exit.DENIED),
        errors.OrderRejectedError: ("rejected", Exit.REJECTED),
        errors.TicketRefused: ("ticket", Exit.USAGE),
        errors.OutcomeUnknown: ("outcome_unknown", Exit.UNKNOWN),
        LookupError: ("unknown_order", Exit.USAGE),
    }
)


def classify(error: BaseException) -> tuple[str, Exit]:
    """Return the word and the exit code for `error`; what nobody foresaw is a bug."""
    if not isinstance(error, errors.TraderError):
        return "bug", Exit.BUG
    for kind, answer in _TABLE.items():
        if isinstance(error, kind):
            return answer
    return "bug", Exit.BUG
