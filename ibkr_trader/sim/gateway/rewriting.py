"""Messages that arrive with other contents than they were sent with."""

import msgspec

from ibkr_trader.sim.gateway.fault_rules import Act, Unset
from ibkr_trader.sim.gateway.order_replies import CommissionReport

replace = msgspec.structs.replace


def rewritten(act: Act, reply: msgspec.Struct) -> msgspec.Struct | None:
    """Return what an act makes of a reply; None if it does nothing to such a one."""
    if isinstance(act, Unset) and isinstance(reply, CommissionReport):
        return replace(reply, commission=None, realized_pnl=None)
    return None
