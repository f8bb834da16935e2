"""The vocabulary of faults: when one strikes, and what it then does to a message.

A fault is a value, so it can be written down in a test, sent to a running gateway, and told back.
The functions below make the usual ones. `faults.py` carries them out; whatever waits, waits on
the exchange's clock, so that the same fault gives the same day every time.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from ibkr_trader.sim.floor_rules import fits
from ibkr_trader.sim.gateway.fault_acts import (
    Accounts,
    BadTick,
    BadUtf8,
    HalfFrame,
    HoldBack,
    Kill,
    MessageAct,
    Renumber,
    Resize,
    Ring,
    TurnAway,
    UntilOpen,
)
from ibkr_trader.sim.gateway.naming import MODIFY, REPLY_NAMES, REQUEST_NAMES, Subject

STATUSES = ("openOrder", "orderStatus")
_PLACE, _CANCEL = ("placeOrder",), ("cancelOrder",)
_REFUSAL_TEXTS = {
    161: "Cancel attempted when order is not in a cancellable state. Order permId =",
    10147: "OrderId {id} that needs to be cancelled is not found.",
    10148: "OrderId {id} that needs to be cancelled cannot be cancelled, state: Filled.",
}


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages a fault strikes.

    Attributes:
        names: Of the messages, as the API has them: all of clients', or all of the gateway's.
            `placeOrder` is a new order, `modifyOrder` a change of a working one.
        order: The `orderRef` of the order they are about, or its last part (`stop`); `*` and `?`
            stand for any letters.
        client: The client that sends them or gets them; None is any.
        nth: The first of the messages chosen so far that is struck, counted from 1.
        times: How many are struck from there on; 0 is every one.
        answers: Whether answers to questions (such as reqOpenOrders) are struck like news.
    """

    names: tuple[str, ...]
    order: str = "*"
    client: int | None = None
    nth: int = 1
    times: int = 1
    answers: bool = False

    def __post_init__(self) -> None:
        """Refuse what could never strike.

        Raises:
            ValueError: A name is unknown, or the names are of both directions; a bad number.
        """
        unknown = [name for name in self.names if name not in REQUEST_NAMES | REPLY_NAMES]
        if unknown or not self.names:
            message = f"no message is called {', '.join(unknown) or 'nothing'}"
            raise ValueError(message)
        if not (self.of_requests or set(self.names) <= REPLY_NAMES):
            message = f"{', '.join(self.names)}: some are a client's, some the gateway's"
            raise ValueError(message)
        if self.nth < 1 or self.times < 0:
            message = "nth counts from 1, and times is 0 (every one) or more"
            raise ValueError(message)

    @property
    def of_requests(self) -> bool:
        """Whether it is about what clients send, not about what they are told."""
        return set(self.names) <= REQUEST_NAMES

    def chooses(self, subject: Subject, client_id: int) -> bool:
        """Say whether a message is one of those meant, whatever its number."""
        return (
            subject.name in self.names
            and (self.client is None or self.client == client_id)
            and (self.order == "*" or fits(subject.order_ref, self.order))
        )


class Drop(MessageAct, frozen=True, tag="drop"):
    """It never arrives."""


class Delay(MessageAct, frozen=True, tag="delay"):
    """It arrives so many seconds later, by the exchange's clock; others may overtake it."""

    seconds: float


class Repeat(MessageAct, frozen=True, tag="repeat"):
    """It arrives twice; the second time so many seconds later."""

    seconds: float = 0


class Shuffle(MessageAct, frozen=True, tag="shuffle"):
    """So many messages wait for each other, and arrive in another order.

    `order` names them by their place, from 0: `(1, 0)` swaps two, `(0, 0, 1)` repeats the first.
    One that is not named never arrives.
    """

    order: tuple[int, ...]


class Behind(MessageAct, frozen=True, tag="behind"):
    """It waits until a message of this name has gone out about the same order."""

    name: str


class Unset(MessageAct, frozen=True, tag="unset"):
    """A commission report comes without figures: TWS's largest number in their place."""


class Reject(MessageAct, frozen=True, tag="reject"):
    """The request is refused with this code and text (`{id}` is the order's), and not done."""

    code: int
    text: str


class Warn(MessageAct, frozen=True, tag="warn"):
    """The request is done, and this code and text follow."""

    code: int
    text: str


class FillFirst(MessageAct, frozen=True, tag="fill_first"):
    """So much of the order trades just before the request is done."""

    shares: Decimal


class Cut(MessageAct, frozen=True, tag="cut"):
    """The connection ends: in order (`fin`) or broken off (`rst`).

    Attributes:
        at: `before` the request is done, `after` it with the answers lost, or once it is
            `answered`.
    """

    how: Literal["fin", "rst"] = "rst"
    at: Literal["before", "after", "answered"] = "before"


