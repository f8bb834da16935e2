from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.account import Account, AccountState, PositionRecord, commission, fold
from ibkr_trader.sim.instruments import Instrument
from tests.sim.pit_desk import AAPL, ENB_CAD, EURUSD, d, ds, universe_of

ZERO = Decimal(0)
CALL = universe_of().options_of(AAPL)[0]
PUT = universe_of().options_of(AAPL)[1]


def account(
    prices: dict[int, str] | None = None, cash: str = "1000000"
) -> tuple[Account, dict[int, Decimal | None]]:
    table: dict[int, Decimal | None] = {k: d(v) for k, v in (prices or {AAPL: "150"}).items()}
    rates = {"USD": d(1), "CAD": d("0.75"), "EUR": d("1.1")}
    state = AccountState(
        account="SIM0000001", currency="USD", cash={"USD": d(cash)}, day_equity=d(cash)
    )
    made = Account(
        state, instruments=universe_of().__getitem__, price=table.get, rate=rates.__getitem__
    )
    return made, table


def trade(book: Account, side: str, quantity: int, price: str, **rest: object) -> Decimal | None:
    instrument = universe_of()[int(str(rest.get("con_id", AAPL)))]
    effect = book.apply(
        instrument,
        side=Side(side),
        quantity=d(quantity),
        price=d(price),
        fee=d(str(rest.get("fee", "1"))),
    )
    return effect.realized_pnl


@pytest.mark.parametrize(
    ("instrument", "quantity", "value", "expected"),
    [
        (universe_of()[AAPL], 10, "1500", "1"),  # the minimum
        (universe_of()[AAPL], 1000, "150000", "5"),
        (universe_of()[AAPL], 1000, "100", "1"),  # never more than 1 %
        (universe_of()[AAPL], 1, "20", "0.2"),  # not even the minimum
        (CALL, 1, "500", "1"),
        (CALL, 10, "5000", "6.5"),
        (universe_of()[EURUSD], 10_000, "10850", "2"),
        (universe_of()[EURUSD], 1_000_000, "1085000", "21.7"),
    ],
)
def test_commissions(instrument: Instrument, quantity: int, value: str, expected: str) -> None:
    assert commission(instrument, quantity=d(quantity), value=d(value)) == d(expected)


def test_a_long_opened_and_closed() -> None:
    book, _ = account()
    assert trade(book, "BUY", 10, "150") is None
    assert book.positions[AAPL].average_cost == d("150.1")
    assert book.state.cash["USD"] == d("998499")
    assert trade(book, "SELL", 4, "160") == d(40) - d("0.4") - d(1)
    assert trade(book, "SELL", 6, "160") == d(60) - d("0.6") - d(1)
    closed = book.positions[AAPL]
    assert (closed.quantity, closed.cost, closed.average_cost) == ds(0, 0, 0)
    assert closed.realized_pnl == d(97)
    assert book.state.cash["USD"] == d(1_000_097)


def test_a_short_flipped_to_a_long() -> None:
    book, _ = account()
    trade(book, "SELL", 10, "150")
    assert book.positions[AAPL].average_cost == d("149.9")
    assert trade(book, "BUY", 15, "140", fee="3") == d(100) - d(1) - d(2)
    flipped = book.positions[AAPL]
    assert (flipped.quantity, flipped.cost) == ds(5, 701)


def test_currencies_move_cash_and_hold_no_position() -> None:
    book, _ = account({EURUSD: "1.1"})
    assert trade(book, "BUY", 1000, "1.1", con_id=EURUSD, fee="2") is None
    assert book.state.cash == {"USD": d("998898"), "EUR": d(1000)}
    assert not book.positions
    assert book.totals().cash == d("999998")


def test_margins_of_long_and_short_stock() -> None:
    book, _ = account()
    trade(book, "BUY", 100, "150", fee="0")
    long = book.totals()
    assert (long.init_margin, long.maint_margin) == ds(7500, 3750)
    assert long.net_liquidation == long.equity_with_loan == d(1_000_000)
    assert long.available_funds == d(992_500)
    assert long.buying_power == d(1_985_000)
    assert long.excess_liquidity == d(996_250)
    trade(book, "SELL", 200, "150", fee="0")
    short = book.totals()
    assert (short.init_margin, short.maint_margin) == ds(7500, 4500)
    assert short.gross_value == 15_000
    assert short.stock_value == -15_000


def test_a_long_option_lends_nothing() -> None:
    book, _ = account({CALL.con_id: "20", AAPL: "150"})
    trade(book, "BUY", 2, "20", con_id=CALL.con_id, fee="0")
    totals = book.totals()
    assert totals.option_value == 4000
    assert totals.net_liquidation == d(1_000_000)
    assert totals.equity_with_loan == d(996_000)
    assert totals.init_margin == 0


@pytest.mark.parametrize(
    ("option", "under", "margin"),
    [
        (CALL, "150", 3000),  # strike 130, in the money: 20 % of the underlying
        (CALL, "120", 1400),  # 20 % less 10 out of the money
        (CALL, "100", 1000),  # at least 10 % of the underlying
        (PUT, "150", 1300),  # 20 % is 30, less 20; at least 10 % of the strike
        (PUT, "120", 2400),
    ],
)
def test_a_short_option_ties_up_margin(option: Instrument, under: str, margin: int) -> None:
    book, _ = account({option.con_id: "5", AAPL: under})
    trade(book, "SELL", 1, "5", con_id=option.con_id, fee="0")
    assert book.totals().init_margin == margin
    assert book.totals().option_value == -500
    assert book.totals().equity_with_loan == d(1_000_000)


