"""A strategy's day by processes and over the socket: long, short, more of it, a stop, the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.core.enums import OrderType
from ibkr_trader.sim.gateway.background import start_background
from tests.cli.conftest import CommandLine
from tests.scenarios.test_strategy_days import DAY
from tests.scenarios.traders import at_the_gateway, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SIGNAL = "signal send --confidence 0.91 --symbol"
SMA_CROSS = ROOT / "examples" / "strategies" / "sma_cross.py"
MORNING = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    yield one
    one.stop_gateway()


def opened(line: CommandLine, bars: Path | None = None) -> None:
    """Start the gateway of a command line at ten in the morning."""
    folder = line.data / "sim" / "gateway"
    folder.mkdir(parents=True)
    start_background(state_dir=folder, at=MORNING, bars=bars)


def done(line: CommandLine, words: str) -> None:
    ran = line(words)
    assert ran.code == 0, (words, ran)


def advance(line: CommandLine, clock: str) -> datetime:
    """Move the exchange's clock to a time of that day; the next heartbeat tells the trader."""
    hour, minute = map(int, clock.split(":"))
    there = MORNING.replace(hour=hour, minute=minute)
    done(line, f"gateway inject advance --to {there.isoformat()}")
    return there


def noticed(line: CommandLine, there: datetime) -> None:
    """Ask the trader until it has heard of the exchange's time."""
    while datetime.fromisoformat(line("status --json").document["time"]) < there:
        pass


async def covered(line: CommandLine, symbol: str, quantity: int) -> None:
    """Ask the exchange until every exit of a symbol is for so many."""
    found: list[int] = []
    for _ in range(100):
        truth = await at_the_gateway(line, "none")
        specs = [one.spec for one in truth.open_orders if one.spec.contract.symbol == symbol]
        found = [int(one.quantity) for one in specs]
        if found == [quantity] * 2:
            return
    raise AssertionError(found)


async def test_a_day_with_a_long_and_a_short_ends_flat_at_the_exchange(
    line: CommandLine, tmp_path: Path
) -> None:
    opened(line)
    day = tmp_path / "day.toml"
    day.write_text(DAY)
    for price in ("AAPL 150", "MSFT 400"):
        done(line, f"gateway inject price {price}")
    with running(line, "--strategy", str(day)) as trader:
        done(line, f"{SIGNAL} AAPL --action buy")
        trader.hear("position +10 AAPL")
        done(line, f"{SIGNAL} MSFT --action short")
        trader.hear("position -10 MSFT")
        done(line, "gateway inject price AAPL 154")  # more of it
        trader.hear("position +15 AAPL")
        await covered(line, "AAPL", 15)
        done(line, "gateway inject price AAPL 145")  # the stop has all of it
        trader.hear("flat in AAPL")
        done(line, "gateway inject price AAPL 150")
        noticed(
            line, advance(line, "10:20")
        )  # for a quarter of an hour nothing is opened after a stop
        done(line, f"{SIGNAL} AAPL --action buy")  # a new trade, as if there had been none
        trader.hear("position +10 AAPL")
        advance(line, "15:56")
        ended = {trader.hear("flat in ").rpartition("flat in ")[2][:4] for _ in range(2)}
        assert ended == {"AAPL", "MSFT"}
        assert trader.end() == 0
    truth = await at_the_gateway(line, "none")
    assert not [one for one in truth.positions if one.quantity]
    assert not truth.open_orders
    traded: dict[str, list[int]] = {}
    for fill in truth.fills:  # the exchange's own, in its order
        signed = int(fill.quantity) * fill.side.sign
        traded.setdefault(fill.contract.symbol, []).append(signed)
    assert traded == {"AAPL": [10, 5, -15, 10, -10], "MSFT": [-10, 10]}


def leaping(folder: Path) -> Path:
    """Write bars of AAPL that sink a little each minute until 10:01, and then leap by five."""
    folder.mkdir()
    rows, price = ["time,open,high,low,close,volume"], Decimal(155)
    for day, until in (("2026-11-19", 390), ("2026-11-20", 60)):
        at = datetime.fromisoformat(f"{day}T09:30:00")
        for _ in range(until):
            price += Decimal(5 if (day, at.hour, at.minute) == ("2026-11-20", 10, 1) else "-0.01")
            wide = price + Decimal("0.5"), price - Decimal("0.5")
            rows.append(f"{at.isoformat()},{price},{wide[0]},{wide[1]},{price},1000")
            at += timedelta(minutes=1)
    (folder / "AAPL.csv").write_text("\n".join(rows) + "\n")
    return folder


async def test_the_average_in_python_decides_about_bars_and_trades(
    line: CommandLine, tmp_path: Path
) -> None:
    opened(line, leaping(tmp_path / "bars"))
    with running(line, "--strategy", str(SMA_CROSS)) as trader:
        noticed(line, advance(line, "10:01"))  # the minute in which it leaps
        advance(line, "10:03")  # and its bar is complete
        trader.hear("sma-cross/on_bar: long AAPL")
        trader.hear("position +")
        assert trader.end() == 0
    truth = await at_the_gateway(line, "none")
    (held,) = truth.positions
    exits = {one.spec.order_type: one.spec for one in truth.open_orders}
    assert set(exits) == {OrderType.STOP, OrderType.LIMIT}
    assert {one.quantity for one in exits.values()} == {held.quantity}
    stop, target = exits[OrderType.STOP].stop_price, exits[OrderType.LIMIT].limit_price
    assert stop is not None
    assert target is not None
    assert stop < held.average_cost < target
