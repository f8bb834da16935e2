from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.adapters.ibkr.connection import LinkState
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.errors import BrokerUnavailable, InvariantBroken
from ibkr_trader.core.models import Contract, GroupId, OrderId
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import (
    SINGLE,
    approved,
    bracket,
    field,
    hold,
    placed,
    release,
    spec,
    submit,
)
from tests.adapters.ibkr.stub_gateway import ACCOUNT, open_order, order_status

# -- ids --------------------------------------------------------------------------------------


async def test_order_ids_exceed_all_that_was_seen(rig: Rig) -> None:
    assert rig.broker.reserve_order_ids(2, floor=1) == (1, 2)
    assert rig.broker.reserve_order_ids(1, floor=40) == (40,)
    await placed(rig, spec(number=90))
    assert rig.broker.reserve_order_ids(1, floor=1) == (91,)
    rig.gateway.send(9, 1, 500)
    await rig.settle()
    assert rig.broker.reserve_order_ids(1, floor=1) == (500,)
    rig.gateway.send(9, 1, 3)
    await rig.settle()
    assert rig.broker.reserve_order_ids(1, floor=1) == (501,)


async def test_order_ids_end_before_the_integer_does(rig: Rig) -> None:
    with pytest.raises(BrokerUnavailable, match="order ids have reached"):
        rig.broker.reserve_order_ids(1, floor=2**31 - 10_000)


async def test_request_ids_can_be_no_order_ids(rig: Rig) -> None:
    await rig.broker.snapshot()
    request_id = int((await rig.gateway.heard(7))[2])
    assert request_id > 2**31 - 10_000


# -- what leaves ------------------------------------------------------------------------------


async def test_an_order_states_everything_in_plain_notation(rig: Rig) -> None:
    big = spec(quantity=Decimal("1E+2"), limit_price=Decimal("150.10"))
    await rig.broker.send(submit(big))
    fields = await rig.gateway.heard(3)
    assert fields[1] == "5"
    assert fields[2] == "265598"
    expected = {
        "action": "BUY", "quantity": "100", "type": "LMT", "limit": "150.1", "tif": "DAY",
        "account": ACCOUNT, "ref": SINGLE, "transmit": "1", "parent": "0", "rth": "0",
    }  # fmt: skip
    assert {name: field(fields, name) for name in expected} == expected
    assert not any("E+" in text or "nan" in text.lower() for text in fields)