def test_a_short_option_whose_underlying_has_no_price_counts_from_its_strike() -> None:
    book, _ = account({CALL.con_id: "5"})
    trade(book, "SELL", 1, "5", con_id=CALL.con_id, fee="0")
    assert book.totals().init_margin == 2600


def test_a_position_nobody_quotes_is_worth_what_it_cost() -> None:
    book, prices = account()
    trade(book, "BUY", 10, "150")
    prices[AAPL] = None
    (held,) = book.portfolio()
    assert held.market_price == d("150.1")
    assert held.unrealized_pnl == 0


def test_foreign_stock_is_converted() -> None:
    book, _ = account({ENB_CAD: "56"})
    trade(book, "BUY", 100, "56", con_id=ENB_CAD, fee="0")
    totals = book.totals()
    assert book.state.cash == {"USD": d(1_000_000), "CAD": d(-5600)}
    assert totals.stock_value == 4200
    assert totals.net_liquidation == d(1_000_000)


def test_a_what_if_replaces_one_position_and_spends() -> None:
    book, _ = account()
    wanted = PositionRecord(con_id=AAPL, quantity=d(100), cost=d(15_000))
    after = book.totals(wanted, spent=d(15_001))
    assert after.init_margin == 7500
    assert after.equity_with_loan == d(999_999)
    assert not book.positions


def test_profit_of_the_day_starts_anew_at_midnight() -> None:
    book, prices = account()
    trade(book, "BUY", 10, "150", fee="0")
    prices[AAPL] = d(155)
    trade(book, "SELL", 4, "155", fee="0")
    assert book.pnl().daily == 50
    assert (book.pnl().unrealized, book.pnl().realized) == ds(30, 20)
    book.roll()
    assert book.pnl().daily == 0
    assert (book.pnl().unrealized, book.pnl().realized) == ds(30, 0)
    prices[AAPL] = d(156)
    trade(book, "SELL", 6, "156", fee="0")
    assert book.pnl().daily == 6
    (closed,) = book.portfolio()
    assert closed.daily_pnl == 6
    book.roll()
    assert not book.positions


def test_instruments_may_be_a_mapping() -> None:
    state = AccountState(account="A", currency="USD", cash={"USD": ZERO}, day_equity=ZERO)
    held = PositionRecord(con_id=AAPL, quantity=d(1), cost=d(150))
    book = Account(
        state,
        [held],
        instruments={AAPL: universe_of()[AAPL]},
        price=lambda _: d(151),
        rate=lambda _: d(1),
    )
    assert book.pnl().unrealized == 1


def test_the_statement_has_every_tag_that_clients_ask_for() -> None:
    book, _ = account()
    trade(book, "BUY", 10, "150")
    rows = {(row.tag, row.currency): row.value for row in book.values()}
    for tag in (
        "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower",
        "EquityWithLoanValue", "PreviousDayEquityWithLoanValue", "GrossPositionValue",
        "RegTEquity", "RegTMargin", "SMA", "InitMarginReq", "MaintMarginReq", "AvailableFunds",
        "ExcessLiquidity", "FullInitMarginReq", "FullMaintMarginReq", "FullAvailableFunds",
        "FullExcessLiquidity", "LookAheadInitMarginReq", "LookAheadMaintMarginReq",
        "LookAheadAvailableFunds", "LookAheadExcessLiquidity",
    ):  # fmt: skip
        assert Decimal(rows[tag, "USD"]) is not None
    for tag in ("AccountType", "Cushion", "LookAheadNextChange", "HighestSeverity", "Leverage",
                "DayTradesRemaining", "DayTradesRemainingT+4"):  # fmt: skip
        assert rows[tag, ""]
    assert rows["NetLiquidation", "USD"] == "999999.00"
    assert rows["CashBalance", "BASE"] == "998499.00"
    assert rows["ExchangeRate", "USD"] == "1.0000000"


def test_the_statement_of_an_account_that_is_worth_nothing() -> None:
    book, _ = account(cash="0")
    rows = {row.tag: row.value for row in book.values() if not row.currency}
    assert rows["Cushion"] == "0.000000"
    assert rows["Leverage"] == "0.00"


FILLS = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 300), st.integers(1, 40_000)),
    min_size=1,
    max_size=30,
)


@given(FILLS, st.integers(1, 40_000))
def test_money_is_conserved(fills: list[tuple[str, int, int]], last: int) -> None:
    """Cash and value, less what was there, is what was taken and what is open."""
    book, prices = account()
    spent = ZERO
    for side, quantity, cents in fills:
        price = Decimal(cents) / 100
        trade(book, side, quantity, str(price))
        spent += quantity * price * Side(side).sign + 1
    prices[AAPL] = Decimal(last) / 100
    position = book.positions[AAPL]
    assert position.quantity == sum(q * Side(s).sign for s, q, _ in fills)
    assert book.state.cash["USD"] == d(1_000_000) - spent
    totals = book.totals()
    made = totals.net_liquidation - d(1_000_000)
    assert abs(made - totals.realized - totals.unrealized) < d("0.000001")
    assert abs(made - book.pnl().daily) < d("0.000001")
    if not position.quantity:
        assert position.cost == 0


@given(st.integers(-100, 100), st.integers(1, 100), st.sampled_from([1, -1]))
def test_closing_is_what_realizes(held: int, quantity: int, sign: int) -> None:
    before = PositionRecord(con_id=AAPL, quantity=d(held), cost=d(held * 10))
    signed = d(quantity * sign)
    after, realized = fold(before, signed=signed, value=signed * 12, fee=ZERO)
    closes = held * sign < 0
    assert (realized is not None) is closes
    assert after.quantity == held + signed
    if realized is not None:
        assert abs(realized - min(abs(held), quantity) * 2 * (1 if held > 0 else -1)) < d("1e-9")
