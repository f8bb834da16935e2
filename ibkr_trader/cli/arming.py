"""The answers of `arm` and `disarm`.

Arming asks for the most: everything that `doctor --deep` finds must be in order or passed over
by name, and the account's id is typed. Disarming asks for nothing, not even for a gateway.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.adapters.account_lock import AccountLock
from ibkr_trader.adapters.arming_file import ARMING_FILE
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app import LOCK_PATIENCE, open_journal
from ibkr_trader.cli import output
from ibkr_trader.cli.deep_checkup import examine_deep
from ibkr_trader.cli.exits import Unconfirmed, UsageFault
from ibkr_trader.cli.stopping import ORIGIN
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.config import Profile
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.errors import ConfigError, RiskCheckError
from ibkr_trader.core.events import ArmEvent, Breach
from ibkr_trader.execution.arming_watch import FOREVER, LONGEST, NotArmed

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.cli.checkup import Findings
    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk

_WHY = "somebody disarmed it"


async def arm(face: Face, *, hours: str, waive: tuple[str, ...]) -> output.Reply:
    """Arm the desk for some hours and reply until when.

    Raises:
        Unconfirmed: If the account's id is not typed, at a terminal.
        RiskCheckError: If something is missing, or a deep finding fails that is not waived.
    """
    length = _length(hours)
    is_live = face.settings().profile is Profile.LIVE
    if is_live and not face.is_attended and not face.dry_run:
        message = (
            "a live desk is armed by a person who types the account's id: there is no terminal"
        )
        raise Unconfirmed(message, hint="at a terminal: ibkr-trader arm --profile live")
    async with desk_for(face) as desk:
        waived = await _require_health(face, desk, waive) if is_live else ()
        if face.dry_run:
            text = f"{title(face.settings(), desk)}  would be armed. Nothing was changed."
            return output.Reply(schema="arming/1", data={"armed": False}, blocks=[text])
        if is_live:
            account = desk.trader.account
            question = (
                f"The LIVE account {masked(account)} may be traded for {hours} h. Type its id to "
                "arm it:"
            )
            await face.ask_typed(question, account)
        try:
            until = desk.trader.arming.arm(length, origin=ORIGIN, waived=waived)
        except NotArmed as error:
            raise _denied(error) from error
        ends = None if until == FOREVER else until
        where = ""
        if is_live:
            kept = "in this trader" if face.desk is not None else "for commands, and the next run"
            where = f", {kept}. To end it: ibkr-trader disarm"
        return output.Reply(
            schema="arming/1",
            data={"armed": True, "until": ends, "waived": list(waived)},
            blocks=[f"{title(face.settings(), desk)}{where}" if is_live else _free(face, desk)],
        )


async def disarm(face: Face) -> output.Reply:
    """Disarm the desk, with or without a trader, and reply that it is.

    Raises:
        TraderError: If it cannot be put on record, or the armed time cannot be taken away.
    """
    place = face.place()
    if face.dry_run:
        text = f"would disarm profile {place.profile}. Nothing was changed."
        return output.Reply(schema="arming/1", data={"armed": True}, blocks=[text])
    loosened = 0  # without a trader, the next desk reads the limits anew
    if face.desk is not None:
        loosened = len(face.desk.trader.arming.disarm(_WHY, origin=ORIGIN))
    else:
        _disarm_folder(face, place.folder)
    blocks: list[str | output.Table] = [
        f"profile {place.profile} is disarmed: nothing is opened until ibkr-trader arm"
    ]
    if place.profile is not Profile.LIVE:
        blocks.append(f"No real money is at stake in {place.profile}, and yet openings are denied.")
    if loosened:
        are = "limit that was waiting is" if loosened == 1 else "limits that were waiting are"
        blocks.append(f"{loosened} {are} looser from now on: ibkr-trader limits")
    data = {"armed": False, "until": None, "loosened": loosened}
    return output.Reply(schema="arming/1", data=data, blocks=blocks)


async def _require_health(face: Face, desk: Desk, waive: tuple[str, ...]) -> tuple[str, ...]:
    """Return the failures that were passed over by name; refuse if there are others."""
    if lacks := desk.trader.arming.lacks():
        raise _denied(NotArmed(lacks))
    found: Findings = await examine_deep(face, desk)
    failures = [check for check in found.checks if check.state == "FAIL"]
    names = {_key(check.name): check.name for check in found.checks}
    if unknown := [name for name in waive if _key(name) not in names]:
        message = f"--waive {unknown[0]!r} is no finding of doctor --deep"
        raise UsageFault(message, hint=f"they are: {', '.join(sorted(names.values()))}")
    waived = {_key(name) for name in waive}
    if open_ones := [check for check in failures if _key(check.name) not in waived]:
        breaches = tuple(
            Breach(check=check.name, message=f"{check.text.rstrip('.')}.", hint=check.fix)
            for check in open_ones
        )
        name = open_ones[0].name
        hint = f"once you know better: ibkr-trader arm --waive {name.replace(' ', '-')}"
        message = f"{len(open_ones)} findings of doctor --deep stand against it"
        last = Breach(check="doctor --deep", message=f"{message}.", hint=hint)
        raise RiskCheckError(message, breaches=(*breaches, last))
    return tuple(check.name for check in failures)


def _key(name: str) -> str:
    """A finding's name as people may type it: `size-precaution` is one word for a shell."""
    return name.replace("-", " ").casefold()


def _denied(error: NotArmed) -> RiskCheckError:
    breaches = tuple(
        Breach(check="armed", message=f"{lack.message}.", hint=lack.hint) for lack in error.lacks
    )
    return RiskCheckError(error.message, breaches=breaches, hint=error.hint)


def _free(face: Face, desk: Desk) -> str:
    return (
        f"{title(face.settings(), desk)}  armed: no real money is at stake, so it always is, "
        "unless somebody runs ibkr-trader disarm"
    )


def _disarm_folder(face: Face, folder: Path) -> None:
    """Take the armed time away at once, and then put it on record."""
    path = folder / ARMING_FILE
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be removed: {error.strerror}"
        raise ConfigError(message, hint=f"rm {path}") from error
    private_folder(folder)
    with (
        AccountLock(folder / "account.lock").acquire(timeout=LOCK_PATIENCE),
        open_journal(face.settings()) as journal,
    ):
        at = SystemClock().now()
        journal.append([ArmEvent(at=at, until=None, reason=_WHY, origin=ORIGIN)])


def _length(text: str) -> timedelta:
    most = int(LONGEST.total_seconds()) // 3600
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", text) and 0 < float(text) <= most:
        return timedelta(hours=float(text))
    message = f"--hours {text!r} must be hours, above 0 and at most {most}"
    raise UsageFault(message, option="--hours", typed=text, better="8")
