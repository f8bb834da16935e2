"""`doctor`: everything an order needs, tried one after the other, each with its remedy."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.correlation_file import CorrelationFile
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.cli import output
from ibkr_trader.cli.correlation_view import age
from ibkr_trader.cli.exits import Exit, classify
from ibkr_trader.cli.face import DESK_COMMANDS, Face
from ibkr_trader.cli.halts import halts
from ibkr_trader.cli.past_journal import past_journal
from ibkr_trader.cli.remote import at_the_trader
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.config.lease_table import lease_family
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.errors import ConfigError, TraderError
from ibkr_trader.core.ids import FAMILY, is_family
from ibkr_trader.core.text import price

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.adapters.journal import SqliteJournal
    from ibkr_trader.config import Settings
    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.desk import Desk

_SPACE_WANTED = 200_000_000  # bytes
PROBE = "AAPL"
QUOTE_SECONDS = 5.0


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: `state` is ok, warn or FAIL; `fix` is what to do about it."""

    name: str
    state: str
    text: str
    fix: str = ""


class Findings:
    """What was found so far, and the worst of it as an exit code."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.exit = Exit.DONE

    def ok(self, name: str, text: str) -> None:
        """Note that something is as it should be."""
        self.checks.append(Check(name=name, state="ok", text=text))

    def warn(self, name: str, text: str, *, fix: str) -> None:
        """Note something to know about that keeps nobody from trading."""
        self.checks.append(Check(name=name, state="warn", text=text, fix=fix))

    def add(self, theirs: output.Reply) -> None:
        """Take over what a trader has found."""
        self.checks += msgspec.json.decode(theirs.data["checks"], type=list[Check])
        self.exit = self.exit if self.exit is not Exit.DONE else theirs.exit

    def take(self, others: Findings) -> None:
        """Take over what was found elsewhere."""
        self.checks += others.checks
        self.exit = self.exit if self.exit is not Exit.DONE else others.exit

    def fail(self, name: str, error: TraderError) -> None:
        """Note what makes trading impossible."""
        self.checks.append(Check(name=name, state="FAIL", text=error.message, fix=error.hint))
        self.exit = self.exit if self.exit is not Exit.DONE else classify(error)[1]


async def examine(face: Face, *, deep: bool = False) -> output.Reply:
    """Try everything that can be tried and reply with all findings.

    `deep` asks the broker about orders at our limits, too, and looks at the machine.
    """
    found = Findings()
    try:
        settings = face.settings()
    except TraderError as error:
        found.fail("settings", error)
        return _reply(found)
    source = str(settings.config_file or "no config.toml")
    found.ok("settings", f"profile {settings.profile} ({source})")
    for warning in settings.warnings:
        found.warn("settings", warning, fix="ibkr-trader config show")
    if _examine_folder(settings, found):
        try:
            at_trader = await asyncio.to_thread(_ask_trader, face, deep=deep)
        except TraderError as error:
            found.fail("trader", error)
            return _reply(found)
        if at_trader is None:
            await _examine_desk(face, found, deep=deep)
        else:
            found.add(at_trader)
    return _reply(found)


async def examine_desk(face: Face, *, deep: bool = False) -> output.Reply:
    """Try what needs the account and reply with the findings."""
    found = Findings()
    if face.trader is not None:
        found.ok("trader", face.trader.words(utc=face.utc))
    await _examine_desk(face, found, deep=deep)
    return _reply(found)


def _ask_trader(face: Face, *, deep: bool) -> output.Reply | None:
    """What a running trader finds; None if none runs, and the account is free."""
    asking = Face(json=True, utc=face.utc, arguments=face.arguments)
    asking.flags = face.flags
    name = "setup.deep-desk-check" if deep else "setup.desk-check"
    return at_the_trader(asking, DESK_COMMANDS[name], {})


def _examine_folder(settings: Settings, found: Findings) -> bool:
    try:
        folder = private_folder(settings.place.folder)
        found.ok("data folder", str(folder))
        free = shutil.disk_usage(folder).free
        if free < _SPACE_WANTED:
            text = f"{free // 1_000_000} MB are free"
            found.warn("disk", text, fix=f"free some space on the disk of {folder}")
        with past_journal(settings.place) as journal:
            if journal is not None:
                _examine_journal(journal, found)
                _examine_family(settings, journal.state.install, found)
    except TraderError as error:
        found.fail("data folder", error)
        return False
    return True


def _examine_journal(journal: SqliteJournal, found: Findings) -> None:
    """Check all of it; what was sealed long ago may be elsewhere, and a desk opens without."""
    if lost := journal.lost:
        found.warn("journal", lost, fix="put it back, or keep what ibkr-trader audit verify says")
    else:
        found.ok("journal", f"{journal.verify()} records, chain unbroken")


def _examine_family(settings: Settings, install: str, found: Findings) -> None:
    """Look whether the hosts of the lease would know this one's orders as theirs."""
    family = lease_family(settings)
    if family and not is_family(install, family):
        text = f"orders of this host begin with {install}, those of other hosts with {family}"
        fix = f'on every host: family = "{install[:FAMILY]}" in [lease], before they trade'
        found.warn("lease", text, fix=fix)


