"""What the example producer sends is taken by a source, with its signature."""

from __future__ import annotations

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import Claim, Incoming, SignalReply
from ibkr_trader.execution.tasks import alongside
from tests.redis_server import RedisServer

KEY = "a-key-that-both-sides-know"


async def sent(*words: str, **environ: str) -> tuple[int, bytes]:
    """Run the example; return its exit code and what it said."""
    producer = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error::ResourceWarning", ROOT / "examples/redis_producer.py", *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )  # fmt: skip
    output, _ = await producer.communicate()
    assert producer.returncode is not None
    return producer.returncode, output


async def test_a_source_takes_what_the_example_sends(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESK_KEY", KEY)
    arrived: asyncio.Queue[Incoming] = asyncio.Queue(10)

    async def take(incoming: Incoming) -> SignalReply:
        await arrived.put(incoming)
        return SignalReply(outcome=Outcome.ACTED)

    source = SOURCES["redis"]({"url": redis_server.url, "keys": {"k1": "DESK_KEY"}})
    words = ("AAPL", "BUY", "0.82", "187.32")
    code, output = await sent(*words, REDIS_URL=redis_server.url, SIGNING_KEY=KEY)
    assert (code, output[:9]) == (0, b"sent as b"), output
    async with asyncio.timeout(30), alongside(source.run(take)):
        claim = await arrived.get()
    assert isinstance(claim, Claim)
    assert (claim.ticker, claim.action, claim.is_signed) == ("AAPL", SignalAction.BUY, True)
    assert (claim.confidence, claim.price) == (Decimal("0.82"), Decimal("187.32"))


async def test_without_a_key_it_sends_nothing(redis_server: RedisServer) -> None:
    code, output = await sent("AAPL", "BUY", "0.82", REDIS_URL=redis_server.url)
    assert code == 2
    assert output.startswith(b"usage: ")
