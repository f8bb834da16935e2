"""Tells a Redis server: each payload is an entry of the stream of its topic.

An entry has the fields `event_id`, `type`, `v` and `payload`, the last of which is the whole
payload as JSON. The streams are capped, at about so many entries: what nobody reads is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ibkr_trader.adapters.redis_address import RedisTable
from ibkr_trader.adapters.redis_link import RedisLink, RedisTrouble
from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.core.errors import SinkUnavailable
from ibkr_trader.portfolio.payloads import encode, topic_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibkr_trader.adapters.redis_address import RedisAddress
    from ibkr_trader.adapters.redis_link import Word
    from ibkr_trader.portfolio.payloads import Payload

PATH = "sinks.redis_streams"


class RedisStreamsSettings(RedisTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a server keeps; see `RedisTable` for which one.

    Attributes:
        prefix: Stands before the names of the streams.
        most: Entries that each stream keeps, or a few more.
    """

    prefix: Annotated[str, msgspec.Meta(max_length=200)] = ""
    most: Annotated[int, msgspec.Meta(ge=1)] = 10_000


class RedisStreams:
    """A server's streams.

    Args:
        settings: What they are called, and how much they keep.
        address: The server.
    """

    name = "redis"

    def __init__(self, settings: RedisStreamsSettings, *, address: RedisAddress) -> None:
        self._settings = settings
        self._link = RedisLink(address)

    async def emit(self, payloads: Sequence[Payload]) -> None:
        """Append each payload to its stream, in order.

        Raises:
            SinkUnavailable: If the server did not confirm every entry; some may be there.
        """
        try:
            if not self._link.is_open:
                await self._link.open()
            await self._link.ask_all([self._command(one) for one in payloads])
        except RedisTrouble as trouble:
            await self.close()  # behind the address there may be another server by now
            raise SinkUnavailable(trouble.words) from None

    async def close(self) -> None:
        """Let go of the connection."""
        await self._link.close()

    def _command(self, payload: Payload) -> tuple[Word, ...]:
        stream = f"{self._settings.prefix}{topic_of(payload)}"
        return (
            "XADD", stream, "MAXLEN", "~", self._settings.most, "*",
            "event_id", payload.event_id,
            "type", type(payload).__name__,
            "v", payload.v,
            "payload", encode(payload),
        )  # fmt: skip


@SINKS.register("redis_streams")
def redis_streams(values: Mapping[str, Any]) -> RedisStreams:
    """Make the sink from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
        ConfigError: If the client library is not installed.
    """
    settings = read_settings(values, RedisStreamsSettings, path=PATH)
    return RedisStreams(settings, address=settings.address(path=PATH))
