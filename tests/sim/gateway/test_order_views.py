"""How the gateway words an order that has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.adjusting import adjusted, first_stop
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.order_terms import order_terms
from ibkr_trader.sim.gateway.order_views import completed_order, open_order, order_status
from ibkr_trader.sim.gateway.replies import fields_of
from ibkr_trader.sim.gateway.requests import decode
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import OrderTerms, SimOrder, SimStatus
from tests.sim.gateway.samples import SHAPES, client_at


@pytest.mark.parametrize(("filled", "stated"), [(10, 0), (4, 10), (0, 10)])
def test_only_a_complete_fill_states_no_quantity(filled: int, stated: int) -> None:
    order = SimOrder(
        client_id=1,
        order_id=7,
        terms=OrderTerms(
            con_id=265598,
            action="BUY",
            quantity=Decimal(10),
            order_type="MKT",
            wire=WireOrder(action="BUY", quantity=Decimal(10), order_type="MKT"),
        ),
        side=Side.BUY,
        quantity=Decimal(10),
        filled=Decimal(filled),
        status=SimStatus.FILLED if filled == 10 else SimStatus.CANCELLED,
        completed_at=datetime(2026, 11, 20, 15, tzinfo=UTC),
    )
    told = completed_order(order)
    assert (int(told.order.quantity), int(told.filled)) == (stated, filled)


SIMULATED = (
    *("market", "limit", "stop", "stop limit", "trail amount", "trail percent", "trail limit"),
    *("touched", "bracket child", "oca", "gtd", "adjustable"),
)


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("version", [157, 163, 164, 170, 176])
def test_an_order_is_told_back_as_it_came(name: str, version: int) -> None:
    """At every version: what a client sends is what it hears, wherever the exchange had it."""
    client, sent = client_at(version)
    client.placeOrder(1, *SHAPES[name])
    request = decode(sent[0], version)
    assert isinstance(request, PlaceOrder)
    order = told_of(request.order)
    assert open_order(order).order == request.order
    assert completed_order(order).order == request.order


def test_what_the_exchange_changed_is_told_and_nothing_else() -> None:
    client, sent = client_at(176)
    client.placeOrder(1, *SHAPES["adjustable"])
    request = decode(sent[0], 176)
    assert isinstance(request, PlaceOrder)
    order = adjusted(told_of(request.order))
    told = open_order(order).order
    assert (told.order_type, told.aux_price, told.trail_stop_price) == (
        "TRAIL", None, Decimal("153.0"),
    )  # fmt: skip
    assert told.trailing_percent == Decimal("1.5")
    assert (told.adjusted_order_type, told.trigger_price) == ("", None)
    assert told.contract == request.order.contract


def test_an_order_that_came_over_no_wire_has_its_contract_and_its_terms() -> None:
    contract = WireContract(con_id=265598, symbol="AAPL")
    order = told_of(WireOrder(action="BUY", quantity=Decimal(7), order_type="LMT", tif="DAY",
                              limit_price=Decimal(149)))  # fmt: skip
    by_hand = msgspec.structs.replace(
        order, terms=msgspec.structs.replace(order.terms, wire=None), order_id=-1
    )
    told = open_order(by_hand, contract).order
    assert (told.contract, told.action, told.quantity, told.limit_price, told.tif) == (
        contract, "BUY", Decimal(7), Decimal(149), "DAY",
    )  # fmt: skip
    assert completed_order(by_hand).order.contract == WireContract()


def test_a_price_cap_is_part_of_the_status() -> None:
    order = told_of(WireOrder(action="BUY", quantity=Decimal(7), order_type="MKT"))
    capped = msgspec.structs.replace(order, cap_price=Decimal("149.5"))
    for version in (157, 176):
        assert fields_of(order_status(capped), version)[-1] == "149.5"
        assert fields_of(order_status(order), version)[-1] == "0"


def told_of(wire: WireOrder) -> SimOrder:
    """The order at the exchange, just accepted."""
    terms = order_terms(wire, 265598)
    return SimOrder(
        client_id=1,
        order_id=1,
        terms=terms,
        side=Side(terms.action),
        quantity=terms.quantity,
        status=SimStatus.SUBMITTED,
        stop_price=first_stop(terms),
        oca_group=terms.oca_group,
        oca_type=terms.oca_type,
    )
