"""Trails, adjustments, good-after times and groups: as they leave, and as they come back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.adapters.ibkr.translate_stops import moment_of
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OcaType, OrderType, Side
from ibkr_trader.core.models import Adjustment, OrderId
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import SINGLE, approved, bracket, placed, spec, stated, submit
from tests.adapters.ibkr.stub_gateway import execution, open_order, order_status

D = Decimal
T = OrderType
AFTER = datetime(2026, 11, 20, 20, 45, tzinfo=UTC)
PRICES = "type limit aux trail_stop percent offset"
ADJUSTED = "adjusted trigger adjusted_stop adjusted_limit adjusted_trail unit"


def sell(kind: OrderType, **terms: Any) -> dict[str, Any]:
    return {"side": Side.SELL, "order_type": kind, "limit_price": None} | terms


# Our terms, what leaves of them, and how the gateway tells of the same order.
TRAILS: list[tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = [
    (
        sell(T.TRAIL, trail_amount=D("2.5")),
        {"type": "TRAIL", "aux": "2.5"},
        {"type": "TRAIL", "aux": "2.5", "trail_stop": "147.5"},
    ),
    (
        sell(T.TRAIL, trail_percent=D(2), stop_price=D(147)),
        {"type": "TRAIL", "percent": "2", "trail_stop": "147"},
        {"type": "TRAIL", "aux": "0.0", "percent": "2.0", "trail_stop": "147.0"},
    ),
    (
        sell(T.TRAIL_LIMIT, trail_amount=D(3), stop_price=D(147), limit_price=D("146.5")),
        {"type": "TRAIL LIMIT", "aux": "3", "trail_stop": "147", "limit": "146.5"},
        {"type": "TRAIL LIMIT", "aux": "3.0", "trail_stop": "147.0", "limit": "146.5"},
    ),
    (
        sell(T.MARKET_IF_TOUCHED, stop_price=D(155)),
        {"type": "MIT", "aux": "155"},
        {"type": "MIT", "aux": "155.0"},
    ),
    (
        sell(T.LIMIT_IF_TOUCHED, stop_price=D(155), limit_price=D("154.5")),
        {"type": "LIT", "aux": "155", "limit": "154.5"},
        {"type": "LIT", "aux": "155.0", "limit": "154.5"},
    ),
]


@pytest.mark.parametrize(("terms", "wire", "echo"), TRAILS)
async def test_an_order_leaves_and_comes_back_as_the_same(
    terms: dict[str, Any], wire: dict[str, str], echo: dict[str, Any], rig: Rig
) -> None:
    sent = spec(**terms)
    await rig.broker.send(submit(sent))
    assert stated(await rig.gateway.heard(3), PRICES) == wire
    rig.gateway.send(*open_order(5, ref=SINGLE, action="SELL", **({"limit": "0.0"} | echo)))
    back = (await rig.until(ev.AcceptEvent)).spec
    for name in ("order_type", "limit_price", "trail_amount", "trail_percent"):
        assert getattr(back, name) == getattr(sent, name), name
    assert back.stop_price == (sent.stop_price or D("147.5"))


async def test_a_trailing_limit_may_be_told_as_a_distance(rig: Rig) -> None:
    told = {"type": "TRAIL LIMIT", "aux": "3.0", "trail_stop": "147.0", "offset": "0.5"}
    rig.gateway.send(*open_order(8, ref="k7qav-8-stop", action="SELL", limit="0.0", **told))
    rig.gateway.send(*open_order(9, ref="k7qav-9-stop", action="BUY", limit="0.0", **told))
    found = [
        (await rig.until(ev.AcceptEvent, lambda e, n=n: e.order_id.startswith(f"k7qav-{n}"))).spec  # type: ignore[misc] # mypy cannot infer a lambda with a default
        for n in (8, 9)
    ]
    assert [one.limit_price for one in found] == [D("146.5"), D("147.5")]


ADJUSTMENTS: list[tuple[Adjustment, dict[str, str], dict[str, Any]]] = [
    (
        Adjustment(trigger=D(155), order_type=T.STOP, stop_price=D(150)),
        {"adjusted": "STP", "trigger": "155", "adjusted_stop": "150"},
        {"adjusted": "STP", "trigger": "155.0", "adjusted_stop": "150.0"},
    ),
    (
        Adjustment(
            trigger=D(155), order_type=T.STOP_LIMIT, stop_price=D(150), limit_price=D("149.5")
        ),
        {"adjusted": "STP LMT", "trigger": "155", "adjusted_stop": "150",
         "adjusted_limit": "149.5"},
        {"adjusted": "STP LMT", "trigger": "155.0", "adjusted_stop": "150.0",
         "adjusted_limit": "149.5"},
    ),
    (
        Adjustment(trigger=D(155), order_type=T.TRAIL, stop_price=D(152), trail_percent=D(2)),
        {"adjusted": "TRAIL", "trigger": "155", "adjusted_stop": "152", "adjusted_trail": "2",
         "unit": "100"},
        {"adjusted": "TRAIL", "trigger": "155.0", "adjusted_stop": "152.0",
         "adjusted_trail": "2.0", "unit": 100},
    ),
    (
        Adjustment(
            trigger=D(155), order_type=T.TRAIL_LIMIT, stop_price=D(152), limit_price=D(151),
            trail_amount=D(3),
        ),
        {"adjusted": "TRAIL LIMIT", "trigger": "155", "adjusted_stop": "152",
         "adjusted_limit": "151", "adjusted_trail": "3"},
        {"adjusted": "TRAIL LIMIT", "trigger": "155.0", "adjusted_stop": "152.0",
         "adjusted_limit": "151.0", "adjusted_trail": "3.0"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("adjustment", "wire", "echo"), ADJUSTMENTS)
async def test_a_stop_says_what_it_turns_into(
    adjustment: Adjustment, wire: dict[str, str], echo: dict[str, Any], rig: Rig
) -> None:
    sent = spec(**sell(T.STOP, stop_price=D(145), adjustment=adjustment))
    await rig.broker.send(submit(sent))
    assert stated(await rig.gateway.heard(3), ADJUSTED) == wire
    rig.gateway.send(
        *open_order(5, ref=SINGLE, action="SELL", type="STP", limit="0.0", aux="145.0", **echo)
    )
    assert (await rig.until(ev.AcceptEvent)).spec.adjustment == adjustment


async def test_what_a_stop_has_turned_into_is_read_as_that(rig: Rig) -> None:
    """Some TWS go on telling the adjustment of a stop that has become a trail."""
    rig.gateway.send(
        *open_order(5, ref=SINGLE, action="SELL", type="TRAIL", limit="0.0", aux="3.0",
                    trail_stop="152.5", adjusted="TRAIL", trigger="155.0", adjusted_stop="152.0",
                    adjusted_trail="3.0")
    )  # fmt: skip
    back = (await rig.until(ev.AcceptEvent)).spec
    assert (back.order_type, back.stop_price, back.adjustment) == (T.TRAIL, D("152.5"), None)


async def test_an_adjustment_without_its_trigger_is_no_order_that_can_be_read(rig: Rig) -> None:
    rig.gateway.send(
        *open_order(5, ref=SINGLE, type="STP", aux="145.0", adjusted="STP", adjusted_stop="150.0")
    )
    error = await rig.until(ev.ErrorEvent)
    assert "without a trigger" in error.message


@pytest.mark.parametrize(
    "text", ["20261120-20:45:00", "20261120 15:45:00 US/Eastern", "20261120 15:45:00"]
)
async def test_a_good_after_time_leaves_in_utc_and_comes_back_in_any_form(
    text: str, rig: Rig
) -> None:
    timed = spec("timed", **sell(T.MARKET, good_after=AFTER))
    await rig.broker.send(submit(timed))
    assert stated(await rig.gateway.heard(3), "after") == {"after": "20261120-20:45:00"}
    rig.gateway.send(*open_order(5, ref=timed.order_id, type="MKT", limit="0.0", after=text))
    assert (await rig.until(ev.AcceptEvent)).spec.good_after == AFTER


def test_no_good_after_time_is_none() -> None:
    assert moment_of("") is None


@pytest.mark.parametrize(("kind", "number"), [*zip(OcaType, "123", strict=True)])
async def test_any_order_can_be_of_a_group(kind: OcaType, number: str, rig: Rig) -> None:
    one = spec(oca_group="k7qav-17", oca_type=kind)
    await rig.broker.send(submit(one))
    assert stated(await rig.gateway.heard(3), "oca oca_type") == {
        "oca": "k7qav-17", "oca_type": number,
    }  # fmt: skip


# -- changes ----------------------------------------------------------------------------------


async def trailing(rig: Rig, kind: OrderType = T.TRAIL, **echo: Any) -> None:
    """Let a trail of 3 work that began at 147 and has come to 147.25."""
    told = {"type": "TRAIL", "aux": "3.0", "limit": "0.0", "trail_stop": "147.25"} | echo
    limit = D("146.5") if kind is T.TRAIL_LIMIT else None
    terms = sell(kind, trail_amount=D(3), stop_price=D(147), limit_price=limit)
    await rig.broker.send(submit(spec(**terms)))
    rig.gateway.send(*open_order(5, ref=SINGLE, action="SELL", **told))
    await rig.until(ev.AcceptEvent)


async def test_a_change_of_a_trail_never_repeats_where_it_was(rig: Rig) -> None:
    await trailing(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=D(5))))
    assert stated(await rig.gateway.heard(3, times=2), f"quantity {PRICES}") == {
        "type": "TRAIL", "aux": "3", "quantity": "5",
    }  # fmt: skip
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, stop_price=D(148))))
    assert stated(await rig.gateway.heard(3, times=3), "trail_stop") == {"trail_stop": "148"}


async def test_of_two_changes_of_a_trail_the_second_keeps_what_the_first_named(rig: Rig) -> None:
    await trailing(rig)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, stop_price=D(148))))
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=D(5))))
    fields = await rig.gateway.heard(3, times=3)
    assert stated(fields, "quantity trail_stop") == {"quantity": "5", "trail_stop": "148"}


async def test_a_change_of_a_trailing_limit_states_their_distance(rig: Rig) -> None:
    await trailing(rig, T.TRAIL_LIMIT, type="TRAIL LIMIT", limit="146.75")
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=D(5))))
    assert stated(await rig.gateway.heard(3, times=2), PRICES) == {
        "type": "TRAIL LIMIT", "aux": "3", "offset": "0.5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "again"), [("k7qav-17-exits", "k7qav-17-exits"), ("1930284756", ""), ("k7qav", "")]
)
async def test_a_change_names_no_group_that_tws_has_made(told: str, again: str, rig: Rig) -> None:
    await placed(rig, *bracket())
    stop = OrderId("k7qav-17-stop")
    rig.gateway.send(*open_order(7, ref=stop, action="SELL", parent=5, oca=told, oca_type=2))
    await rig.settle()
    await rig.broker.send(approved(ModifyOrder(order_id=stop, quantity=D(5))))
    found = stated(await rig.gateway.heard(3, times=4), "oca oca_type")
    assert found == ({"oca": again, "oca_type": "2"} if again else {})


async def test_a_change_names_the_group_of_a_bracket_that_the_order_joined(rig: Rig) -> None:
    await rig.broker.send(submit(spec()))
    rig.gateway.send(*open_order(5, ref=SINGLE, oca="1930284756", oca_type=2))
    await rig.until(ev.AcceptEvent)
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=D(5))))
    found = stated(await rig.gateway.heard(3, times=2), "oca oca_type")
    assert found == {"oca": "1930284756", "oca_type": "2"}


@pytest.mark.parametrize(("entry", "parent"), [("Submitted", "5"), ("Filled", "")])
async def test_an_exit_names_its_entry_only_while_that_works(
    entry: str, parent: str, rig: Rig
) -> None:
    await placed(rig, *bracket())
    for number, ref in ((6, "target"), (7, "stop")):
        rig.gateway.send(*open_order(number, ref=f"k7qav-17-{ref}", action="SELL", parent=5))
    rig.gateway.send(*order_status(5, entry, filled=10 if entry == "Filled" else 0))
    await rig.settle()
    stop = OrderId("k7qav-17-stop")
    await rig.broker.send(approved(ModifyOrder(order_id=stop, stop_price=D(146))))
    fields = await rig.gateway.heard(3, times=4)
    assert stated(fields, "parent transmit") == (
        {"parent": parent, "transmit": "1"} if parent else {"transmit": "1"}
    )


async def test_an_entry_that_ended_before_we_came_is_named_no_more(rig: Rig) -> None:
    """The next process: the exits are open, and of the entry there are only executions."""
    stop = "k7qav-17-stop"
    rig.gateway.answers[16] = lambda _: [
        open_order(7, ref=stop, action="SELL", type="STP", aux="145.0", limit="0.0", parent=5),
        (53, 1),
    ]
    rig.gateway.answers[7] = lambda fields: [
        execution(5, "0001.01.01", ref="k7qav-17-entry", request_id=fields[2]),
        (55, 1, fields[2]),
    ]
    await rig.broker.snapshot()
    await rig.broker.send(approved(ModifyOrder(order_id=OrderId(stop), stop_price=D(146))))
    assert stated(await rig.gateway.heard(3), "parent aux") == {"aux": "146"}
