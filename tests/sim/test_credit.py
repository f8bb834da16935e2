"""What the account may carry: rejections and what-ifs."""

from decimal import Decimal

import pytest

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.orders import OrderTerms, Preview, Refusal
from tests.sim.pit_desk import (
    AAPL,
    CLOSING,
    HARD,
    Pit,
    codes,
    said,
    terms,
)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (terms("BUY", 20_000, "MKT"), "MUST EXCEED THE INITIAL MARGIN"),
        (terms("SELL", 20_000, "LMT", limit_price="150"), "MUST EXCEED THE INITIAL MARGIN"),
        (terms("BUY", 1, "MKT", con_id=CLOSING), "Only closing orders"),
        (terms("SELL", 1, "MKT", con_id=HARD), "not available for short sale"),
        (
            terms("BUY", 1, "LMT", limit_price="1", tif="GTD", good_till_date="20201120 10:00:00"),
            "in the past",
        ),
    ],
)
def test_what_the_account_may_not_do_is_rejected_and_inactive(
    wanted: OrderTerms, words: str
) -> None:
    pit = Pit()
    order = pit.place(wanted)
    assert said(pit.events) == ["4:1:201", "3:1:Inactive"]
    notice = pit.events[0]
    assert isinstance(notice, sim.Noticed)
    assert words in notice.text
    assert notice.text.startswith("Order rejected - reason:")
    assert order is not None
    assert order.perm_id > 0
    assert [done.order_id for done in pit.exchange.orders.completed()] == [1]


@pytest.mark.parametrize(("action", "limit"), [("BUY", "70"), ("SELL", "300")])
def test_a_price_far_from_the_market_does_not_pay_for_its_own_margin(
    action: str, limit: str
) -> None:
    pit = Pit()
    pit.place(terms(action, 1_000_000, "LMT", limit_price=limit, tif="GTC"))
    assert codes(pit.events) == [201]


def test_an_option_needs_its_whole_price_in_cash() -> None:
    pit = Pit(cash=Decimal(500))
    option = pit.exchange.universe.options_of(AAPL)[8]
    pit.place(terms("BUY", 5, "MKT", con_id=option.con_id))
    assert codes(pit.events) == [201]


def test_an_order_that_only_reduces_is_never_short_of_margin() -> None:
    pit = Pit(cash=Decimal(1000))
    pit.place(terms("BUY", 10, "MKT"))
    pit.quote("50.00", "50.02", last="50.01")
    pit.place(terms("SELL", 10, "MKT"))
    assert pit.stands(2) == "Filled 10/10"


def test_a_what_if_states_margins_and_leaves_nothing() -> None:
    pit = Pit()
    found = pit.exchange.preview(1, 1, terms=terms("BUY", 100, "MKT"), now=pit.now)
    assert isinstance(found, Preview)
    assert found.init_margin_before == 0
    assert found.init_margin_change == 7500
    assert found.maint_margin_change == 3750
    assert found.commission == 1
    assert found.equity_change == -2  # the commission, and a cent of spread a share
    assert not found.warning
    assert pit.exchange.changes() is None
    assert pit.exchange.orders.next_order_id(1) == 1


def test_a_what_if_of_too_much_warns_and_of_nonsense_is_refused() -> None:
    pit = Pit()
    found = pit.exchange.preview(1, 1, terms=terms("BUY", 50_000, "MKT"), now=pit.now)
    assert isinstance(found, Preview)
    assert "MUST EXCEED" in found.warning
    for wanted, code in [(terms("BUY", 0, "MKT"), 434), (terms("BUY", 1, "MKT", con_id=3), 200)]:
        refused = pit.exchange.preview(1, 1, terms=wanted, now=pit.now)
        assert isinstance(refused, Refusal)
        assert refused.code == code
