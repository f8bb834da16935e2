"""Listings that change their ticker or number, or end."""

from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.universe import ContractQuery, load_universe
from tests.sim.pit_desk import AAPL, MSFT, OPENED, d, terms


def exchange() -> Exchange:
    """One of its own: the universe is changed."""
    one = Exchange(ExchangeConfig(opened_at=OPENED), load_universe(OPENED.date()))
    one.market.set_quote(AAPL, bid=d("149.99"), ask=d("150.01"))
    one.place(1, 1, terms=terms("BUY", 10, "MKT"), now=OPENED)
    one.place(1, 2, terms=terms("SELL", 10, "STP", aux_price="145"), now=OPENED)
    return one


def held(one: Exchange) -> dict[int, int]:
    positions = one.account.positions.values()
    return {p.con_id: int(p.quantity) for p in positions if p.quantity}


def found(one: Exchange, symbol: str) -> list[int]:
    return [i.con_id for i in one.universe.find(ContractQuery(symbol=symbol, sec_type="STK"))]


def test_another_ticker_is_the_same_instrument() -> None:
    one = exchange()
    one.listing_acts.rename(AAPL, symbol="APLX", now=OPENED)
    assert (found(one, "AAPL"), found(one, "APLX")) == ([], [AAPL])
    assert [i.con_id for i in one.universe.search("aplx")] == [AAPL]
    assert held(one) == {AAPL: 10}
    (stop,) = one.orders.working()
    one.market.set_quote(AAPL, bid=d("144"), ask=d("144.02"), last=d("144"))
    one.advance(OPENED)
    assert held(one) == {}
    assert stop.terms.con_id == AAPL


def test_what_is_delisted_is_found_by_nobody_and_stays_held() -> None:
    one = exchange()
    one.listing_acts.delist(AAPL, now=OPENED)
    assert found(one, "AAPL") == []
    assert not one.universe.search("AAPL")
    assert AAPL not in one.universe
    assert one.universe.get(AAPL) is None
    assert not one.orders.working()
    events = one.place(1, 3, terms=terms("SELL", 10, "MKT"), now=OPENED)
    assert [getattr(event, "code", 0) for event in events] == [200]
    assert held(one) == {AAPL: 10}


def test_what_is_converted_is_held_under_another_number() -> None:
    one = exchange()
    one.place(1, 3, terms=terms("BUY", 5, "MKT", con_id=MSFT), now=OPENED)
    cost = sum(p.cost for p in one.account.positions.values())
    one.listing_acts.convert(AAPL, into=MSFT, now=OPENED)
    assert held(one) == {MSFT: 15}
    assert sum(p.cost for p in one.account.positions.values()) == cost
    assert found(one, "AAPL") == []
    assert one.market.tape(AAPL).halted, "as whatever is delisted"


def test_what_is_not_held_converts_into_nothing() -> None:
    one = exchange()
    one.listing_acts.convert(MSFT, into=AAPL, now=OPENED)
    assert held(one) == {AAPL: 10}
    assert len(one.orders.working()) == 1
