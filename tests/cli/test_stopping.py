"""What a halt that could not do all of it says has to end first."""

from __future__ import annotations

import pytest

from ibkr_trader import app
from ibkr_trader.adapters.account_lock import AccountLock
from tests.cli.conftest import CommandLine


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
