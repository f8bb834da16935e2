"""A prediction API to try the options flow with: on this machine, and always the same.

    python examples/prediction_server.py --port 8750 --scenario day

Each question about a ticker goes one step on in the scenario, which stays at its last step.
The settings that ask it:

    [signals.api]
    url = "http://127.0.0.1:8750"
    tickers = ["AAPL", "MSFT"]
    trades = { threshold = 1000000 }
    divergence = { threshold = "0.30" }
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PRICES = {"AAPL": 187.32, "MSFT": 402.18, "NVDA": 121.5, "BRK.B": 455.0}

# What is predicted, step by step: the signal, its confidence, and the price's change.
# A text instead is the whole body: an API on a bad day.
PREDICTIONS: dict[str, list[tuple[str, float, float] | str]] = {
    "calm": [("BUY", 0.82, 0.0)],
    "day": [("BUY", 0.82, 0.0), ("BUY", 0.82, 0.0), ("SELL", 0.61, 0.4), ("SELL", 0.91, 1.15)],
    "trouble": ["", '{"prediction": {"signal": ', ("SHORT", 0.88, -2.0)],
}
MEASURES: dict[str, dict[str, list[float]]] = {
    "trades": {"calm": [250_000], "day": [250_000, 900_000, 1_400_000, 1_200_000, 300_000]},
    "divergence": {"calm": [0.05], "day": [0.12, 0.18, 0.34, 0.31, 0.09]},
}
NAMES = {"trades": "premium", "divergence": "delta_divergence"}


class Script:
    """What is answered: a status and a body, one step further each time."""

    def __init__(self, scenario: str, *, is_dated: bool = False) -> None:
        self._scenario = scenario
        self._is_dated = is_dated
        self._asked: Counter[tuple[str, str]] = Counter()
        self._since: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, path: str) -> tuple[int, str]:
        """Return the answer to one question: `/predictions/AAPL/latest`."""
        match path.split("/"):
            case ["", ("predictions" | "trades" | "divergence") as what, ticker, "latest"]:
                pass
            case _:
                return 404, '{"error": "ask /predictions/AAPL/latest, /trades/… or /divergence/…"}'
        if ticker not in PRICES:
            return 404, '{"error": "nothing is known of this ticker"}'
        with self._lock:
            step = self._asked[what, ticker]
            self._asked[what, ticker] += 1
            return self._prediction(ticker, step) if what == "predictions" else (
                200, json.dumps({what: {NAMES[what]: self._measure(what, step)}})
            )  # fmt: skip

    def _prediction(self, ticker: str, step: int) -> tuple[int, str]:
        steps = PREDICTIONS[self._scenario]
        now = steps[min(step, len(steps) - 1)]
        if isinstance(now, str):
            return (200, now) if now else (500, '{"error": "the model is being trained"}')
        signal, confidence, change = now
        price = round(PRICES[ticker] + change + step % 5 / 100, 2)  # the market never rests
        told: dict[str, Any] = {
            "confidence": confidence, "signal": signal, "stock_price": price,
        }  # fmt: skip
        if self._is_dated:  # when this very prediction was first told
            since = self._since.setdefault(f"{ticker} {signal} {confidence}", int(time.time()))
            told["timestamp"] = since
        return 200, json.dumps({"ticker": ticker, "prediction": told})

    def _measure(self, what: str, step: int) -> float:
        steps = MEASURES[what].get(self._scenario, MEASURES[what]["calm"])
        return steps[min(step, len(steps) - 1)]


class Server(ThreadingHTTPServer):
    """Answers by the script, on this machine only."""

    daemon_threads = True

    def __init__(self, script: Script, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answering)
        self.script = script

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer one question."""
        assert isinstance(self.server, Server)  # noqa: S101 - for the type checker
        status, text = self.server.script.answer(self.path.partition("?")[0])
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: whoever asks knows what they asked."""


@contextmanager
def serving(scenario: str = "calm", *, is_dated: bool = False) -> Iterator[str]:
    """Answer for the length of a block, on a port that was free; give the address."""
    with Server(Script(scenario, is_dated=is_dated)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Answer until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A prediction API to try the options flow with.")
    parser.add_argument("--port", type=int, default=8750, help="0 takes any that is free")
    parser.add_argument("--scenario", choices=sorted(PREDICTIONS), default="calm")
    parser.add_argument("--dated", action="store_true", help="say when a prediction was made")
    chosen = parser.parse_args()
    with Server(Script(chosen.scenario, is_dated=chosen.dated), port=chosen.port) as server:
        print(f"ask {server.url}/predictions/AAPL/latest; Ctrl-C ends it", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
