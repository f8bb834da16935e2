"""Several hosts that trade one paper account: each with a folder, a clock and a lock of its own.

One gateway, one Redis server, and on each host a trader that signals reach through a stream.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ibkr_trader.core.ids import epoch_in
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.door import knock
from ibkr_trader.sim.gateway.server import machine_time
from tests.adapters.redis_parts import Hand, hand
from tests.cli.conftest import Shell
from tests.processes import warm
from tests.redis_server import RedisServer

T = TypeVar("T")
ACCOUNT = "DU0000000"
PATIENCE = 30.0  # seconds; whatever takes longer is broken, not slow
TTL = 2.0
WAVES = (
    ("AAPL", "KO", "XOM", "JPM"),
    ("MSFT", "PG", "CVX", "BAC"),
    ("AMZN", "PEP", "COP", "V"),
)  # the symbols that signals name while the first leader leads, then the second, then the third
CONFIG = """
account = "{account}"

[lease]
url = "{url}"
name = "the-account"
ttl_seconds = {ttl}

[signals]
per_minute = 600
max_ahead = 0.5

[signals.redis]
url = "{url}"
recover_seconds = 1
claim_after_seconds = 2

[risk]
max_openings_per_second = 50
max_openings_per_minute = 500
max_open_positions = 50
"""
STRATEGY = """
name = "one-of-each"
symbols = [{symbols}]

[[rule]]
name = "Enter"
when = "signal.action == 'BUY'"
[rule.open]
side = "long"
size = "1"
stop_loss = "4%"
take_profit = "9%"
"""


class Said(NamedTuple):
    """A line that a process has said, and when by this machine's monotonic clock."""

    at: float
    line: str


