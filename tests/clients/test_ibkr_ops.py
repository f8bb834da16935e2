"""ibkr-ops: its commands, and its library in a program such as its users write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ibkr_trader.sim.gateway.background import GatewayInfo
from tests.clients.environments import DRIVERS, program, surroundings
from tests.clients.spoken import Driver

pytestmark = pytest.mark.clients

# What the library under it writes to stderr of a lookup that finds nothing, and of our cancel.
REMARKS = ("Error 200, reqId", "Error 202, reqId")


def probe(port: int, home: Path, *words: str) -> tuple[int, dict[str, object]]:
    """Run its probe; return the exit code and what it prints."""
    done = subprocess.run(
        [program("client_tools", "ibkr-ops"), "probe", *words],
        capture_output=True,
        text=True,
        env=surroundings(home) | {"IB_HOST": "127.0.0.1", "IB_PORT": str(port)},
        timeout=40,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_its_probe_finds_the_gateway(gateway: GatewayInfo, home: Path) -> None:
    code, found = probe(gateway.port, home)
    assert (code, found["ok"], found["port_mode"]) == (0, True, "unknown")
    code, found = probe(gateway.port, home, "--handshake")
    assert code == 0
    assert found["server_version"] == 178
    assert found["accounts"] == ["SIM*******"]
    assert found["link_ok"] is True


def test_its_session_looks_and_trades(gateway: GatewayInfo, home: Path, tmp_path: Path) -> None:
    python = program("client_tools")
    driver = Driver(
        [python, DRIVERS / "operations.py", str(gateway.port), tmp_path], surroundings(home)
    )
    driver.expect("qualified", conId=265598, unknown=None)
    driver.expect("session", account="SIM0000001", version=178)
    quotes = driver.expect("quotes")["rows"]
    for row in quotes.values():
        assert 0 < row["bid"] < row["ask"]
        assert row["error"] is None
    bars = driver.expect("bars")["rows"]
    assert len(bars) >= 8
    assert all(bar["low"] <= bar["close"] <= bar["high"] and bar["volume"] for bar in bars)
    assert driver.expect("entitled")["answer"][0] is True
    driver.expect("refused")
    preview = driver.expect("preview")
    assert 0 < float(preview["margin"]) < 1600
    assert preview["commission"] == 1.0
    driver.expect("placed", status="Submitted", filled=0, remaining=10, error=None)
    assert driver.expect("modified", limit=101.0)["permId"] > 0
    driver.expect("cancelled", status="Cancelled", filled=0)
    filled = driver.expect("filled", status="Filled", filled=10, remaining=0, error=None, fee=1.0)
    assert filled["price"] == filled["avg_price"]
    driver.expect("positions", rows=[["AAPL", 10.0]])
    gated = driver.expect("gated", mode="blocked", results={})
    assert any("live account" in why for why in gated["why"]), "SIM… is no paper account to it"
    assert driver.close() == 0
    unexpected = [f["text"] for f in driver.faults if not f["text"].startswith(REMARKS)]
    assert not unexpected
