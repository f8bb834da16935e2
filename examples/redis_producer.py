"""Send signals to a desk through a Redis stream: each signed, each with an id of its own.

Run it beside a Redis server and a trader that has a source of kind `redis`:

    export SIGNING_KEY=...        # the same secret that the trader's settings name
    python examples/redis_producer.py AAPL BUY 0.82 187.32

The trader acknowledges a signal once its journal has the decision. What it refuses is found in
`signals:dead`, with the reason. A signal that is sent twice under one id is taken once, so a
producer that does not know whether it was heard sends it again, as it was.
"""

from __future__ import annotations

import os
import sys
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import redis

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.signals.envelope import signed

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
STREAM = os.environ.get("SIGNAL_STREAM", "signals:ingress")
KEY_ID = os.environ.get("SIGNING_KEY_ID", "k1")
MOST_WAITING = 10_000  # entries that the stream keeps at most


def envelope(words: list[str], *, now: datetime, key: bytes) -> bytes:
    """Return the envelope of one signal: ticker, action, confidence, and perhaps a price."""
    ticker, action, confidence, *price = words
    fields: dict[str, object] = {
        "v": 1,
        "id": uuid.uuid4().hex,
        "source": "redis",  # the name of the source that it is meant for
        "ts": now.astimezone(UTC),
        "symbol": ticker,
        "action": action,
        "confidence": Decimal(confidence),
    }
    if price:
        fields["price"] = Decimal(price[0])
    return signed(fields, key_id=KEY_ID, key=key)


def main() -> int:
    """Send what the command line says."""
    key = os.environ.get("SIGNING_KEY", "").encode()
    if not key or not 4 <= len(sys.argv) <= 5:
        print("usage: SIGNING_KEY=... redis_producer.py TICKER BUY|SELL|SHORT CONFIDENCE [PRICE]")
        return 2
    data = envelope(sys.argv[1:], now=SystemClock().now(), key=key)
    with redis.Redis.from_url(URL) as server:
        entry = server.xadd(STREAM, {"data": data}, maxlen=MOST_WAITING)
    print(f"sent as {entry!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
