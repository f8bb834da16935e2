"""The former leader's connection is waited for, as long as the lease is ours."""

from __future__ import annotations

import asyncio

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.connecting import connected
from ibkr_trader.adapters.ibkr.connection import ClientIdInUse, IBKRConnection, LinkState
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.execution.leadership import Leadership
from tests.adapters.ibkr.conftest import settings_for
from tests.adapters.ibkr.stub_gateway import StubGateway

TAKEN: list[tuple[object, ...]] = [(4, 2, -1, 326, "client id in use", "")]


def leadership(said: list[str], *, waits: bool = True) -> Leadership:
    found = Leadership(SystemClock())
    found.take(2, lambda: True)
    found.waits, found.say = waits, said.append
    return found


def connection(gateway: StubGateway, client_library: str) -> IBKRConnection:
    return IBKRConnection(settings_for(gateway, client_library), clock=SystemClock())


async def test_a_client_id_that_a_dead_leader_has_yet_is_waited_for(
    gateway: StubGateway, client_library: str
) -> None:
    usual, said = gateway.answers[71], list[str]()
    gateway.answers[71] = lambda fields: TAKEN if gateway.connections < 4 else usual(fields)
    one = connection(gateway, client_library)
    async with asyncio.timeout(10), connected(one, leadership(said)):
        assert one.state is LinkState.CONNECTED
    assert gateway.connections == 4
    (line,) = said
    assert line.startswith("waiting for the former leader's connection: client id 1 is in use")


async def test_nobody_waits_who_leads_no_more(gateway: StubGateway, client_library: str) -> None:
    said: list[str] = []
    led = leadership(said)

    def lose(_: object) -> list[tuple[object, ...]]:
        led.lose("gone")
        return TAKEN

    gateway.answers[71] = lose
    with pytest.raises(AccountLocked, match="the lease is lost: gone"):
        async with connected(connection(gateway, client_library), led):
            pass
    assert gateway.connections == 1


@pytest.mark.parametrize("is_led", [True, False])
async def test_a_command_does_not_wait(
    is_led: bool, gateway: StubGateway, client_library: str
) -> None:
    gateway.answers[71] = lambda _: TAKEN
    led = leadership([], waits=False) if is_led else None
    with pytest.raises(ClientIdInUse):
        async with connected(connection(gateway, client_library), led):
            pass
