"""`audit`, as a person types it: from the journal alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET
from tests.cli.report_parts import write


def test_a_whole_journal_is_told_so(cli: CommandLine) -> None:
    write(cli.data)
    code, out, err = cli("audit verify")
    assert (code, err) == (0, "")
    assert "SIM  the journal is whole: 28 records of 1 session, in 1 file" in out
    document = cli("audit verify --json").document
    assert (document["schema"], document["ok"], document["faults"]) == (
        "ibkr-trader/audit/1",
        True,
        [],
    )
    assert (document["records"], document["last"], document["found"]) == (28, 28, None)
    assert f"head   {document['head']}" in out
    code, out, _ = cli(f"audit verify --against {document['head']}")
    assert code == 0
    assert "It has that hash: record 28." in out
    code, out, _ = cli(f"audit verify --against {'0' * 64}")
    assert code == 7
    assert "NO record has the hash" in out
    assert cli("audit verify --against xyz").code == 2


def test_a_damaged_copy_is_told_with_what_can_be_trusted(cli: CommandLine) -> None:
    path = write(cli.data)
    copy = cli.folder / "copy"
    shutil.copytree(path.parent, copy)
    data = (copy / "journal.db").read_bytes()
    assert data.count(b'"100.40"') >= 1
    (copy / "journal.db").write_bytes(data.replace(b'"100.40"', b'"100.41"'))
    code, out, _ = cli(f"audit verify --journal {copy}")
    assert code == 7
    assert f"{copy}/journal.db  the journal is NOT whole: record " in out
    assert "are as written; the rest proves nothing" in out
    assert "ibkr-trader doctor" in out
    (found,) = json.loads(cli(f"audit verify --json --journal {copy}/journal.db").out)["faults"]
    assert "was changed" in found
    assert cli("audit verify").code == 0


def test_without_a_journal_it_says_so(cli: CommandLine) -> None:
    code, _, err = cli("audit verify")
    assert code == 3
    assert "there is no journal" in err
    assert cli("audit tail").code == 3
    assert not cli.data.exists()


def test_the_last_records_are_told_in_words(cli: CommandLine) -> None:
    write(cli.data)
    lines = cli("audit tail -n 30").out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(1, 29))
    assert "session 1 of a program by ?" in lines[0]
    assert any("filled 1-entry BUY 10 AAPL @ 100.30" in line for line in lines)
    assert cli("audit tail -n 3").out.splitlines() == lines[-3:]
    of_one = cli("audit tail --order 3-stop").out.splitlines()
    assert of_one
    assert set(of_one) < set(lines)
    assert all("3-stop" in line for line in of_one)
    assert len(cli("audit tail --order 3").out.splitlines()) > len(of_one)
    document = json.loads(cli("audit tail -n 1 --json").out)
    assert (document["schema"], document["seq"]) == ("ibkr-trader/record/1", 28)
    assert json.loads(document["payload"])["type"] == document["kind"]
    for count in ("0", "1_000", "+3", "99999999999999999999"):
        ran = cli(f"audit tail -n {count}")
        assert ran.code == 2
        assert "fix: ibkr-trader audit tail -n 20\n" in ran.err


def test_another_journal_is_named_by_any_of_its_files(cli: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere")
    expected = cli(f"audit tail --journal {path}").out
    assert expected
    assert cli(f"audit tail --journal {path}-000001").out == expected


def test_a_file_is_sealed_and_everything_is_found_all_the_same(cli: CommandLine) -> None:
    cli(f"{BRACKET} --yes")
    before = cli("orders --all --json").document["orders"]
    assert before
    assert "would seal journal.db" in cli("audit rotate --dry-run").out
    code, out, err = cli("audit rotate")
    assert (code, err) == (0, "")
    assert "journal.db is sealed, and journal.db-000002 follows on it" in out
    after = cli("orders --all --json").document["orders"]
    assert [(one["id"], one["status"]) for one in after] == [
        (one["id"], one["status"]) for one in before
    ]
    assert "1-entry" in cli("why 1-entry").out
    assert cli("report --json").document["orders"]
    found = cli("audit verify --json").document
    assert (found["ok"], len(found["files"])) == (True, 2)
    (cli.data / "sim" / "journal.db").unlink()
    assert "journal.db cannot be found" in cli("doctor").out
    code, out, _ = cli("status")
    assert code == 0
    assert "its sealed file journal.db is missing: ibkr-trader audit verify" in out
    assert "journal.db cannot be found" in cli("audit tail -n 30").out
    assert cli("audit verify").code == 7


def test_an_older_folder_is_noticed_until_somebody_resumes(cli: CommandLine) -> None:
    cli(f"{BRACKET} --yes")
    shutil.copytree(
        cli.data / "sim", cli.folder / "backup", ignore=shutil.ignore_patterns("*.sock")
    )
    cli("halt --reason careful --yes")
    for name in ("journal.db", "journal.db-head"):
        shutil.copy(cli.folder / "backup" / name, cli.data / "sim" / name)
    (cli.data / "sim" / "HALT").unlink()
    (halt,) = cli("status --json").document["halts"]
    assert (halt["state"], halt["who"]) == ("REDUCING", "by the journal")
    assert "its folder is an older copy" in halt["reason"]
    assert cli(f"{BRACKET} --yes").code == 6
    code, out, _ = cli("resume --reason looked --yes")
    assert code == 0, out
    assert cli("status --json").document["halts"] == []
