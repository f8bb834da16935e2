"""Two machines and a stranger at one Redis server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters.redis_address import read_address
from tests.adapters.lease_parts import Machine
from tests.adapters.redis_parts import Hand, hand
from tests.redis_server import RedisServer


@pytest.fixture
def one(redis_server: RedisServer, tmp_path: Path) -> Machine:
    return Machine("one", tmp_path, read_address(redis_server.url))


@pytest.fixture
def two(redis_server: RedisServer, tmp_path: Path) -> Machine:
    return Machine("two", tmp_path, read_address(redis_server.url))


@pytest.fixture
def other(redis_server: RedisServer) -> Iterator[Hand]:
    with hand(redis_server) as found:
        yield found
