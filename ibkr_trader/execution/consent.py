"""What opens on a live desk is agreed to by a person: with yes once it is armed, else by typing.

Who can be asked is the command's own affair, so it is kept with the task that runs it: what
groups do by themselves asks nobody, and goes out only while the desk is armed.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from ibkr_trader.core.accounts import masked
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.risk.verdict import Denied
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.commands import Command
    from ibkr_trader.execution.trader import Trader

_PRICE = 3.0  # seconds to ask for prices again, after a person has taken their time


class Asker(Protocol):
    """Somebody who can be asked, or not: the face of the command that runs."""

    @property
    def is_attended(self) -> bool:
        """Whether a person sits at its terminal."""

    async def ask(self, question: str) -> None:
        """Return once the answer is yes; raise otherwise."""

    async def ask_typed(self, question: str, expected: str) -> None:
        """Return once `expected` was typed; raise otherwise."""


class Consent:
    """What the person behind one command has agreed to so far.

    Attributes:
        is_given: They were asked, and agreed.
        holds_until: In seconds since the machine was started: so long a typed id counts.
    """

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.is_given = False
        self.holds_until = 0.0


_CONSENT: ContextVar[Consent | None] = ContextVar("consent", default=None)


@contextmanager
def asked_by(asker: Asker) -> Iterator[None]:
    """Have `asker` asked about what is opened on a live desk, for the length of the block."""
    token = _CONSENT.set(Consent(asker))
    try:
        yield
    finally:
        _CONSENT.reset(token)


def present() -> Consent | None:
    """Return what was agreed to in the command that runs; None outside of any."""
    return _CONSENT.get()


def is_due(trader: Trader, command: Command) -> bool:
    """Whether the person behind `command` is still to be asked about it, as things stand."""
    consent = present()
    if not trader.arming.is_live or consent is None or consent.is_given:
        return False
    if isinstance(command, CancelOrder):
        return False
    verdict = trader.router.preview(command)
    return not (isinstance(verdict, Denied) or verdict.reduces)


async def agreed(trader: Trader, command: Command) -> None:
    """Ask the person behind `command` before it opens anything on a live desk.

    What lowers risk is never asked about, nor what would be denied anyway. Of an armed desk
    yes is enough; of any other the account's id is typed, for this one command. With nobody
    there to ask, an unarmed desk leaves it to the guard.

    Raises:
        TraderError: If the answer is no, or nobody can give one.
    """
    consent, watch = present(), trader.arming
    if consent is None or not is_due(trader, command):
        return
    watch.look()
    arming, account = watch.arming(), trader.account
    what = f"{_words(command)} goes to the LIVE account {masked(account)}."
    if arming.is_armed(trader.clock.now()):
        await consent.asker.ask(f"{what} Send it?")
    elif arming.lacks or not consent.asker.is_attended:
        return
    else:
        await consent.asker.ask_typed(f"{what} Type the account's id to send it:", account)
        watch.hold()
    consent.is_given = True
    if isinstance(command, SubmitOrders):  # prices from before the question may be old by now
        for contract in {o.contract.con_id: o.contract for o in command.orders}.values():
            await trader.study(contract, timeout=_PRICE)


def _words(command: Command) -> str:
    if isinstance(command, SubmitOrders):
        entries = [spec for spec in command.orders if spec.parent_id is None]
        return ", ".join(order_words(spec) for spec in entries)
    return f"The change of {command.order_id}"
