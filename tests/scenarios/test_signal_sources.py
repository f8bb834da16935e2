"""Signals from a Redis stream and from the sample prediction API, to fills, and told to sinks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from docs.run_transcripts import ROOT
from examples.prediction_server import serving
from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.signals.envelope import signed
from tests.cli.conftest import SETTINGS, CommandLine
from tests.redis_server import RedisServer
from tests.scenarios.traders import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
PREDICTION = ROOT / "examples" / "strategies" / "prediction.toml"
KEY = "a-key-that-both-sides-know"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    one.env["IBKR_CONFIG"] = str(tmp_path / "config.toml")
    one.env["DESK_KEY"] = KEY
    yield one
    one.stop_gateway()


def envelope(
    action: str, signal_id: str, *, source: str = "redis", made: datetime | None = None
) -> bytes:
    return signed(
        {
            "v": 1, "id": signal_id, "source": source, "ts": made or SystemClock().now(),
            "symbol": "AAPL", "action": action, "confidence": Decimal("0.91"),
        },
        key_id="k1",
        key=KEY.encode(),
    )  # fmt: skip


def executed(told: list[dict[str, Any]]) -> set[str]:
    """The executions that were told, each of which may be told again with its cost."""
    ids = (one["event_id"] for one in told if one["type"] == "ExecutionFill")
    return {one.removesuffix(".cost") for one in ids}


def test_a_stream_is_traded_once_and_others_are_told(
    line: CommandLine, redis_server: RedisServer, tmp_path: Path
) -> None:
    import redis

    told = tmp_path / "told.jsonl"
    (tmp_path / "config.toml").write_text(
        f"[signals]\nneeds_signature = true\n"
        f'[signals.redis]\nurl = "{redis_server.url}"\nkeys = {{ k1 = "DESK_KEY" }}\n'
        f'[sinks.redis_streams]\nurl = "{redis_server.url}"\n'
        f'[sinks.json_lines]\npath = "{told}"\n'
    )
    with redis.Redis.from_url(redis_server.url) as client:
        # What came before the group was made is of the past: so it is made before.
        client.xgroup_create("signals:ingress", "ibkr-trader", id="$", mkstream=True)
        with running(line, "--strategy", str(PREDICTION)) as trader:
            for _ in range(2):  # a producer that repeats itself
                client.xadd("signals:ingress", {"data": envelope("BUY", "once")})
            client.xadd("signals:ingress", {"data": envelope("BUY", "x").replace(b"AAPL", b"MSFT")})
            trader.hear("position +")
            trader.hear("the signature is not good")
            client.xadd("signals:ingress", {"data": envelope("SELL", "out")})
            trader.hear("flat in AAPL")
            assert trader.end() == 0
        (letter,) = client.xrange("signals:dead")
        assert b"forged" in b" ".join(letter[1].values())
        # What it was told to end in the middle of comes again, and is a duplicate then.
        assert client.xpending("signals:ingress", "ibkr-trader")["pending"] <= 1
        rows = [json.loads(row[1][b"payload"]) for row in client.xrange("positions:stream")]
        assert len(executed(rows)) == 2
        assert client.xlen("signals:distribution:pending") > 4
    lines = [json.loads(one) for one in told.read_text().splitlines()]
    assert len(executed(lines)) == 2
    entries = [
        one for one in lines if one["type"] == "SignalDecision" and one["kind"] == "decision"
    ]
    assert len(entries) == 2


def test_the_sample_api_is_polled_and_traded(line: CommandLine, tmp_path: Path) -> None:
    with serving("day") as url:
        (tmp_path / "config.toml").write_text(
            f'[signals.api]\nurl = "{url}"\ntickers = ["AAPL"]\npoll_seconds = 0.3\n'
        )
        bold = tmp_path / "bold.toml"
        bold.write_text(PREDICTION.read_text().replace("> 0.85", "> 0.8"))
        with running(line, "--strategy", str(bold)) as trader:
            trader.hear("signal BUY AAPL at 187.32, confidence 0.82, from api")
            trader.hear("position +")
            trader.hear("signal SELL AAPL")
            trader.hear("flat in AAPL")
        assert "".join(trader.said).count("signal BUY") == 1  # it was told more than once


def test_a_file_that_is_not_there_is_said_and_then_followed(
    line: CommandLine, tmp_path: Path
) -> None:
    """Somebody lost two exits by a file that was read to its end before they were written."""
    signals = tmp_path / "signals.jsonl"
    (tmp_path / "config.toml").write_text(
        f'[signals.file]\npath = "{signals}"\npoll_seconds = 0.1\nkeys = {{ k1 = "DESK_KEY" }}\n'
    )
    with running(line, "--strategy", str(PREDICTION)) as trader:
        trader.hear("signals of file do not come")
        signals.write_bytes(envelope("BUY", "in", source="file") + b"\n")
        trader.hear("signals of file come again")
        trader.hear("position +")
        with signals.open("ab") as file:
            file.write(envelope("SELL", "out", source="file") + b"\n")
        trader.hear("flat in AAPL")


def test_a_flood_of_signals_keeps_no_order_waiting(line: CommandLine, tmp_path: Path) -> None:
    """Thousands that are too old: counted, and an order and an exit go out among them."""
    signals = tmp_path / "signals.jsonl"
    (tmp_path / "config.toml").write_text(
        f'{SETTINGS}[signals.file]\npath = "{signals}"\nkeys = {{ k1 = "DESK_KEY" }}\n'
    )
    old = SystemClock().now() - timedelta(minutes=5)
    flood = b"\n".join(
        envelope("BUY", f"old-{number}", source="file", made=old) for number in range(5_000)
    )
    signals.write_bytes(envelope("BUY", "in", source="file") + b"\n")
    with running(line, "--strategy", str(PREDICTION)) as trader:
        trader.hear("position +")
        with signals.open("ab") as file:
            file.write(flood + b"\n" + envelope("SELL", "out", source="file") + b"\n")
        placed = line("bracket-order --symbol MSFT --quantity 1 --stop-loss 400 --take-profit 430")
        assert placed.code == 0, placed
        trader.hear("flat in AAPL")
    path = line.data / "sim" / "journal.db"
    with closing(sqlite3.connect(path)) as journal:
        query = "SELECT payload FROM records WHERE kind = 'SignalRefusedEvent'"
        told = [json.loads(row[0]) for row in journal.execute(query)]
    assert {one["code"] for one in told} == {"stale"}
    assert len(told) < 100
