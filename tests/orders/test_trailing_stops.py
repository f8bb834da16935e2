"""A trailing stop, as somebody asks for it and as IBKR keeps it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, OrderSpec, PriceBand
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.managed_trails import ManagedTrail
from ibkr_trader.orders.trailing_stops import KIND, TrailingStop
from tests.orders.samples import AT, GROUP, accepted, fill, filled, values, written
from tests.orders.trail_stage import STOP, config, setting


def order(held: int = 10, mark: str | None = "150", **terms: Any) -> OrderSpec:
    (spec,) = config(**terms).group(setting(held, mark)).open().orders
    return spec


def test_it_ends_what_is_held() -> None:
    long, short = order(), order(-10)
    assert (long.side, long.role, long.order_type) == (Side.SELL, OrderRole.STOP, OrderType.TRAIL)
    assert (short.side, short.role) == (Side.BUY, OrderRole.STOP)
    assert values(long.trail_amount, long.stop_price) == (3, None)
    assert long.time_in_force is TimeInForce.GTC
    assert order(trail_percent=Decimal(2)).trail_percent == 2


def test_it_may_be_for_a_part_and_begin_where_it_is_told() -> None:
    spec = order(20, stop_price=Decimal(146), time_in_force=TimeInForce.DAY)
    assert values(spec.quantity, spec.stop_price) == (10, 146)
    assert spec.time_in_force is TimeInForce.DAY


def test_what_opens_a_position_needs_its_side_said() -> None:
    with pytest.raises(ValueError, match="needs its side said: --side buy"):
        order(0)
    spec = order(0, side=Side.BUY)
    assert (spec.side, spec.role) == (Side.BUY, OrderRole.ENTRY)
    more = config(side=Side.BUY).group(setting(10))
    assert isinstance(more, TrailingStop)
    assert more.notes == ("Nothing that is held would be ended: this trail OPENS a position.",)


@pytest.mark.parametrize(
    ("terms", "held", "mark", "why"),
    [
        ({"quantity": Decimal(11)}, 10, "150", "10 AAPL are held: a stop for more"),
        ({"is_managed": True, "side": Side.BUY}, 10, "150", "protects what is held"),
        ({"is_managed": True, "side": Side.SELL}, 0, "150", "protects what is held"),
        ({"activation_price": Decimal(150)}, 10, "150", "has reached the activation price"),
        ({"activation_price": Decimal(151)}, -10, "150", "has reached the activation price"),
        ({"activation_price": Decimal(160)}, 10, None, "say where the stop begins: --stop"),
        ({"is_managed": True}, 10, None, "nobody quotes AAPL"),
        (
            {"activation_price": Decimal(151), "stop_price": Decimal(149)},
            10,
            "150",
            "it would widen",
        ),
    ],
)
def test_what_does_not_go_with_position_or_market_is_refused(
    terms: dict[str, Any], held: int, mark: str | None, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        order(held, mark, **terms)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"trail_amount": None}, "one of a trail amount and a trail percent"),
        ({"trail_percent": Decimal(2), "trail_amount": Decimal(2)}, "one of a trail amount"),
        ({"trail_percent": Decimal(100), "trail_amount": None}, "is no stop"),
        ({"trail_amount": 3.0}, "must be a Decimal"),
        ({"activation_price": 160.0}, "activation price must be a Decimal"),
        ({"activation_price": Decimal(0)}, "must be a price above zero, not 0"),
        ({"activation_price": Decimal("NaN")}, "must be a price above zero, not NaN"),
        ({"quantity": Decimal(0)}, "quantity must be 1 or more"),
        ({"symbol": " "}, "the symbol is missing"),
        ({"time_in_force": TimeInForce.IOC}, "must be DAY or GTC, not IOC"),
    ],
)
def test_what_contradicts_itself_is_refused(terms: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        config(**terms).validate()


# -- activated at the broker -----------------------------------------------------------------


def test_an_activated_trail_rests_as_a_stop_until_then() -> None:
    group = config(activation_price=Decimal(160)).group(setting())
    (spec,) = group.open().orders
    assert spec.order_type is OrderType.STOP
    assert values(spec.stop_price, spec.trail_amount) == (147, None)
    assert spec.adjustment == Adjustment(
        trigger=Decimal(160),
        order_type=OrderType.TRAIL,
        stop_price=Decimal(157),
        trail_amount=Decimal(3),
    )
    assert isinstance(group, TrailingStop)
    assert group.notes == ("A stop at 147.00 until the market is at 160.00; then IBKR trails it.",)


def test_an_activated_trail_of_a_short_position() -> None:
    spec = order(-10, trail_percent=Decimal(2), activation_price=Decimal(140))
    assert spec.stop_price == 153
    assert spec.adjustment is not None
    assert spec.adjustment.stop_price == Decimal("142.8")
    assert spec.adjustment.trail_percent == 2


def test_it_may_be_told_where_to_rest_without_a_price() -> None:
    spec = order(mark=None, activation_price=Decimal(160), stop_price=Decimal(145))
    assert spec.stop_price == 145


def test_prices_are_rounded_towards_the_market() -> None:
    bands = (PriceBand(Decimal(0), Decimal("0.05")),)
    asked = config(trail_percent=Decimal("2.51"), activation_price=Decimal(160))
    (spec,) = asked.group(setting()._replace(bands=bands)).open().orders
    assert spec.stop_price == Decimal("146.25")  # 146.235
    managed = config(trail_percent=Decimal("2.51"), is_managed=True)
    trail = managed.group(setting()._replace(bands=bands))
    assert isinstance(trail, ManagedTrail)
    assert trail.trail.bands == bands


def test_what_a_managed_trail_says() -> None:
    group = config(is_managed=True, activation_price=Decimal(160)).group(setting())
    assert group.notes == (
        "A stop rests at IBKR, and a running trader keeps it 3.00 behind the market.",
        "It begins to follow once the market is at 160.00.",
        "Without a trader it stays where it is: ibkr-trader run --headless",
    )
    by_percent = config(is_managed=True, trail_percent=Decimal("2.0")).group(setting())
    assert "keeps it 2.0% behind" in by_percent.notes[0]
    assert len(by_percent.notes) == 2


# -- what becomes of it ----------------------------------------------------------------------


def play(*events: ev.BaseEvent, **terms: Any) -> tuple[TrailingStop, list[ev.BaseEvent]]:
    group = config(**terms).group(setting(terms.pop("held", 10)))
    assert isinstance(group, TrailingStop)
    said: list[ev.BaseEvent] = []
    (spec,) = group.open().orders
    for event in (written(spec, kind=KIND), accepted(spec), *events):
        step = group.react(event)
        assert isinstance(step.group, TrailingStop)
        assert step.commands == ()
        group = step.group
        said += step.events
    return group, said


def test_it_says_when_it_protects_no_more() -> None:
    assert play()[0].notes == ("IBKR trails it, whether a trader runs or not.",)
    gone, said = play(ev.CancelEvent(at=AT, order_id=STOP, reason="202"))
    assert gone.is_closed
    (word,) = said
    assert isinstance(word, ev.GroupEvent)
    assert (word.message, word.is_serious) == ("10 AAPL are held without their stop: 202", True)
    expired, said = play(ev.ExpireEvent(at=AT, order_id=STOP))
    assert expired.is_closed
    assert isinstance(said[0], ev.GroupEvent)
    assert said[0].message == "10 AAPL are held without their stop: it is EXPIRED"


def test_it_says_nothing_when_it_has_done_its_work_or_was_taken_back() -> None:
    sold = filled(fill(10, "147", order_id=STOP, side=Side.SELL))
    assert play(sold)[1] == []
    wish = ev.CancelRequestEvent(at=AT, order_id=STOP, origin="cli")
    group, said = play(wish, ev.CancelEvent(at=AT, order_id=STOP))
    assert (group.is_closed, said) == (True, [])


def test_news_of_others_changes_nothing() -> None:
    group, _ = play()
    assert group.react(ev.TimeEvent(at=AT)).group is group


def test_a_restart_rebuilds_it() -> None:
    group = config().group(setting())
    command = group.open()
    assert ORDER_TYPES[KIND](GROUP, command.orders, command.plan) == group
    assert msgspec.structs.replace(command, plan={}) == command
