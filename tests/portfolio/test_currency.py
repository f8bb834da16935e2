from __future__ import annotations

import pytest

from ibkr_trader.core.models import AccountValues, Contract
from ibkr_trader.portfolio.currency import currency_of, is_foreign
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.samples import ACCOUNT

YEN = Contract(symbol="7203", con_id=7, currency="JPY")


@pytest.mark.parametrize(("account", "expected"), [("USD", True), ("JPY", False), ("", False)])
def test_what_is_in_other_money(account: str, expected: bool) -> None:
    assert is_foreign(YEN, account) is expected


def test_the_account_says_which_money_is_its_own() -> None:
    assert currency_of(PortfolioState()) == ""
    stated = PortfolioState(values=AccountValues(account=ACCOUNT, currency="EUR"))
    assert currency_of(stated) == "EUR"
