"""A running server's stream, as its producer has it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.adapters.redis_parts import hand
from tests.adapters.signals.queue_parts import Post
from tests.redis_server import RedisServer


@pytest.fixture
def post(redis_server: RedisServer) -> Iterator[Post]:
    """Return the producer's side of an empty server."""
    with hand(redis_server) as one:
        yield Post(one)


@pytest.fixture(autouse=True)
def known_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep that `sniffio` is not installed: httpcore looks along the path six times a request."""
    if "sniffio" not in sys.modules and find_spec("sniffio") is None:
        monkeypatch.setitem(sys.modules, "sniffio", None)
