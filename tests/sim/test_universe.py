from datetime import date
from decimal import Decimal

import pytest

from ibkr_trader.sim.universe import ContractQuery, load_universe, read_universe
from tests.sim.pit_desk import AAPL, ENB_CAD, EURUSD, OPENED, PENNY, universe_of

U = universe_of()
WANTED = ("AAPL", "MSFT", "GOOGL", "META", "NVDA", "TSLA", "AMZN", "JPM", "XOM", "SPY", "QQQ")


def test_it_is_wide_enough() -> None:
    stocks = [i for i in U if i.sec_type == "STK"]
    assert len(stocks) >= 40
    assert len({i.sector for i in stocks}) >= 8
    assert len({i.con_id for i in U}) == len(list(U))
    for symbol in WANTED:
        assert U.find(ContractQuery(symbol=symbol, sec_type="STK", currency="USD"))
    odd = [i for i in stocks if i.shortable == "none"], [i for i in stocks if not i.data_permission]
    assert all(odd)
    assert U[PENNY].min_tick == Decimal("0.0001")
    assert U[PENNY].opening_price < 1


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        (ContractQuery(con_id=AAPL), ["AAPL"]),
        (ContractQuery(con_id=1), []),
        (ContractQuery(symbol="AAPL", sec_type="STK", exchange="SMART", currency="USD"), ["AAPL"]),
        (ContractQuery(symbol="AAPL", sec_type="STK", exchange="ISLAND"), ["AAPL"]),
        (ContractQuery(symbol="AAPL", sec_type="STK", primary_exchange="ISLAND"), ["AAPL"]),
        (ContractQuery(symbol="AAPL", sec_type="STK", exchange="TSE"), []),
        (ContractQuery(symbol="AAPL", sec_type="STK", primary_exchange="NYSE"), []),
        (ContractQuery(symbol="ENB"), ["ENB", "ENB"]),
        (ContractQuery(symbol="ENB", currency="CAD"), ["ENB"]),
        (ContractQuery(symbol="TWIN", currency="USD", exchange="SMART"), ["TWIN", "TWIN"]),
        (ContractQuery(symbol="TWIN", currency="USD", primary_exchange="LSE"), ["TWIN"]),
        (ContractQuery(local_symbol="EUR.USD", sec_type="CASH"), ["EUR"]),
        (ContractQuery(symbol="EUR", sec_type="CASH", exchange="IDEALPRO"), ["EUR"]),
        (ContractQuery(symbol="AAPL", sec_type="STK", trading_class="XYZ"), []),
        (ContractQuery(symbol="ZZZZ"), []),
        (ContractQuery(), []),
    ],
)
def test_lookups(query: ContractQuery, symbols: list[str]) -> None:
    assert [i.symbol for i in U.find(query)] == symbols


def test_options_have_occ_symbols_and_are_found_by_their_terms() -> None:
    (found,) = U.find(
        ContractQuery(
            symbol="AAPL",
            sec_type="OPT",
            expiry="20261218",
            strike=Decimal(150),
            right="CALL",
            multiplier="100",
        )
    )
    assert found.local_symbol == "AAPL  261218C00150000"
    assert U.find(ContractQuery(local_symbol=found.local_symbol)) == (found,)
    month = ContractQuery(symbol="AAPL", sec_type="OPT", expiry="202612", right="P")
    assert len(U.find(month)) == 9
    wrong = ContractQuery(symbol="AAPL", sec_type="OPT", expiry="202612", multiplier="10")
    assert not U.find(wrong)
    assert not U.find(ContractQuery(symbol="AAPL", sec_type="OPT", strike=Decimal(151)))
    assert not U.find(ContractQuery(symbol="AAPL", sec_type="OPT", expiry="20261217"))
    assert {i.underlying_con_id for i in U.options_of(AAPL)} == {AAPL}
    assert not U.options_of(ENB_CAD)


def test_options_about_to_expire_are_not_listed() -> None:
    late = load_universe(date(2026, 12, 16))
    assert min(i.expiry for i in late.options_of(AAPL)) == "20270115"


@pytest.mark.parametrize(
    ("pattern", "first"), [("aapl", "AAPL"), ("appl", "AAPL"), ("EUR", "EUR"), ("", None)]
)
def test_searching(pattern: str, first: str | None) -> None:
    found = U.search(pattern)
    assert (found[0].symbol if found else None) == first
    assert len(U.search("C")) <= 16


def test_hours_as_twss_says_them() -> None:
    liquid = U.hours(U[AAPL], OPENED, liquid=True).split(";")
    assert liquid[:2] == ["20261120:0930-20261120:1600", "20261121:CLOSED"]
    assert liquid[6] == "20261126:CLOSED"
    assert U.hours(U[AAPL], OPENED, liquid=False).startswith("20261120:0400-20261120:2000;")
    assert U.hours(U[EURUSD], OPENED, liquid=True).startswith("20261119:1715-20261120:1700;")


def test_market_rules() -> None:
    rule = U.market_rule(U[PENNY].market_rule_id)
    assert rule is not None
    assert [str(band.increment) for band in rule] == ["0.0001", "0.01"]
    assert U.market_rule(999999) is None


def test_a_users_file_adds_and_replaces() -> None:
    text = (
        '{"stocks": [{"con_id": 265598, "symbol": "AAPL", "long_name": "MY APPLE",'
        ' "opening_price": "200.00"},'
        ' {"con_id": 900000001, "symbol": "MINE", "long_name": "MINE", "opening_price": "1.00"}]}'
    )
    mine = load_universe(date(2026, 11, 20), text)
    assert mine[AAPL].opening_price == 200
    assert mine[900000001].bands == mine[AAPL].bands
    assert 272093 in mine
    assert mine.get(5) is None


@pytest.mark.parametrize(
    "text", ["{", '{"stocks": [{}]}', '{"stonks": []}', '{"rules": {"x": []}}']
)
def test_a_bad_file_says_where(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|malformed|missing|unknown|Expected|truncated"):
        read_universe(text)
