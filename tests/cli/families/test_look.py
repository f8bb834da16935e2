"""What is shown to people: full lines, the zone named, something to do next."""

from __future__ import annotations

import signal
import sys

import pytest

from ibkr_trader import app
from ibkr_trader.adapters.account_lock import AccountLock
from tests.cli.conftest import ROOT, CommandLine
from tests.cli.families.test_orders import BRACKET
from tests.processes import warm

HELD = "bracket-order --symbol AAPL --quantity 10 --stop-loss 130 --yes --wait filled"


def test_an_empty_account_says_what_to_do(cli: CommandLine) -> None:
    assert f"First one: ibkr-trader {BRACKET}" in cli("orders").out
    assert "no positions" in cli("positions").out
    assert "no fills today" in cli("fills").out


def test_day_trades_are_a_count_and_no_money(cli: CommandLine) -> None:
    out = cli("account").out
    (line,) = [one for one in out.splitlines() if one.startswith("day trades left")]
    assert line.split(maxsplit=3)[3] == "as many as you like"
    document = cli("account --json").document
    assert document["values"]["day_trades_left"] == "-1"


def test_tables_are_whole_and_times_name_their_zone(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    out = cli("orders").out
    assert " EST" in out or " EDT" in out
    assert " UTC" in cli("orders --utc").out
    assert "…" not in out
    assert "\x1b" not in out
    assert "10/10" in cli("positions").out
    assert "AAPL" in cli("fills").out
    entry = cli("orders --all --json").document["orders"]
    assert {order["role"] for order in entry} == {"entry", "target", "stop"}


def test_one_order_or_its_group_is_found(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    everything = cli("orders --all --json").document["orders"]
    one = everything[0]
    found = cli(f"orders {one['id']} --json").document["orders"]
    assert [order["id"] for order in found] == [one["id"]]
    assert cli("orders --symbol MSFT --json").document["orders"] == []


def test_quotes_account_and_status(cli: CommandLine) -> None:
    (quote,) = cli("quote aapl --json").document["quotes"]
    assert quote["symbol"] == "AAPL"
    assert quote["quote"]["data_type"] == "LIVE"
    account = cli("account --json").document["values"]
    assert account["currency"] == "USD"
    assert "net liquidation" in cli("account").out
    status = cli("status --json").document
    assert (status["profile"], status["trading_state"]) == ("sim", "ACTIVE")
    assert status["is_synced"] is True


def test_a_second_process_is_told_who_trades(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LOCK_PATIENCE", 0.1)
    cli.env["IBKR_PROFILE"] = "paper"
    with AccountLock(cli.data / "paper" / "account.lock").acquire():
        code, out, err = cli("orders")
    assert (code, out) == (8, "")
    assert "waiting for process" in err
    assert "error[account_locked]: process" in err
    assert "is trading this account" in err


def test_who_looks_while_a_close_goes_on_sees_what_is_so_once_it_is_over(cli: CommandLine) -> None:
    """The stop was taken away and the process killed: the next command goes on and sells."""
    assert cli(HELD).code == 0
    child = warm.run(
        [sys.executable, "-m", "tests.scenarios.close_child", str(cli.data), "CP1", "2", "close"],
        cwd=ROOT, env=cli.env, capture_output=True, timeout=50, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    found = cli("positions")
    assert "going on with the closing of AAPL" in found.err
    assert "no positions" in found.out


def test_a_close_that_waits_for_its_order_is_on_its_way_and_needs_no_stop(cli: CommandLine) -> None:
    assert cli(HELD).code == 0
    assert cli("gateway inject halt AAPL").code == 0
    assert cli("close AAPL --timeout 1").code == 7
    found = cli("positions").out
    assert "AAPL: its close is on its way" in found
    assert "no working stop" not in found
    assert "cover --fix" not in found
