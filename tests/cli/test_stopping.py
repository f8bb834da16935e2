"""What `halt` says where nobody can be asked: what is not known is never a number."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.families.test_kill import RESTING, gone


@pytest.mark.parametrize("line", ["halt", "halt --keep-entries", "halt --symbol AAPL"])
def test_without_a_gateway_nobody_counts_what_nobody_knows(cli: CommandLine, line: str) -> None:
    gone(cli)
    done = cli(line)
    assert done.code == 7, done
    assert "0 opening orders" not in done.out
    assert "which orders could still open is not known: the journal has none" in done.out


def test_without_a_gateway_a_journal_that_cannot_be_read_says_nothing(cli: CommandLine) -> None:
    assert cli(RESTING).code == 0
    gone(cli)
    (cli.data / "paper").mkdir()
    (cli.data / "paper" / "journal.db").write_text("no journal at all" * 500)
    done = cli("halt")
    assert done.code == 7, done
    assert "HALTED by the flag file: nothing is opened; which orders could still" in done.out
    assert "the journal has none" not in done.out
