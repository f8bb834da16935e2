"""Archives and pages never take the place of what a desk lives by, whoever says yes."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine

OWN = ("journal.db", "account.lock", "journal.db-head", "HALT", "gateway/x")


@pytest.mark.parametrize("command", ["audit export", "report --html"])
def test_the_folder_of_a_profile_takes_neither(cli: CommandLine, command: str) -> None:
    assert cli("status").code == 0
    folder = cli.data / "sim"
    before = {one: one.read_bytes() for one in folder.iterdir() if one.is_file()}
    for name in OWN:
        done = cli(f"{command} {folder}/{name} --yes")
        assert (done.code, "the desk lives by" in done.err) == (2, True), (name, done)
    (cli.folder / "way").symlink_to(folder)
    assert cli(f"{command} {cli.folder}/way/journal.db --yes").code == 2
    after = {one: one.read_bytes() for one in folder.iterdir() if one.is_file()}
    assert after.keys() == before.keys()
    assert cli("audit verify").code == 0


@pytest.mark.parametrize("command", ["audit export", "report --html"])
def test_settings_stay_and_what_was_handed_out_before_is_written_anew(
    cli: CommandLine, command: str
) -> None:
    assert cli("status").code == 0
    limits = cli.data / "symbol_limits.json"
    limits.write_text("{}")
    assert cli(f"{command} {limits} --yes").code == 2
    assert limits.read_text() == "{}"
    for _ in range(2):
        assert cli(f"{command} {cli.data}/incident.tar.gz --yes").code == 0
