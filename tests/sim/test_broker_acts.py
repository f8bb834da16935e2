"""Corrections, busts, rejections, time-outs and locates."""

from typing import Any

import pytest

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.door import NotThere
from ibkr_trader.sim.floor_rules import Rejection
from tests.sim.pit_desk import AAPL, EURUSD, LOCATE, MSFT, Pit, codes, d, said, terms


def bought(quantity: int = 10) -> tuple[Pit, str]:
    """A position, and the id of the execution that opened it."""
    pit = Pit()
    pit.place(terms("BUY", quantity, "MKT"))
    (execution,) = pit.exchange.orders.executions()
    return pit, execution.exec_id


def cash(pit: Pit) -> Any:
    return pit.exchange.account.totals().cash


# -- corrections --------------------------------------------------------------------------


def test_a_corrected_price_moves_cash_and_cost_and_has_the_next_revision() -> None:
    pit, name = bought()
    before = cash(pit)
    found = pit.exchange.broker_acts.correct(name, price=d("149.01"), now=pit.now)
    assert said(found) == ["11:1", "3:1:Filled", "59"]
    (told,) = [e.execution for e in found if isinstance(e, sim.Executed)]
    assert (told.exec_id, told.shares, told.price) == (f"{name[:-2]}02", d(10), d("149.01"))
    assert cash(pit) - before == 10
    assert pit.position() == 10
    position = pit.exchange.account.positions[AAPL]
    assert position.average_cost == d("149.11")  # a dollar of commission
    order = pit.order(1)
    assert order is not None
    assert (order.average_price, order.commission) == (d("149.01"), d(1))


def test_a_corrected_quantity_moves_the_position_and_leaves_the_order_filled() -> None:
    pit, name = bought()
    pit.exchange.broker_acts.correct(name, quantity=d(7), now=pit.now)
    order = pit.order(1)
    assert order is not None
    assert (pit.position(), order.filled, order.status) == (d(7), d(7), "Filled")
    pit.exchange.broker_acts.correct(name, quantity=d(9), now=pit.now)
    names = [e.exec_id[-2:] for e in pit.exchange.orders.executions()]
    assert (pit.position(), names) == (d(9), ["01", "02", "03"])


def test_a_bust_takes_everything_back() -> None:
    pit, name = bought()
    whole = d(1_000_000)
    found = pit.exchange.broker_acts.bust(name, now=pit.now)
    (told,) = [e.execution for e in found if isinstance(e, sim.Executed)]
    assert (told.exec_id[-2:], told.shares, told.cum_quantity) == ("02", d(0), d(0))
    assert (pit.position(), cash(pit)) == (d(0), whole)
    pit.exchange.broker_acts.correct(name, quantity=d(10), now=pit.now)
    assert pit.position() == 10, "a bust can be taken back itself"


def test_a_bust_of_a_sale_gives_its_profit_back() -> None:
    pit, _ = bought()
    pit.quote("159.99", "160.01", last="160.00")
    pit.place(terms("SELL", 10, "MKT"))
    sale = list(pit.exchange.orders.executions())[-1]
    assert sale.realized_pnl is not None
    found = pit.exchange.broker_acts.bust(sale.exec_id, now=pit.now)
    (told,) = [e.execution for e in found if isinstance(e, sim.Executed)]
    assert told.realized_pnl is not None
    assert pit.position() == 10


def test_a_bust_of_an_exit_does_not_open_its_group_again() -> None:
    pit = Pit()
    pit.bracket()
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    sale = list(pit.exchange.orders.executions())[-1]
    pit.exchange.broker_acts.bust(sale.exec_id, now=pit.now)
    assert pit.position() == 10
    assert pit.stands(3) == "PreSubmitted 0/6 trigger", "TWS resizes nothing"
    pit.quote("155.00", "155.02", last="155.01", sizes=(3, 3))
    assert pit.restarted().stands(2) == "Submitted 3/10"


def test_a_group_hears_of_what_trades_after_a_bust() -> None:
    pit = Pit()
    pit.bracket(oca_group="mine", oca_type=2)
    pit.quote("155.00", "155.02", last="155.01", sizes=(4, 4))
    sale = list(pit.exchange.orders.executions())[-1]
    pit.exchange.broker_acts.bust(sale.exec_id, now=pit.now)
    assert pit.stands(3) == "PreSubmitted 0/6 trigger"
    pit.quote("155.00", "155.02", last="155.01", sizes=(3, 3))
    assert pit.stands(3) == "PreSubmitted 0/4 trigger", "three tenths of six"


