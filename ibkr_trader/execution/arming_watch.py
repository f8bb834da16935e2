"""Keeps a live desk armed for as long as nothing speaks against it, and says how that stands.

A person arms it for some hours, or types the account's id for one command. Whatever makes the
desk another one than was armed ends it for good: time, a changed configuration, a halt, a
journal that cannot be written, a clock that is off, the end of the trader. Whichever process
sees it puts that on record and takes away what is kept; a copy of it that is put back is not
the armed time that the journal has. Closing, cancelling and tightening never ask.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.consent import present
from ibkr_trader.risk.arming import Arming, Lack
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.tightening import Change

FOREVER = datetime.max.replace(tzinfo=UTC)  # of a desk that nobody has to arm
LONGEST = timedelta(hours=12)
USUAL = timedelta(hours=8)
GRANTED = 60.0  # seconds that a typed account id holds, for the one command
_LOOK = 1.0
_ENDED = "that armed time has ended: "


class Lease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An armed time, by two clocks: whichever ends first, so setting one extends nothing.

    Attributes:
        until: By the machine's wall clock.
        deadline: In seconds since the machine was started.
        waived: The findings of `doctor --deep` that were passed over.
        token: The name that the journal has for it.
    """

    until: datetime
    deadline: float
    waived: tuple[str, ...] = ()
    token: str = ""


class Vault(Protocol):
    """Where an armed time is kept between processes, and the clocks it is held against."""

    def now(self) -> datetime:
        """Return the machine's time."""

    def uptime(self) -> float:
        """Return seconds since the machine was started."""

    def read(self) -> Lease | str:
        """Return the armed time that is kept, or why there is none that counts."""

    def write(self, lease: Lease) -> None:
        """Keep `lease` for the processes to come.

        Raises:
            ConfigError: If it cannot be kept.
        """

    def remove(self) -> None:
        """Keep none any more."""

    def changed(self) -> str:
        """Return what is not any more as it was when this process started; empty if nothing."""


class NotArmed(TraderError):
    """The desk cannot be armed as things stand; `lacks` says what is missing."""

    def __init__(self, lacks: tuple[Lack, ...]) -> None:
        super().__init__("; ".join(lack.message for lack in lacks), hint=lacks[0].hint)
        self.lacks = lacks


