"""Every order shape goes from ib_insync through the simulator and back, unchanged."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from ib_insync import Contract, Order
from ib_insync.util import UNSET_DOUBLE

from ibkr_trader.sim.gateway.completed_order import CompletedOrder
from ibkr_trader.sim.gateway.items import MalformedMessage
from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.order_echo import OrderState
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.replies import REPLIES, fields_of
from ibkr_trader.sim.gateway.requests import REQUESTS, decode
from ibkr_trader.sim.gateway.wire_order import WireOrder
from tests.sim.gateway.samples import SHAPES, client_at, hear

VERSIONS = [157, 163, 164, 170, 176]

# What placeOrder says and no openOrder tells back.
NEVER_ECHOED = {
    "transmit", "openClose", "scaleTable", "activeStartTime", "activeStopTime", "algoId",
    "orderMiscOptions", "extOperator", "mifid2DecisionMaker", "overridePercentageConstraints",
    "whatIf",
}  # fmt: skip
SINCE = {
    "duration": 159, "postToAts": 160, "autoCancelParent": 162, "minTradeQty": 170,
    "minCompeteSize": 170, "competeAgainstBestOffset": 170, "midOffsetAtWhole": 170,
    "midOffsetAtHalf": 170,
}  # fmt: skip
# An unset field as a live TWS echoes it.
DEFAULTS = {
    "lmtPrice": 0.0, "auxPrice": 0.0, "tif": "DAY", "ocaType": 3, "clearingIntent": "IB",
    "volatilityType": 0, "referencePriceType": 0, "adjustedOrderType": "None", "cashQty": 0.0,
    "minCompeteSize": 100, "competeAgainstBestOffset": 0.02,
}  # fmt: skip
NOT_IN_COMPLETED = {
    "orderId", "clientId", "parentId", "blockOrder", "eTradeOnly", "firmQuoteOnly",
    "nbboPriceCap", "auctionStrategy", "optOutSmartRouting", "adjustedOrderType", "triggerPrice",
    "adjustedStopPrice", "adjustedStopLimitPrice", "adjustedTrailingAmount",
    "adjustableTrailingUnit", "discretionaryUpToLimitPrice", "usePriceMgmtAlgo", "duration",
    "postToAts", "deltaNeutralSettlingFirm", "deltaNeutralClearingAccount",
    "deltaNeutralClearingIntent", "deltaNeutralOpenClose", "filledQuantity", "refFuturesConId",
    "shareholder", "parentPermId",
}  # fmt: skip


def sent(version: int, name: str) -> tuple[str, ...]:
    contract, order = SHAPES[name]
    client, frames = client_at(version)
    place: Any = client.placeOrder
    place(11, contract, order)
    return frames[0]


def decoded(fields: list[str], version: int) -> tuple[Contract, Order]:
    """What ib_insync's own decoder makes of a message about an order."""
    recorder = hear(list(fields), version)
    assert len(recorder.calls) == 1, "ib_insync could not read it"
    args = recorder.calls[0][1]
    contract, order = args[-3], args[-2]
    assert isinstance(contract, Contract)
    assert isinstance(order, Order)
    return contract, order


