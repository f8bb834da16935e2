"""Tells a web address: each batch is the body of a POST, signed if there is a key.

The body is `{"v": 1, "payloads": [...]}`. The header `X-Signature` is
`keyid=ID,t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`. Whoever receives it computes the
same, compares in constant time, and takes nothing that is older than a few minutes: then nobody
else can tell it lies, and nobody can repeat what was true once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import msgspec

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.secret_text import NO_SECRET, Secret, secret_if_named
from ibkr_trader.adapters.settings import SHORTEST_KEY, Text, read_settings
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.adapters.web_address import check_web_address, hush
from ibkr_trader.core.errors import SinkRefused, SinkUnavailable
from ibkr_trader.portfolio.payloads import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibkr_trader.adapters.clock import ManualClock
    from ibkr_trader.portfolio.payloads import Payload

PATH = "sinks.webhook"
SIGNATURE = "X-Signature"
_LONGEST, _READING = 65_536, 0.5  # bytes of an answer, and seconds for them
_PASSING = frozenset({408, 425, 429})  # refusals that say: later
_GOOD, _BAD, _BROKEN = range(200, 300), range(400, 500), range(500, 600)


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to post, and how it is signed.

    Attributes:
        url: `https://…`, or `http://` to this machine itself. It holds no password, and what
            follows the path is never shown.
        key_id: What the receiver knows the key by.
        key_env: The environment's variable that holds the key; without one nothing is signed.
        token_env: That of what goes into the header `Authorization`, behind `Bearer`.
        timeout_seconds: For each step of an exchange.
        allow_plain: Lets another machine be told without TLS.
        ca_file: Certificates to trust instead of those that come with the library.
    """

    url: Text
    key_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{1,64}$")] = "1"
    key_env: str = ""
    token_env: str = ""
    timeout_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 4.0
    allow_plain: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        try:
            check_web_address(self.url, allow_plain=self.allow_plain)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None

    def __repr__(self) -> str:
        return f"WebhookSettings(host={urlsplit(self.url).hostname!r}, key_id={self.key_id!r})"


class Webhook:
    """A web address.

    Args:
        settings: Which one.
        key: Signs what is told, if there is one.
        token: Lets us in, if one is needed.
        clock: The machine's own; its time is signed, too.
    """

    name = "webhook"

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        key: Secret = NO_SECRET,
        token: Secret = NO_SECRET,
        clock: SystemClock | ManualClock | None = None,
    ) -> None:
        self._settings = settings
        self._key, self._token = key, token
        self._clock = clock or SystemClock()
        self._client: Any = None

    async def emit(self, payloads: Sequence[Payload]) -> None:
        """Post the payloads; done once the answer is a 2xx.

        Raises:
            SinkRefused: If the answer says that they will never be taken: a 4xx.
            SinkUnavailable: If there is no answer, or another one.
        """
        import httpx  # noqa: PLC0415 - a trader without a webhook needs none

        if self._client is None:
            self._client = self._open()
        body = b'{"v":1,"payloads":[' + b",".join(map(encode, payloads)) + b"]}"
        try:
            async with self._client.stream(
                "POST", self._settings.url, content=body, headers=self._headers(body)
            ) as answer:
                status = int(answer.status_code)
                await _read(answer)
        except httpx.HTTPError as error:
            # Its words may name the address with all that is secret in it: its kind is enough.
            raise SinkUnavailable(f"{self._host()}: {type(error).__name__}") from None
        self._judge(status)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # whatever it was, it is gone
                await client.aclose()

    def _judge(self, status: int) -> None:
        if status in _GOOD:
            return
        words = f"{self._host()} answers {status}"
        if status in _BAD and status not in _PASSING:
            raise SinkRefused(words)
        if status in _BROKEN or status in _PASSING:
            raise SinkUnavailable(words)
        raise SinkUnavailable(f"{words}, and nobody is sent on to another address from here")

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "ibkr-trader"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        if self._key:
            seconds = int(self._clock.now().timestamp())
            headers[SIGNATURE] = signature(
                body, key_id=self._settings.key_id, key=self._key, seconds=seconds
            )
        return headers

    def _open(self) -> Any:
        import ssl  # noqa: PLC0415 - as in `emit`

        import httpx  # noqa: PLC0415 - as in `emit`

        hush()
        ca_file = self._settings.ca_file
        return httpx.AsyncClient(
            timeout=self._settings.timeout_seconds,
            follow_redirects=False,
            trust_env=False,  # a proxy of somebody's shell is no place for what we trade
            verify=ssl.create_default_context(cafile=ca_file) if ca_file else True,
        )

    def _host(self) -> str:
        return urlsplit(self._settings.url).hostname or ""


async def _read(answer: Any) -> None:
    """Read a short answer to its end, so that the connection serves again; it tells nothing."""
    left = _LONGEST
    with contextlib.suppress(Exception):  # the status has come: no more is needed
        async with asyncio.timeout(_READING):
            async for part in answer.aiter_raw():
                left -= len(part)
                if left < 0:
                    return


def signature(body: bytes, *, key_id: str, key: Secret, seconds: int) -> str:
    """Return the header that proves who has sent `body`, and when."""
    signed = f"{seconds}.".encode() + body
    digest = hmac.new(key.reveal().encode(), signed, hashlib.sha256).hexdigest()
    return f"keyid={key_id},t={seconds},v1={digest}"


@SINKS.register("webhook")
def webhook(values: Mapping[str, Any]) -> Webhook:
    """Make the sink from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
    """
    settings = read_settings(values, WebhookSettings, path=PATH)
    key = secret_if_named(settings.key_env, key=f"{PATH}.key_env", least=SHORTEST_KEY)
    token = secret_if_named(settings.token_env, key=f"{PATH}.token_env")
    return Webhook(settings, key=key, token=token)
