"""Parts of the composition root that stand by themselves: the lease, and the port.

`app.py` puts the desk together from these and from everything else.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.lease import Lease
from ibkr_trader.adapters.redis_address import read_address
from ibkr_trader.adapters.redis_link import PATIENCE, RedisLink
from ibkr_trader.adapters.secret_text import secret_if_named
from ibkr_trader.config import Profile
from ibkr_trader.config.lease_table import lease_key
from ibkr_trader.core.errors import BrokerUnavailable, ConfigError
from ibkr_trader.sim.gateway.background import GatewayError, start_background

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.config import Settings
    from ibkr_trader.config.lease_table import LeaseTable


def make_lease(settings: Settings, table: LeaseTable, on_lost: Callable[[str], None]) -> Lease:
    """Return the lease that the settings name; nothing is asked by that.

    Raises:
        ConfigError: If its server cannot be named, or it cannot itself.
    """
    try:
        password = secret_if_named(table.password_env, key="password_env").reveal()
        address = read_address(table.url, password=password, ca_file=table.ca_file)
    except ValueError as error:
        message = f"{settings.config_file or 'config.toml'}: [lease] {error}"
        raise ConfigError(message, hint="correct [lease] in config.toml") from error
    return Lease(
        RedisLink(address, patience=min(PATIENCE, table.ttl_seconds / 2)),
        key=lease_key(settings),
        ttl_seconds=table.ttl_seconds,
        memory=settings.place.folder / "lease.epoch",
        owner=f"{socket.gethostname()}, process {os.getpid()}",
        clock=SystemClock(),
        on_lost=on_lost,
    )


def find_port(settings: Settings) -> int:
    """Return the port to connect to, starting the simulator if the profile is `sim`.

    Raises:
        BrokerUnavailable: If the simulator does not start.
    """
    if settings.profile is not Profile.SIM:
        return settings.port or 0
    try:
        info = start_background(state_dir=settings.place.simulator, port=settings.port or 0)
    except GatewayError as error:
        message = f"the bundled gateway simulator does not start: {error}"
        hint = error.hint or "ibkr-trader gateway status"
        raise BrokerUnavailable(message, hint=hint) from error
    return info.port
