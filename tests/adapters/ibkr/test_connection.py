from __future__ import annotations

import asyncio
import socket
from datetime import datetime

import msgspec
import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.connection import (
    ClientIdInUse,
    IBKRConnection,
    LinkSettings,
    LinkState,
)
from ibkr_trader.adapters.ibkr.event_queue import EventQueue
from ibkr_trader.core.errors import AccountMismatch, BrokerUnavailable, ConfigError
from ibkr_trader.core.events import ConnectEvent, DisconnectEvent, ErrorEvent
from tests.adapters.ibkr.conftest import Rig, running, settings_for
from tests.adapters.ibkr.stub_gateway import ACCOUNT, StubGateway, frame


async def dial(gateway: StubGateway, client_library: str, **changes: object) -> IBKRConnection:
    connection = IBKRConnection(
        settings_for(gateway, client_library, **changes), clock=SystemClock(), jitter=lambda: 0.5
    )
    await connection.open()
    return connection


async def test_connects_and_knows_whom_it_talks_to(rig: Rig) -> None:
    event = await rig.until(ConnectEvent)
    assert (event.epoch, event.server_version, event.accounts) == (1, 176, (ACCOUNT,))
    assert event.is_simulator
    assert rig.connection.state is LinkState.CONNECTED
    assert rig.connection.clock_offset is not None
    assert rig.gateway.received[0] == ["71", "2", "1", ""]
    assert rig.gateway.count(15) == 0, "no orders of others are bound"


async def test_nobody_listens(client_library: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = LinkSettings(
            port=free.getsockname()[1], client_library=client_library, max_attempts=2, backoff=0.01
        )
        connection = IBKRConnection(settings, clock=SystemClock())
        with pytest.raises(BrokerUnavailable, match="nothing answers") as caught:
            await connection.open()
    assert "gateway start" in caught.value.hint


async def test_a_gateway_that_accepts_and_is_silent(
    gateway: StubGateway, client_library: str
) -> None:
    gateway.is_silent = True
    with pytest.raises(BrokerUnavailable, match=r"did not answer the handshake within 0\.1 s"):
        await dial(gateway, client_library, connect_timeout=0.1)


async def test_a_gateway_that_stops_half_way(gateway: StubGateway, client_library: str) -> None:
    gateway.answers[71] = lambda _: [(15, 1, ACCOUNT)]
    with pytest.raises(BrokerUnavailable, match="did not state accounts and order ids"):
        await dial(gateway, client_library, connect_timeout=0.1)


async def test_a_gateway_that_is_silent_after_the_handshake(
    gateway: StubGateway, client_library: str
) -> None:
    gateway.answers[49] = lambda _: []
    with pytest.raises(BrokerUnavailable, match="currentTime is missing"):
        await dial(gateway, client_library)


@pytest.mark.parametrize(
    "hello",
    [
        frame("100", "20261121 10:00:00 EST"),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        frame("x", "y"),
        b"\x7f\xff\xff\xff",
    ],
)
async def test_something_else_answers(
    hello: bytes, gateway: StubGateway, client_library: str
) -> None:
    gateway.hello = hello
    with pytest.raises(BrokerUnavailable):
        await dial(gateway, client_library, connect_timeout=0.5)


async def test_the_client_id_is_in_use(gateway: StubGateway, client_library: str) -> None:
    gateway.answers[71] = lambda _: [(4, 2, -1, 326, "client id in use", "")]
    with pytest.raises(ClientIdInUse, match="client id 1 is in use") as caught:
        await dial(gateway, client_library, max_attempts=5)
    assert "IBKR_CLIENT_ID" in caught.value.hint
    assert gateway.connections == 1, "no other id is tried"


async def test_the_gateway_hangs_up_in_the_handshake(
    gateway: StubGateway, client_library: str
) -> None:
    def hang_up(_: list[str]) -> list[tuple[object, ...]]:
        gateway.hang_up()
        return []

    gateway.answers[71] = hang_up
    with pytest.raises(BrokerUnavailable, match="closed the connection during the handshake"):
        await dial(gateway, client_library, max_attempts=2)
    assert gateway.connections == 2


async def test_the_account_is_not_of_this_login(gateway: StubGateway, client_library: str) -> None:
    with pytest.raises(AccountMismatch, match="has not account DU0000000"):
        await dial(gateway, client_library, account="DU0000000")


async def test_of_several_accounts_one_must_be_named(
    gateway: StubGateway, client_library: str
) -> None:
    gateway.answers[71] = lambda _: [(15, 1, "DU0000001,DU0000002"), (9, 1, 1)]
    with pytest.raises(AccountMismatch, match="has 2 accounts"):
        await dial(gateway, client_library)
    connection = await dial(gateway, client_library, account="DU0000002")
    assert not connection.is_simulator
    connection.close()


@pytest.mark.parametrize("client_id", [0, -1])
def test_client_zero_is_refused(client_id: int) -> None:
    with pytest.raises(ConfigError, match="client 0"):
        IBKRConnection(LinkSettings(port=1, client_id=client_id), clock=SystemClock())


def test_a_library_of_another_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="client_library"):
        IBKRConnection(LinkSettings(port=1, client_library="ibapi"), clock=SystemClock())


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
async def test_a_lost_link_is_news_and_is_dialled_again(ending: str, rig: Rig) -> None:
    await rig.until(ConnectEvent)
    getattr(rig.gateway, ending)()
    lost = await rig.until(DisconnectEvent)
    assert lost.epoch == 1
    again = await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert again.accounts == (ACCOUNT,)
    assert rig.connection.dialled == 2, "another gateway may answer, which holds nothing of ours"


