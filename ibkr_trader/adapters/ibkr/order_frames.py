"""What a command means for single orders: which transmit, which terms a change leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr.roster import Change
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import is_our_group, parse_order_id
from ibkr_trader.core.shapes import PRICES

if TYPE_CHECKING:
    from ibkr_trader.adapters.ibkr.roster import Entry, Roster
    from ibkr_trader.core.commands import ModifyOrder
    from ibkr_trader.core.models import OrderSpec

_CHANGEABLE = ("quantity", *PRICES)


def transmits(orders: tuple[OrderSpec, ...]) -> tuple[bool, ...]:
    """Return for each order whether it releases what was sent: the last of its family does.

    An entry and its exits are held by TWS until the last exit arrives, so that no entry
    ever works without its stop. An order without family goes by itself.
    """
    families = [spec.parent_id or spec.order_id for spec in orders]
    return tuple(family not in families[at + 1 :] for at, family in enumerate(families))


def changed(entry: Entry, command: ModifyOrder) -> Change:
    """Return the full terms that `command` asks for; IBKR takes no partial ones.

    It may take the place of one that waits, or overtake the answer to one that has left: what
    that one asks for is asked for again.

    Raises:
        BrokerUnavailable: If the terms it starts from are not known.
    """
    last, figures = entry.last_change, named(command)
    spec = entry.spec if last is None else last.wanted
    if spec is None:
        raise BrokerUnavailable(f"the terms of {entry.order_id} are not known yet")
    wanted = {name: getattr(command, name) for name in figures}
    return Change(
        msgspec.structs.replace(spec, broker_order_id=entry.number, **wanted),
        figures if last is None else figures | last.asked,
    )


def named(command: ModifyOrder) -> frozenset[str]:
    """Return the figures that a change asks for."""
    return frozenset(name for name in _CHANGEABLE if getattr(command, name) is not None)


def editable(spec: OrderSpec, *, is_child: bool) -> OrderSpec:
    """Return what may be said of `spec` in a change of it.

    TWS makes an OCA group of a bracket's exits and refuses to hear of it again (10326) from
    them. A group that the order itself named is stated as it was: one of ours, or that of a
    bracket which it joined without being its child, as a timed exit does.
    """
    ref = parse_order_id(spec.order_id)
    is_named = ref is not None and is_our_group(spec.oca_group, ref.install)
    if not is_child or is_named:
        return spec
    return msgspec.structs.replace(spec, oca_group="", oca_type=None)


def live_parent(entry: Entry, roster: Roster) -> int:
    """Return the broker's id of the entry that an exit still waits for; 0 once that is over.

    TWS does not find a parent that has filled. One that was only met through its executions
    ended before we came.
    """
    if not entry.parent_number:
        return 0
    parent = roster.find(entry.client_id, entry.parent_number)
    is_over = parent is None or parent.is_closed or parent.spec is None
    return 0 if is_over else entry.parent_number
