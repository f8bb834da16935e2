"""What a message is called and which order it is about: for the wire log and for faults.

Messages have the names of TWS's API (`placeOrder`, `orderStatus`). A placeOrder frame that changes
a working order is called `modifyOrder`, and one that only asks what would happen `whatIf`: on
the wire the three are one message.
"""

import msgspec

from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.order_replies import (
    CommissionReport,
    ErrorMessage,
    ExecDetails,
    OrderStatusReply,
)
from ibkr_trader.sim.gateway.order_requests import CancelOrder, PlaceOrder
from ibkr_trader.sim.gateway.replies import REPLIES
from ibkr_trader.sim.gateway.requests import REQUESTS
from ibkr_trader.sim.orders import OrderKey
from ibkr_trader.sim.register import Register

MODIFY, WHAT_IF = "modifyOrder", "whatIf"


def name_of(struct: type[msgspec.Struct]) -> str:
    """Return what the API calls a request or a reply."""
    name = struct.__name__.removesuffix("Reply").removesuffix("Message")
    return name[0].lower() + name[1:]


REQUEST_NAMES = frozenset(name_of(layout.struct) for layout in REQUESTS.values()) | {
    MODIFY,
    WHAT_IF,
}
REPLY_NAMES = frozenset(name_of(struct) for struct in REPLIES)


class Subject(msgspec.Struct, frozen=True):
    """What a message is about: its name, and the order, if it is about one.

    Attributes:
        name: As the API calls it.
        key: The order's client and id; None if the message is about no order.
        order_ref: The order's own name, which its client chose.
    """

    name: str
    key: OrderKey | None = None
    order_ref: str = ""


class OrderNames:
    """Knows the `orderRef` of every order that a client has named, refused ones included."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._refs: dict[OrderKey, str] = {}
        self._fills: dict[str, OrderKey] = {}

    def of_request(self, request: msgspec.Struct, client_id: int) -> Subject:
        """Say what a client's message is, and which order it is about."""
        if isinstance(request, PlaceOrder):
            key = OrderKey(client_id, request.order_id)
            known = self._register.get(key)
            name = name_of(PlaceOrder)
            if request.order.what_if:
                name = WHAT_IF
            elif known is not None and known.is_working:
                name = MODIFY
            ref = self._refs[key] = request.order.order_ref or self._ref(key)
            return Subject(name, key, ref)
        if isinstance(request, CancelOrder):
            return self._about(type(request), OrderKey(client_id, request.order_id))
        return Subject(name_of(type(request)))

    def of_reply(self, reply: msgspec.Struct, client_id: int) -> Subject:
        """Say what goes to a client, and which order it is about."""
        match reply:
            case OrderStatusReply():
                return self._about(OrderStatusReply, OrderKey(reply.client_id, reply.order_id))
            case OpenOrder():
                return self._about(OpenOrder, OrderKey(reply.client_id, reply.order_id))
            case ExecDetails():
                key = self._fills[reply.exec_id] = OrderKey(reply.client_id, reply.order_id)
                return Subject(name_of(ExecDetails), key, reply.order_ref)
            case CommissionReport():
                filled = self._filled(reply.exec_id)
                if filled is not None:
                    return self._about(CommissionReport, filled)
            case ErrorMessage() if reply.req_id >= 0:
                asked = OrderKey(client_id, reply.req_id)
                if self._is_order(asked):  # order and request ids share their numbers
                    return self._about(ErrorMessage, asked)
            case _:
                pass
        return Subject(name_of(type(reply)))

    def _about(self, struct: type[msgspec.Struct], key: OrderKey) -> Subject:
        return Subject(name_of(struct), key, self._ref(key))

    def _is_order(self, key: OrderKey) -> bool:
        return key in self._refs or self._register.get(key) is not None

    def _ref(self, key: OrderKey) -> str:
        order = self._register.get(key)
        return order.terms.order_ref if order is not None else self._refs.get(key, "")

    def _filled(self, exec_id: str) -> OrderKey | None:
        if exec_id not in self._fills:
            for execution in self._register.executions():
                key = OrderKey(execution.client_id, execution.order_id)
                self._fills.setdefault(execution.exec_id, key)
        return self._fills.get(exec_id)
