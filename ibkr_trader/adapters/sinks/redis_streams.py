"""Tells a Redis server: each payload is an entry of the stream of its topic.

An entry has the fields `event_id`, `type`, `v` and `payload`, the last of which is the whole
payload as JSON. The streams are capped, at about so many entries: what nobody reads is forgotten.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from ibkr_trader.adapters.secret_text import NO_SECRET, Secret
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.core.errors import ConfigError, SinkUnavailable
from ibkr_trader.core.hosts import is_loopback
from ibkr_trader.core.text import plain
from ibkr_trader.portfolio.payloads import encode, topic_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.portfolio.payloads import Payload

_CONNECT = 3.0  # seconds; the whole of an attempt is timed by who calls


class RedisStreamsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which server, and how much it keeps.

    Attributes:
        url: `redis://127.0.0.1:6379/0`, `unix:///run/redis.sock`, `rediss://host:6380/0`; any other
            machine only over TLS. It holds no password.
        username, password: Of the server's user; empty is none.
        prefix: Stands before the names of the streams.
        most: Entries that each stream keeps, or a few more.
        ca_file: Certificates to trust beside the machine's own.
    """

    url: str = "redis://127.0.0.1:6379/0"
    username: str = ""
    password: Secret = NO_SECRET
    prefix: str = ""
    most: int = 10_000
    ca_file: str = ""


@SINKS.register("redis_streams")
class RedisStreams:
    """A server's streams."""

    settings: ClassVar[type[msgspec.Struct]] = RedisStreamsSettings
    name = "redis"

    def __init__(self, settings: RedisStreamsSettings) -> None:
        _check(settings)
        self._settings = settings
        self._client: Any = None

    async def emit(self, payloads: Sequence[Payload]) -> None:
        """Append each payload to its stream, in order.

        Raises:
            SinkUnavailable: If the server did not confirm every entry; some may be there.
        """
        from redis.exceptions import RedisError  # noqa: PLC0415 - a trader without Redis needs none

        if self._client is None:
            self._client = self._open()
        is_done = False
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for payload in payloads:
                    pipe.xadd(
                        f"{self._settings.prefix}{topic_of(payload)}",
                        _entry(payload),
                        maxlen=self._settings.most,
                        approximate=True,
                    )
                await pipe.execute()
            is_done = True
        except (RedisError, OSError, TimeoutError) as error:
            raise SinkUnavailable(self._words(error)) from None
        finally:
            if not is_done:  # also when it is cancelled: an answer may still be on its way
                await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # whatever it was, it is gone
                await client.aclose(close_connection_pool=True)

    def _open(self) -> Any:
        from redis.asyncio import Redis  # noqa: PLC0415 - as in `emit`
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - as in `emit`
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as in `emit`

        chosen = self._settings
        more: dict[str, Any] = {}
        if chosen.url.startswith("rediss:"):
            more = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
            if chosen.ca_file:
                more["ssl_ca_certs"] = chosen.ca_file
        return Redis.from_url(
            chosen.url,
            username=chosen.username or None,
            password=chosen.password.reveal() or None,
            socket_connect_timeout=_CONNECT,
            retry=Retry(NoBackoff(), 0),  # who calls repeats, with pauses
            **more,
        )

    def _words(self, error: Exception) -> str:
        """What went wrong, without the password, which no server should repeat."""
        words = plain(f"{type(error).__name__}: {error}")
        secret = self._settings.password.reveal()
        return words.replace(secret, "***") if secret else words


def _entry(payload: Payload) -> dict[str, str | int | bytes]:
    return {
        "event_id": payload.event_id,
        "type": type(payload).__name__,
        "v": payload.v,
        "payload": encode(payload),
    }


def _check(settings: RedisStreamsSettings) -> None:
    try:
        parts = urlsplit(settings.url)
        host, password, _ = parts.hostname, parts.password, parts.port
    except ValueError:
        raise ConfigError("the address of the Redis server cannot be read") from None
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ConfigError("the address of a Redis server begins with redis, rediss or unix")
    if password or parts.username:
        raise ConfigError(
            "the address of the Redis server holds a user or a password",
            hint="give them by themselves: then they are shown to nobody",
        )
    if parts.scheme == "redis" and not is_loopback(host or ""):
        raise ConfigError(
            f"{host}: another machine is told only over TLS",
            hint="begin the address with rediss://",
        )
    if parts.query or parts.fragment:  # they would have the last word on what is trusted
        raise ConfigError("the address of the Redis server ends with the number of the database")
    if settings.most < 1:
        raise ConfigError("a stream keeps one entry at least")
