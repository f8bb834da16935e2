"""One small JSON body over HTTP, from one host, and nothing else that a server might try.

No redirects (they could lead anywhere, with the token), no proxies or passwords from the
environment, no compression (a few bytes could become many), no more bytes than asked for, and
no more time, however slowly they drip.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.secret_text import NO_SECRET
from ibkr_trader.adapters.web_address import hush
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx

    from ibkr_trader.adapters.secret_text import Secret

_OK = 200
_SHOWN = 200


class FetchFailed(Exception):
    """There is no body; `reason` says why, in plain characters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@asynccontextmanager
async def fetching(
    url: str, *, seconds: float, most_bytes: int, token: Secret = NO_SECRET
) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    """Give a function that returns the body at a path below `url`.

    The body is one byte longer than `most_bytes` if there was more: it is for its reader to
    refuse that. The function raises `FetchFailed` for everything else that goes wrong.
    """
    import httpx  # noqa: PLC0415 - whoever asks no API does not load it

    hush()
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    forever = httpx.Timeout(None)  # for each part of an answer: the whole has its time below
    async with httpx.AsyncClient(headers=headers, timeout=forever, trust_env=False) as client:

        async def fetch(path: str) -> bytes:
            try:
                async with (
                    asyncio.timeout(seconds),
                    client.stream("GET", f"{url.rstrip('/')}{path}") as response,
                ):
                    _check(response.status_code, response.headers)
                    return await _body(response.aiter_raw(), most_bytes)
            except TimeoutError:
                raise FetchFailed(f"no whole answer within {seconds:g} s") from None
            except FetchFailed:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a stranger answers ends no poll
                told = plain(f"{type(error).__name__}: {error}", limit=_SHOWN)
                raise FetchFailed(told.rstrip(": ")) from None

        yield fetch


def _check(status: int, headers: httpx.Headers) -> None:
    if status != _OK:
        raise FetchFailed(f"HTTP {status}")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise FetchFailed(f"the answer is no JSON, but {plain(kind, limit=40) or 'unnamed'}")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchFailed("the answer is compressed, which was not asked for")


async def _body(chunks: AsyncIterator[bytes], most: int) -> bytes:
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > most:
            break
    return bytes(found[: most + 1])