async def test_it_never_gives_up_once_it_was_connected(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.answers[71] = lambda _: [(4, 2, -1, 326, "client id in use", "")]
    rig.gateway.hang_up()
    await rig.gateway.met(5)
    assert len(rig.seen(ErrorEvent)) >= 2
    rig.gateway.answers[71] = lambda _: [(15, 1, ACCOUNT), (9, 1, 1)]
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)


async def test_a_silent_link_is_dead_within_a_heartbeat(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.is_silent = True
    loop = asyncio.get_running_loop()
    started = loop.time()
    lost = await rig.until(DisconnectEvent)
    assert "no sign of life" in lost.reason
    assert loop.time() - started < 1.0, "heartbeat of 0.2 s and patience of 0.3 s"


def test_a_dead_link_is_noticed_within_ten_seconds() -> None:
    settings = LinkSettings(port=1)
    assert settings.heartbeat_every <= 5
    assert settings.heartbeat_every + settings.heartbeat_timeout <= 10


async def test_tws_loses_ibkr_and_comes_back(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(4, 2, -1, 1100, "Connectivity between IB and TWS has been lost", "")
    lost = await rig.until(DisconnectEvent)
    assert lost.reason.startswith("1100")
    assert rig.connection.state.value == "DEGRADED"
    rig.gateway.send(4, 2, -1, 1100, "Connectivity between IB and TWS has been lost", "")
    rig.gateway.send(4, 2, -1, 1102, "restored", "")
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert rig.connection.state.value == "CONNECTED"
    assert len(rig.seen(DisconnectEvent)) == 1
    assert rig.gateway.connections == 1
    assert rig.connection.dialled == 1


async def test_tws_may_say_in_the_handshake_that_it_has_lost_ibkr(
    gateway: StubGateway, client_library: str
) -> None:
    gateway.answers[71] = lambda _: [(15, 1, ACCOUNT), (4, 2, -1, 1100, "lost", ""), (9, 1, 1)]
    connection = await dial(gateway, client_library)
    assert connection.state is LinkState.DEGRADED
    connection.close()


async def test_a_gateway_is_held_back_while_nobody_takes_the_news(
    gateway: StubGateway, client_library: str
) -> None:
    rig = Rig(gateway, settings_for(gateway, client_library))
    rig.connection.news = EventQueue(limit=10)
    is_full = asyncio.Event()

    def pause() -> None:
        rig.connection._pause()
        is_full.set()

    rig.connection.news.on_full = pause
    rig.connection.news.on_drained = rig.connection._resume
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        await rig.connection.open()
        keeping = group.create_task(rig.connection.run())
        for n in range(20):
            gateway.send(4, 2, -1, 90_000 + n, "news", "")
        await is_full.wait()
        assert rig.connection.session.link.is_paused
        await asyncio.sleep(1.0)  # longer than the patience for a heartbeat: it is we who are slow
        assert rig.connection.state is LinkState.CONNECTED
        listening = group.create_task(rig.listen())
        await rig.until(ErrorEvent, lambda event: event.code == 90_019)
        assert not rig.connection.session.link.is_paused
        rig.connection.close()
        await asyncio.gather(keeping, listening)


async def test_a_link_lost_while_degraded_is_told_once(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(4, 2, -1, 2110, "broken", "")
    await rig.until(DisconnectEvent)
    rig.gateway.reset()
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert len(rig.seen(DisconnectEvent)) == 1


async def test_an_unknown_session_code_is_told_and_changes_nothing(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(4, 2, -1, 77_777, "what is this", "")
    event = await rig.until(ErrorEvent)
    assert (event.code, event.is_serious) == (77_777, False)
    assert rig.connection.state is LinkState.CONNECTED


async def test_a_vital_message_that_cannot_be_read_asks_for_everything_again(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(11, -1, 5, "truncated")
    error = await rig.until(ErrorEvent, lambda event: event.is_serious)
    assert "message 11 could not be read" in error.message
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert rig.gateway.connections == 1


async def test_an_unimportant_message_that_cannot_be_read_is_only_told(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(1, 6, 5, "not a number")
    event = await rig.until(ErrorEvent)
    assert not event.is_serious
    assert rig.connection.epoch == 1


async def test_an_order_message_of_bad_text_is_loss_of_knowledge(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    payload = b"3\x005\x00Submitt\xff\xfe\x000\x0010\x000\x00905\x000\x000\x001\x00\x000\x00"
    rig.gateway.send_raw(len(payload).to_bytes(4, "big") + payload)
    error = await rig.until(ErrorEvent, lambda event: event.is_serious)
    assert "UTF-8" in error.message


async def test_a_frame_of_two_gigabytes_ends_the_link(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send_raw(b"\x7f\xff\xff\xff garbage")
    lost = await rig.until(DisconnectEvent)
    assert "2147483647 bytes" in lost.reason


async def test_half_frames_are_joined(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    data = frame(4, 2, -1, 4242, "in pieces", "")
    for at in range(len(data)):
        rig.gateway.send_raw(data[at : at + 1])
        await asyncio.sleep(0)
    event = await rig.until(ErrorEvent)
    assert event.message == "in pieces"


async def test_a_half_frame_and_then_nothing(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send_raw(frame(4, 2, -1, 4242, "cut off", "")[:9])
    rig.gateway.hang_up()
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert not rig.seen(ErrorEvent)


async def test_close_ends_everything_and_says_nothing(
    gateway: StubGateway, client_library: str
) -> None:
    rig = Rig(gateway, settings_for(gateway, client_library))
    async with running(rig):
        await rig.until(ConnectEvent)
    assert rig.connection.state is LinkState.CLOSED
    assert not rig.seen(DisconnectEvent)
    with pytest.raises(BrokerUnavailable):
        _ = rig.connection.session


async def test_the_gateways_time_sets_the_clock(gateway: StubGateway, client_library: str) -> None:
    heard: list[datetime] = []
    connection = IBKRConnection(
        settings_for(gateway, client_library), clock=SystemClock(), on_server_time=heard.append
    )
    await connection.open()
    connection.close()
    assert [int(at.timestamp()) for at in heard] == [1_800_000_000]


async def test_an_answer_that_our_own_pause_held_back_is_no_death(
    gateway: StubGateway, client_library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading was stopped and goes on again: the answer is there, and nobody has read it yet."""
    loop, now = asyncio.get_running_loop(), [1000.0]
    monkeypatch.setattr(loop, "time", lambda: now[0])  # so that the moment can be chosen
    clock = SystemClock()
    monkeypatch.setattr(clock, "monotonic", loop.time)
    every, patience = 4.0, 5.0
    settings = settings_for(
        gateway, client_library, heartbeat_every=every, heartbeat_timeout=patience
    )
    connection = IBKRConnection(settings, clock=clock)
    await connection.open()
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.run())
        for _ in range(10):  # until it waits for its first beat
            await asyncio.sleep(0)
        asked = gateway.count(49)
        link = connection.session.link
        link.pause()
        now[0] += every
        await gateway.heard(49, times=asked + 1)
        link.resume()
        now[0] += patience  # its time is up in the same turn of the loop in which it is read
        for _ in range(50):
            await asyncio.sleep(0)
        assert connection.state is LinkState.CONNECTED
        assert gateway.connections == 1
        connection.close()


async def test_a_gateway_that_comes_back_with_another_account_is_refused(
    gateway: StubGateway, client_library: str
) -> None:
    """Nobody named the account; but it was chosen once, and what is held is in that one."""
    connection = IBKRConnection(settings_for(gateway, client_library), clock=SystemClock())
    await connection.open()
    gateway.answers[71] = lambda _: [(15, 1, "SIM0000002"), (9, 1, 1)]
    gateway.hang_up()
    with pytest.raises(AccountMismatch, match=f"has not account {ACCOUNT}"):
        await connection.run()
    assert connection.account == ACCOUNT


@pytest.mark.parametrize("text", ["reconnect on the new port -{}", "the new port: {}."])
async def test_tws_moves_to_another_port_and_is_followed(
    text: str, rig: Rig, client_library: str
) -> None:
    await rig.until(ConnectEvent)
    async with StubGateway().serving() as there:
        rig.gateway.send(4, 2, -1, 1300, text.format(there.port), "")
        lost = await rig.until(DisconnectEvent)
        assert lost.reason.startswith("1300")
        await rig.until(ConnectEvent, lambda event: event.epoch == 2)
        assert there.connections == 1
    told = await rig.until(ErrorEvent, lambda event: event.code == 1300)
    assert f"port = {there.port}" in told.message


async def test_a_move_to_nowhere_is_dialled_where_it_was(rig: Rig) -> None:
    await rig.until(ConnectEvent)
    rig.gateway.send(4, 2, -1, 1300, "the socket port has been reset", "")
    await rig.until(ConnectEvent, lambda event: event.epoch == 2)
    assert rig.gateway.connections == 2


async def test_who_knows_better_where_it_is_is_asked_before_each_attempt(
    rig: Rig,
) -> None:
    await rig.until(ConnectEvent)
    async with StubGateway().serving() as there:
        connection = rig.connection
        connection.on_retry = lambda: setattr(
            connection, "settings", msgspec.structs.replace(connection.settings, port=there.port)
        )
        rig.gateway.hang_up()
        await rig.until(ConnectEvent, lambda event: event.epoch == 2)
        assert there.connections == 1