def differences(before: Order, after: Order, version: int, ignored: set[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for field in dataclasses.fields(Order):
        name = field.name
        if name in ignored or version < SINCE.get(name, 0):
            continue
        old, new = getattr(before, name), getattr(after, name)
        if name == "displaySize" and old in (0, None):
            continue
        if new == old or (old in (field.default, "") and new == DEFAULTS.get(name, field.default)):
            continue
        found[name] = (old, new)
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_an_open_order_says_what_was_placed(name: str, version: int) -> None:
    contract, order = SHAPES[name]
    request = decode(sent(version, name), version)
    assert isinstance(request, PlaceOrder)
    assert request.order_id == 11
    reply = OpenOrder(
        order_id=11,
        client_id=3,
        perm_id=99,
        order=request.order,
        state=OrderState(status="Submitted"),
    )
    seen_contract, seen = decoded(fields_of(reply, version), version)
    ignored = NEVER_ECHOED | {"orderId", "clientId", "permId", "softDollarTier"}
    assert differences(order, seen, version, ignored) == {}
    assert (seen.orderId, seen.clientId, seen.permId) == (11, 3, 99)
    assert seen.whatIf == order.whatIf
    assert seen_contract.symbol == contract.symbol
    assert seen_contract.strike == contract.strike
    assert seen_contract.comboLegs == (contract.comboLegs or [])
    assert seen_contract.deltaNeutralContract == contract.deltaNeutralContract


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_completed_order_says_what_was_placed(name: str, version: int) -> None:
    _, order = SHAPES[name]
    request = decode(sent(version, name), version)
    assert isinstance(request, PlaceOrder)
    reply = CompletedOrder(
        perm_id=99,
        order=request.order,
        state=OrderState(status="Filled"),
        filled=Decimal(100),
        completed_time="20261121 10:00:00 US/Eastern",
        completed_status="Filled Size: 100",
    )
    _, seen = decoded(fields_of(reply, version), version)
    ignored = NEVER_ECHOED | NOT_IN_COMPLETED | {"permId", "softDollarTier"}
    assert differences(order, seen, version, ignored) == {}
    assert seen.filledQuantity == 100
    assert seen.permId == 99


def test_unset_fields_look_as_a_live_gateway_was_recorded_to_send_them() -> None:
    request = decode(sent(173, "limit"), 173)
    assert isinstance(request, PlaceOrder)
    reply = OpenOrder(
        order_id=1, client_id=0, perm_id=2, order=request.order, state=OrderState(status="x")
    )
    fields = fields_of(reply, 173)
    assert len(fields) == 128  # the recording has 136, eight of them its delta-neutral block
    assert fields.count("1.7976931348623157E308") == 9 + 6
    assert "None" in fields


@pytest.mark.parametrize(
    "unset",
    ["", "1.7976931348623157e+308", "1.7976931348623157E308", "2147483647", "None"],
)
def test_unset_is_none_in_every_spelling(unset: str) -> None:
    fields = list(sent(176, "limit"))
    fields[19] = unset
    request = decode(fields, 176)
    assert isinstance(request, PlaceOrder)
    assert request.order.limit_price is None


@pytest.mark.parametrize("text", ["1.5E-4", "1e-05", "100", "100.0", "-3"])
def test_numbers_are_read_as_written(text: str) -> None:
    fields = list(sent(176, "limit"))
    fields[19] = text
    request = decode(fields, 176)
    assert isinstance(request, PlaceOrder)
    assert request.order.limit_price == Decimal(text)


@pytest.mark.parametrize("text", ["abc", "1e999999999", "9" * 200, "1,5", "0x10", "sNaN"])
def test_a_number_that_cannot_be_is_malformed_never_zero(text: str) -> None:
    fields = list(sent(176, "limit"))
    fields[19] = text
    with pytest.raises(MalformedMessage, match="limit_price"):
        decode(fields, 176)


@pytest.mark.parametrize("name", SHAPES)
def test_every_truncation_is_malformed(name: str) -> None:
    fields = sent(176, name)
    for length in range(1, len(fields)):
        with pytest.raises(MalformedMessage):
            decode(fields[:length], 176)


def test_unknown_trailing_fields_are_ignored() -> None:
    fields = sent(176, "limit")
    assert decode((*fields, "x", "y"), 176) == decode(fields, 176)


@pytest.mark.parametrize("version", range(157, 201))
def test_the_tables_read_what_they_write_at_every_version(version: int) -> None:
    """Both directions of one table agree, also where no library of ours can check the gate."""
    request = decode(sent(176, "odds and ends"), 176)
    assert isinstance(request, PlaceOrder)
    layout = REQUESTS[3]
    fields = layout.write(request, version)
    again = layout.read(fields, version=version)
    assert layout.write(again, version) == fields
    reply = OpenOrder(
        order_id=1, client_id=0, perm_id=2, order=request.order, state=OrderState(status="x")
    )
    told = fields_of(reply, version)
    assert REPLIES[OpenOrder].read(told, version=version) is not None
    assert fields_of(REPLIES[OpenOrder].read(told, version=version), version) == told


GATES = {
    158: 1, 160: 1, 162: 1, 166: 1, 169: 1, 177: -1, 183: 1, 184: 1, 187: 2, 189: 1, 190: -2,
    192: 1, 199: 1,
}  # fmt: skip


@pytest.mark.parametrize("version", range(158, 201))
def test_each_version_adds_exactly_its_own_fields(version: int) -> None:
    request = PlaceOrder(order_id=1, order=WireOrder(order_type="LMT"))
    layout = REQUESTS[3]
    grown = len(layout.write(request, version)) - len(layout.write(request, version - 1))
    assert grown == GATES.get(version, 0)


def test_the_unset_double_of_the_library_is_the_one_we_know() -> None:
    assert str(UNSET_DOUBLE) == "1.7976931348623157e+308"
