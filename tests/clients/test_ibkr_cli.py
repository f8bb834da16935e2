"""ibkr-cli (the command `ibkr`): what it offers, pointed at the gateway by its own profile."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.sim.gateway.background import GatewayInfo
from tests.clients.environments import program, surroundings

pytestmark = pytest.mark.clients

Answer = dict[str, Any]
Run = Callable[..., Answer]

CONFIG = """\
default_profile = "sim"
[profiles.sim]
host = "127.0.0.1"
port = {port}
client_id = 7
mode = "paper"
"""
# It asks the package index for news of itself once a day, unless it knows that it asked today.
ASKED_TODAY = '{{"version": "0.0.1", "timestamp": {now}}}'
NO_WAY_OUT = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


@pytest.fixture
def ibkr(gateway: GatewayInfo, home: Path) -> Run:
    """Return what runs the command, and returns what it answers."""
    config = home / ".config" / "ibkr-cli" / "config.toml"
    cache = home / ".cache" / "ibkr-cli" / "latest_version.json"
    for path, text in (
        (config, CONFIG.format(port=gateway.port)),
        (cache, ASKED_TODAY.format(now=time.time())),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)

    def run(*words: str, code: int = 0) -> Answer:
        done = subprocess.run(
            [program("client_tools", "ibkr"), *words, "--json"],
            capture_output=True,
            text=True,
            env=surroundings(home) | NO_WAY_OUT,
            timeout=40,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        answer: Answer = json.loads(done.stdout)
        return answer

    return run


def test_it_connects(ibkr: Run, gateway: GatewayInfo) -> None:
    answer = ibkr("doctor", "--api")
    assert [profile["port"] for profile in answer["profiles"]] == [gateway.port]
    assert answer["api_check"]["ok"] is True
    assert answer["api_check"]["server_version"] == 178
    assert answer["api_check"]["managed_accounts"] == ["SIM0000001"]


def test_it_quotes(ibkr: Run) -> None:
    quote = ibkr("quote", "AAPL", "--debug-market-data")
    assert quote["con_id"] == 265598
    assert quote["quote_source"] == "live"
    assert 140 < quote["bid"] < quote["ask"] < 160
    assert quote["raw_errors"] == []
    watched = ibkr("quote", "AAPL", "--watch", "--updates", "2", "--interval", "5")
    assert watched["row_count"] == 2
    assert not watched["fallback_applied"]
    unknown = ibkr("quote", "ZZZZ", code=5)
    assert unknown["error"]["code"] == "market_data_request_failed"


def test_it_draws_bars(ibkr: Run) -> None:
    answer = ibkr("bars", "AAPL", "--duration", "2 D", "--bar-size", "1 hour")
    assert answer["count"] == len(answer["rows"]) >= 8
    assert all(row["low"] <= row["close"] <= row["high"] for row in answer["rows"])


def test_it_shows_the_account(ibkr: Run) -> None:
    rows = {
        (row["tag"], row["currency"]): row["value"] for row in ibkr("account", "summary")["rows"]
    }
    assert float(rows["NetLiquidation", "USD"]) == 1000000
    assert float(rows["BuyingPower", "USD"]) > 1000000


def test_it_previews_without_placing(ibkr: Run) -> None:
    preview = ibkr("buy", "AAPL", "10", "--type", "LMT", "--limit", "150", "--preview")
    assert 0 < preview["init_margin_change"] < 1600
    assert preview["commission"] == 1.0
    assert preview["raw_errors"] == []
    assert ibkr("orders", "open")["rows"] == []
    assert ibkr("orders", "executions")["rows"] == []


def test_it_buys_and_sees_the_fill(ibkr: Run) -> None:
    order = ibkr("buy", "AAPL", "10", "--submit")
    assert (order["status"], order["filled"], order["raw_errors"]) == ("Filled", 10.0, [])
    [fill] = ibkr("orders", "executions")["rows"]
    assert (fill["order_id"], fill["shares"], fill["side"]) == (order["order_id"], 10.0, "BOT")
    assert fill["price"] == order["avg_fill_price"]
    assert fill["commission"] == 1.0
    [position] = ibkr("positions")["rows"]
    assert (position["symbol"], position["position"]) == ("AAPL", 10.0)
    [done] = ibkr("orders", "completed")["rows"]
    assert (done["perm_id"], done["status"]) == (order["perm_id"], "Filled")
    assert (done["quantity"], done["filled"], done["remaining"]) == (10.0, 10.0, 0.0)


def test_it_modifies_and_cancels_what_it_placed(ibkr: Run) -> None:
    order = ibkr("buy", "AAPL", "10", "--type", "LMT", "--limit", "100", "--submit")
    assert order["status"] == "Submitted"
    number = str(order["order_id"])
    changed = ibkr("orders", "modify", number, "--limit", "101.5", "--quantity", "12")
    assert (changed["status"], changed["raw_errors"]) == ("Submitted", [])
    [shown] = ibkr("orders", "open")["rows"]
    assert (shown["perm_id"], shown["limit_price"]) == (order["perm_id"], 101.5)
    assert (shown["quantity"], shown["client_id"]) == (12.0, 7)
    cancelled = ibkr("orders", "cancel", number)
    assert (cancelled["status"], cancelled["raw_error_codes"]) == ("Cancelled", [202])
    assert ibkr("orders", "open")["rows"] == []
    gone = ibkr("orders", "cancel", number, code=5)
    assert "was not found" in gone["error"]["message"]


def test_it_places_a_bracket(ibkr: Run) -> None:
    entry = ibkr("buy", "AAPL", "10", "--take-profit", "170", "--stop-loss", "130", "--submit")
    assert (entry["status"], entry["raw_errors"]) == ("Filled", [])
    profit, stop = ibkr("orders", "open")["rows"]
    assert (profit["order_type"], profit["limit_price"], profit["status"]) == (
        "LMT",
        170.0,
        "Submitted",
    )
    assert (stop["order_type"], stop["aux_price"], stop["status"]) == ("STP", 130.0, "PreSubmitted")
    ibkr("orders", "cancel", str(stop["order_id"]))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--type", "STP", "--stop", "120"], "PreSubmitted"),
        (["--type", "STP LMT", "--stop", "120", "--limit", "119"], "PreSubmitted"),
        (["--type", "TRAIL", "--trail-percent", "5"], "PreSubmitted"),
        (["--type", "TRAIL", "--trail-amount", "4"], "PreSubmitted"),
        (["--type", "LMT", "--limit", "170", "--tif", "GTC"], "Submitted"),
    ],
    ids=" ".join,
)
def test_it_places_every_type_it_knows(ibkr: Run, words: list[str], status: str) -> None:
    order = ibkr("sell", "AAPL", "10", *words, "--submit")
    assert (order["status"], order["raw_errors"]) == (status, [])


def test_it_is_told_why_an_order_is_refused(ibkr: Run) -> None:
    order = ibkr("buy", "AAPL", "10", "--type", "LMT", "--limit", "100.001", "--submit")
    assert order["raw_error_codes"] == [110]
    assert order["filled"] == 0.0


def test_it_finds_options_and_scans(ibkr: Run) -> None:
    chain = ibkr("options", "chain", "AAPL")
    assert chain["chain_count"] == 1
    assert 150.0 in chain["rows"][0]["strikes"]
    assert ibkr("scanner", "run", "TOP_PERC_GAIN", "--limit", "5")["count"] == 5
    assert ibkr("news", "providers")["rows"] == []
