"""A damaged journal locks nobody in: the fix that is printed, followed to the letter, ends flat.

The judges are the exchange's own books, seen by a gateway hand and by whoever looks next.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

BRACKET = "bracket-order --symbol AAPL --quantity 5 --stop-loss 145 --take-profit 155 --yes"
ENTRY = "order --symbol MSFT --side buy --quantity 3 --type limit --limit 300 --no-stop --yes"


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    folder = tmp_path / "a folder's name"  # the fix is typed into a shell as it stands
    folder.mkdir()
    return CommandLine(folder)


def spoil(journal: Path, how: str) -> None:
    match how:
        case "garbage":
            journal.write_text("garbage\n")
        case "empty":
            journal.write_bytes(b"")
        case "gone":
            journal.unlink()  # its mark is still there
        case _:
            data = bytearray(journal.read_bytes())
            data[len(data) // 2] ^= 0xFF
            journal.write_bytes(data)


def follow_the_fix(cli: CommandLine, line: str) -> None:
    """Type what the error of a command says, as it says it."""
    refused = cli(line)
    assert refused.code == 3, refused
    fix = re.search(r"begin anew: (mkdir .+ && mv .+) ; then ibkr-trader close", refused.err)
    assert fix is not None, refused.err
    subprocess.run(["/bin/sh", "-c", fix[1]], check=True, timeout=10)


@pytest.mark.parametrize("how", ["garbage", "empty", "gone"])
def test_the_fix_and_then_a_close_end_flat(cli: CommandLine, how: str) -> None:
    try:
        for line in (f"{BRACKET} --wait filled", ENTRY):
            assert cli(line).code == 0
        journal = cli.data / "sim" / "journal.db"
        spoil(journal, how)
        follow_the_fix(cli, "close AAPL --yes")
        assert cli("close AAPL --dry-run").out.count("would cancel") == 2
        done = cli("close AAPL --yes")
        assert (done.code, "closed AAPL" in done.out) == (0, True), done
        assert "Taken over from a lost journal of ours: " in done.out
        assert cli("positions --json").document["positions"] == []
        told = cli("cancel --all --yes").out
        assert re.search(r"Not cancelled, of a lost journal of ours: \w+-2-single\.", told), told
        assert "ibkr-trader close MSFT" in told
        # A second time: the evidence of the first is kept.
        spoil(journal, how)
        follow_the_fix(cli, "positions")
        assert len(list((cli.data / "sim").glob("damaged*/*"))) > 1
        assert {one.name for one in (cli.data / "sim").glob("damaged*")} == {"damaged", "damaged-2"}
        assert cli("close MSFT --yes").code == 0
        assert cli("orders --json").document["orders"] == []
    finally:
        cli.stop_gateway()


def test_a_halt_that_ends_flat_goes_the_same_way(cli: CommandLine) -> None:
    try:
        assert cli(f"{BRACKET} --wait filled").code == 0
        spoil(cli.data / "sim" / "journal.db", "garbage")
        assert cli("halt --flatten --yes").code == 7
        follow_the_fix(cli, "cancel --all --yes")
        done = cli("halt --flatten --yes")
        assert done.code == 0, done
        assert cli("positions --json").document["positions"] == []
        assert cli("orders --json").document["orders"] == []
        assert "HALTED" in cli("status").out
    finally:
        cli.stop_gateway()


def test_orders_of_real_strangers_stay_and_the_way_out_is_named(cli: CommandLine) -> None:
    try:
        assert cli(f"{BRACKET} --wait filled").code == 0
        assert cli("gateway inject hand sell AAPL 5 --limit 170").code == 0
        held_up = cli("close AAPL --yes")
        assert held_up.code == 7, held_up
        assert "orders of others close it already" in held_up.out
        assert "ibkr-trader reset-account" in held_up.out
        assert cli("reset-account --yes").code == 0
        assert cli("positions --json").document["positions"] == []
    finally:
        cli.stop_gateway()
