"""What may be asked at the webhook, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ibkr_trader.adapters.signals.http_exchange import Refusal
from ibkr_trader.adapters.signals.json_reading import MAX_BYTES

if TYPE_CHECKING:
    import h11

_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def check_sender(request: h11.Request, port: int) -> None:
    """Turn away whoever is no program of this machine.

    Raises:
        Refusal: With 403.
    """
    if _header(request, b"origin") is not None:
        raise Refusal(403, "Origin: web pages have no business here")
    host = _header(request, b"host") or ""
    try:
        asked = urlsplit(f"//{host}")
        fits = asked.hostname in _HOSTS and asked.port in {None, port} and asked.path == ""
    except ValueError:
        fits = False
    if not fits or "@" in host:
        raise Refusal(403, f"Host: only 127.0.0.1:{port} is served")


def is_health(request: h11.Request) -> bool:
    """Whether it asks after our health; if not, it brings a signal.

    Raises:
        Refusal: If it wants something else.
    """
    what = (request.method, request.target)
    if what == (b"GET", b"/healthz"):
        return True
    if what == (b"POST", b"/signals"):
        return False
    methods = {b"/healthz": "GET", b"/signals": "POST"}
    if request.target in methods:
        raise Refusal(405, f"{methods[request.target]} is what is answered here")
    raise Refusal(404, "there is POST /signals, and GET /healthz")


def check_length(request: h11.Request) -> None:
    """Look at what the body will be, before any of it is read.

    Raises:
        Refusal: If it will not be JSON, or too long, or of no known length.
    """
    if _header(request, b"transfer-encoding") is not None:
        raise Refusal(411, "Transfer-Encoding: say the length of the body instead")
    kind = (_header(request, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "Content-Type: want application/json")
    length = _header(request, b"content-length")
    if length is None:
        raise Refusal(411, "Content-Length: it is missing")
    if int(length) > MAX_BYTES:
        raise Refusal(413, f"Content-Length: {MAX_BYTES} is the most")


def _header(request: h11.Request, name: bytes) -> str | None:
    return next((value.decode("latin-1") for one, value in request.headers if one == name), None)
