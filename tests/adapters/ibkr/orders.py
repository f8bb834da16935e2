"""Orders and approvals as the tests of the adapter make them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Contract, GroupId, OrderId, OrderSpec
from ibkr_trader.risk.verdict import Approved
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.stub_gateway import ACCOUNT, open_order, order_status

AAPL = Contract(symbol="AAPL", con_id=265598)
GROUP = GroupId("k7qav-17")
SINGLE = OrderId("k7qav-17-single")


def spec(role: str = "single", number: int = 5, **changes: Any) -> OrderSpec:
    values: dict[str, Any] = {
        "order_id": OrderId(f"{GROUP}-{role}"), "group_id": GROUP, "role": OrderRole(role),
        "contract": AAPL, "account": ACCOUNT, "side": Side.BUY, "quantity": Decimal(10),
        "order_type": OrderType.LIMIT, "limit_price": Decimal("150.00"),
        "broker_order_id": number,
    }  # fmt: skip
    return OrderSpec(**(values | changes))


def bracket() -> tuple[OrderSpec, ...]:
    parent = OrderId(f"{GROUP}-entry")
    out: dict[str, Any] = {
        "side": Side.SELL,
        "parent_id": parent,
        "time_in_force": TimeInForce.GTC,
    }
    return (
        spec("entry", 5, order_type=OrderType.MARKET, limit_price=None),
        spec("target", 6, limit_price=Decimal(155), **out),
        spec(
            "stop", 7, order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(145), **out
        ),
    )


def approved(command: Command, *, reduces: bool = False) -> Approved:
    return Approved(command=command, at=datetime(2026, 11, 20, 15, tzinfo=UTC), reduces=reduces)


def submit(*specs: OrderSpec, reduces: bool = False) -> Approved:
    return approved(SubmitOrders(group_id=GROUP, orders=specs), reduces=reduces)


async def placed(rig: Rig, *specs: OrderSpec) -> None:
    """Send orders and let the gateway accept each."""
    await rig.broker.send(submit(*(specs or (spec(),))))
    for one in specs or (spec(),):
        await rig.gateway.heard(3)
        rig.gateway.send(*open_order(one.broker_order_id, ref=one.order_id))
        rig.gateway.send(*order_status(one.broker_order_id, "Submitted"))
    await rig.until(ev.StatusEvent, lambda e: e.order_id == (specs or (spec(),))[-1].order_id)


_NAMES = (
    "action", "quantity", "type", "limit", "aux", "tif", "oca", "account", "open_close",
    "origin", "ref", "transmit", "parent", "block", "sweep", "display", "method", "rth",
)  # fmt: skip
# Fields further back at version 176: counted from the first, or from the end.
_FURTHER = {
    "after": 37, "oca_type": 47, "trail_stop": 69, "percent": 70, "adjusted": -24, "trigger": -23,
    "offset": -22, "adjusted_stop": -21, "adjusted_limit": -20, "adjusted_trail": -19, "unit": -18,
}  # fmt: skip


def field(fields: list[str], name: str) -> str:
    """Return a field of a placeOrder request."""
    if name in _FURTHER:
        return fields[_FURTHER[name]]
    return fields[16 + _NAMES.index(name)]


def stated(fields: list[str], names: str) -> dict[str, str]:
    """Return the named fields of a placeOrder request that state anything."""
    found = {name: field(fields, name) for name in names.split()}
    return {name: text for name, text in found.items() if text not in {"", "0"}}


def hold(rig: Rig) -> None:
    """Let nothing leave, as when the budget of the second is used up."""
    rig.connection.lanes.is_open = False


def release(rig: Rig) -> None:
    """Let it all leave."""
    rig.connection.lanes.is_open = True
    rig.connection.lanes.pump(rig.connection.clock.monotonic())
