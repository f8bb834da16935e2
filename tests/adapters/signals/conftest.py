"""A running server's stream, as its producer has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.redis_parts import hand
from tests.adapters.signals.queue_parts import Post
from tests.redis_server import RedisServer


@pytest.fixture
def post(redis_server: RedisServer) -> Iterator[Post]:
    """Return the producer's side of an empty server."""
    with hand(redis_server) as one:
        yield Post(one)