async def _examine_desk(face: Face, found: Findings, *, deep: bool) -> None:
    try:
        async with desk_for(face) as desk:
            found.ok("gateway", "reached; handshake, orders, fills, positions all answered")
            found.ok("account", title(face.settings(), desk))
            await _examine_market(face, desk, found)
            held_back = halts(desk)
            if not held_back:
                found.ok("trading state", "active")
            for one in held_back:
                text = f"{one.state} {one.symbol}".strip()
                found.warn("trading state", f"{text}: {one.words(utc=face.utc)}", fix=one.ends)
            _examine_files(face, desk, found, deep=deep)
            if deep:
                from ibkr_trader.cli.deep_checkup import (  # noqa: PLC0415 - it builds on this
                    examine_deep,
                )

                found.take(await examine_deep(face, desk))
    except TraderError as error:
        found.fail("gateway", error)


def _examine_files(face: Face, desk: Desk, found: Findings, *, deep: bool) -> None:
    """Look at the files that a review goes by: one that is damaged keeps from opening."""
    view = desk.trader.outlook.view()
    for line in view.limits_fault.splitlines() if not deep else ():  # else it is told there
        fix = "mend it, or: ibkr-trader limits --restore"
        found.fail("limits file", ConfigError(f"nothing is opened: {line}", hint=fix))
    for line in view.sectors_fault.splitlines():
        fix = "mend it; {} in it says that no sectors are meant"
        found.fail("sectors", ConfigError(f"nothing is opened: {line}", hint=fix))
    if not view.sectors_fault:
        count = counted(len(view.sectors), "symbol")
        found.ok("sectors", f"{count} with a known sector")
    reading = CorrelationFile(face.settings().place.folder).read()
    fix, limits = "ibkr-trader update-correlations", view.limits
    holds = f"{limits.stale_correlation.value} holds"
    if reading.matrix is None:
        text = f"none that count: {reading.fault}" if reading.fault else "none yet"
        found.warn("correlations", f"{text}; {holds}", fix=fix)
    elif reading.matrix.is_stale(view.now, limits.correlation_ttl):
        found.warn("correlations", f"{age(reading.matrix, view.now)} old; {holds}", fix=fix)
    else:
        count = counted(len(reading.matrix.symbols), "symbol")
        found.ok("correlations", f"of {count}, {age(reading.matrix, view.now)} old")


async def _examine_market(face: Face, desk: Desk, found: Findings) -> None:
    now = desk.trader.clock.now()
    found.ok("exchange time", when(now, utc=face.utc))
    details = await desk.trader.learn(PROBE)
    found.ok("market hours", _hours(details, now, utc=face.utc))
    quote = await desk.trader.market.quote(details.contract, timeout=QUOTE_SECONDS)
    if quote is None:
        text = f"no price for {PROBE} within {QUOTE_SECONDS:g} s"
        found.warn("market data", text, fix="subscribe to market data, or wait for the opening")
    elif quote.data_type is not DataType.LIVE:
        text = f"{quote.data_type.value.lower()}: {PROBE} {price(quote.mark)}"
        found.warn("market data", text, fix="stops at the broker do not need it; opening does")
    else:
        found.ok("market data", f"live: {PROBE} {price(quote.mark)}")


def _hours(details: ContractDetails, now: datetime, *, utc: bool) -> str:
    for session in details.liquid_sessions:
        if session.opens <= now < session.closes:
            return f"open until {when(session.closes, utc=utc)}"
        if now < session.opens:
            return f"closed; opens {when(session.opens, utc=utc)}"
    return "closed; the next opening is not known"


def _reply(found: Findings) -> output.Reply:
    rows = tuple((check.state, check.name, check.text) for check in found.checks)
    fixes = [f"  fix {check.name}: {check.fix}" for check in found.checks if check.fix]
    failures = sum(check.state == "FAIL" for check in found.checks)
    last = f"{failures} failure{'s' if failures > 1 else ''}." if failures else "Ready to trade."
    return output.Reply(
        schema="doctor/1",
        data={"checks": [msgspec.structs.asdict(check) for check in found.checks]},
        blocks=[output.Table(("", "CHECK", "FOUND"), rows), *fixes, last],
        exit=found.exit,
    )
