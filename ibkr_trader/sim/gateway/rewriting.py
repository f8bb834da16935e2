"""Messages that arrive with other contents than they were sent with."""

from collections.abc import Callable

import msgspec

from ibkr_trader.sim.gateway.account_replies import ManagedAccounts, NextValidId
from ibkr_trader.sim.gateway.fault_acts import Accounts, BadTick, Renumber
from ibkr_trader.sim.gateway.fault_rules import Act, Unset
from ibkr_trader.sim.gateway.order_replies import CommissionReport
from ibkr_trader.sim.gateway.tick_replies import TickPrice

replace = msgspec.structs.replace
HUGE = 2**31 - 1


def rewritten(act: Act, reply: msgspec.Struct) -> msgspec.Struct | None:
    """Return what an act makes of a reply; None if it does nothing to such a one."""
    change = _CHANGES.get((type(act), type(reply)))
    return change(act, reply) if change is not None else None


def _unset(_: Unset, reply: CommissionReport) -> CommissionReport:
    return replace(reply, commission=None, realized_pnl=None)


def _renumber(act: Renumber, reply: NextValidId) -> NextValidId:
    wrong = {"lower": 1, "same": max(1, reply.order_id - 1), "huge": HUGE}
    return replace(reply, order_id=wrong[act.how])


def _name(act: Accounts, reply: ManagedAccounts) -> ManagedAccounts:
    return replace(reply, accounts=",".join(act.names))


def _misprice(act: BadTick, reply: TickPrice) -> TickPrice | None:
    return replace(reply, price=act.price) if reply.tick_type in act.kinds else None


_CHANGES: dict[tuple[type, type], Callable[..., msgspec.Struct | None]] = {
    (Unset, CommissionReport): _unset,
    (Renumber, NextValidId): _renumber,
    (BadTick, TickPrice): _misprice,
    (Accounts, ManagedAccounts): _name,
}
