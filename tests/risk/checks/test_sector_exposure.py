from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import Order, OrderSpec, Position
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import MSFT, D, held, judge, limit, spec, submit, view, working

NAME = "sector_exposure"
WAITING = working(limit("BUY", 900, "300", "t-8-single", contract=MSFT))
SECTORS = {"AAPL": "Technology", "MSFT": "Technology"}


def ask(order: OrderSpec, *parts: Order | Position, **facts: Any) -> list[Breach]:
    return judge(NAME, submit(order), view(*parts, **({"sectors": SECTORS} | facts)))


def test_correlation_sector_exposure() -> None:
    tech = held(900, MSFT, "300")  # 270,000 of 300,000
    assert ask(limit("BUY", 199, "149"), tech) == []
    (breach,) = ask(limit("BUY", 200, "152"), tech)
    assert breach.message == (
        "The sector Technology could come to 300,400.00, should every working order fill; "
        "the limit is 300,000.00 (30 % of net liquidation)."
    )
    assert (breach.limit, breach.actual, breach.headroom) == ("300000", "300400", "30000")


@pytest.mark.parametrize(
    ("parts", "order", "is_denied"),
    [
        ([held(900, MSFT, "300"), held(-200, cost="150")], limit("BUY", 390, "152"), False),
        ([held(900, MSFT, "300"), held(-200, cost="150")], limit("BUY", 410, "152"), True),
        ([held(1100, MSFT, "300")], limit("SELL", 100, "150"), False),  # a hedge lowers it
        ([held(1100, MSFT, "300")], limit("BUY", 1, "150"), True),
        ([held(-1100, MSFT, "300")], limit("SELL", 1, "150"), True),
        ([WAITING], limit("BUY", 210, "150"), True),
        ([working(spec("BUY", 900, "t-8-single", contract=MSFT))], limit("BUY", 210, "150"), True),
        ([held(9000, MSFT, "300")], spec("SELL", 100, contract=MSFT), False),  # closes
    ],
)  # fmt: skip
def test_longs_less_shorts_in_the_worst_case(
    parts: list[Any], order: OrderSpec, is_denied: bool
) -> None:
    assert bool(ask(order, *parts)) is is_denied


def test_without_a_sector_it_is_in_none() -> None:
    assert ask(limit("BUY", 2100, "150"), held(900, MSFT, "300"), sectors={"MSFT": "Tech"}) == []
    assert ask(limit("BUY", 2100, "150"), sectors={}) == []


def test_what_waits_without_a_price_in_no_sector_is_passed_over() -> None:
    waiting = working(spec("BUY", 10, "t-8-single", contract=MSFT))
    assert ask(limit("BUY", 1900, "150"), waiting, sectors={"AAPL": "Tech"}) == []
    assert ask(limit("BUY", 2100, "150"), waiting, sectors={"AAPL": "Tech"}) != []


def test_a_damaged_file_opens_nothing() -> None:
    (breach,) = ask(limit("BUY", 1, "150"), sectors_fault="sectors.json: line 2: no")
    assert breach.message == (
        "Nothing is opened: the sectors cannot be relied on.\nsectors.json: line 2: no"
    )


def gauges(world: RiskView) -> list[Gauge]:
    gauge = CHECKS[NAME].gauge
    assert gauge is not None
    return list(gauge(world))


def test_the_gauge_shows_each_sector() -> None:
    (one,) = gauges(view(held(10), held(-1, MSFT, "300"), sectors=SECTORS))
    assert (one.subject, one.used, one.limit) == ("Technology", D(1_200), D(300_000))
    (one,) = gauges(view(held(10)))
    assert (one.subject, one.used) == ("", None)
    assert "no sector" in one.note
    (one,) = gauges(view(sectors_fault="line 2"))
    assert one.note == "nothing is opened: line 2"


def test_other_money_is_in_no_sum() -> None:
    yen = msgspec.structs.replace(MSFT, symbol="7203", con_id=7, currency="JPY")
    with pytest.raises(FactMissing) as missing:
        ask(limit("BUY", 1, "150"), held(1, yen, "3000"))
    assert (missing.value.about, missing.value.message) == (
        NAME,
        "Nobody knows what everything comes to in USD: 7203 (nothing here converts JPY).",
    )
    first, *_ = gauges(view(held(1, yen, "3000"), sectors=SECTORS))
    assert first.note == "not in it: 7203 (nothing here converts JPY)"
