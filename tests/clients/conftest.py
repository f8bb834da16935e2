"""A gateway process to a test, with a folder and a port of its own, and the clients around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ibkr_trader.sim.gateway.background import GatewayInfo, start_background, stop
from tests.clients.desk import RELEASES, Desk, Release

# TWS and IB Gateway listen here: no test of a foreign client may ever meet a real one.
REAL_PORTS = frozenset({7496, 7497, 4001, 4002})

Connect = Callable[..., Desk]


@pytest.fixture
def gateway_folder(tmp_path: Path) -> Path:
    """Return where the gateway keeps what outlives it."""
    return tmp_path / "gateway"


@pytest.fixture
def gateway(gateway_folder: Path) -> Iterator[GatewayInfo]:
    """Start a gateway; stop it after the test."""
    info = start_background(state_dir=gateway_folder)
    try:
        assert info.port not in REAL_PORTS
        assert info.account.startswith("SIM")
        yield info
    finally:
        stop(gateway_folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home folder for foreign programs alone."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(params=RELEASES, ids=lambda release: f"V{release.version}")
def release(request: pytest.FixtureRequest) -> Release:
    """Return each official client in turn."""
    chosen: Release = request.param
    return chosen


@pytest.fixture
def connect(release: Release, gateway: GatewayInfo, home: Path) -> Iterator[Connect]:
    """Return what connects a client; after the test none may have complained of anything."""
    desks: list[Desk] = []

    def connect_one(client_id: int = 1, port: int = gateway.port) -> Desk:
        desk = Desk(release, port, home=home, client_id=client_id)
        desks.append(desk)
        return desk

    yield connect_one
    codes = [desk.driver.close() for desk in desks]
    faults = [fault for desk in desks for fault in desk.driver.faults]
    assert not faults
    assert codes == [0] * len(desks)


@pytest.fixture
def desk(connect: Connect) -> Desk:
    """Return a connected client."""
    return connect()
