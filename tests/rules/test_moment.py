from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.rules.moment import Account, Holding
from tests.rules.moments import ATR, D, holding, moment, quote, ranging, study

if TYPE_CHECKING:
    from ibkr_trader.core.models import Quote


@pytest.mark.parametrize(
    ("seen", "mark"),
    [
        (quote("150", bid="149", ask="151"), "150"),
        (quote("150", bid="150.5", ask="151"), "150.5"),
        (quote("150", close="140"), "150"),
        (quote(None, bid="149", ask="151"), "150"),
        (quote(None, close="140"), None),
        (quote(None, bid="149", close="140"), None),
        (quote(None, bid="151", ask="149", close="140"), None),
        (quote("0", close="140"), None),
        (quote(None), None),
        (None, None),
    ],
)
def test_what_one_is_worth_is_a_price_of_now(seen: Quote | None, mark: str | None) -> None:
    expected = D(mark) if mark is not None else None
    assert moment(quote=seen).mark == expected
    # The last bar's close stands in for what nobody quotes, and for nothing else.
    after = moment(quote=seen, study=study(["120"])).mark
    assert after == (expected if expected is not None else 120)


def test_before_the_first_bar_nothing_stands_in() -> None:
    assert moment(None, study=study([])).mark is None


def test_an_indicator_is_unknown_while_it_warms_up_and_without_bars() -> None:
    assert moment(study=ranging()).indicator(*ATR) == 2
    assert moment(study=study(["150"], ATR)).indicator(*ATR) is None
    assert moment().indicator(*ATR) is None


def test_an_indicator_may_be_asked_for_by_its_name_alone() -> None:
    assert moment(study=ranging()).indicator("atr") == 2


def test_an_indicator_that_nobody_declared_never_warms_up_and_is_a_mistake() -> None:
    with pytest.raises(LookupError, match=r"nobody declared atr\(14\): name it in the class's"):
        moment(study=study(["150"])).indicator(*ATR)
    with pytest.raises(ValueError, match="there is no indicator 'atrr'"):
        moment(study=study(["150"])).indicator("atrr")


def test_what_is_held_is_signed() -> None:
    assert [holding(q).quantity for q in (10, -10, 0)] == [Decimal(10), Decimal(-10), 0]


def test_what_is_not_said_of_a_holding_or_an_account_is_not_so() -> None:
    held, account = Holding(), Account()
    assert (held.is_entering, held.is_leaving, held.owner) == (False, False, "")
    assert (held.position, held.stop, held.r, held.book) == (None,) * 4
    assert (account.equity, account.available, account.day_pnl) == (None,) * 3
    assert account.positions == 0
