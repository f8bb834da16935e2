"""The one table of replies: what the simulator says becomes bytes for a negotiated version."""

import msgspec

from ibkr_trader.sim.gateway.account_replies import ACCOUNT_REPLIES
from ibkr_trader.sim.gateway.completed_order import COMPLETED_ORDER, CompletedOrder
from ibkr_trader.sim.gateway.contract_replies import CONTRACT_REPLIES
from ibkr_trader.sim.gateway.framing import frame
from ibkr_trader.sim.gateway.history_replies import HISTORY_REPLIES
from ibkr_trader.sim.gateway.layout import Layout
from ibkr_trader.sim.gateway.open_order import OPEN_ORDER, OpenOrder
from ibkr_trader.sim.gateway.order_replies import ORDER_REPLIES
from ibkr_trader.sim.gateway.reference_replies import REFERENCE_REPLIES
from ibkr_trader.sim.gateway.tick_replies import TICK_REPLIES

_ECHOES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    OpenOrder: OPEN_ORDER,
    CompletedOrder: COMPLETED_ORDER,
}
REPLIES: dict[type[msgspec.Struct], Layout[msgspec.Struct]] = {
    **_ECHOES,
    **ORDER_REPLIES,
    **ACCOUNT_REPLIES,
    **CONTRACT_REPLIES,
    **TICK_REPLIES,
    **HISTORY_REPLIES,
    **REFERENCE_REPLIES,
}


def fields_of(reply: msgspec.Struct, version: int) -> list[str]:
    """Return the fields of `reply` at `version`, message id first."""
    return REPLIES[type(reply)].write(reply, version)


def encode(reply: msgspec.Struct, version: int) -> bytes:
    """Return `reply` as one frame at `version`."""
    return frame(fields_of(reply, version))


def handshake(version: int, connection_time: str) -> bytes:
    """Return the answer to a prologue; it must leave in one write, alone."""
    return frame((str(version), connection_time))
