"""`report`: what the journal alone tells of orders, round trips, and what execution cost.

It needs no gateway and no trader, and disturbs none: a journal is read beside its writer. Days
are counted by the clock that the journal was written by, which under `sim` is the simulator's.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.private_files import replace_private
from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.handing_out import require_apart
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.past_journal import past_journal
from ibkr_trader.cli.report_document import document
from ibkr_trader.cli.report_facts import Report
from ibkr_trader.cli.report_page import MARK, page
from ibkr_trader.cli.report_view import blocks
from ibkr_trader.cli.wording import FIRST_ORDER, when
from ibkr_trader.config import Profile
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.portfolio.forensic_fold import forensics
from ibkr_trader.portfolio.forensic_summary import By

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.adapters.journal import SqliteJournal
    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Place

_TAIL = 200  # records at the journal's end, of which one has a time


class Wish(NamedTuple):
    """What was typed: since when, summed up by what, and where a page is to be written."""

    since: str = ""
    by: str = By.RULE.value
    html: str = ""


def report(face: Face, wish: Wish) -> Reply:
    """Return how it went since then.

    Raises:
        UsageFault: If an option says nothing that can be understood.
        JournalError: If the journal is damaged.
        ConfigError: If the page cannot be written.
        Unconfirmed: If something lies in the page's place that is no report.
    """
    place = face.place()
    found = _read(place, wish)
    written = ""
    if wish.html:
        written = str(_write(face, Path(wish.html), page(found, utc=face.utc)))
    is_empty = not (found.orders or found.trips)
    lines = _nothing(found, utc=face.utc) if is_empty else blocks(found, utc=face.utc)
    if written:
        lines.append(f"The page is written: {written}")
    data = {**document(found), "html": written or None}
    return Reply(schema="report/1", data=data, blocks=lines)


def _read(place: Place, wish: Wish) -> Report:
    by = values.choice(wish.by, "--by", By)
    with past_journal(place) as journal:
        now = SystemClock().now() if journal is None else present(place, journal)
        since = values.since(wish.since, now) if wish.since else None
        records = () if journal is None else journal.messages()
        known = forensics((message for _, message in records), since=since)
    return Report.of(known, by=by, since=since, until=now, profile=place.profile)


def present(place: Place, journal: SqliteJournal) -> datetime:
    """Return the present moment, as the journal counts time."""
    now = SystemClock().now()
    if place.profile is not Profile.SIM:
        return now
    tail = journal.messages(since=max(0, journal.state.last_record - _TAIL))
    return max((one.at for _, one in tail if isinstance(one, BaseEvent)), default=now)


def _nothing(found: Report, *, utc: bool) -> list[str | Table]:
    head = found.profile.upper()
    if found.since is None:
        return [f"{head}  nothing was ordered yet. First one: {FIRST_ORDER}"]
    told = when(found.since, utc=utc)
    return [f"{head}  nothing was ordered since {told}. Everything: ibkr-trader report"]


def _write(face: Face, path: Path, content: str) -> Path:
    """Put the page in its place at once; what is there and no report stays, unless told."""
    typed, path = path, path.absolute()
    try:
        if path.is_dir():
            better = str(typed / "report.html")
            message = f"{path} is a folder"
            raise UsageFault(message, option="--html", typed=str(typed), better=better)
        if not path.parent.is_dir():
            message = f"the folder {path.parent} does not exist"
            raise UsageFault(message, hint=f"mkdir -p {path.parent}")
        require_apart(face.place(), path, is_ours=_is_report(path))
        if os.path.lexists(path) and not _is_report(path):
            face.confirm(f"{path} is no report of ibkr-trader. Write over it?")
        replace_private(path, content.encode())
    except OSError as error:
        message = f"the page {path} cannot be written: {error.strerror}"
        raise ConfigError(message, hint="choose another place: --html FILE") from error
    return path


def _is_report(path: Path) -> bool:
    """Whether a file is a page of ours; a link is none, wherever it leads."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        descriptor = os.open(path, flags)
        try:
            return os.read(descriptor, len(MARK.encode())) == MARK.encode()
        finally:
            os.close(descriptor)
    return False
