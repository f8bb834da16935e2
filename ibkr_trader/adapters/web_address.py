"""Which web addresses are asked or told anything: private on the way there, and shown to nobody.

Nothing leaves this machine in the clear, and no secret stands in an address: settings are shown,
and whoever is asked writes addresses into logs.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from ibkr_trader.core.hosts import is_loopback
from ibkr_trader.core.text import plain

_WANTED = "want https://host, or http:// on this machine"


def check_web_address(url: str, *, is_base: bool = False, allow_plain: bool = False) -> None:
    """Make sure that an address is one to be asked or told.

    Args:
        url: The address.
        is_base: Whether paths are put behind it, so that no query may stand there.
        allow_plain: Whether another machine may be told without TLS.

    Raises:
        ValueError: If it is none. The message shows no more of it than the host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its message may quote what it could not read
        raise ValueError(f"it cannot be read; {_WANTED}") from None
    if not host or parts.scheme not in {"http", "https"} or not url.isascii():
        raise ValueError(_WANTED)
    if parts.username is not None or parts.password is not None:
        raise ValueError("it has a user or a password in it: name a token's variable as token_env")
    if parts.fragment or any(mark.isspace() for mark in url) or (is_base and parts.query):
        raise ValueError("want a host, a port and a path, and nothing behind them")
    if port == 0:
        raise ValueError("port 0 is nobody's")
    if parts.scheme == "http" and not (allow_plain or is_loopback(host)):
        raise ValueError(f"{plain(host)} would be talked to in the clear; {_WANTED}")


def hush() -> None:
    """Keep the HTTP library from logging addresses: what follows a path may be secret."""
    for talker in ("httpx", "httpcore"):
        logging.getLogger(talker).setLevel(logging.WARNING)