def test_a_currency_trade_can_be_corrected() -> None:
    pit = Pit()
    pit.place(terms("BUY", 20_000, "MKT", con_id=EURUSD))
    (execution,) = pit.exchange.orders.executions()
    found = pit.exchange.broker_acts.bust(execution.exec_id, now=pit.now)
    assert not [e for e in found if isinstance(e, sim.PositionChanged)]
    assert cash(pit) == 1_000_000


@pytest.mark.parametrize("change", [{"quantity": d(-1)}, {"price": d("NaN")}])
def test_a_correction_that_makes_no_sense_is_an_error(change: dict[str, Any]) -> None:
    pit, name = bought()
    with pytest.raises(ValueError, match="makes no sense"):
        pit.exchange.broker_acts.correct(name, now=pit.now, **change)
    assert pit.position() == 10


def test_an_execution_of_another_day_cannot_be_corrected() -> None:
    pit, name = bought()
    pit.wait(3600 * 24)
    for act in (pit.exchange.broker_acts.bust, pit.exchange.broker_acts.correct):
        with pytest.raises(NotThere, match=name):
            act(name, now=pit.now)


# -- orders -------------------------------------------------------------------------------


def test_an_order_can_time_out() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="149", tif="GTC"))
    assert order is not None
    found = pit.exchange.broker_acts.time_out(order.perm_id, now=pit.now)
    assert said(found) == ["3:1:Cancelled", "4:1:202"]
    assert [e.text for e in found if isinstance(e, sim.Noticed)] == [
        "Order Canceled - reason:Order timed out."
    ]
    with pytest.raises(NotThere, match="no open order"):
        pit.exchange.broker_acts.time_out(order.perm_id, now=pit.now)


def test_the_next_orders_that_fit_are_rejected() -> None:
    pit = Pit()
    pit.exchange.broker_acts.reject(Rejection(ref="*-stop", times=2), now=pit.now)
    pit.exchange.broker_acts.reject(Rejection(ref="*", code=110, text="no"), now=pit.now)
    seen = []
    for ref in ("a-stop", "a-entry", "b-stop", "c-stop", "b-entry"):
        pit.place(terms("BUY", 1, "LMT", limit_price="140", order_ref=ref))
        seen.append((codes(pit.events), pit.stands(pit.last_id).split()[0]))
        pit = pit.restarted()
    assert seen == [
        ([201], "Inactive"), ([110], "unknown"), ([201], "Inactive"),
        ([], "Submitted"), ([], "Submitted"),
    ]  # fmt: skip


def test_a_change_can_be_rejected_and_leaves_the_order_as_it_was() -> None:
    pit = Pit()
    refused = Rejection(ref="*", code=201, text="no", of_changes=True)
    pit.exchange.broker_acts.reject(refused, now=pit.now)
    pit.place(terms("BUY", 1, "LMT", limit_price="140"))
    assert pit.stands(1) == "Submitted 0/1"
    pit.place(terms("BUY", 1, "LMT", limit_price="141"), number=1)
    assert said(pit.events) == ["4:1:201"]
    pit.place(terms("BUY", 1, "LMT", limit_price="142"), number=1)
    assert pit.prices(1)[2] == "142"


# -- locates ------------------------------------------------------------------------------


def short(pit: Pit) -> str:
    pit.place(terms("SELL", 10, "MKT", con_id=LOCATE))
    return pit.stands(pit.last_id)


def test_shares_are_found_late_never_or_on_demand() -> None:
    pit = Pit()
    pit.exchange.broker_acts.locate(LOCATE, seconds=300, now=pit.now)
    assert short(pit) == "PreSubmitted 0/10 locate"
    assert codes(pit.events) == [404]
    pit.wait(299)
    assert pit.stands(1) == "PreSubmitted 0/10 locate"
    pit.wait(1)
    assert pit.stands(1) == "Filled 10/10"
    pit.exchange.broker_acts.locate(LOCATE, seconds=None, now=pit.now)
    short(pit)
    pit = pit.restarted()
    pit.wait(3600)
    assert pit.stands(2) == "PreSubmitted 0/10 locate"
    pit.exchange.broker_acts.find_shares(MSFT, now=pit.now)
    assert pit.stands(2) == "PreSubmitted 0/10 locate"
    pit.exchange.broker_acts.find_shares(LOCATE, now=pit.now)
    assert pit.stands(2) == "Filled 10/10"


def test_a_cancel_beats_a_locate_and_a_locate_a_cancel() -> None:
    pit = Pit()
    short(pit)
    pit.cancel(1)
    pit.exchange.broker_acts.find_shares(LOCATE, now=pit.now)
    assert pit.stands(1) == "Cancelled 0/10"
    short(pit)
    pit.exchange.broker_acts.find_shares(LOCATE, now=pit.now)
    assert codes(pit.cancel(2)) == [10148]
    assert pit.position(LOCATE) == -10
