"""Faults by their names in the catalogue: what each one strikes, and with what."""

from decimal import Decimal
from typing import Literal

from ibkr_trader.sim.gateway.fault_acts import (
    Accounts,
    BadTick,
    HoldBack,
    Kill,
    Renumber,
    Resize,
    TurnAway,
    UntilOpen,
)
from ibkr_trader.sim.gateway.fault_rules import Drop, Fault, Shuffle, Warn, When
from ibkr_trader.sim.gateway.quote_ticks import ASK, BID, LAST

TIF_NOTE = (10349, "Order TIF was set to DAY based on order preset.")
KINDS = {"bid": BID, "ask": ASK, "bid-ask": (*BID, *ASK), "last": LAST}


def taken_id(times: int = 1) -> tuple[Fault, ...]:
    """The next clients, so many, are told that their id is in use (326), and dropped."""
    return (Fault(when=When(names=("startApi",), times=times), act=TurnAway()),)


def next_valid_id(how: Literal["lower", "same", "huge"], *, times: int = 1) -> tuple[Fault, ...]:
    """The next order id is told wrong."""
    when = When(names=("nextValidId",), times=times, answers=True)
    return (Fault(when=when, act=Renumber(how=how)),)


def accounts(*names: str) -> tuple[Fault, ...]:
    """Clients are told of these accounts, or of none, for as long as it is in force."""
    when = When(names=("managedAccounts",), times=0, answers=True)
    return (Fault(when=when, act=Accounts(names=names)),)


def never_end(*names: str) -> tuple[Fault, ...]:
    """These messages, which end an answer (`openOrderEnd`), are never sent.

    Raises:
        ValueError: A name is not of such a message.
    """
    if odd := [name for name in names if not name.endswith("End")]:
        message = f"{odd[0]} ends nothing: it is openOrderEnd, positionEnd, execDetailsEnd …"
        raise ValueError(message)
    return (Fault(when=When(names=names, times=0, answers=True), act=Drop()),)


def tif_note(fate: Literal["live", "dead"], *, order: str = "*") -> tuple[Fault, ...]:
    """The next order is met with 10349: a note, and it works; or the end of it."""
    code, text = TIF_NOTE
    act = Warn(code=code, text=text) if fate == "live" else Kill(code=code, text=text)
    return (Fault(when=When(names=("placeOrder",), order=order), act=act),)


def resize_481(shares: Decimal, *, order: str = "*") -> tuple[Fault, ...]:
    """The broker takes the next order for so many shares only."""
    return (Fault(when=When(names=("placeOrder",), order=order), act=Resize(shares=shares)),)


def precaution_hold(seconds: float | None, *, order: str = "*") -> tuple[Fault, ...]:
    """The next order waits behind a question at TWS that nobody has answered."""
    when = When(names=("placeOrder",), order=order)
    return (Fault(when=when, act=HoldBack(seconds=seconds)),)


def cancel_ack_only_at_open(*, order: str = "*") -> tuple[Fault, ...]:
    """The next cancel is pending until trading opens."""
    return (Fault(when=When(names=("cancelOrder",), order=order), act=UntilOpen()),)


def correction_first(*, order: str = "*") -> tuple[Fault, ...]:
    """The next execution waits for its correction, which is told first."""
    return (Fault(when=When(names=("execDetails",), order=order), act=Shuffle(order=(1, 0))),)


def bad_tick(
    side: Literal["bid", "ask", "bid-ask", "last"], price: Decimal, *, times: int = 0
) -> tuple[Fault, ...]:
    """These prices are told wrong, as long as it is in force, or so many times."""
    when = When(names=("tickPrice",), times=times, answers=True)
    return (Fault(when=when, act=BadTick(kinds=KINDS[side], price=price)),)
