"""`audit export`: one archive with what somebody needs to understand what happened.

Its journal keeps each record's number and both its hashes, so that order and completeness can be
verified though names are masked; what was not masked can be verified word for word. The same
journal and the same slice give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import sys
import tarfile
import tempfile
from collections import Counter
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader import __version__
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal_rotation import records
from ibkr_trader.cli import logs, values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.handing_out import require_apart
from ibkr_trader.cli.masking import Masker, Unmasked
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.terminal import require, typed
from ibkr_trader.cli.wording import counted
from ibkr_trader.config import Profile
from ibkr_trader.core.errors import ConfigError, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.adapters.journal_schema import Record
    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Place

FORMAT = "ibkr-trader/bundle/1"
MANIFEST, JOURNAL, LOG, WIRE = "manifest.json", "journal.jsonl", "log.jsonl", "wire.jsonl"
_STEP = 500  # records between two reports


class Wish(NamedTuple):
    """What was typed: which slice of the journal, and whether names stay in."""

    since: str = ""
    until: str = ""
    full: bool = False


class _Slice(NamedTuple):
    since: datetime | None
    until: datetime | None

    def has(self, at: str) -> bool:
        moment = datetime.fromisoformat(at)
        is_late = self.since is None or moment >= self.since
        return is_late and (self.until is None or moment < self.until)


def export(face: Face, file: str, wish: Wish) -> Reply:
    """Write the archive and reply with what is in it.

    Raises:
        UsageFault: If an option says nothing that can be understood.
        Unconfirmed: If nobody agrees to a file with names in it, or to one that is written over.
        ConfigError: If it cannot be written.
    """
    place, path, now = face.place(), Path(file).absolute(), SystemClock().now()
    part = _Slice(
        values.since(wish.since, now) if wish.since else None,
        values.since(wish.until, now, "--until") if wish.until else None,
    )
    if path.is_dir() or not path.parent.is_dir():
        raise UsageFault(f"{file} cannot be a file", typed=file, better="incident.tar.gz")
    is_bundle = path.is_file() and tarfile.is_tarfile(path)
    require_apart(place, path, is_ours=is_bundle)
    if wish.full:
        question = "Accounts, names and paths stay in the file. To go on, type FULL:"
        require(typed(question), "FULL")
    if os.path.lexists(path):
        face.confirm(f"{path} is there already. Write over it?")
    folders = ((place.data_dir, "DATA"), (Path.home(), "~"))
    masker = Unmasked() if wish.full else Masker(folders)
    try:
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=path.parent) as folder:
            manifest = _collect(face, Path(folder), part, masker)
            draft = Path(folder) / "bundle"
            _pack(Path(folder), draft, manifest)
            draft.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise ConfigError(
            message, hint="choose another place: ibkr-trader audit export FILE"
        ) from error
    return _reply(place, path, manifest)


def _collect(face: Face, folder: Path, part: _Slice, masker: Masker) -> dict[str, Any]:
    """Write every member into `folder`, and return the manifest."""
    place = face.place()
    summary = _Summary()
    with progress("exporting") as report, (folder / JOURNAL).open("wb") as out:
        first, last = _ends(summary.watched(place.journal), part)
        for record in summary.watched(place.journal):
            if not first <= record.seq <= last:
                continue
            line = bundled(record, masker)
            summary.count(record, is_masked=line["masked"])
            out.write(msgspec.json.encode(line) + b"\n")
            if not summary.records % _STEP:
                report(summary.records, 0, f"{summary.records:,} records")
    _write(folder / "settings.json", _settings(face, masker))
    _write(folder / "codes.json", dict(sorted(summary.codes.items())))
    _write(folder / "denials.json", dict(sorted(summary.denials.items())))
    with (folder / LOG).open("w", encoding="utf-8") as out:
        out.writelines(masker.mask(line) for line in _log_lines(place, part))
    wire = place.simulator / WIRE
    if place.profile is Profile.SIM and wire.is_file():
        text = wire.read_text(encoding="utf-8", errors="replace")
        (folder / WIRE).write_text(masker.mask(text), encoding="utf-8")
    members = sorted(one for one in folder.iterdir() if one.is_file())
    return {
        "format": FORMAT,
        "profile": place.profile.value,
        "masked": not isinstance(masker, Unmasked),
        **summary.document(),
        "masked_kinds": dict(sorted(masker.counts.items())),
        "versions": _versions(),
        "files": {one.name: _digest(one) for one in members},
    }


def _ends(read: Iterable[Record], part: _Slice) -> tuple[int, int]:
    """The first and the last record of a slice; what lies between is in it, however clocks were."""
    if part == _Slice(None, None):
        return 0, sys.maxsize
    first, last = 1, 0
    for record in read:
        if part.has(record.wall_utc):
            first, last = first if last else record.seq, record.seq
    return first, last


def bundled(record: Record, masker: Masker) -> dict[str, Any]:
    """Return a record as the archive has it."""
    payload = masker.mask(record.payload)
    return {
        **record._asdict(),
        "payload": payload,
        "prev_hash": record.prev_hash.hex(),
        "hash": record.hash.hex(),
        "masked": payload != record.payload,
    }


class _Summary:
    """What the manifest says of the records, gathered while they are written."""

    def __init__(self) -> None:
        self.records = self.masked = 0
        self.codes: Counter[str] = Counter()
        self.denials: Counter[str] = Counter()
        self._first: Record | None = None
        self._last: Record | None = None
        self._fault = ""

    def watched(self, path: Path) -> Iterator[Record]:
        """Yield the journal's records as far as they can be read: damage is what is looked for."""
        try:
            yield from records(path)
        except JournalError as error:
            self._fault = error.message.partition(": ")[2] or error.message

    def count(self, record: Record, *, is_masked: bool) -> None:
        self.records += 1
        self.masked += is_masked
        self._first, self._last = self._first or record, record
        if '"code":' in record.payload or record.kind == "DenyEvent":
            said = msgspec.json.decode(record.payload)
            if said.get("code"):
                self.codes[str(said["code"])] += 1
            for breach in said.get("breaches", ()):
                self.denials[str(breach.get("check"))] += 1

    def document(self) -> dict[str, Any]:
        first, last = self._first, self._last
        return {
            "records": self.records,
            "masked_records": self.masked,
            "first": first.seq if first else None,
            "last": last.seq if last else None,
            "from": first.wall_utc if first else None,
            "to": last.wall_utc if last else None,
            "before": first.prev_hash.hex() if first else None,
            "head": last.hash.hex() if last else None,
            "fault": self._fault or None,
        }


