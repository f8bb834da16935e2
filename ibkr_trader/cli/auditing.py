"""`audit verify`: whether the journal is what was written, and what of it can be trusted."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.journal_audit import audit
from ibkr_trader.adapters.journal_schema import journal_of
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.wording import counted, when

if TYPE_CHECKING:
    from ibkr_trader.adapters.journal_audit import Audit
    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Place

_HASH = re.compile(r"[0-9a-fA-F]{16,64}")


def verify(face: Face, *, journal: str, against: str) -> Reply:
    """Reply with what the whole journal is found to be; with 7 if it is damaged.

    Raises:
        UsageFault: If `against` is no hash.
        JournalError: If there is no journal.
    """
    if against and _HASH.fullmatch(against) is None:
        message = f"--against {against!r} is no hash of a record: 16 to 64 letters, 0-9 and a-f"
        raise UsageFault(
            message, hint="take the head that an earlier `ibkr-trader audit verify` said"
        )
    place = face.place()
    path = named(place, journal)
    with progress("verifying") as report:
        found = audit(
            path, against=against, report=lambda done, total: report(done, total, "records")
        )
    is_missed = bool(against) and not found.found
    code = Exit.INCOMPLETE if found.faults or is_missed else Exit.DONE
    title = str(path) if journal else place.profile.upper()
    lines = [_headline(title, found), *_facts(found, utc=face.utc)]
    lines += _about_hash(against, found) if against else []
    if found.faults:
        lines += _advice(found)
    elif not against:
        lines.append("Keep the head elsewhere: ibkr-trader audit verify --against HEAD finds it.")
    return Reply(schema="audit/1", data=_document(found, path, against), blocks=[*lines], exit=code)


def named(place: Place, typed: str) -> Path:
    """Return the journal that was meant: the profile's, or that of a folder or file."""
    if not typed:
        return place.journal
    path = Path(typed).absolute()
    if path.is_dir():
        return path / place.journal.name
    return journal_of(path)


def _headline(title: str, found: Audit) -> str:
    if not found.faults:
        many = f"{counted(found.sessions, 'session')}, in {counted(len(found.files), 'file')}"
        return f"{title}  the journal is whole: {found.records:,} records of {many}"
    return f"{title}  the journal is NOT whole: {found.faults[0].partition(': ')[2]}"


def _facts(found: Audit, *, utc: bool) -> list[str]:
    if not found.last:
        return []
    return [
        f"  first  {found.first:,}  {_moment(found.first_at, utc=utc)}",
        f"  last   {found.last:,}  {_moment(found.last_at, utc=utc)}",
        f"  head   {found.head}",
    ]


def _about_hash(against: str, found: Audit) -> list[str]:
    if found.found:
        return [f"It has that hash: record {found.found:,}. Nothing up to it was changed since."]
    return [f"NO record has the hash {against}: what was written up to it is not here any more."]


def _advice(found: Audit) -> list[str]:
    more = [f"also: {one.partition(': ')[2]}" for one in found.faults[1:]]
    if not found.last:
        return [*more, "Nothing of it can be trusted."]
    return [
        *more,
        f"Records {found.first:,} to {found.last:,} are as written; the rest proves nothing.",
        "Next: keep a copy of the folder, then ibkr-trader doctor says whether a desk still opens.",
    ]


def _moment(text: str, *, utc: bool) -> str:
    return when(datetime.fromisoformat(text), utc=utc)


def _document(found: Audit, path: Path, against: str) -> dict[str, Any]:
    whole: dict[str, Any] = msgspec.structs.asdict(found)
    whole["journal"] = str(path)
    whole["records"] = found.records
    whole["first_at"], whole["last_at"] = found.first_at or None, found.last_at or None
    whole["found"] = (found.found or None) if against else None
    return whole
