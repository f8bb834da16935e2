"""What each strategy holds, ties up and has made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import AccountValues, OrderId
from ibkr_trader.portfolio.contract_exposure import ContractExposure, Working
from ibkr_trader.portfolio.strategy_accounts import StrategyAccounts, worst_value
from tests.orders.samples import AAPL, ACCOUNT, MSFT, order, values
from tests.portfolio.strategy_play import ALPHA, BETA, PERSON, D, Play

MARKET: dict[str, Any] = {"order_type": OrderType.MARKET, "limit_price": None}


def test_the_account_is_cut_along_its_owners() -> None:
    play = Play()
    play.price("150")
    play.price("300", MSFT)
    told = play.fill(play.enter(ALPHA), 10, "150")
    play.charge(told, "1")
    play.enter(BETA, 4, contract=MSFT, limit_price=D(310))
    play.price("155")
    accounts = play.accounts
    assert accounts.owners == {AAPL.con_id: ALPHA, MSFT.con_id: BETA}
    alpha, beta, nobody = (accounts.account(name) for name in (ALPHA, BETA, PERSON))
    assert values(alpha.positions, alpha.capital, alpha.net) == ((AAPL.con_id,), 1550, 49)
    assert values(beta.positions, beta.capital, beta.net) == ((MSFT.con_id,), 1240, 0)
    assert values(nobody.positions, nobody.capital, nobody.net) == ((), 0, 0)
    assert values(alpha.day.entries, beta.day.entries, nobody.day.entries) == (1, 1, 0)
    assert accounts.names() == (ALPHA, BETA)
    assert accounts.contract(AAPL.con_id) == AAPL
    assert accounts.contract(MSFT.con_id) == MSFT
    assert alpha.pnl is not None
    assert values(alpha.pnl.realized, alpha.pnl.unrealized) == (0, 50)


def test_without_a_price_neither_capital_nor_result_is_known() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    account = play.accounts.account(ALPHA)
    assert (account.capital, account.net) == (None, None)
    assert play.accounts.account(BETA).net == 0


def test_nobody_has_worked_out_the_day() -> None:
    play = Play()
    play.fill(play.enter(ALPHA), 10)
    accounts = msgspec.structs.replace(play.accounts, pnl=None)
    assert accounts.parts is None
    assert (accounts.account(ALPHA).pnl, accounts.account(ALPHA).net) == (None, None)
    assert accounts.names() == (ALPHA,)


def test_what_nothing_is_known_of_is_nobodys() -> None:
    play = Play()
    play.price("150")
    play.fill(play.enter(PERSON), 10)
    blank = msgspec.structs.replace(play.book, ledgers={})
    accounts = StrategyAccounts(blank, play.portfolio, play.exposure, play.pnl)
    assert accounts.owners == {AAPL.con_id: PERSON}
    assert set(accounts.parts or {}) == {PERSON}


def test_what_is_about_to_be_there_is_worth_nobody_knows_what() -> None:
    play = Play()
    play.price("150")
    entry = play.enter(ALPHA)
    play.cancel(play.enter(BETA, contract=MSFT))
    play.tell(ev.DoneEvent(at=play.now, order_id=entry, filled=D(10)))
    accounts = play.accounts
    assert accounts.account(ALPHA).capital is None
    assert accounts.contract(AAPL.con_id) == AAPL
    assert accounts.value(12345) is None
    play.fill(entry, 10)
    assert play.accounts.account(ALPHA).capital == 1500


def test_other_money_is_never_added() -> None:
    play = Play()
    play.price("150")
    play.tell(ev.AccountEvent(at=play.now, values=AccountValues(account=ACCOUNT, currency="EUR")))
    play.fill(play.enter(ALPHA), 10)
    assert play.accounts.account(ALPHA).capital is None


def test_entries_in_flight_and_of_unknown_fate_count_at_their_worst() -> None:
    play = Play()
    play.price("150")
    play.enter(ALPHA, 10, **MARKET)
    second = play.enter(ALPHA, 10, limit_price=D(152))
    play.tell(ev.UnknownEvent(at=play.now, order_id=second, reason="silence"))
    assert play.accounts.account(ALPHA).capital == 20 * 152


def working(signed: int, price: str | None = None, *, name: str = "x", oca: str = "") -> Working:
    side = Side.BUY if signed > 0 else Side.SELL
    base = Working.of_order(order(side=side, quantity=D(abs(signed)), order_id=name))
    return base._replace(price=D(price) if price else None, oca=oca)


def exposure(held: int, *orders: Working) -> ContractExposure:
    found = ContractExposure(con_id=1, held=D(held), longest=D(held), shortest=D(held))
    named = (one._replace(order_id=OrderId(f"o{n}")) for n, one in enumerate(orders))
    return found.replacing(named)


@pytest.mark.parametrize(
    ("held", "orders", "mark", "worth"),
    [
        (0, (), None, 0),
        (10, (), "150", 1500),
        (-10, (), "150", 1500),
        (10, (), None, None),
        (10, (working(-10, "200"),), "150", 1500),  # its target adds nothing
        (10, (working(5, "160"),), "150", 1500 + 800),
        (10, (working(5, "140"),), "150", 1500 + 750),  # the market's if that is higher
        (0, (working(5),), "150", 750),
        (0, (working(5),), None, None),
        (0, (working(5, "140"),), None, 700),
        (0, (working(5, "140"), working(5)), None, None),
        (0, (working(5, "140"), working(-9, "160")), "150", 9 * 160),
        (10, (working(-25, "155"),), "150", 1500 + 5 * 155),
        (0, (working(-5, "140"),), "150", 750),
    ],
)
def test_the_worst_that_a_contract_may_be_worth(
    held: int, orders: tuple[Working, ...], mark: str | None, worth: int | None
) -> None:
    found = worst_value(exposure(held, *orders), None if mark is None else Decimal(mark))
    assert found == worth
