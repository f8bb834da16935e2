"""Nothing that an order says is accepted in silence."""

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.sim.gateway.conditions import TimeCondition
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.order_terms import ECHOED, UNSUPPORTED, order_terms
from ibkr_trader.sim.gateway.requests import decode
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import OrderTerms
from tests.sim.gateway.samples import SHAPES, client_at

OWN_BLOCK = {
    "what_if",  # answered as a preview
    "scale_price_increment",  # above zero is unsupported
    "algo_params", "hedge_param", "reference_contract_id", "is_pegged_change_decrease",
    "pegged_change_amount", "reference_change_amount", "reference_exchange",
    "min_compete_size", "mid_offset_at_whole", "mid_offset_at_half",
}  # fmt: skip


def test_every_field_is_a_term_an_echo_or_a_reason_to_refuse() -> None:
    terms = set(OrderTerms.__struct_fields__)
    for field in WireOrder.__struct_fields__:
        if field.startswith(("hedge_", "scale_")) and field not in UNSUPPORTED:
            continue  # only read inside a block that its own field switches on
        groups = [field in terms, field in ECHOED, field in UNSUPPORTED, field in OWN_BLOCK]
        assert any(groups), field
        assert sum(groups[1:]) <= 1, field


@pytest.mark.parametrize("field", sorted(UNSUPPORTED))
def test_what_is_not_simulated_is_named(field: str) -> None:
    kind = next(f.type for f in msgspec.structs.fields(WireOrder) if f.name == field)
    set_to: object = True if kind is bool else "x" if kind is str else Decimal(1)
    order = msgspec.structs.replace(WireOrder(), **{field: set_to})
    assert UNSUPPORTED[field] in order_terms(order, 1).unsupported
    assert order_terms(WireOrder(), 1).unsupported == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("algo", "algoStrategy"),
        ("conditions", "conditions"),
        ("scale", "scalePriceIncrement"),
        ("hedge", "hedgeType"),
        ("delta neutral", "deltaNeutralOrderType"),
        ("bag", "comboLegs"),
        ("peg best", "competeAgainstBestOffset"),
        ("odds and ends", "hidden"),
    ],
)
def test_shapes_that_are_refused_say_why(name: str, reason: str) -> None:
    assert reason in terms_of(name).unsupported


@pytest.mark.parametrize(
    "name",
    [
        *("market", "limit", "stop", "stop limit", "trail amount", "trail percent", "trail limit"),
        *("touched", "adjustable", "bracket child", "oca", "gtd"),
    ],
)
def test_shapes_that_are_simulated_are_not_refused(name: str) -> None:
    assert terms_of(name).unsupported == ()


def test_terms_carry_what_the_client_said() -> None:
    terms = terms_of("bracket child")
    assert (terms.parent_id, terms.transmit, terms.outside_rth) == (9, False, True)
    assert (terms.action, terms.quantity, terms.order_type) == ("BUY", Decimal(100), "LMT")
    assert terms.limit_price == Decimal("150.25")
    assert terms.tif == "GTC"
    assert isinstance(terms.wire, WireOrder)


def test_an_order_echoed_by_tws_and_sent_again_is_still_simulated() -> None:
    """ib_insync modifies the order that it was told of, with TWS's defaults filled in."""
    order = WireOrder(
        order_type="LMT",
        volatility_type=0,
        reference_price_type=0,
        cash_quantity=Decimal(0),
        adjustable_trailing_unit=0,
        conditions=(),
    )
    assert order_terms(order, 1).unsupported == ()
    held = (TimeCondition(connector="a", is_more=True, time="x"),)
    assert order_terms(msgspec.structs.replace(order, conditions=held), 1).unsupported


def terms_of(name: str) -> OrderTerms:
    client, sent = client_at(176)
    client.placeOrder(1, *SHAPES[name])
    request = decode(sent[0], 176)
    assert isinstance(request, PlaceOrder)
    return order_terms(request.order, 265598)
