"""What a command means for single orders: which transmit, which terms a change leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from ibkr_trader.adapters.ibkr.roster import Entry
    from ibkr_trader.core.commands import ModifyOrder
    from ibkr_trader.core.models import OrderSpec

_CHANGEABLE = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")


def transmits(orders: tuple[OrderSpec, ...]) -> tuple[bool, ...]:
    """Return for each order whether it releases what was sent: the last of its family does.

    An entry and its exits are held by TWS until the last exit arrives, so that no entry
    ever works without its stop. An order without family goes by itself.
    """
    families = [spec.parent_id or spec.order_id for spec in orders]
    return tuple(family not in families[at + 1 :] for at, family in enumerate(families))


def changed(entry: Entry, command: ModifyOrder) -> OrderSpec:
    """Return the full terms that `command` asks for; IBKR takes no partial ones.

    Raises:
        BrokerUnavailable: If the terms it starts from are not known.
    """
    spec = entry.wanted or entry.spec
    if spec is None:
        raise BrokerUnavailable(f"the terms of {entry.order_id} are not known yet")
    wanted = {name: value for name in _CHANGEABLE if (value := getattr(command, name)) is not None}
    return msgspec.structs.replace(spec, broker_order_id=entry.number, **wanted)