def _settings(face: Face, masker: Masker) -> dict[str, Any]:
    """The effective settings, secrets and accounts masked; what is wrong with them if they are."""
    try:
        settings = face.settings()
    except ConfigError as error:
        return {"fault": masker.mask(error.message)}
    rows = [{**msgspec.structs.asdict(one)} for one in settings.effective]
    shown = [{key: masker.mask(text) for key, text in row.items()} for row in rows]
    return {"config_hash": settings.config_hash, "effective": shown}


def _log_lines(place: Place, part: _Slice) -> Iterator[str]:
    """The log's lines of that time, oldest first, of all its files."""
    kept = sorted(place.folder.glob(f"{logs.FILE}*"), key=lambda one: -_age(one))
    for file in kept:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    at = msgspec.json.decode(line)["at"]
                    if part.has(at):
                        yield line
                except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
                    continue  # half a line, as a crash leaves it


def _age(log: Path) -> int:
    number = log.name.rpartition(".")[2]
    return int(number) if number.isdecimal() else 0


def _versions() -> dict[str, str]:
    found = {"ibkr-trader": __version__, "python": platform.python_version()}
    for library in ("ib_insync", "ib_async"):
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {**found, "platform": f"{sys.platform} {platform.machine()}"}


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _pack(folder: Path, draft: Path, manifest: dict[str, Any]) -> None:
    """Pack the members, the manifest first, without anything of this moment or machine."""
    _write(folder / MANIFEST, manifest)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with (
        os.fdopen(os.open(draft, flags, 0o600), "wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in (MANIFEST, *manifest["files"]):
            member = tarfile.TarInfo(name)
            member.size, member.mode = (folder / name).stat().st_size, 0o600
            with (folder / name).open("rb") as content:
                archive.addfile(member, content)


def _reply(place: Place, path: Path, manifest: dict[str, Any]) -> Reply:
    what = counted(manifest["records"], "record")
    head = f"{place.profile.upper()}  {what} and {len(manifest['files']) - 1} more files: {path}"
    lines = [head]
    if manifest["fault"]:
        lines.append(f"The journal is NOT whole: {manifest['fault']}. What came before is in it.")
    if manifest["masked"]:
        lines.append("Accounts, names, hosts and paths are masked. Look into it all the same.")
    else:
        lines.append("Nothing is masked: it names accounts and people.")
    lines.append(f"Whoever has it can check it: ibkr-trader audit verify {path.name}")
    return Reply(schema="bundle/1", data={"file": str(path), **manifest}, blocks=[*lines])
