"""What is posted is handed over, and answered by what came of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from ibkr_trader.adapters.signals.envelope import signed
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.signals.webhook import Webhook
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Claim, Malformed, SignalReply
from tests.adapters.signals.source_parts import Taker, at_once, envelope
from tests.adapters.signals.webhook_parts import KEY, Replied, visiting


def posted(
    body: bytes | None = None, *replies: SignalReply, **settings: Any
) -> tuple[Replied, Taker]:
    async def work() -> tuple[Replied, Taker]:
        async with visiting(Taker(*replies), **settings) as visit:
            return await visit.post(body), visit.taker

    return at_once(work())


def refused(code: str) -> SignalReply:
    return SignalReply(outcome=Outcome.REFUSED, code=code, reasons=("because",))


def test_a_signal_is_handed_over_and_answered() -> None:
    reply = SignalReply(outcome=Outcome.ACTED, reasons=("a", "b"), decisions=("d1",))
    found, taker = posted(None, reply)
    assert found.status == 200
    assert found.headers["content-type"] == "application/json"
    assert found.headers["connection"] == "close"
    assert found.body == {
        "outcome": "ACTED", "code": "", "reasons": ["a", "b"], "decisions": ["d1"],
        "is_final": True,
    }  # fmt: skip
    (claim,) = taker.taken
    assert isinstance(claim, Claim)
    assert (claim.source, claim.signal_id, claim.is_signed) == ("webhook", "7f3a", False)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        *((SignalReply(outcome=one), 200) for one in Outcome if one is not Outcome.REFUSED),
        (refused("duplicate"), 409),
        (refused("stale"), 422),
        (refused("too_many"), 422),
        (refused("unsigned"), 401),
        (SignalReply(outcome=Outcome.REFUSED, is_final=False), 503),
        (SignalReply(outcome=Outcome.REFUSED, code="duplicate", is_final=False), 503),
    ],
)
def test_the_status_says_whether_to_try_again(reply: SignalReply, status: int) -> None:
    found, taker = posted(None, reply)
    assert found.status == status
    assert ("retry-after" in found.headers) == (status == 503)
    assert found.body["code"] == reply.code
    assert len(taker.taken) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"garbage", 400, "malformed"),
        (b"", 400, "malformed"),
        (b"\xff\x00", 400, "malformed"),
        (json.dumps(envelope(confidence=2)).encode(), 400, "malformed"),
        (json.dumps(envelope(quantity=1)).encode(), 400, "malformed"),
        (json.dumps(envelope(sig="0" * 64)).encode(), 401, "forged"),
        (signed(envelope(confidence=1), key_id="k1", key=b"another key of all"), 401, "forged"),
        (signed(envelope(confidence=1), key_id="k9", key=KEY), 401, "forged"),
    ],
)
def test_what_is_no_signal_is_told_apart_and_handed_over_as_that(
    body: bytes, status: int, code: str
) -> None:
    found, taker = posted(body, refused(code))
    assert found.status == status
    (one,) = taker.taken
    assert isinstance(one, Malformed)
    assert (one.source, one.code) == ("webhook", code)


def test_what_is_malformed_stays_so_however_often_it_is_sent() -> None:
    found, _ = posted(b"garbage", SignalReply(outcome=Outcome.REFUSED, is_final=False))
    assert found.status == 400


def test_without_a_signature_nobody_gets_in_unless_that_is_allowed() -> None:
    found, taker = posted(None, refused("unsigned"), allow_unsigned=False, keys={"k1": "X"})
    assert found.status == 401
    (one,) = taker.taken
    assert isinstance(one, Malformed)
    assert (one.code, one.signal_id) == ("unsigned", "7f3a")
    good = signed(envelope(confidence=1, source="webhook"), key_id="k1", key=KEY)
    found, taker = posted(good, allow_unsigned=False, keys={"k1": "X"})
    assert found.status == 200
    (claim,) = taker.taken
    assert isinstance(claim, Claim)
    assert claim.is_signed


def test_the_health_can_be_asked_after() -> None:
    async def work() -> Replied | None:
        async with visiting() as visit:
            return await visit.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

    found = at_once(work())
    assert found is not None
    assert (found.status, found.body) == (200, {"status": "ok"})


async def test_a_client_that_everybody_uses_gets_along_with_it() -> None:
    async with visiting() as visit, httpx.AsyncClient(trust_env=False) as client:
        base = f"http://127.0.0.1:{visit.port}"
        answers = [await client.post(f"{base}/signals", json=envelope(id=str(n))) for n in range(5)]
        health = await client.get(f"{base}/healthz")
    assert [one.status_code for one in [*answers, health]] == [200] * 6
    assert [one.signal_id for one in visit.taker.taken if isinstance(one, Claim)] == list("01234")
    assert visit.source.counts == {"200": 6}


def test_one_is_handed_over_at_a_time() -> None:
    inside = most = 0

    class Slow(Taker):
        async def take(self, incoming: Any) -> SignalReply:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(100)  # longer than a request may take: that is not its fault
            inside -= 1
            return await super().take(incoming)

    async def work() -> list[int]:
        async with visiting(Slow()) as visit:
            return [one.status for one in await asyncio.gather(*(visit.post() for _ in range(8)))]

    assert at_once(work()) == [200] * 8
    assert most == 1


def test_whoever_hangs_up_while_it_is_judged_changes_nothing() -> None:
    done: list[str] = []

    class Slow(Taker):
        async def take(self, incoming: Any) -> SignalReply:
            await asyncio.sleep(10)
            done.append(incoming.signal_id)
            return await super().take(incoming)

    async def work() -> int:
        async with visiting(Slow()) as visit:
            _, writer = await visit.dial()
            writer.write(visit.request())
            await asyncio.sleep(1)
            writer.transport.abort()
            await asyncio.sleep(60)
            return (await visit.post()).status

    assert at_once(work()) == 200
    assert done == ["7f3a"] * 2


def test_what_breaks_behind_it_is_not_hidden() -> None:
    class Broken(Taker):
        async def take(self, incoming: Any) -> SignalReply:
            raise ZeroDivisionError("ours")

    async def work() -> None:
        async with visiting(Broken()) as visit:
            await visit.send(visit.request())
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as caught:
        at_once(work())
    assert caught.group_contains(ZeroDivisionError, match="ours")


def test_it_is_made_from_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_KEY", KEY.decode())
    made = SOURCES["webhook"]({"port": 8752, "name": "door", "keys": {"k1": "NEW_KEY"}})
    assert isinstance(made, Webhook)
    assert made.name == "door"
    assert made._keys == {"k1": KEY}
    assert not made._settings.allow_unsigned


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "keys: without one nobody gets in"),
        ({"allow_unsigned": True, "port": 70_000}, "port: expected `int` <= 65535"),
        ({"allow_unsigned": 1}, "allow_unsigned: expected `bool`"),
        ({"allow_unsigned": True, "host": "x"}, "host: there is no such key"),
        ({"allow_unsigned": True, "max_connections": 0}, "max_connections: expected"),
        ({"keys": {"k1": "NO_SUCH_KEY"}}, "keys.k1: the environment has no NO_SUCH_KEY"),
        ({"keys": dict.fromkeys("abc", "X")}, "keys: 2 keys at most"),
    ],
)
def test_a_mistake_is_named_by_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^signals\.webhook\.") as caught:
        SOURCES["webhook"](values)
    assert str(caught.value).startswith(f"signals.webhook.{message}")