@pytest.mark.parametrize(
    ("terms", "wire"),
    [
        ({"order_type": OrderType.MARKET, "limit_price": None}, "MKT||"),
        (
            {"order_type": OrderType.STOP, "stop_price": Decimal("145.5"), "limit_price": None},
            "STP||145.5",
        ),
        ({"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(149)}, "STP LMT|150|149"),
        (
            {"order_type": OrderType.TRAIL, "trail_amount": Decimal("2.5"), "limit_price": None},
            "TRAIL||2.5",
        ),
        ({"order_type": OrderType.MARKET_ON_CLOSE, "limit_price": None}, "MOC||"),
        ({"order_type": OrderType.LIMIT_ON_CLOSE}, "LOC|150|"),
        (
            {
                "order_type": OrderType.MARKET_IF_TOUCHED,
                "stop_price": Decimal(1),
                "limit_price": None,
            },
            "MIT||1",
        ),
        ({"order_type": OrderType.LIMIT_IF_TOUCHED, "stop_price": Decimal(151)}, "LIT|150|151"),
    ],
)
async def test_each_order_type_has_its_prices(terms: dict[str, Any], wire: str, rig: Rig) -> None:
    await rig.broker.send(submit(spec(**terms)))
    fields = await rig.gateway.heard(3)
    assert "|".join(field(fields, name) for name in ("type", "limit", "aux")) == wire


@pytest.mark.parametrize(
    "terms",
    [
        {"order_id": OrderId("k7qav-17\0-single")},
        {"order_id": OrderId("x" * 41)},
        {"account": ""},
        {"quantity": Decimal("NaN")},
        {"quantity": Decimal(0)},
        {"limit_price": Decimal("Infinity")},
        {"contract": Contract(symbol="AAPL")},
        {"broker_order_id": 0},
        {"oca_group": "a\0b"},
    ],
)
async def test_what_is_not_fit_to_be_sent_is_our_bug(terms: dict[str, Any], rig: Rig) -> None:
    with pytest.raises(InvariantBroken, match="cannot be sent"):
        await rig.broker.send(submit(spec(**terms)))
    await rig.settle()
    assert rig.gateway.count(3) == 0


async def test_a_bracket_leaves_together_and_its_last_exit_transmits(rig: Rig) -> None:
    await rig.broker.send(submit(*bracket()))
    await rig.gateway.heard(3, times=3)
    sent = [fields for fields in rig.gateway.received if fields[0] == "3"]
    assert [field(fields, "transmit") for fields in sent] == ["0", "0", "1"]
    assert [field(fields, "parent") for fields in sent] == ["0", "5", "5"]
    assert [field(fields, "tif") for fields in sent] == ["DAY", "GTC", "GTC"]
    assert rig.steps == ["CP4", "CP5", "CP6", "CP6", "CP7"]


async def test_orders_without_family_transmit_each(rig: Rig) -> None:
    await rig.broker.send(submit(spec("entry", 5), spec("target", 6)))
    await rig.gateway.heard(3, times=2)
    sent = [fields for fields in rig.gateway.received if fields[0] == "3"]
    assert [field(fields, "transmit") for fields in sent] == ["1", "1"]


async def test_without_a_link_nothing_is_sent_and_that_is_certain(rig: Rig) -> None:
    rig.gateway.answers[71] = lambda _: []
    rig.gateway.reset()
    await rig.until(ev.DisconnectEvent)
    for command in (submit(spec()), approved(CancelOrder(order_id=SINGLE))):
        with pytest.raises(BrokerUnavailable):
            await rig.broker.send(command)
    with pytest.raises(BrokerUnavailable):
        await rig.broker.snapshot()
    with pytest.raises(BrokerUnavailable):
        rig.broker.reserve_order_ids(1, floor=1)


async def test_while_tws_has_lost_ibkr_only_less_risk_is_sent(rig: Rig) -> None:
    await placed(rig)
    rig.gateway.send(4, 2, -1, 1100, "lost", "")
    await rig.until(ev.DisconnectEvent)
    assert rig.connection.state is LinkState.DEGRADED
    with pytest.raises(BrokerUnavailable, match="degraded"):
        await rig.broker.send(submit(spec("entry", 6)))
    await rig.broker.send(submit(spec("close", 7, side=Side.SELL), reduces=True))
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    await rig.gateway.heard(4)
    assert rig.gateway.count(3) == 2


async def test_eighty_orders_and_a_lost_link_each_is_either_sent_or_certainly_not(
    rig: Rig,
) -> None:
    for n in range(80):
        one = spec(number=100 + n, order_id=OrderId(f"k7qav-{n + 1}-single"),
                   group_id=GroupId(f"k7qav-{n + 1}"))  # fmt: skip
        await rig.broker.send(submit(one))
    await rig.gateway.heard(3, times=30)
    rig.gateway.reset()
    await rig.until(ev.DisconnectEvent)
    never = {event.order_id for event in rig.seen(ev.NotSentEvent)}
    written = rig.steps.count("CP7")
    assert 30 <= written < 80
    assert len(never) == 80 - written
    await rig.until(ev.ConnectEvent, lambda event: event.epoch == 2)
    await rig.settle()
    arrived = {field(fields, "ref") for fields in rig.gateway.received if fields[0] == "3"}
    assert not never & arrived
    assert rig.steps.count("CP7") == written, "nothing is sent later"


# -- changes and cancels ----------------------------------------------------------------------


async def test_a_change_resends_the_whole_order_under_its_id(rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal("151.00"))))
    fields = await rig.gateway.heard(3, times=2)
    assert fields[1] == "5"
    assert (field(fields, "limit"), field(fields, "quantity")) == ("151", "10")
    assert (field(fields, "ref"), field(fields, "transmit")) == (SINGLE, "1")


async def test_an_echo_of_the_old_terms_is_no_answer_to_a_change(rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal(151))))
    await rig.gateway.heard(3, times=2)
    mark = len(rig.events)
    rig.gateway.send(*open_order(5, ref=SINGLE, limit="150.0"))
    rig.gateway.send(*open_order(5, ref=SINGLE, limit="151.0"))
    event = await rig.until(ev.AcceptEvent, after=mark)
    assert event.spec.limit_price == Decimal(151)


