"""What `halt` says where it could not do all: what is not known, and what has to end first."""

from __future__ import annotations

import pytest

from ibkr_trader import app
from ibkr_trader.adapters.account_lock import AccountLock
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


def test_what_has_to_end_first_is_named_and_is_not_always_the_gateway(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LOCK_PATIENCE", 0.1)
    assert cli("orders").code == 0
    with AccountLock(cli.data / "sim" / "account.lock").acquire():
        said = cli("halt")
    assert said.code == 7
    assert "Next: repeat this command when the trader answers, or has ended" in said.out
    (cli.data / "sim" / "journal.db").write_bytes(b"garbage" * 1_000)
    assert "Next: repeat this command when the journal is mended" in cli("halt").out
    (cli.data / "sim" / "account.lock").unlink()
    (cli.data / "sim" / "account.lock").mkdir()
    assert "Next: repeat this command when that is mended" in cli("halt").out
    cli.stop_gateway()
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "1", "IBKR_TIMEOUT_SECONDS": "1"}
    assert "Next: repeat this command when the gateway answers" in cli("halt").out
