"""The table `[lease]` of `config.toml`: which of several hosts trades the account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from ibkr_trader.config.risk_table import read_table
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.ids import FAMILY, family_named, is_install

if TYPE_CHECKING:
    from ibkr_trader.config import Settings
    from ibkr_trader.config.sources import Sources

_LEAST, _MOST = 1, 3_600
_LONGEST = 100
_KEY = re.compile(r"[!-~]{1,200}")  # on every host a line of a file, too


class LeaseTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where the lease is, and what it is called: the same on every host of an account.

    Attributes:
        url: The Redis server; `rediss://` unless it is on this machine. A user may stand in it.
        name: Of the lease; empty is the profile with the gateway's address and the client id.
        ttl_seconds: How long a leader that died keeps the others waiting.
        password_env: The environment's variable that holds the password, if one is needed.
        ca_file: Who signs the server's certificate, if the machine does not know them.
        family: What the ids of all hosts begin with; empty is drawn from the lease's name. A host
            that had traded before it had a lease goes by the letters of its own ids.
    """

    url: str = "redis://127.0.0.1:6379/0"
    name: str = ""
    ttl_seconds: float = 15.0
    password_env: str = ""
    ca_file: str = ""
    family: str = ""

    def __post_init__(self) -> None:
        try:
            password = urlsplit(self.url).password
        except ValueError:  # what is in it would be shown, and may be a password
            raise ValueError(
                "url cannot be read: it looks like rediss://user@host:6380/0"
            ) from None
        if password is not None:
            raise ValueError("url has a password in it: name its variable as password_env")
        is_plain = self.name.isascii() and self.name.isprintable() and " " not in self.name
        if not is_plain or len(self.name) > _LONGEST:
            raise ValueError(f"name must be at most {_LONGEST} visible ASCII characters")
        if self.family and not (is_install(self.family) and len(self.family) == FAMILY):
            raise ValueError(f"family must be {FAMILY} letters, as ids begin: k7qav")
        if not _LEAST <= self.ttl_seconds <= _MOST:
            raise ValueError(f"ttl_seconds must be from {_LEAST} to {_MOST}")


def lease_table(found: Sources) -> LeaseTable | None:
    """Return the table, or None if the file has none: then no other host is thought of.

    Raises:
        ConfigError: Naming file, line and key of the first that cannot be used.
    """
    return read_table(found, "lease", LeaseTable) if "lease" in found.values else None


def lease_name(settings: Settings) -> str:
    """Return what the lease of an account is called, on every host of it."""
    endpoint = f"{settings.profile}:{settings.host}:{settings.port or 0}:{settings.client_id}"
    return (settings.lease and settings.lease.name) or endpoint


def lease_key(settings: Settings) -> str:
    """Return the key of the lease at its server.

    Raises:
        ConfigError: If it is none that every host could keep: of a gateway's address, say.
    """
    key = f"ibkr-trader:lease:{{{lease_name(settings)}}}"
    if not _KEY.fullmatch(key):
        message = (
            f"{settings.config_file}: [lease] is called by the gateway's address, and cannot be"
        )
        raise ConfigError(message, hint='give it a name of its own below [lease]: name = "main"')
    return key


def lease_family(settings: Settings) -> str:
    """Return what the ids of all hosts of the lease begin with; empty if there is no lease."""
    if settings.lease is None:
        return ""
    return settings.lease.family or family_named(lease_name(settings))
