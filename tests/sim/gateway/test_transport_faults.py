"""Faults of the transport over real sockets: what of the bytes arrives, and what the log says."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack

import msgspec
import pytest
from ib_insync import LimitOrder

from ibkr_trader.sim.gateway import transport_faults as links
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.transport_faults import LinkFault
from ibkr_trader.sim.gateway.wire import Fate, Way, WireLog
from tests.sim.gateway.desk import AAPL, Desk, Do, open_desk
from tests.sim.gateway.raw_client import ASK_TIME, connected

ANSWER = b"\x00\x00\x00\x10" + b"49\x001\x001795186800\x00"  # currentTime at the opening


@pytest.fixture
def log(desk: Desk) -> WireLog:
    log = desk.server.engine.floor.wiring.tap = WireLog()
    return log


def in_log(log: WireLog, *names: str) -> list[tuple[str, Way, Fate, int, int]]:
    """Return what became of messages of these names."""
    return [
        (e.name, e.way, e.fate, e.passed, e.size)
        for e in log.entries
        if not names or e.name in names
    ]


async def test_what_is_said_into_a_black_hole_waits_until_it_closes(
    desk: Desk, do: Do, log: WireLog
) -> None:
    async with connected(desk) as client:
        do("blackhole s2c 30")
        assert await client.asked() == b""
        assert [e.name for e in log.sent("reqCurrentTime")] == ["reqCurrentTime"], "it did arrive"
        assert log.told("currentTime") == []
        desk.wait(29)
        await client.settle()
        assert client.heard == b""
        desk.wait(1)
        await client.settle()
        assert client.heard == ANSWER
        (told,) = log.told("currentTime")
        assert told.at == desk.server.engine.floor.now, "it is told when it leaves"


async def test_a_black_hole_can_be_one_way(desk: Desk, do: Do, log: WireLog) -> None:
    async with connected(desk) as client:
        do("blackhole c2s")
        assert await client.asked() == b""
        assert log.sent("reqCurrentTime") == [], "the gateway has not heard it"
        assert do("lift").data == {"lifted": 1}
        await client.settle()
        assert client.heard == ANSWER


async def test_what_a_dead_connection_had_under_way_is_lost(
    desk: Desk, do: Do, log: WireLog
) -> None:
    async with connected(desk) as client:
        do("blackhole s2c")
        await client.asked()
        do("blackhole c2s")
        await client.asked(ASK_TIME + ASK_TIME[:5])
    assert in_log(log, "currentTime", "reqCurrentTime", "piece") == [
        ("reqCurrentTime", Way.IN, Fate.WHOLE, 0, 0),
        ("currentTime", Way.OUT, Fate.LOST, 0, 20),
        ("reqCurrentTime", Way.IN, Fate.LOST, 0, 0),
        ("piece", Way.IN, Fate.LOST, 0, 5),
    ]
    assert [e.name for e in log.lost()] == ["currentTime", "reqCurrentTime", "piece"]


async def test_a_black_hole_for_those_who_stand_lets_new_ones_in(desk: Desk, do: Do) -> None:
    async with connected(desk, 1) as old:
        do("blackhole both --standing")
        async with connected(desk, 2) as new:
            assert await old.asked() == b""
            assert await new.asked() == ANSWER


async def test_a_black_hole_for_all_takes_new_ones_too(desk: Desk, do: Do) -> None:
    do("blackhole both 5")
    async with connected(desk) as client:
        assert await client.asked() == b""
        desk.wait(5)
        await client.settle()
        assert client.heard.startswith(b"\x00\x00\x00"), "the handshake"
        assert client.heard.endswith(ANSWER[:10] + b"1795186805\x00"[-len(ANSWER) + 10 :])


async def test_who_is_in_a_black_hole_is_not_taken_for_silent(
    desk: Desk, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.sim.gateway.lines.SILENCE", -1.0)
    do("blackhole c2s")
    async with connected(desk) as client:
        desk.wait(1)
        await client.settle()
        assert not client.ended.is_set()
        do("lift")
        await client.settle()
        assert (await client.asked()).startswith(ANSWER[:10])


async def test_a_fault_can_be_one_clients(desk: Desk, do: Do) -> None:
    async with connected(desk, 1) as one, connected(desk, 2) as two:
        do("blackhole both --client 1")
        assert (await one.asked(), await two.asked()) == (b"", ANSWER)


async def test_a_long_way_delays_all_and_keeps_the_order(desk: Desk, do: Do) -> None:
    async with connected(desk) as client:
        do("delay 2 both")
        assert await client.asked() == b""
        desk.wait(2)  # it has reached the gateway
        await client.settle()
        assert client.heard == b""
        assert await client.asked() == b""
        for _ in range(4):
            desk.wait(1)
            await client.settle()
        assert client.heard.count(b"49\x001\x00") == 2


async def test_a_slow_line_passes_so_many_bytes_a_second(desk: Desk, do: Do) -> None:
    async with connected(desk) as client:
        do("slow 8")
        await client.asked()
        sizes = []
        for _ in range(3):
            desk.wait(1)
            await client.settle()
            sizes.append(len(client.heard))
        assert sizes == [8, 16, 20]


async def test_what_was_under_way_when_it_ended_is_cut(desk: Desk, do: Do, log: WireLog) -> None:
    async with connected(desk) as client:
        do("slow 8")
        await client.asked(ASK_TIME + ASK_TIME)
        desk.wait(1)
        await client.settle()
        do("fin now")
        await asyncio.wait_for(client.ended.wait(), 5)
        assert client.heard == ANSWER[:8]
    assert in_log(log, "currentTime") == [
        ("currentTime", Way.OUT, Fate.CUT, 8, 20),
        ("currentTime", Way.OUT, Fate.LOST, 0, 20),
    ]


async def test_what_comes_by_a_shorter_way_does_not_overtake(desk: Desk, do: Do) -> None:
    async with connected(desk) as client:
        do("delay 5 s2c")
        await client.asked()
        do("lift")
        do("delay 1 s2c")
        desk.wait(1)
        await client.asked()
        desk.wait(3.5)
        await client.settle()
        assert client.heard == b"", "the second would have been there"
        desk.wait(1)
        await client.settle()
        assert client.heard.startswith(ANSWER)
        assert len(client.heard) == 40


async def test_a_gateway_that_stops_drops_who_is_in_a_black_hole() -> None:
    async with AsyncExitStack() as stack:
        async with open_desk() as desk:
            client = await stack.enter_async_context(connected(desk))
            Doer(desk.server)(read_act(["blackhole", "s2c"]))
            await client.asked()
            desk.server.pulse()
        await asyncio.wait_for(client.ended.wait(), 5)
        assert client.heard == b""


async def test_bytes_can_arrive_one_at_a_time(desk: Desk, do: Do, log: WireLog) -> None:
    async with connected(desk) as client:
        do("byte-at-a-time")
        client.say(ASK_TIME)
        for _ in range(10):
            await client.settle()
        assert client.heard == ANSWER
        assert len(client.reads) == len(ANSWER)
        assert len(log.told("currentTime")) == 1


async def test_a_message_is_cut_short_and_it_ends_there(desk: Desk, do: Do, log: WireLog) -> None:
    async with connected(desk) as client:
        do("half-frame 7 currentTime")
        assert await client.asked(ASK_TIME + ASK_TIME) == ANSWER[:7]
        await asyncio.wait_for(client.ended.wait(), 5)
        assert in_log(log, "currentTime") == [("currentTime", Way.OUT, Fate.CUT, 7, 20)]


async def test_a_message_is_cut_short_and_framed_all_the_same(
    desk: Desk, do: Do, log: WireLog
) -> None:
    async with connected(desk) as client:
        do("half-frame 9 currentTime --framed")
        assert await client.asked(ASK_TIME + ASK_TIME) == b"\x00\x00\x00\x0549\x001\x00" + ANSWER
        assert in_log(log, "currentTime")[0] == ("currentTime", Way.OUT, Fate.CUT, 9, 20)
        assert len(log.told("currentTime")) == 1


async def test_a_text_can_be_none(desk: Desk, do: Do, log: WireLog) -> None:
    ib = await desk.connect(2)
    async with connected(desk, 0) as client:
        do("bad-utf8 orderStatus --nth 2")
        ib.placeOrder(AAPL, LimitOrder("BUY", 1, 100, tif="GTC"))
        await ib.reqCurrentTimeAsync()
        await client.settle()
    spoiled = [e for e in log.entries if e.fate is Fate.SPOILED]
    assert [e.name for e in spoiled] == ["orderStatus"]
    with pytest.raises(UnicodeDecodeError):
        client.heard.decode()


@pytest.mark.parametrize(
    ("words", "begins", "size"),
    [
        ("garbage-frame 40", b"\x00\x00\x00\x28", 44),
        ("oversize-frame 3", b"\x7f\xff\xff\xff", 7),
    ],
)
async def test_nonsense_is_sent(
    desk: Desk, do: Do, log: WireLog, words: str, begins: bytes, size: int
) -> None:
    async with connected(desk) as client:
        answer = do(words)
        await client.settle()
        assert client.heard.startswith(begins)
        assert len(client.heard) == size
        name = words.partition("-")[0]
        assert answer.text == f"{name} sent to 1 connection"
        assert in_log(log, name) == [(name, Way.OUT, Fate.WHOLE, size, size)]


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_connection_can_end_now(desk: Desk, do: Do, how: str) -> None:
    async with connected(desk, 1) as one, connected(desk, 2) as two:
        do(f"{how} now --client 1")
        await asyncio.wait_for(one.ended.wait(), 5)
        assert isinstance(one.error, ConnectionResetError) is (how == "rst")
        assert await two.asked() == ANSWER


async def test_who_connects_can_be_dropped_at_once(desk: Desk, do: Do) -> None:
    do("accept-then-close 2")
    for _ in range(2):
        async with connected(desk, None) as client:
            await asyncio.wait_for(client.ended.wait(), 5)
            assert client.heard == b""
    async with connected(desk) as client:
        assert await client.asked() == ANSWER


async def test_nobody_listens_and_then_again_at_the_same_port(desk: Desk, do: Do) -> None:
    port = desk.server.port
    async with connected(desk, 1) as standing:
        do("refuse 60")
        with pytest.raises(ConnectionRefusedError):
            async with connected(desk, 2):
                pass
        assert await standing.asked() == ANSWER, "who is connected stays"
        desk.wait(59)
        assert not desk.server.listening.is_open
        desk.wait(1)
        assert desk.server.port == port
        async with connected(desk, 2) as new:
            assert (await new.asked()).startswith(ANSWER[:10])


async def test_what_is_in_force_is_told_and_lifted_by_number(desk: Desk, do: Do) -> None:
    do("swallow")
    do("blackhole s2c 9 --client 4")
    assert do("look").text.splitlines() == [
        "fault 1: drop placeOrder",
        "fault 2: blackhole (way s2c, seconds 9.0, client 4)",
    ]
    assert do("lift 2").data == {"lifted": 1}
    assert [fault["number"] for fault in do("look").data["faults"]] == [1]
    desk.server.arm(links.Refuse(seconds=3), links.Slow(rate=1))
    desk.wait(3)
    assert [one.number for one in desk.server.network.armed] == [4], "it ended by itself"


async def test_lost_answers_of_a_cut_connection_are_in_the_log(
    desk: Desk, do: Do, log: WireLog
) -> None:
    async with connected(desk) as client:
        do("fin reqCurrentTime --at after")
        await client.asked()
    assert in_log(log, "currentTime") == [("currentTime", Way.OUT, Fate.LOST, 0, 20)]


def test_what_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes a second"):
        links.Slow(rate=0.0)
    with pytest.raises(ValueError, match="at least one"):
        links.AcceptThenClose(times=0)


@pytest.mark.parametrize(
    "fault",
    [
        links.Blackhole(way="s2c", seconds=3, standing=True),
        links.Latency(seconds=1),
        links.Slow(rate=10, client=3),
        links.Trickle(),
        links.AcceptThenClose(times=2),
        links.Refuse(),
    ],
)
def test_a_fault_travels_as_it_is(fault: LinkFault) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fault), type=LinkFault) == fault


async def test_a_day_of_them_leaves_a_gateway_that_works(desk: Desk, do: Do) -> None:
    for words in itertools.chain(
        ("blackhole both 1", "delay 1 s2c", "slow 100 both", "byte-at-a-time"),
        ("accept-then-close", "refuse 1"),
    ):
        do(words)
    do("lift")
    ib = await desk.connect()
    assert ib.isConnected()
