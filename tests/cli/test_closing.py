"""`close` in words: what would be done, what was, and what is left with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.execution import recovery
from ibkr_trader.portfolio import reconciliation

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 130 --take-profit 170 --yes"
MSFT = "order --symbol MSFT --side sell --no-stop --quantity 2 --wait filled"


def test_a_preview_names_every_order_that_goes(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    would = cli("close AAPL --dry-run")
    assert would.code == 0
    assert "would close  +10 AAPL at the market" in would.out
    assert would.out.count("would cancel") == 2
    assert len(cli("orders --json").document["orders"]) == 2


def test_a_symbol_without_a_position_loses_what_still_works(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --limit 149").code == 0
    done = cli("close AAPL --json")
    assert (done.code, done.document["is_flat"]) == (0, True)
    assert cli("orders --json").document["orders"] == []


def test_all_is_every_position_and_one_that_fails_stops_no_other(cli: CommandLine) -> None:
    for line in (f"{BRACKET} --wait filled", MSFT):
        assert cli(line).code == 0
    assert cli("gateway inject halt AAPL").code == 0
    done = cli("close --all --timeout 1 --json")
    assert done.code == 7, done
    (left,) = done.document["left"]
    assert (left["symbol"], left["quantity"], done.document["closed"]) == ("AAPL", "10", ["MSFT"])
    assert "not confirmed within 1 s" in left["why"]
    # It is under way, and every process knows: nothing is opened beside it.
    opening = cli("order --symbol AAPL --side buy --no-stop --quantity 1 --type limit --limit 149")
    assert (opening.code, "closing: AAPL is being closed" in opening.err) == (6, True)
    # Whoever comes next goes on, and says so; where nothing may be sent, nobody does.
    assert "going on with the closing of AAPL, begun 20" in cli("orders").err
    assert "going on" not in cli("cancel --all --dry-run").err
    assert cli("close AAPL --timeout 1").code == 7  # its order is known, and works on
    assert cli("gateway inject unhalt AAPL").code == 0
    assert cli("close --all").code == 0
    assert cli("positions --json").document["positions"] == []


def test_an_entry_that_fills_while_it_is_taken_back_is_closed_too(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --limit 149").code == 0
    assert cli("gateway inject fill-wins-cancel 4 --order *entry").code == 0
    done = cli("close AAPL --json")
    assert done.code == 0, done
    closed = {order["role"]: order["filled"] for order in done.document["orders"]}
    assert (closed["entry"], closed["close"]) == ("4", "4")
    assert cli("orders --json").document["orders"] == []
    assert cli("positions --json").document["positions"] == []


def test_a_cancel_that_is_refused_is_asked_for_again(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10147: the order is unknown there, it says, and the order works on."""
    for module in (recovery, reconciliation):
        monkeypatch.setattr(module, "GRACE", timedelta(milliseconds=50))
    assert cli(f"{BRACKET} --wait filled").code == 0
    assert cli("gateway inject cancel-refused 10147 --order *target").code == 0
    done = cli("close AAPL --json")
    assert done.code == 0, done
    assert cli("orders --json").document["orders"] == []
    assert cli("positions --json").document["positions"] == []


def test_a_close_that_is_refused_puts_the_stop_back(cli: CommandLine) -> None:
    assert cli(f"{BRACKET} --wait filled").code == 0
    assert cli("gateway inject reject 201 --order *close").code == 0
    done = cli("close AAPL --json")
    assert done.code == 7, done
    (left,) = done.document["left"]
    assert left["why"].endswith("its stop is put back")
    (stop,) = cli("orders --json").document["orders"]
    assert (stop["role"], stop["stop_price"], stop["quantity"]) == ("stop", "130", "10")
    assert cli("close AAPL").code == 0
    assert cli("positions --json").document["positions"] == []