async def test_changes_of_one_order_coalesce(rig: Rig) -> None:
    await placed(rig)
    for price in (151, 152, 153):
        await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, limit_price=Decimal(price))))
    fields = await rig.gateway.heard(3, times=3)
    assert field(fields, "limit") == "153"


@pytest.mark.parametrize(
    ("change", "at_once"),
    [({"quantity": Decimal(5)}, 2), ({"limit_price": Decimal(151)}, 1)],
)
async def test_changes_of_size_do_not_wait_for_each_other_as_those_of_prices_do(
    change: dict[str, Decimal], at_once: int, rig: Rig
) -> None:
    """Both exits of one entry are cut together; a stop that follows the market can wait."""
    await placed(rig, spec("target", 5), spec("stop", 6))
    hold(rig)
    for role in ("target", "stop"):
        order_id = OrderId(f"k7qav-17-{role}")
        await rig.broker.send(approved(ModifyOrder(order_id=order_id, **change)))  # type: ignore[arg-type] # a table of figures
    release(rig)
    await rig.broker.snapshot()  # it is asked for after whatever may leave
    assert rig.gateway.count(3) - 2 == at_once


@pytest.mark.parametrize("command", [
    ModifyOrder(order_id=OrderId("k7qav-99-single"), limit_price=Decimal(1)),
    CancelOrder(order_id=OrderId("k7qav-99-single")),
])  # fmt: skip
async def test_an_order_that_nobody_knows_cannot_be_touched(command: Command, rig: Rig) -> None:
    with pytest.raises(BrokerUnavailable, match="not been seen"):
        await rig.broker.send(approved(command))


async def test_an_order_of_another_client_is_never_touched_by_its_number(rig: Rig) -> None:
    rig.gateway.send(*open_order(5, ref=SINGLE, client_id=2))
    rig.gateway.send(*open_order(6, ref="somebody else", client_id=3, perm_id=777))
    foreign = await rig.until(ev.AcceptEvent, lambda event: event.is_foreign)
    assert foreign.order_id == "foreign-777"
    for order_id in (SINGLE, foreign.order_id):
        with pytest.raises(BrokerUnavailable, match="only who placed it"):
            await rig.broker.send(approved(CancelOrder(order_id=order_id)))
    await rig.settle()
    assert rig.gateway.count(4) == 0


async def test_a_cancel_names_the_brokers_id(rig: Rig) -> None:
    await placed(rig)
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    assert (await rig.gateway.heard(4))[:3] == ["4", "1", "5"]
    await rig.broker.send(approved(CancelOrder(order_id=OrderId("gone"), broker_order_id=44)))
    assert (await rig.gateway.heard(4, times=2))[2] == "44"
    await rig.broker.send(approved(CancelOrder(order_id=OrderId("everything"), is_of_all=True)))
    assert (await rig.gateway.heard(58))[0] == "58"


async def test_a_cancel_by_number_spares_the_order_that_has_the_number_now(rig: Rig) -> None:
    """Ours was written down and never sent; another program was given its number."""
    rig.gateway.answers[16] = lambda _: [open_order(5, ref="other-program"), (53, 1)]
    await rig.broker.snapshot()
    lost = CancelOrder(order_id=OrderId("k7qav-17-entry"), broker_order_id=5, origin="recovery")
    with pytest.raises(BrokerUnavailable, match="5 is foreign-"):
        await rig.broker.send(approved(lost))
    await rig.settle()
    assert rig.gateway.count(4) == 0


async def test_cancelling_what_is_over_is_harmless(rig: Rig) -> None:
    await placed(rig)
    rig.gateway.send(*order_status(5, "Filled", filled=10, remaining=0))
    await rig.until(ev.DoneEvent)
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    await rig.settle()
    assert rig.gateway.count(4) == 0


async def test_a_cancel_does_not_overtake_the_order_it_is_for(rig: Rig) -> None:
    for n in range(30):
        await rig.broker.send(submit(spec(number=100 + n, order_id=OrderId(f"k7qav-{n + 1}-single"),
                                          group_id=GroupId(f"k7qav-{n + 1}"))))  # fmt: skip
    late = spec(number=200, order_id=OrderId("k7qav-99-single"), group_id=GroupId("k7qav-99"))
    await rig.broker.send(submit(late))
    await rig.broker.send(approved(CancelOrder(order_id=late.order_id)))
    event = await rig.until(ev.NotSentEvent)
    assert event.order_id == late.order_id
    await rig.settle()
    assert rig.gateway.count(4) == 0