class ArmingWatch:
    """Whether one trader's desk is armed.

    Args:
        trader: Whose desk.
        vault: Where an armed time is kept; None is a desk without real money.
        lacks: What the settings lack before the desk could be armed at all.
        max_skew: How far the machine's clock may be off.
    """

    def __init__(
        self,
        trader: Trader,
        *,
        vault: Vault | None = None,
        lacks: tuple[Lack, ...] = (),
        max_skew: timedelta = timedelta(seconds=10),
    ) -> None:
        self._trader = trader
        self._max_skew = max_skew
        self._book = trader.outlook.book
        self._vault = vault
        self._lacks = lacks
        self._lease: Lease | None = None
        self._why = ""
        self._unsaid = ""
        self._is_claimed = False
        self._woken = asyncio.Event()
        self._book.arming = self.arming
        if vault is not None:
            found = vault.read()
            if isinstance(found, Lease):
                self._lease = found
            elif found:
                self._drop(found)
            trader.bus.subscribe(ev.StateEvent, lambda _: self.look())
            trader.own(self._work)

    @property
    def is_live(self) -> bool:
        """Whether real money is at stake."""
        return self._vault is not None

    # -- how it stands ------------------------------------------------------------------------

    def arming(self, *, as_typed: bool = True) -> Arming:
        """Return how it stands, for a review at this moment.

        With `as_typed` an account's id that was typed for this one command counts, too.
        """
        if self._vault is None:
            told = self._book.armed
            if told is None or told.until is not None:
                return Arming()
            return Arming(is_disarmed=True, reason=told.reason)
        found = (*self._lacks, *self._missing())
        if self._lease is not None:
            against = [one.message for one in found] or [*self._disowned(self._lease)]
            if against:
                self._drop(against[0])
        left, consent = self._left(self._vault), present()
        if consent is not None and as_typed:
            left = max(left, consent.holds_until - self._vault.uptime())
        until = self._trader.clock.now() + timedelta(seconds=left) if left > 0 else None
        return Arming(is_live=True, until=until, reason=self._reason(), lacks=found)

    def look(self) -> None:
        """See whether anything speaks against what is armed, files included."""
        if self._vault is None or self._lease is None:
            return
        found = self._vault.read() if not self._is_claimed else self._lease
        against = list(self.lacks())
        if flag := self._book.kill_flag():
            against.append(Lack(flag))
        against += [Lack(why) for why in self._disowned(self._lease)]
        if isinstance(found, str):
            self._drop(found or "disarmed by another process")
        elif against:
            self._drop(against[0].message)
        elif self._left(self._vault) <= 0:
            self._drop("the armed time is over")

    def lacks(self) -> tuple[Lack, ...]:
        """Return all that is missing before it could be armed."""
        if self._vault is None:
            return ()
        return (*self._lacks, *self._missing(), *self._changed(self._vault))

    # -- what people do -----------------------------------------------------------------------

    def arm(self, length: timedelta, *, origin: str, waived: tuple[str, ...] = ()) -> datetime:
        """Arm the desk for `length`, and return until when, by the machine's clock.

        Raises:
            NotArmed: If something is missing.
            JournalError: If it cannot be put on record.
            ConfigError: If it cannot be kept for the commands to come.
        """
        passed = f", passing over {', '.join(waived)}" if waived else ""
        if self._vault is None:
            self._say(f"armed{passed}", origin=origin, until=FOREVER)
            return FOREVER
        self._own_up()
        if found := self.lacks():
            raise NotArmed(found)
        length = min(length, LONGEST)
        lease = Lease(
            until=self._vault.now() + length,
            deadline=self._vault.uptime() + length.total_seconds(),
            waived=waived,
            token=_new_token(),
        )
        if (limits := self._book.limits_watch) is not None:  # those that it is armed under
            limits.look()
            limits.settle()
        said = f"armed for {_hours(length)}{passed}"
        self._say(said, origin=origin, until=lease.until, token=lease.token)
        if not self._is_claimed:
            self._vault.write(lease)
        self._lease, self._why, self._unsaid = lease, "", ""
        return lease.until

    def disarm(self, reason: str, *, origin: str) -> tuple[Change, ...]:
        """Let nothing be opened until somebody arms the desk again.

        It holds even when the disk refuses to record it. Limits that were waiting to become
        looser may now do so, and are returned.

        Raises:
            ConfigError: If what is kept cannot be removed: it would arm the next command.
        """
        self._lease, self._why, self._unsaid = None, reason, ""
        event = ev.ArmEvent(at=self._trader.clock.now(), until=None, reason=reason, origin=origin)
        self._trader.record.attempt([event], is_vital=True)
        if self._vault is not None:
            self._vault.remove()
        limits = self._book.limits_watch
        return limits.loosen() if limits is not None else ()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Take what is armed for the block alone: it ends with it, however that ends.

        Nothing is kept outside this process meanwhile, so a kill ends it, too; and it goes by
        another token, so that no copy of what was kept is worth anything.
        """
        if self._vault is None:
            yield
            return
        self._is_claimed = True
        self._vault.remove()
        if self._lease is not None:
            self._lease = lease = msgspec.structs.replace(self._lease, token=_new_token())
            at, said = self._trader.clock.now(), "the trader has taken over the armed time"
            event = ev.ArmEvent(at=at, until=lease.until, reason=said, token=lease.token)
            self._trader.record.attempt([event], is_vital=True)
        try:
            yield
        finally:
            if self._lease is not None:
                self._drop("the trader has ended")
                self._own_up()

    def hold(self) -> None:
        """Let the account's id that was just typed count for a minute, for the present command."""
        consent = present()
        if self._vault is not None and consent is not None:
            consent.holds_until = self._vault.uptime() + GRANTED

    # -- what goes on -------------------------------------------------------------------------

    async def _work(self) -> None:
        told = self._book.armed
        if self._lease is None and told is not None and told.until is not None:
            self._unsaid = self._reason()
        try:
            while True:
                self.look()
                self._own_up()
                self._woken.clear()
                try:
                    async with asyncio.timeout(_LOOK):
                        await self._woken.wait()
                except TimeoutError:
                    continue
        finally:
            self._own_up()

    def _own_up(self) -> None:
        """Put on record what has ended the armed time; nothing may be recorded in a review."""
        if self._unsaid:
            reason, self._unsaid = self._unsaid, ""
            event = ev.ArmEvent(at=self._trader.clock.now(), until=None, reason=reason)
            self._trader.record.attempt([event], is_vital=True)

    def _drop(self, reason: str) -> None:
        self._lease, self._why, self._unsaid = None, reason, reason
        try:
            if self._vault is not None:
                self._vault.remove()
        except TraderError as error:  # a review must not fail of it: this process is not armed
            self._why = self._unsaid = f"{reason}; but {error.message}"
        self._woken.set()

    def _say(self, reason: str, *, origin: str, until: datetime, token: str = "") -> None:
        at = self._trader.clock.now()
        event = ev.ArmEvent(at=at, until=until, reason=reason, origin=origin, token=token)
        self._trader.record.write([event])

    def _reason(self) -> str:
        """Why it is not armed: as this process knows it, else as the journal has it."""
        told = self._book.armed
        if self._why or told is None:
            return self._why
        return told.reason if told.until is None else "the trader that was armed has ended"

    def _left(self, vault: Vault) -> float:
        """How many seconds the desk stays armed, by the clock that ends sooner."""
        if self._lease is None:
            return 0.0
        by_wall = (self._lease.until - vault.now()).total_seconds()
        return min(by_wall, self._lease.deadline - vault.uptime())

    def _missing(self) -> Iterator[Lack]:
        """What keeps the desk from being armed at present, and ends what is armed."""
        held = self._book.switch.everything
        if held is not None:
            resume = 'ibkr-trader resume --reason "…", once you know why'
            name = "HALTED" if held.state is TradingState.HALTED else "REDUCING"
            yield Lack(f"The desk is {name} ({held.reason})", resume)
        if self._book.limits_fault:
            text = f"The limits cannot be relied on ({self._book.limits_fault})"
            yield Lack(text, "ibkr-trader limits")
        if not self._trader.record.is_complete:
            yield Lack("The journal cannot be written", "ibkr-trader doctor")
        skew, most = self._book.clock_skew, self._max_skew
        if skew is None:
            yield Lack("Nobody knows how wrong the machine's clock is", "ibkr-trader doctor --deep")
        elif abs(skew) > most:
            off = f"off by {seconds(abs(skew))}; {seconds(most)} is the limit"
            yield Lack(
                f"The machine's clock is {off}", "set the machine's clock: timedatectl set-ntp true"
            )

    def _disowned(self, lease: Lease) -> Iterator[str]:
        """Why `lease` is not the armed time that the journal has; a lost journal has none."""
        told = self._book.armed
        if told is None:
            yield "the journal knows of no armed time"
        elif told.until is None:
            yield f"{_ENDED}{told.reason.removeprefix(_ENDED)}"
        elif not lease.token or told.token != lease.token:
            yield "what is kept is not the armed time that the journal has"

    def _changed(self, vault: Vault) -> Iterator[Lack]:
        if changed := vault.changed():
            yield Lack(changed, "start the trader again, then: ibkr-trader arm --profile live")


def _hours(length: timedelta) -> str:
    """A length of time in words: `8 hours`, `1.5 hours`."""
    words = quantity(Decimal(length // timedelta(seconds=36)) / 100)
    return f"{words} hour{'' if words == '1' else 's'}"


def _new_token() -> str:
    return secrets.token_hex(8)
