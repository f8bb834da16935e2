"""`audit verify BUNDLE`: whether an archive is what was exported, as far as it can be told."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.adapters.journal_schema import Record
from ibkr_trader.cli.bundle import FORMAT, JOURNAL, MANIFEST
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_MANIFEST = 1_000_000  # bytes
_LONGEST = 50_000_000  # bytes of a line
_CHUNK = 1 << 20


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int
    session: int
    wall_utc: str
    mono: float
    kind: str
    order_id: str
    broker_order_id: int
    group_number: int
    payload: str
    prev_hash: str
    hash: str
    masked: bool

    @property
    def record(self) -> Record:
        """The record it was made from, if nothing of it is masked."""
        whole = {name: getattr(self, name) for name in Record._fields}
        hashes = {name: bytes.fromhex(whole[name]) for name in ("prev_hash", "hash")}
        return Record(**whole | hashes)


class _Manifest(msgspec.Struct, frozen=True):
    """What a manifest must say for an archive to be held against it."""

    format: str
    profile: str
    records: int
    masked_records: int
    first: int | None
    last: int | None
    before: str | None
    head: str | None
    fault: str | None
    files: dict[str, str]


class Found(NamedTuple):
    """What an archive is: what it says of itself, and what is wrong with that."""

    manifest: dict[str, Any]
    faults: tuple[str, ...]


def is_bundle(path: Path) -> bool:
    """Whether a file is an archive at all; what it is worth is another question."""
    return path.is_file() and tarfile.is_tarfile(path)


def bundled_records(path: Path) -> Iterator[Record]:
    """Yield the records that an archive has, as it has them; `check` says what they are worth.

    Raises:
        UsageFault: If it is no archive of ours, or has none.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            content = archive.extractfile(JOURNAL)
            for line in iter(lambda: content.readline(_LONGEST) if content else b"", b""):
                yield msgspec.json.decode(line, type=_Line).record
    except (OSError, EOFError, KeyError, tarfile.TarError, ValueError) as error:
        raise _no_bundle(path) from error


def check(path: Path) -> Reply:
    """Reply with what an archive is found to be; with 7 if it is not as it was exported.

    Raises:
        UsageFault: If it is no archive of ours.
    """
    manifest, faults = examine(path)
    is_whole = not faults
    state = "whole" if is_whole else f"NOT whole: {faults[0]}"
    lines = [f"{path.name}  the bundle is {state}"]
    lines += [f"also: {one}" for one in faults[1:]]
    if manifest["records"]:
        many = counted(manifest["records"], "record")
        lines.append(f"  {manifest['first']} to {manifest['last']}: {many}, {manifest['profile']}")
        lines.append(
            f"  {manifest['masked_records']} of them masked: those prove their order alone"
        )
        lines.append(f"  head   {manifest['head']}")
    if manifest["fault"]:
        lines.append(f"  the journal was NOT whole then: {manifest['fault']}")
    data = {"file": str(path), "faults": list(faults), **manifest}
    code = Exit.DONE if is_whole else Exit.INCOMPLETE
    return Reply(schema="bundle-check/1", data=data, blocks=[*lines], exit=code)


def examine(path: Path) -> Found:
    """Return what an archive says of itself, and everything that is wrong with it.

    Raises:
        UsageFault: If it is no archive of ours.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            first = archive.next()
            if first is None or first.name != MANIFEST or first.size > _MOST_MANIFEST:
                raise _no_bundle(path)
            content = archive.extractfile(first)
            manifest = msgspec.json.decode(content.read() if content else b"")
            said = msgspec.convert(manifest, _Manifest)
            if said.format != FORMAT:
                raise _no_bundle(path)
            return Found(manifest, tuple(_faults(archive, said)))
    except (OSError, EOFError, tarfile.TarError, msgspec.MsgspecError) as error:
        raise _no_bundle(path) from error


def _faults(archive: tarfile.TarFile, manifest: _Manifest) -> Iterator[str]:
    wanted = dict(manifest.files)
    while (member := archive.next()) is not None:
        expected = wanted.pop(member.name, None)
        content = archive.extractfile(member)
        if expected is None or content is None:
            yield f"{member.name} does not belong to it"
            continue
        digest = hashlib.sha256()
        chain = _Chain(manifest) if member.name == JOURNAL else None
        for line in iter(lambda: content.readline(_LONGEST), b""):  # noqa: B023 - used at once
            digest.update(line)
            if chain is not None:
                chain.follow(line)
        if digest.hexdigest() != expected:
            yield f"{member.name} was changed"
        if chain is not None:
            yield from chain.faults()
    yield from (f"{name} is missing" for name in wanted)


class _Chain:
    """Holds the journal's lines against each other, and against the manifest."""

    def __init__(self, manifest: _Manifest) -> None:
        self._manifest = manifest
        self._hash = manifest.before
        self._seq = (manifest.first or 1) - 1
        self._count = self._masked = 0
        self._fault = ""

    def follow(self, text: bytes) -> None:
        """Take the next line; after the first fault nothing more is worth saying."""
        if self._fault:
            return
        try:
            line = msgspec.json.decode(text, type=_Line)
            record = line.record
        except (msgspec.MsgspecError, ValueError):
            self._fault = f"the line behind record {self._seq} cannot be read"
            return
        if line.seq != self._seq + 1:
            self._fault = f"record {self._seq + 1} is missing"
        elif line.prev_hash != self._hash:
            self._fault = f"record {line.seq} does not follow the one before it"
        elif not line.masked and record.true_hash != record.hash:
            self._fault = f"record {line.seq} was changed"
        self._seq, self._hash = line.seq, line.hash
        self._count, self._masked = self._count + 1, self._masked + line.masked

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the whole."""
        if self._fault:
            yield self._fault
            return
        said = self._manifest
        if (self._count, self._masked) != (said.records, said.masked_records):
            yield "records were added or taken away"
        elif self._count and self._hash != said.head:
            yield "it does not end with the record that it names"


def _no_bundle(path: Path) -> UsageFault:
    return UsageFault(
        f"{path} is no archive of ibkr-trader",
        hint="ibkr-trader audit export FILE makes one; --journal PATH names a journal",
    )
