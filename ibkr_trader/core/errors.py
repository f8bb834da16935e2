"""The exceptions of ibkr-trader: faults, not outcomes.

What the market or a risk check decides (denied, rejected, cancelled) is a value and an
event. These are raised when something is broken, or at the public face where seed 4
promises an exception.

    TraderError
    ├── InvariantBroken          our own bug: an illegal transition, a bypassed path
    ├── ConfigError              a setting is wrong; names the file and the key
    ├── BrokerUnavailable        nothing was sent (also a ConnectionError)
    │   └── DataRefused          the broker gives no such data, or not so fast
    ├── SlowConsumer             a stream's reader fell too far behind
    ├── SinkUnavailable          whoever is told what happened does not take it now
    │   └── SinkRefused          it takes no such thing, ever: there is no use in repeating it
    ├── NotifyFailed             a message did not reach everybody who is to be told
    ├── JournalError             a record could not be made durable, or is damaged
    ├── AccountLocked            another process trades this account
    ├── AccountMismatch          the account is not of the profile's kind
    ├── AmbiguousContract        a symbol names no contract, or more than one
    ├── RiskCheckError           denied by us, before anything was sent
    ├── OrderRejectedError       refused by the broker, in its words
    ├── TicketRefused            a previewed order is unknown, expired, or was sent before
    └── OutcomeUnknown           it may have been sent: never repeat it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkr_trader.core.events import Breach
    from ibkr_trader.core.models import Contract, OrderId


# What asks the broker for an order of which nobody knows, and sends nothing.
WHAT_BECAME_OF_IT = "ibkr-trader reconcile --plan"


class TraderError(Exception):
    """The root of the tree. `hint` says what to do next, when there is something to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvariantBroken(TraderError):
    """Something happened that our own code promises never to do."""


class ConfigError(TraderError):
    """A setting cannot be used; the message names where it stands."""


class BrokerUnavailable(TraderError, ConnectionError):
    """The broker cannot be reached or is not in sync; nothing was sent."""


class DataRefused(BrokerUnavailable):
    """The broker gives no such data; `is_pacing` says that it was only asked for too fast."""

    def __init__(self, message: str, *, is_pacing: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.is_pacing = is_pacing


class SlowConsumer(TraderError):
    """A stream's reader let more events wait than its limit allows."""


class SinkUnavailable(TraderError):
    """A sink cannot take what it is told now; told again later, it may. No secret is in it."""


class SinkRefused(SinkUnavailable):
    """A sink does not take these very payloads, and never will: they are left out."""


class NotifyFailed(TraderError):
    """A message was not taken everywhere; no address is in the words."""


class JournalError(TraderError):
    """The journal cannot be written, or what it holds is damaged."""


class AccountLocked(TraderError):
    """Another process holds the account."""


class AccountMismatch(TraderError):
    """The broker's account is not of the kind the profile asks for."""


class AmbiguousContract(TraderError):
    """A symbol could not be resolved to exactly one contract."""

    def __init__(self, message: str, *, candidates: tuple[Contract, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


class RiskCheckError(TraderError):
    """The order was denied by our own checks; nothing was sent. `breaches` has every reason."""

    def __init__(self, message: str, *, breaches: tuple[Breach, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.breaches = breaches


class OrderRejectedError(TraderError):
    """The broker refused the order: `code` and `reason` are its own.

    `standing` are the entries sent with it that work or have traded: to order again would be twice.
    """

    def __init__(
        self,
        message: str,
        *,
        order_id: OrderId,
        code: int,
        reason: str,
        standing: tuple[OrderId, ...] = (),
    ) -> None:
        super().__init__(message)
        self.order_id = order_id
        self.code = code
        self.reason = reason
        self.standing = standing


class TicketRefused(TraderError):
    """A ticket is unknown, damaged, expired or used up; nothing was sent by this."""


class OutcomeUnknown(TraderError):
    """No answer came in time. The order may be live: query it, never send it again."""

    def __init__(self, message: str, *, order_ids: tuple[OrderId, ...]) -> None:
        super().__init__(message, hint=WHAT_BECAME_OF_IT)
        self.order_ids = order_ids
