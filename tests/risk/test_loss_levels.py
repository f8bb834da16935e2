from __future__ import annotations

import pytest

from ibkr_trader.portfolio.pnl import ContractPnl, DayPnl
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.loss_levels import DayLoss, LossLevel, day_loss, day_losses, level_of
from tests.orders.samples import values
from tests.risk.world import AAPL, MSFT, D, limits

LIMITS = limits(max_daily_loss=D(1000))
OWN = SymbolLimitRegistry(symbols={"AAPL": SymbolLimits(symbol="AAPL", max_daily_loss=D(200))})


@pytest.mark.parametrize(
    ("used", "level"),
    [
        ("0", LossLevel.NONE),
        ("499.99", LossLevel.NONE),
        ("500", LossLevel.WARNING),
        ("799.99", LossLevel.WARNING),
        ("800", LossLevel.REDUCING),
        ("999.99", LossLevel.REDUCING),
        ("1000", LossLevel.HALTED),
        ("9999", LossLevel.HALTED),
    ],
)
def test_a_level_begins_at_its_part_of_the_limit(used: str, level: LossLevel) -> None:
    assert level_of(D(used), D(1000), LIMITS) is level


def test_a_loss_is_measured_by_its_own_limit() -> None:
    account = day_loss(D(-150), LIMITS, OWN)
    assert values(account.limit, account.level) == (1000, LossLevel.NONE)
    aapl = day_loss(D(-150), LIMITS, OWN, symbol="AAPL")
    assert values(aapl.limit, aapl.level, aapl.share) == (200, LossLevel.WARNING, D("0.75"))
    assert day_loss(D(-150), LIMITS, OWN, symbol="MSFT").limit == 1000
    gain = day_loss(D(150), LIMITS, OWN)
    assert values(gain.loss, gain.level) == (0, LossLevel.NONE)


def test_what_is_known_counts_even_if_the_rest_is_not() -> None:
    aapl = ContractPnl(contract=AAPL, realized=D(-150))
    lost = day_losses(DayPnl(contracts={1: aapl}, realized=D(-150)), LIMITS, OWN)
    assert [values(one.symbol, one.loss) for one in lost] == [("", 150), ("AAPL", 150)]
    msft = ContractPnl(contract=MSFT, unrealized=None)
    pnl = DayPnl(contracts={1: aapl, 2: msft}, realized=D(-150), unpriced=(2,))
    found = list(day_losses(pnl, LIMITS, OWN))
    assert [values(one.symbol, one.loss, one.is_whole) for one in found] == [
        ("", 150, False),
        ("AAPL", 150, True),
        ("MSFT", 0, False),
    ]
    assert isinstance(found[0], DayLoss)


def test_one_contract_without_a_price_lifts_no_limit() -> None:
    aapl = ContractPnl(contract=AAPL, realized=D(-1000))
    msft = ContractPnl(contract=MSFT, realized=D(-30), commission=D(2), unrealized=None)
    pnl = DayPnl(contracts={1: aapl, 2: msft}, unpriced=(2,))
    account, _, other = day_losses(pnl, LIMITS, OWN)
    assert values(account.loss, account.level) == (1032, LossLevel.HALTED)
    assert values(other.loss, other.is_whole) == (32, False)