class Host(Shell):
    """A host of the account; at most one trader of it runs."""

    process: subprocess.Popen[str]

    def __init__(self, folder: Path, place: Venue, run: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        text = CONFIG.format(account=ACCOUNT, url=place.url, ttl=TTL)
        (folder / "config.toml").write_text(text)
        symbols = ", ".join(f'"{one}"' for wave in WAVES for one in wave)
        self.strategy = folder / "strategy.toml"
        self.strategy.write_text(STRATEGY.format(symbols=symbols))
        self.env |= {
            "IBKR_PROFILE": "paper",
            "IBKR_PORT": place.port,
            "LIVE_CLOCK_AHEAD": place.ahead,
            "XDG_RUNTIME_DIR": str(run),
            "IBKR_RECONNECT_BACKOFF_SECONDS": "0.1",
            "PYTHONUNBUFFERED": "1",
        }
        self.said: list[Said] = []
        self._news = threading.Condition()

    @property
    def program(self) -> list[str]:
        return [sys.executable, "-m", "tests.scenarios.live_child"]

    @contextmanager
    def running(self) -> Iterator[Host]:
        """Keep a trader running for the length of the block, unless the block ends it."""
        with warm.Popen(
            [*self.program, "run", "--headless", "--strategy", str(self.strategy)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as self.process:
            reader = threading.Thread(target=self._read, daemon=True)
            reader.start()
            try:
                yield self
            finally:
                self.process.send_signal(signal.SIGCONT)
                self.process.kill()
                reader.join(PATIENCE)

    def hear(self, words: str) -> Said:
        """Return the first line that has `words` in it, once it is said."""
        with self._news:
            is_said = self._news.wait_for(lambda: self._found(words), PATIENCE)
            assert is_said, f"it never said {words!r}: {[one.line for one in self.said[-30:]]}"
            return self._found(words)[0]

    def end(self, number: signal.Signals) -> tuple[float, int]:
        """Send a signal; return when it was sent, and the exit code."""
        at = time.monotonic()
        self.process.send_signal(number)
        return at, self.process.wait(PATIENCE)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return what the host's journal holds of one kind."""
        path = self.data / "paper" / "journal.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as journal:
            query = "SELECT payload FROM records WHERE kind = ? ORDER BY seq"
            return [json.loads(row[0]) for row in journal.execute(query, (kind,))]

    def _found(self, words: str) -> list[Said]:
        return [one for one in self.said if words in one.line]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(Said(time.monotonic(), line.rstrip("\n")))
                self._news.notify_all()


class Venue:
    """The gateway that all hosts share, and the signals that all of them hear of."""

    def __init__(self, folder: Path, place: Path, url: str, client: Hand) -> None:
        self._folder, self._place, self.url, self._hand = folder, place, url, client
        self.port = (place / "port").read_text()
        self.ahead = (place / "ahead").read_text()
        self.wave = 0
        self.sent: list[str] = []
        self._over = threading.Event()
        self._is_sent = threading.Condition()

    def host(self, name: str) -> Host:
        """Return a host of its own."""
        return Host(self._folder / name, self, self._place.parent / name)

    def inject(self, words: str) -> Any:
        """Have something happen at the gateway, and return what it answers."""
        return knock(self._place / "door.sock", read_act(words.split())).data

    def wire(self) -> list[dict[str, Any]]:
        """Return every message so far, oldest first."""
        lines = (self._place / "wire.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def placed(self, role: str = "") -> list[dict[str, Any]]:
        """Return the new orders that reached the gateway, in order: all, or those of a role."""
        found = [one for one in self.wire() if (one["way"], one["name"]) == ("in", "placeOrder")]
        return [one for one in found if one["order_ref"].endswith(role)]

    def placed_in(self, epoch: int) -> list[dict[str, Any]]:
        """Return the entries that were placed in an epoch, waiting for the first."""
        return await_so(
            lambda: [one for one in self.placed("-entry") if epoch_in(one["order_ref"]) == epoch]
        )

    def unprotected(self) -> list[str]:
        """Return the symbols that are held by more than the stops that work there, by the books."""
        books = self.inject("look")
        names = {one["con_id"]: one["symbol"] for one in self.placed()}
        stops: Counter[str] = Counter()
        for order in books["orders"]:
            if order["type"] == "STP":
                stops[names[order["con_id"]]] += int(order["quantity"]) - int(order["filled"])
        return [one for one, held in books["positions"].items() if int(held) > stops[one]]

    def send(self, symbol: str) -> str:
        """Put one signal on the stream and return its id."""
        name = f"s{len(self.sent):05}"
        made = machine_time() + timedelta(seconds=float(self.ahead))
        envelope = {
            "v": 1, "id": name, "ts": made.isoformat(), "symbol": symbol, "action": "BUY",
            "confidence": 0.9,
        }  # fmt: skip
        self._hand.do("XADD", "signals:ingress", "*", "data", json.dumps(envelope))
        with self._is_sent:
            self.sent.append(name)
            self._is_sent.notify_all()
        return name

    def sent_more(self, number: int) -> None:
        """Wait until so many more signals are sent."""
        with self._is_sent:
            wanted = len(self.sent) + number
            assert self._is_sent.wait_for(lambda: len(self.sent) >= wanted, PATIENCE)

    @contextmanager
    def producing(self, *, every: float) -> Iterator[None]:
        """Send signals for the length of the block: of the wave's symbols, and those before."""

        def produce() -> None:
            while not self._over.wait(every):
                known = [one for wave in WAVES[self.wave :: -1] for one in wave]
                self.send(known[len(self.sent) % len(known)])

        producer = threading.Thread(target=produce, daemon=True)
        producer.start()
        try:
            yield
        finally:
            self._over.set()
            producer.join(PATIENCE)


@contextmanager
def venue(folder: Path, redis: RedisServer) -> Iterator[Venue]:
    """Serve a gateway of a paper account for the length of the block."""
    # The name of a socket is short, and that of a test's folder is not.
    with ExitStack() as stack:
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ib-")))
        place = short / "gw"
        place.mkdir()
        process = stack.enter_context(
            warm.Popen(
                [sys.executable, "-m", "tests.scenarios.live_gateway", str(place), ACCOUNT],
                env=Shell(folder).env,
                cwd=folder,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            yield Venue(folder, place, redis.url, stack.enter_context(hand(redis)))
        finally:
            process.terminate()


def await_so(look: Callable[[], T]) -> T:
    """Return what `look` finds, once that is something: it is another process's doing."""
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.02)
    return found
