"""A gateway for every test that asks for one, a client at it, and a hand at its door."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from ib_insync import IB

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer
from tests.sim.gateway.desk import Desk, Do, open_desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A running gateway, AAPL at 149.99 to 150.01."""
    async with open_desk() as opened:
        opened.quote("149.99", "150.01")
        yield opened


@pytest.fixture
async def ib(desk: Desk) -> IB:
    """A client of it, connected."""
    return await desk.connect()


@pytest.fixture
def do(desk: Desk) -> Do:
    """Do an act to it, in the words of `gateway inject`."""
    doer = Doer(desk.server)
    return lambda words: doer(read_act(words.split()))
