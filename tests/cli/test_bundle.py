"""An archive has what happened and nobody's name, and proves itself."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import socket
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.cli import logs
from ibkr_trader.cli.masking import Masker
from ibkr_trader.core import codec
from ibkr_trader.core.events import AlarmEvent, BaseEvent, ErrorEvent, OperatorEvent
from tests.adapters.journal_parts import NOW
from tests.cli.conftest import CommandLine
from tests.cli.report_parts import DAY, write
from tests.scenarios.test_halting_typed import typed

ACCOUNT = "DU1234567"
NAMED = "wilhelmina"


@pytest.fixture
def line(cli: CommandLine) -> CommandLine:
    """Return a command line whose journal and log are full of names."""
    path = write(cli.data, DAY, profile="paper")
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_ACCOUNT": ACCOUNT}
    header = SessionHeader(version="1", command=f"ibkr-trader run {cli.data}/x", user=NAMED)
    clock = ManualClock(datetime(2026, 11, 21, 15, tzinfo=UTC))
    text = f"{ACCOUNT} of {socket.gethostname()} in {cli.folder} with token=abcdefgh"
    with SqliteJournal(path, clock=clock, header=header) as journal:
        journal.append([ErrorEvent(at=NOW, code=201, message=text)])
        journal.append([OperatorEvent(at=NOW, operator=NAMED, action="looked", command="x")])
    written = logs.start(path.parent)
    logging.getLogger("ibkr_trader").info("%s", text)
    logs.stop()
    assert written.exists()
    return cli


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: read(archive, one) for one in archive}


def read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    assert content is not None
    return content.read()


def repack(path: Path, changed: dict[str, bytes]) -> None:
    """Write the archive again, with some members in other words; the manifest fits them."""
    with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in changed.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_an_archive_names_nobody_and_has_all_of_it(line: CommandLine) -> None:
    code, out, err = line("audit export incident.tar.gz")
    assert (code, err) == (0, "")
    assert "PAPER  31 records and 4 more files" in out
    path = line.folder / "incident.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = members(path)
    assert list(found) == [
        *("manifest.json", "codes.json", "denials.json", "journal.jsonl", "log.jsonl"),
        "settings.json",
    ]
    whole = b"".join(found.values()).decode()
    for name in (ACCOUNT, NAMED, str(line.folder), "abcdefgh"):
        assert name not in whole
    if len(socket.gethostname()) >= 3:
        assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", whole)
    assert "DU***567" in found["log.jsonl"].decode()
    assert json.loads(found["codes.json"]) == {"201": 1}
    manifest = json.loads(found["manifest.json"])
    assert (manifest["records"], manifest["masked_records"]) == (31, 3)
    assert manifest["versions"]["ib_insync"]
    assert manifest["head"] == line("audit verify --json").document["head"]
    assert not [one for one in line.folder.iterdir() if one.name.startswith(".bundle")]


def test_the_same_journal_gives_the_same_bytes(line: CommandLine) -> None:
    for name in ("one.tar.gz", "two.tar.gz"):
        assert line(f"audit export {name}").code == 0
    one, two = ((line.folder / name).read_bytes() for name in ("one.tar.gz", "two.tar.gz"))
    assert one == two
    assert line("audit export one.tar.gz").code == 9  # it is there already
    assert line("audit export one.tar.gz --yes").code == 0


def test_a_slice_begins_and_ends_where_it_is_said(line: CommandLine) -> None:
    line("audit export late.tar.gz --since 2026-11-21")
    line("audit export early.tar.gz --until 2026-11-21")
    late, early = (
        json.loads(members(line.folder / name)["manifest.json"])
        for name in ("late.tar.gz", "early.tar.gz")
    )
    assert (early["first"], early["last"], late["first"], late["last"]) == (1, 28, 29, 31)
    assert early["head"] == late["before"]
    for name in ("late.tar.gz", "early.tar.gz"):
        code, out, _ = line(f"audit verify {name}")
        assert code == 0
        assert "the bundle is whole" in out
    assert line("audit export x.tar.gz --since tomorrow").code == 2
    assert line("audit export /nowhere/x.tar.gz").code == 2


def test_a_slice_is_without_gaps_though_the_clock_was_set(line: CommandLine) -> None:
    path = line.data / "paper" / "journal.db"
    for day in (22, 20, 22, 23):  # it stood in the past for a while
        clock = ManualClock(datetime(2026, 11, day, 15, tzinfo=UTC))
        with SqliteJournal(path, clock=clock) as journal:
            journal.append([OperatorEvent(at=NOW, operator="me", action="looked", command="x")])
    line("audit export it.tar.gz --since 2026-11-21 --until 2026-11-23")
    code, out, _ = line("audit verify it.tar.gz")
    assert (code, "29 to 37: 9 records" in out) == (0, True), out
    line("audit export none.tar.gz --since 2026-11-24")
    code, out, _ = line("audit verify none.tar.gz")
    assert code == 0


def test_names_stay_in_only_after_that_was_typed(line: CommandLine) -> None:
    assert line("audit export full.tar.gz --full --yes").code == 9
    assert not (line.folder / "full.tar.gz").exists()


@pytest.mark.parametrize("answer", ["", "yes", "full", "FULL!"])
def test_at_a_terminal_no_other_word_will_do(line: CommandLine, answer: str) -> None:
    code, said = typed(line, "audit export full.tar.gz --full --yes", answer)
    assert code == 9
    assert "Accounts, names and paths stay in the file. To go on, type FULL:" in said
    assert "That is not what had to be typed: nothing was done" in said
    assert list(line.folder.glob("*.tar.gz")) == []


def test_the_typed_word_leaves_names_in_and_says_so_in_the_archive(line: CommandLine) -> None:
    code, said = typed(line, "audit export full.tar.gz --full", "FULL")
    assert code == 0, said
    path = line.folder / "full.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = members(path)
    assert json.loads(found["manifest.json"])["masked"] is False
    records = [json.loads(one) for one in found["journal.jsonl"].splitlines()]
    assert not any(one["masked"] for one in records)
    for name in (ACCOUNT, NAMED, socket.gethostname()):
        assert name.encode() in found["journal.jsonl"]
    assert b"abcdefgh" not in found["log.jsonl"], "the log has no secret that it could leave in"
    assert line("audit verify full.tar.gz").code == 0
    # One that is there already is asked about, too, and it stays what it was.
    before = path.read_bytes()
    code, said = typed(line, "audit export full.tar.gz --full", "FULL\nn")
    assert (code, "Write over it?" in said) == (9, True)
    assert path.read_bytes() == before


def without(found: dict[str, bytes], index: int) -> dict[str, bytes]:
    lines = found["journal.jsonl"].splitlines(keepends=True)
    del lines[index]
    return found | {"journal.jsonl": b"".join(lines)}


def with_digest(found: dict[str, bytes]) -> dict[str, bytes]:
    """Let the manifest say of the journal what would be right of it as it is."""
    import hashlib

    manifest: dict[str, Any] = json.loads(found["manifest.json"])
    manifest["files"]["journal.jsonl"] = hashlib.sha256(found["journal.jsonl"]).hexdigest()
    return found | {"manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("log", "log.jsonl was changed"),
        ("missing", "log.jsonl is missing"),
        ("more", "other.txt does not belong to it"),
        ("first line", "record 1 is missing"),
        ("a line", "record 5 is missing"),
        ("last line", "records were added or taken away"),
        ("words", "record 3 was changed"),
        ("hash", "record 30 does not follow|record 30 was changed"),
        ("no json", "the line behind record 0 cannot be read"),
    ],
)
def test_an_archive_that_was_changed_is_found_out(line: CommandLine, harm: str, fault: str) -> None:
    line("audit export it.tar.gz")
    path = line.folder / "it.tar.gz"
    found = members(path)
    rows = found["journal.jsonl"].splitlines(keepends=True)
    match harm:
        case "log":
            found["log.jsonl"] += b"{}\n"
        case "missing":
            del found["log.jsonl"]
        case "more":
            found["other.txt"] = b""
        case "first line" | "a line" | "last line":
            at = {"first line": 0, "a line": 4, "last line": -1}[harm]
            found = with_digest(without(found, at))
        case "words":
            rows[2] = rows[2].replace(b"AAPL", b"MSFT").replace(b"s1", b"s2")
            found = with_digest(found | {"journal.jsonl": b"".join(rows)})
        case "hash":
            rows[29] = re.sub(rb'"prev_hash":"..', b'"prev_hash":"00', rows[29])
            found = with_digest(found | {"journal.jsonl": b"".join(rows)})
        case _:
            found = with_digest(found | {"journal.jsonl": b"nonsense\n"})
    repack(path, found)
    code, out, _ = line("audit verify it.tar.gz")
    assert code == 7
    assert any(one in out for one in fault.split("|")), out
    assert line("audit verify it.tar.gz --json").document["ok"] is False


def test_what_is_no_archive_is_told(line: CommandLine) -> None:
    (line.folder / "text").write_text("hello")
    repack(line.folder / "other.tar.gz", {"a": b"b"})
    repack(line.folder / "alike.tar.gz", {"manifest.json": b'{"format":"?"}'})
    bare = b'{"format":"ibkr-trader/bundle/1","files":{"journal.jsonl":1}}'
    repack(line.folder / "bare.tar.gz", {"manifest.json": bare})
    repack(line.folder / "list.tar.gz", {"manifest.json": b"[1]"})
    for name in ("text", "missing", "other.tar.gz", "alike.tar.gz", "bare.tar.gz", "list.tar.gz"):
        code, _, err = line(f"audit verify {name}")
        assert code == 2, name
        assert "no archive of ibkr-trader" in err


def test_what_can_be_read_of_a_damaged_journal_is_in_it(line: CommandLine) -> None:
    path = line.data / "paper" / "journal.db"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"100.40"', b'"100.41"'))
    code, out, _ = line("audit export it.tar.gz")
    assert code == 0
    assert "The journal is NOT whole: record" in out
    code, out, _ = line("audit verify it.tar.gz")
    assert code == 0  # the archive is what was exported
    assert "the journal was NOT whole then" in out


@pytest.mark.parametrize("name", [NAMED, 'wil"helm', "wil\\", "w\u0131l"])
def test_nobody_who_did_something_is_named(name: str) -> None:
    events: list[BaseEvent] = [
        OperatorEvent(at=NOW, operator=name, action="looked", command="x"),
        AlarmEvent(at=NOW, key="drift", message="m", since=NOW, seen_by=name, reason="seen"),
    ]
    for event in events:
        masked = Masker().mask(codec.encode(event).decode())
        again = codec.decode_event(masked)
        assert "***" in (getattr(again, "operator", ""), getattr(again, "seen_by", ""))


def test_short_names_and_the_root_folder_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "io")
    masker = Masker([(Path("/"), "ROOT"), (Path("/srv/me"), "~")])
    assert masker.mask("/etc io /srv/me/x") == "/etc io ~/x"
    assert masker.counts["path"] == 1
    monkeypatch.setattr(os, "environ", {**os.environ, "LOGNAME": NAMED})
    assert Masker().mask(f"{NAMED}@there") == "***@there"
