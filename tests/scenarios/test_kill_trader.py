"""`kill -9` of a running trader, wherever it is, with groups working; then another one.

Judged by what the gateway holds, asked by another client: nothing is there twice, what is
held has its stop within two seconds of the new trader's being in sync, and no stop has gone
back.
"""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import Order
from ibkr_trader.portfolio.snapshot import BrokerSnapshot
from tests.cli.conftest import CommandLine
from tests.scenarios.traders import at_the_gateway, running

NAKED_AT_MOST = 2.0  # seconds after the new trader is in sync
# Where an order may have been sent and was not, the next waits for the proof: those come last.
ROUNDS = [("CP7", "META"), ("CP9", "TSLA"), ("CP5", "AMZN"), ("CP2", "NVDA")]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    with (tmp_path / "config.toml").open("a") as file:  # more positions, with wider stops
        file.write("max_open_positions = 10\nmax_risk_per_trade = 2000\nconfirm_above = 1\n")
    yield one
    one.stop_gateway()


class Judge:
    """What the gateway holds, look by look."""

    def __init__(self, line: CommandLine) -> None:
        self._line = line
        self._install = str(line("status --json").document["install"])
        self._stops: dict[str, Decimal] = {}

    def look(self) -> BrokerSnapshot:
        """Ask the gateway, and judge what must hold at any moment."""
        truth = asyncio.run(at_the_gateway(self._line, self._install))
        named = Counter(order.order_id for order in truth.open_orders)
        assert all(name.startswith(self._install) for name in named), named
        assert set(named.values()) <= {1}, named
        traded: Counter[str] = Counter()
        for fill in truth.fills:
            traded[fill.order_id] += int(fill.quantity)
        assert all(traded[name] <= 10 for name in traded), traded
        for order in truth.open_orders:
            self._follow(order)
        return truth

    def _follow(self, order: Order) -> None:
        stop = order.spec.stop_price
        if order.spec.order_type is not OrderType.STOP or stop is None:
            return
        before = self._stops.setdefault(order.order_id, stop)
        is_wider = stop < before if order.spec.side is Side.SELL else stop > before
        assert not is_wider, f"{order.order_id} went from {before} to {stop}"
        self._stops[order.order_id] = stop

    def stop_of(self, symbol: str) -> Decimal:
        """The stop of what is held in `symbol`."""
        truth = self.look()
        (found,) = [o for o in truth.open_orders if covers(o) and o.spec.contract.symbol == symbol]
        assert found.spec.stop_price is not None
        return found.spec.stop_price

    def await_cover(self) -> None:
        """See every position covered exactly, in time."""
        deadline = time.monotonic() + NAKED_AT_MOST
        while True:
            truth = self.look()
            held = {p.contract.symbol: p.quantity for p in truth.positions if p.quantity}
            stops: Counter[str] = Counter()
            for order in truth.open_orders:
                if covers(order):
                    stops[order.spec.contract.symbol] += int(order.spec.quantity - order.filled)
            if {symbol: int(quantity) for symbol, quantity in held.items()} == dict(stops):
                return
            assert time.monotonic() < deadline, (held, stops)


def covers(order: Order) -> bool:
    return order.spec.order_type is OrderType.STOP and order.spec.side is Side.SELL


def ready(line: CommandLine) -> None:
    """A bracket, an OCO pair of exits, and a managed trail: each over a position of its own."""
    low, high = around(line, "AMD")
    for command in (
        "bracket-order --symbol AAPL --quantity 10 --stop-loss 140 --take-profit 165 --wait filled",
        "order --symbol AMD --side buy --no-stop --quantity 10 --wait filled",
        f"oco-order --symbol AMD --quantity 10 --sell-limit {high} --sell-stop {low}",
        "order --symbol MSFT --side buy --no-stop --quantity 10 --wait filled",
        "trailing-stop --symbol MSFT --quantity 10 --trail-percent 2 --managed",
    ):
        code, _, err = line(command)
        assert code == 0, (command, err)


def around(line: CommandLine, symbol: str) -> tuple[int, int]:
    """A tenth below and above the market, in whole dollars."""
    (found,) = line(f"quote {symbol} --json").document["quotes"]
    bid = Decimal(found["quote"]["bid"])
    return int(bid * Decimal("0.9")), int(bid * Decimal("1.1"))


def raise_the_market(line: CommandLine, price: int) -> None:
    """Tick up to `price`: a jump is believed only once a later tick agrees."""
    for step in (2, 1, 0):
        ran = line(f"gateway inject price MSFT {price - step}")
        assert ran.code == 0, ran.err


def test_a_trader_that_is_killed_on_the_order_path(line: CommandLine) -> None:
    judge, price = Judge(line), 420
    with running(line) as trader:
        ready(line)
        judge.await_cover()
        trader.end(signal.SIGKILL)
    for checkpoint, symbol in ROUNDS:
        with running(line, dying_at=checkpoint) as trader:
            judge.await_cover()
            low, high = around(line, symbol)
            trader.process.send_signal(signal.SIGUSR2)
            trader.hear("armed")
            price += 3
            raise_the_market(line, price)  # the trail wants to follow, while a bracket comes in
            code, _, err = line(
                f"bracket-order --symbol {symbol} --quantity 10 --stop-loss {low} "
                f"--take-profit {high}"
            )
            # It was done without the trader, which had died of the trail; or nobody knows.
            assert code in {0, 10}, err
            assert trader.process.wait(timeout=30) == -signal.SIGKILL
        judge.look()
    the_trail_goes_on(line, judge, price)


def test_a_trader_that_is_killed_at_random(line: CommandLine) -> None:
    judge, price = Judge(line), 420
    moments = random.Random(20_261_121)  # noqa: S311 - moments, not secrets
    with running(line) as trader:
        ready(line)
        trader.end(signal.SIGKILL)
    for _ in range(2):
        with running(line) as trader:
            judge.await_cover()
            price += 3
            killer = threading.Timer(moments.uniform(0, 0.2), trader.process.kill)
            killer.start()
            raise_the_market(line, price)
            assert trader.process.wait(timeout=30) == -signal.SIGKILL
        judge.look()
    the_trail_goes_on(line, judge, price)


def the_trail_goes_on(line: CommandLine, judge: Judge, price: int) -> None:
    """After all that: traders that look after everything, and follow the market one way."""
    with running(line) as trader:
        judge.await_cover()
        due = Decimal(price + 10) * Decimal("0.98")
        rising = time.monotonic() + 20
        while judge.stop_of("MSFT") < due:
            raise_the_market(line, price + 11)  # it is believed once later ticks agree
            assert time.monotonic() < rising
        trader.end(signal.SIGKILL)
    with running(line) as trader:
        falling = time.monotonic() + 1.5  # long enough for a change, were one wanted
        while time.monotonic() < falling:
            raise_the_market(line, price + 6)
            judge.look()
        assert trader.end() == 0
    judge.look()
