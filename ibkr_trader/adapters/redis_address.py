"""Where a Redis server is, and who we are to it: read from a setting, secrets kept out of sight.

Nothing leaves this machine in the clear: a server elsewhere must be asked over TLS, and its
certificate is always checked. No message and no `repr` shows the password.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import msgspec

from ibkr_trader.adapters.secret_text import secret_if_named
from ibkr_trader.core.hosts import is_loopback
from ibkr_trader.core.text import plain

DEFAULT_PORT = 6379
_MOST_DATABASE = 1_000_000
_LIKE = (
    "it looks like redis://127.0.0.1:6379/0, rediss://user@redis.example.com, unix:///run/r.sock"
)


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


class RedisTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every table of the settings says of its server.

    Attributes:
        url: The server; `rediss://` unless it is on this machine. A user may stand in it.
        password_env: The environment's variable that holds the password, if one is needed.
        ca_file: Who signs the server's certificate, if the machine does not know them.
    """

    url: str = "redis://127.0.0.1:6379/0"
    password_env: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        try:
            read_address(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None

    def address(self, *, path: str) -> RedisAddress:
        """Return the address; `path` is where the table stands, for messages.

        Raises:
            ValueError: If the password cannot be had; the message begins with its key.
        """
        password = secret_if_named(self.password_env, key=f"{path}.password_env")
        return read_address(self.url, password=password.reveal(), ca_file=self.ca_file)


def read_address(url: str, *, password: str = "", ca_file: str = "") -> RedisAddress:
    """Return the address that `url` gives.

    Args:
        url: `redis://`, `rediss://` or `unix://`; a user may stand in it, a password may not:
            settings are shown, and read by more people than may know it.
        password: The password.
        ca_file: Who signs the server's certificate, if the machine does not know them.

    Raises:
        ValueError: If it is no address, or one that would be asked in the clear. The message
            shows nothing of user and password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message may quote what it could not read
        raise ValueError(f"it cannot be read; {_LIKE}") from None
    if parts.query or parts.fragment:
        raise ValueError(f"it has options, and none are known here; {_LIKE}")
    if parts.password is not None:
        raise ValueError("it has a password in it: name its variable as password_env")
    user = unquote(parts.username or "")
    if parts.scheme == "unix" and not parts.hostname and parts.path.startswith("/"):
        return RedisAddress(host="", path=unquote(parts.path), user=user, password=password)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ValueError(f"it names no server; {_LIKE}")
    is_tls = parts.scheme == "rediss"
    if not is_tls and not is_loopback(parts.hostname):
        host = plain(parts.hostname)
        raise ValueError(f"{host} would be asked in the clear: want rediss:// beyond this machine")
    return RedisAddress(
        host=parts.hostname,
        port=DEFAULT_PORT if port is None else port,
        database=_database(parts.path),
        is_tls=is_tls,
        ca_file=ca_file,
        user=user,
        password=password,
    )


def _database(path: str) -> int:
    text = path.removeprefix("/")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text[:10]) > _MOST_DATABASE:
        raise ValueError(f"its database is no number; {_LIKE}")
    return int(text)