Spoiling = HalfFrame | BadUtf8
_Moving = Drop | Delay | Repeat | Shuffle | Behind | Unset
_Answering = Reject | Warn | FillFirst | Cut
_Opening = TurnAway | Renumber | Accounts
_Fateful = Kill | Resize | HoldBack | UntilOpen | BadTick | Ring
Act = _Moving | _Answering | _Opening | _Fateful | Spoiling
_OF_REQUESTS = (Reject, Warn, FillFirst, Cut, TurnAway, Kill, Resize, HoldBack, UntilOpen)
_OF_NEWS = (Repeat, Shuffle, Behind, Unset, HalfFrame, BadUtf8, Renumber, Accounts, BadTick)


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When, and what then."""

    when: When
    act: Act

    def __post_init__(self) -> None:
        """Refuse an act on messages that it cannot be done to.

        Raises:
            ValueError: It is for the other direction.
        """
        wrong = _OF_NEWS if self.when.of_requests else _OF_REQUESTS
        kind = type(self.act)
        if kind in wrong:
            message = f"{', '.join(self.when.names)} cannot be met with {kind.__name__.lower()}"
            raise ValueError(message)
        if isinstance(self.act, Behind) and self.act.name not in REPLY_NAMES:
            message = f"no message is called {self.act.name}"
            raise ValueError(message)


# -- the usual ones ----------------------------------------------------------------------------


def swallow(name: str = "placeOrder", *, order: str = "*", nth: int = 1) -> tuple[Fault, ...]:
    """The request is lost in the gateway: nobody will ever say anything about it."""
    return (Fault(when=When(names=(name,), order=order, nth=nth), act=Drop()),)


def unanswered(*, order: str = "*") -> tuple[Fault, ...]:
    """The order is taken, and works, and its client is told nothing."""
    names = (*STATUSES, "error")
    return (Fault(when=When(names=names, order=order, times=0), act=Drop()),)


def ack_delay(seconds: float, *, order: str = "*", nth: int = 1) -> tuple[Fault, ...]:
    """The order reaches the exchange late; what is sent after it may overtake it."""
    when = When(names=_PLACE, order=order, nth=nth)
    return (Fault(when=when, act=Delay(seconds=seconds)),)


def reject(
    code: int, text: str, *, name: str = "placeOrder", order: str = "*", nth: int = 1
) -> tuple[Fault, ...]:
    """A new order, a change (`modifyOrder`) or a cancel is refused, and that is all."""
    return (
        Fault(when=When(names=(name,), order=order, nth=nth), act=Reject(code=code, text=text)),
    )


def cancel_refused(code: int, *, order: str = "*", nth: int = 1) -> tuple[Fault, ...]:
    """A cancel is refused with 161, 10147 or 10148, and the order works on.

    Raises:
        ValueError: The code is another.
    """
    if code not in _REFUSAL_TEXTS:
        message = f"a cancel is refused with 161, 10147 or 10148, not with {code}"
        raise ValueError(message)
    return reject(code, _REFUSAL_TEXTS[code], name="cancelOrder", order=order, nth=nth)


def fill_wins_cancel(shares: Decimal, *, order: str = "*") -> tuple[Fault, ...]:
    """The cancel comes too late for so many shares: they trade first."""
    return (Fault(when=When(names=_CANCEL, order=order), act=FillFirst(shares=shares)),)


def fill_wins_modify(shares: Decimal, *, order: str = "*") -> tuple[Fault, ...]:
    """The change comes too late for so many shares: they trade first."""
    return (Fault(when=When(names=(MODIFY,), order=order), act=FillFirst(shares=shares)),)


def exec_before_status(*, order: str = "*") -> tuple[Fault, ...]:
    """The execution is told before anything else about the order."""
    when = When(names=STATUSES, order=order, times=0)
    return (Fault(when=when, act=Behind(name="execDetails")),)


def status_without_exec(*, order: str = "*") -> tuple[Fault, ...]:
    """Only statuses tell of fills; who asks for the executions is told them."""
    when = When(names=("execDetails", "commissionReport"), order=order, times=0)
    return (Fault(when=when, act=Drop()),)


def exec_without_status(*, order: str = "*") -> tuple[Fault, ...]:
    """Only executions tell of fills, and no status of anything."""
    return (Fault(when=When(names=STATUSES, order=order, times=0), act=Drop()),)


def commission(
    how: Literal["none", "late", "dup", "unset"], *, order: str = "*", seconds: float = 5
) -> tuple[Fault, ...]:
    """Every commission report is lost, late, told twice, or without figures."""
    acts: dict[str, Act] = {
        "none": Drop(),
        "late": Delay(seconds=seconds),
        "dup": Repeat(),
        "unset": Unset(),
    }
    when = When(names=("commissionReport",), order=order, times=0)
    return (Fault(when=when, act=acts[how]),)
