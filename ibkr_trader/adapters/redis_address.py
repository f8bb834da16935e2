"""Where a Redis server is, and who we are to it: read from a setting, secrets kept out of sight.

Nothing leaves this machine in the clear: a server elsewhere must be asked over TLS, and its
certificate is always checked. No message and no `repr` shows the password.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 6379
_MOST_DATABASE = 1_000_000
_HINT = "redis://127.0.0.1:6379/0, rediss://user@redis.example.com:6380/0, unix:///run/redis.sock"


class RedisAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One database of one server; `path` is that of a unix socket, and then there is no host."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    database: int = 0
    path: str = ""
    is_tls: bool = False
    ca_file: str = ""
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        """The address without user and password, for people."""
        if self.path:
            return f"unix://{plain(self.path)}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.is_tls else 'redis'}://{host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        return f"<RedisAddress {self}>"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("address", str(self))]

    def hidden(self, text: str) -> str:
        """Return `text` without the password, should it stand there, made plain."""
        return plain(text.replace(self.password, "***") if self.password else text)


def read_address(
    url: str, *, environ: Mapping[str, str], password_env: str = "", ca_file: str = ""
) -> RedisAddress:
    """Return the address that `url` gives.

    Args:
        url: `redis://`, `rediss://` or `unix://`; user and password may stand in it.
        environ: The process's environment.
        password_env: The variable that holds the password instead; it must be set then.
        ca_file: Who signs the server's certificate, if the machine does not know them.

    Raises:
        ConfigError: If it is no address, or one that would be asked in the clear. The message
            shows nothing of user and password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message may quote what it could not read
        raise ConfigError("the Redis address cannot be read", hint=_HINT) from None
    if parts.query or parts.fragment:
        raise ConfigError("the Redis address has options: none are known here", hint=_HINT)
    password = _password(parts, environ, password_env)
    user = unquote(parts.username or "")
    if parts.scheme == "unix" and not parts.hostname and parts.path.startswith("/"):
        return RedisAddress(host="", path=unquote(parts.path), user=user, password=password)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ConfigError("the Redis address names no server", hint=_HINT)
    is_tls = parts.scheme == "rediss"
    if not is_tls and not is_loopback(parts.hostname):
        raise ConfigError(
            f"Redis at {plain(parts.hostname)} would be asked in the clear",
            hint="use rediss:// for a server that is not on this machine",
        )
    return RedisAddress(
        host=parts.hostname,
        port=DEFAULT_PORT if port is None else port,
        database=_database(parts.path),
        is_tls=is_tls,
        ca_file=ca_file,
        user=user,
        password=password,
    )


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nobody else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: whoever answers to it today
        return False


def _password(parts: SplitResult, environ: Mapping[str, str], variable: str) -> str:
    if not variable:
        return unquote(parts.password or "")
    if parts.password:
        raise ConfigError(
            f"the Redis password stands in the address and is to come from {plain(variable)}",
            hint="take it out of the address",
        )
    if not (found := environ.get(variable, "")):
        raise ConfigError(f"{plain(variable)} holds no Redis password", hint=f"export {variable}")
    return found


def _database(path: str) -> int:
    text = path.removeprefix("/")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text[:10]) > _MOST_DATABASE:
        raise ConfigError("the Redis address names a database that is no number", hint=_HINT)
    return int(text)
