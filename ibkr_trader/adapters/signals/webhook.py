"""A door on this machine at which producers knock, with one envelope each: `POST /signals`.

    curl -H 'Content-Type: application/json' --data @signal.json http://127.0.0.1:8751/signals

The answer comes once the journal has the decision. Programs of this machine get in; the web
pages that a browser of this machine shows do not: a page cannot leave out its `Origin`, nor
send a `Host` that is not its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ibkr_trader.adapters.settings import Seconds, SourceName, keys_of, read_settings
from ibkr_trader.adapters.signals.envelope import read_envelope
from ibkr_trader.adapters.signals.health import Health, nobody
from ibkr_trader.adapters.signals.http_door import Answer, Door
from ibkr_trader.adapters.signals.http_exchange import Refusal
from ibkr_trader.adapters.signals.json_reading import MAX_BYTES, excerpt
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.signals.webhook_requests import (
    check_length,
    check_sender,
    is_health,
)
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import DUPLICATE, FORGED, UNSIGNED, Malformed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ibkr_trader.adapters.signals.http_exchange import Exchange
    from ibkr_trader.core.signals import Incoming, SignalReply

PATH = "signals.webhook"
_HEALTHY = Answer(status=200, body=b'{"status":"ok"}')


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the door is, and who gets in.

    Attributes:
        port: On 127.0.0.1; 0 takes any that is free.
        name: What the source is called.
        keys: The variables of the environment that hold the keys that may sign, by key id.
        allow_unsigned: Whether an envelope without a signature is handed over at all.
        read_seconds: How long a request may take to come in.
        max_connections: How many may be inside at once.
    """

    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8751
    name: SourceName = "webhook"
    keys: Mapping[str, str] = msgspec.field(default_factory=dict)
    allow_unsigned: bool = False
    read_seconds: Seconds = 5
    max_connections: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32

    def __post_init__(self) -> None:
        if not self.keys and not self.allow_unsigned:
            raise ValueError("keys: without one nobody gets in; name one, or allow_unsigned")


class Webhook:
    """Hands over what is posted, one at a time.

    Args:
        settings: Where the door is.
        keys: The keys that may have signed, by their id.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        keys: Mapping[str, bytes],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._door = Door(
            port=settings.port,
            lines=settings.max_connections,
            seconds=settings.read_seconds,
            sleep=sleep,
        )
        self._counts: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()
        self._health = Health(settings.name, say=nobody)

    @property
    def name(self) -> str:
        """What its signals are called by."""
        return self._settings.name

    @property
    def trouble(self) -> str:
        """Why nothing comes of it; empty while it is well."""
        return self._health.trouble

    @property
    def counts(self) -> Mapping[str, int]:
        """How often a request was answered with which status."""
        return dict(self._counts)

    async def opened(self) -> int:
        """Wait until requests can come in, and return the port."""
        return await self._door.opened()

    async def run(
        self,
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        say: Callable[[str], None] = nobody,
    ) -> None:
        """Answer requests for ever; see `SignalSource`."""

        async def respond(exchange: Exchange) -> Answer:
            try:
                answer = await self._respond(exchange, take)
            except Refusal as refusal:
                self._counts[str(refusal.status)] += 1
                raise
            self._counts[str(answer.status)] += 1
            return answer

        self._health = Health(self.name, say=say)
        await self._door.run(respond, health=self._health)

    async def _respond(
        self, exchange: Exchange, take: Callable[[Incoming], Awaitable[SignalReply]]
    ) -> Answer:
        request = await exchange.head()
        check_sender(request, self._door.port)
        if is_health(request):
            return _HEALTHY
        check_length(request)
        incoming = self._read(await exchange.body(MAX_BYTES))
        async with self._one_at_a_time:
            reply = await take(incoming)
        status = _status(incoming, reply)
        later = {"Retry-After": "5"} if status == 503 else {}  # noqa: PLR2004 - its own name
        return Answer(status=status, body=msgspec.json.encode(reply), headers=later)

    def _read(self, data: bytes) -> Incoming:
        found = read_envelope(data, source=self.name, keys=self._keys)
        if isinstance(found, Malformed) or found.is_signed or self._settings.allow_unsigned:
            return found
        return Malformed(
            source=self.name,
            message="it carries no signature, and here it must",
            excerpt=excerpt(data),
            signal_id=found.signal_id,
            code=UNSIGNED,
        )


def _status(incoming: Incoming, reply: SignalReply) -> int:
    """What a program should make of a reply; a status below 500 is never to be repeated."""
    if isinstance(incoming, Malformed):
        return 401 if incoming.code in {FORGED, UNSIGNED} else 400
    if not reply.is_final:
        return 503
    if reply.outcome is not Outcome.REFUSED:
        return 200  # also if it failed or nobody knows: it was taken, and is not taken twice
    by_code = {DUPLICATE: 409, UNSIGNED: 401}
    return by_code.get(reply.code, 422)


@SOURCES.register("webhook")
def webhook(values: Mapping[str, Any]) -> Webhook:
    """Make the door from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
    """
    settings = read_settings(values, WebhookSettings, path=PATH)
    return Webhook(settings, keys=keys_of(settings.keys, path=f"{PATH}.keys"))
