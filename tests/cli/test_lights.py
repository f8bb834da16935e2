"""The three lights: which line is down, and whether the prices can be relied on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.cli.lights import QUIET, LinkWatch, Lit, data_light, unheard
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.portfolio.state import Link
from ibkr_trader.risk.view import AgedQuote
from tests.execution.parts import START

UP = Link(epoch=1, is_up=True)
DOWN = Link(epoch=1, is_up=False)
AAPL, MSFT = Contract(symbol="AAPL", con_id=1), Contract(symbol="MSFT", con_id=2)
LOST = ev.DisconnectEvent(at=START, epoch=1, reason="1100 Connectivity has been lost")


def lights(
    *events: ev.BaseEvent, link: Link = DOWN, is_synced: bool = False, restarting: str = ""
) -> list[Light]:
    watch = LinkWatch()
    for event in events:
        watch.hear(event)
    return [lit.light for lit in watch.lights(link, is_synced=is_synced, restarting=restarting)]


def test_a_line_that_stands_is_well_only_once_everything_was_told() -> None:
    assert lights(link=UP, is_synced=True) == [Light.UP, Light.UP]
    assert lights(link=UP) == [Light.UP, Light.WAITING]
    assert lights(link=Link()) == [Light.UNKNOWN, Light.UNKNOWN]
    # The news of a line may come later than the answers on it.
    assert lights(link=Link(), is_synced=True) == [Light.UP, Light.UP]


@pytest.mark.parametrize("code", [1100, 2110, 1300])
def test_a_gateway_without_ibkr_is_told_from_no_gateway(code: int) -> None:
    behind = ev.DisconnectEvent(at=START, epoch=1, reason=f"{code} Connectivity has been lost")
    assert lights(behind) == [Light.UP, Light.DOWN]
    for reason in ("no sign of life", "1102 what is this", "", "\uff11\uff11\uff10\uff10 x"):
        gone = ev.DisconnectEvent(at=START, epoch=1, reason=reason)
        assert lights(gone) == [Light.DOWN, Light.UNKNOWN]


def test_a_gateway_that_goes_after_ibkr_did_is_gone() -> None:
    dialing = ev.ErrorEvent(at=START, code=0, message="still not connected: refused")
    assert lights(LOST, dialing) == [Light.DOWN, Light.UNKNOWN]
    other = ev.ErrorEvent(at=START, code=0, message="something else")
    assert lights(LOST, other) == [Light.UP, Light.DOWN]


def test_what_is_over_is_forgotten() -> None:
    again = ev.DisconnectEvent(at=START, epoch=2, reason="silence")
    assert lights(LOST, ev.ConnectEvent(at=START, epoch=2), again) == [Light.DOWN, Light.UNKNOWN]
    watch = LinkWatch()
    watch.hear(LOST)
    assert "1100 Connectivity" in watch.lights(DOWN, is_synced=False)[1].trouble


@pytest.mark.parametrize(
    ("reason", "while_it_restarts", "after_it"),
    [
        ("EOF", [Light.WAITING, Light.WAITING], [Light.DOWN, Light.UNKNOWN]),
        ("1100 lost", [Light.UP, Light.WAITING], [Light.UP, Light.DOWN]),
    ],
)
def test_a_gateway_that_restarts_is_waited_for_until_its_window_ends(
    reason: str, while_it_restarts: list[Light], after_it: list[Light]
) -> None:
    words = "restart window until 10:20 EST"
    gone = ev.DisconnectEvent(at=START, epoch=1, reason=reason)
    assert lights(gone, restarting=words) == while_it_restarts
    assert lights(gone) == after_it
    watch = LinkWatch()
    watch.hear(gone)
    troubles = [lit.trouble for lit in watch.lights(DOWN, is_synced=False, restarting=words)]
    assert "the gateway is gone: restart window until 10:20 EST" in troubles


def test_prices_that_cannot_come_are_waited_for_like_their_line() -> None:
    assert unheard(Lit(Light.UNKNOWN), Link()) == Lit(Light.UNKNOWN)
    assert unheard(Lit(Light.WAITING), DOWN) == Lit(Light.WAITING)
    assert unheard(Lit(Light.DOWN), DOWN) == Lit(Light.DOWN)
    assert unheard(Lit(Light.UNKNOWN), DOWN) == Lit(Light.DOWN)


def aged(seconds: float = 0, **quote: object) -> AgedQuote:
    made = Quote(contract=AAPL, at=START, last=Decimal(150), **quote)  # type: ignore[arg-type] # as a quote's fields are
    return AgedQuote(made, timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("quotes", "is_open", "expected"),
    [
        ({1: aged(), 2: aged()}, True, Lit(Light.UP)),
        ({1: aged()}, True, Lit(Light.WAITING, "no price of MSFT")),
        ({}, True, Lit(Light.DOWN, "no price of AAPL, MSFT")),
        (
            {1: aged(data_type=DataType.DELAYED), 2: aged()},
            True,
            Lit(Light.WAITING, "delayed prices of AAPL"),
        ),
        ({1: aged(halted=True), 2: aged()}, True, Lit(Light.WAITING, "trading is halted in AAPL")),
        (
            {1: aged(QUIET + 1), 2: aged(QUIET)},
            True,
            Lit(Light.WAITING, "no news for 60 s of AAPL"),
        ),
        ({1: aged(QUIET + 1), 2: aged()}, None, Lit(Light.WAITING, "no news for 60 s of AAPL")),
        ({1: aged(QUIET + 1), 2: aged()}, False, Lit(Light.UP)),
    ],
)
def test_prices_are_judged_by_their_age_and_kind(
    quotes: dict[int, AgedQuote], is_open: bool | None, expected: Lit
) -> None:
    assert data_light((AAPL, MSFT), quotes, is_open=is_open) == expected


def test_where_no_price_is_wanted_nobody_can_say() -> None:
    assert data_light((), {}, is_open=True) == Lit(Light.UNKNOWN)


def test_of_many_only_a_few_are_named() -> None:
    many = [Contract(symbol=f"S{number}", con_id=number) for number in range(10)]
    assert data_light(many, {}, is_open=True).trouble == "no price of S0, S1, S2 and 7 more"


def test_a_sentence_names_the_line_that_is_down() -> None:
    watch = LinkWatch()
    assert watch.words(UP, is_synced=True) == "connected, in sync"
    assert watch.words(UP, is_synced=False) == "connected, not in sync yet"
    watch.hear(ev.DisconnectEvent(at=START, epoch=1, reason="EOF"))
    assert watch.words(DOWN, is_synced=False) == "lost: EOF"
    watch.hear(ev.DisconnectEvent(at=START, epoch=1, reason="1100 Connectivity is lost."))
    words = "IBKR is away (1100 Connectivity is lost); the gateway is up"
    assert watch.words(DOWN, is_synced=False) == words
    watch.hear(ev.ErrorEvent(at=START, code=0, message="still not connected: now it is gone, too"))
    assert watch.words(DOWN, is_synced=False).startswith("lost: 1100")
