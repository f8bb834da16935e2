"""A running trader whose figures are asked for: real processes, a real socket."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.adapters.metrics.exposition import CONTENT_TYPE
from tests.cli.conftest import CommandLine
from tests.prometheus_text import Figures, read
from tests.scenarios.traders import RunningTrader, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
P = "ibkr_trader_"
PREDICTION = ROOT / "examples" / "strategies" / "prediction.toml"
BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    with (tmp_path / "config.toml").open("a") as file:
        file.write("\n[metrics]\nport = 0\n")
    yield one
    one.stop_gateway()


def scraped(address: str) -> Figures:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as answer:
        assert answer.headers["content-type"] == CONTENT_TYPE
        return read(answer.read().decode())


def test_an_order_is_in_the_figures_of_the_trader_it_went_through(line: CommandLine) -> None:
    with running(line) as trader:
        (address,) = re.findall(
            r"http://127\.0\.0\.1:\d+/metrics", said(trader, "figures are told")
        )
        before = scraped(address)
        assert before.value(f"{P}info", profile="sim", version=version(line)) == 1
        assert before.value(f"{P}events_total", what="order_written") is None
        assert line(f"{BRACKET} --wait filled").code == 0
        too_many = "order --symbol AAPL --side buy --no-stop --quantity 100000 --type limit"
        assert line(f"{too_many} --limit 140").code == 6
        found = scraped(address)
        assert found.value(f"{P}orders_total", outcome="filled") == 1
        assert found.value(f"{P}events_total", what="order_written") == 3
        assert found.value(f"{P}order_stage_seconds_count", stage="accept") == 3
        assert found.value(f"{P}denials_total", check="order_quantity") == 1
        assert found.value(f"{P}positions_unprotected") == 0
        assert found.value(f"{P}light", line="gateway", state="up") == 1
        appends = found.value(f"{P}journal_append_seconds_sum")
        assert appends is not None
        assert 0 < appends < 60
        account = line("status --json").document["account"]
        assert not [text for text in found.texts() if str(account) in text or "AAPL" in text]
        assert trader.end() == 0
    with pytest.raises(urllib.error.URLError):
        scraped(address)


def said(trader: RunningTrader, words: str) -> str:
    """Return the line that has `words` in it, which may have come already."""
    return next((one for one in trader.said if words in one), None) or trader.hear(words)


def version(line: CommandLine) -> str:
    return line("--version").out.split()[-1]


def test_scripts_are_told_the_port(line: CommandLine) -> None:
    with running(line, "--json") as trader:
        port = json.loads(said(trader, '"Metrics"'))["port"]
        assert scraped(f"http://127.0.0.1:{port}/metrics").value(f"{P}in_sync") == 1
        assert trader.end() == 0


def test_a_signal_is_in_the_figures_from_its_producer_to_its_fill(line: CommandLine) -> None:
    with running(line, "--strategy", str(PREDICTION)) as trader:
        (address,) = re.findall(r"http://\S+/metrics", said(trader, "figures are told"))
        sent = "signal send --symbol AAPL --action buy --confidence 0.91 --price 150 --id s1"
        assert line(sent).code == 0
        trader.hear("position +")
        assert line(sent).code == 0  # the same again is no second signal
        assert line(sent.replace("AAPL", "ZZZZ").replace("s1", "s2")).code == 6
        found = scraped(address)
        signals = {
            dict(labels)["outcome"]: int(value)
            for (name, labels), value in found.samples.items()
            if name == f"{P}signals_total"
        }
        assert signals.pop("acted") == 1
        assert signals == {"unknown_symbol": 1}
        assert found.value(f"{P}decisions_total", outcome="acted") == 1
        for stage in ("signal", "decision", "send", "accept"):
            assert found.value(f"{P}order_stage_seconds_count", stage=stage), stage
        assert found.value(f"{P}orders_total", outcome="filled") == 1
        assert found.value(f"{P}shortfall_basis_points_count") == 1
        assert found.value(f"{P}shortfall_money", currency="USD") is not None
        assert not [text for text in found.texts() if "s1" in text or "AAPL" in text]
        assert trader.end() == 0
