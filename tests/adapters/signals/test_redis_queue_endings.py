"""A source of Redis ends when it is told to, also if a library has swallowed that."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from ibkr_trader.adapters.redis_address import read_address
from ibkr_trader.adapters.redis_link import DOWN, RedisTrouble
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Incoming, SignalReply
from ibkr_trader.execution.tasks import alongside
from tests.adapters.redis_parts import DeafLink, Hand
from tests.adapters.signals.queue_parts import Desk, Post, running, source
from tests.redis_server import RedisServer


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("XREADGROUP", None),  # of what is pending: nothing, and then what is new is asked for
        ("XAUTOCLAIM", [b"0-0", [], []]),
        ("XACK", 1),
    ],
)
async def test_whose_end_is_swallowed_reads_no_more(
    redis_server: RedisServer, command: str, answer: object
) -> None:
    """Python 3.11 lets a library swallow a cancellation: a trader would have waited for ever."""
    desk, post = Desk(), Post(Hand(redis_server.url))
    signals = source(redis_server.url)
    link = DeafLink(read_address(redis_server.url), {command: answer})
    signals._stream._link = link
    async with asyncio.timeout(10), running(signals, desk):
        if command == "XACK":
            post.send("a")
        await link.is_asked.wait()
    post.hand.close()
    assert not link.is_open


async def test_whose_end_is_swallowed_dials_a_dead_server_no_more(
    redis_server: RedisServer,
) -> None:
    signals = source(redis_server.url)
    link = DeafLink(read_address(redis_server.url), {"XGROUP": RedisTrouble(DOWN, "it is gone")})
    signals._stream._link = link
    async with asyncio.timeout(10), running(signals, Desk()):
        await link.is_asked.wait()
        redis_server.kill()
    assert signals.counts["failures"] == 1


async def test_what_is_kept_is_not_handed_over_for_ever_once_the_end_was_swallowed(
    redis_server: RedisServer,
) -> None:
    post = Post(Hand(redis_server.url))
    signals = source(redis_server.url)
    handed: list[object] = []
    cancelled = asyncio.Event()

    async def swallow(incoming: Incoming) -> SignalReply:
        handed.append(incoming)
        cancelled.set()
        if len(handed) == 1:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return SignalReply(outcome=Outcome.REFUSED, is_final=len(handed) > 3)

    post.send("a")
    async with asyncio.timeout(10), alongside(signals.run(swallow)):
        await cancelled.wait()
    post.hand.close()
    assert len(handed) == 1
