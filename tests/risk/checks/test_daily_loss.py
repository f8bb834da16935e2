from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core.events import Breach
from ibkr_trader.portfolio.pnl import ContractPnl, DayPnl
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.loss_levels import unknown_parts
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import FOREIGN_HINT
from tests.orders.samples import values
from tests.risk.world import (
    AAPL,
    MSFT,
    D,
    bracket,
    held,
    judge,
    limit,
    limits,
    reasons,
    review,
    submit,
    view,
)

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.view import RiskView

LIMITS = limits(max_daily_loss=D(1000))
OWN = SymbolLimitRegistry(symbols={"AAPL": SymbolLimits(symbol="AAPL", max_daily_loss=D(200))})


def one(contract: Contract, net: int | None) -> ContractPnl:
    if net is None:
        return ContractPnl(contract=contract, unrealized=None, quantity=D(1))
    return ContractPnl(contract=contract, realized=D(net))


def pnl(**nets: int | None) -> DayPnl:
    contracts = {"AAPL": AAPL, "MSFT": MSFT}
    found = {contracts[s].con_id: one(contracts[s], net) for s, net in nets.items()}
    return DayPnl(
        contracts=found,
        realized=sum((o.realized for o in found.values()), D(0)),
        unpriced=tuple(key for key, o in found.items() if o.net is None),
    )


def world(own: SymbolLimitRegistry = OWN, **nets: int | None) -> RiskView:
    return view(limits=LIMITS, symbol_limits=own, pnl=pnl(**nets))


def levels(found: list[Breach]) -> list[tuple[str, bool]]:
    return [(breach.actual, breach.is_warning) for breach in found]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (-499, []),
        (-500, [("500", True)]),
        (-799, [("799", True)]),
        (-800, [("800", False)]),
        (-2000, [("2000", False)]),
        (900, []),  # a gain
    ],
)
def test_the_account(loss: int, expected: list[tuple[str, bool]]) -> None:
    assert levels(judge("daily_loss", bracket(), world(MSFT=loss))) == expected


def test_a_warning_denies_nothing_and_is_told() -> None:
    verdict = review(bracket(), world(MSFT=-500))
    assert isinstance(verdict, Approved)
    assert [breach.check for breach in verdict.warnings] == ["daily_loss"]
    assert "daily_loss" in reasons(review(bracket(), world(MSFT=-800)))


@pytest.mark.parametrize(
    ("loss", "expected"), [(-99, []), (-100, [("100", True)]), (-160, [("160", False)])]
)
def test_a_symbol_has_its_own_limit(loss: int, expected: list[tuple[str, bool]]) -> None:
    assert levels(judge("daily_loss", bracket(), world(AAPL=loss))) == expected


def test_another_symbol_may_still_be_opened() -> None:
    buy = submit(limit("BUY", 1, "300", contract=MSFT))
    assert judge("daily_loss", buy, world(AAPL=-199)) == []


def test_what_lowers_risk_is_not_asked() -> None:
    ruined = view(held(10), limits=LIMITS, pnl=pnl(AAPL=-5000))
    assert "daily_loss" not in reasons(review(submit(limit("SELL", 10, "150")), ruined))
    assert judge("daily_loss", submit(limit("SELL", 10, "150")), ruined) == []


def test_an_unknown_result_is_no_good_result() -> None:
    with pytest.raises(FactMissing) as missing:
        judge("daily_loss", bracket(), world(AAPL=50, MSFT=None))
    assert missing.value.about == "daily_loss"
    assert "MSFT (no price for what is held)" in missing.value.message
    assert missing.value.hint == "ibkr-trader quote MSFT"
    assert "daily_loss" in reasons(review(bracket(), world(MSFT=None)))


def test_nobody_has_worked_it_out() -> None:
    with pytest.raises(FactMissing):
        judge("daily_loss", bracket(), view(pnl=None))


def test_the_message() -> None:
    (breach,) = judge("daily_loss", bracket(), world(AAPL=-170))
    assert breach.message == (
        "The day's loss in AAPL is 170.00, 85 % of its limit of 200.00; "
        "from 80 % on nothing more is opened."
    )
    assert values(breach.limit, breach.headroom) == ("200", "0")
    (warning,) = judge("daily_loss", bracket(), world(MSFT=-600))
    assert warning.message == "The day's loss is 600.00, 60 % of its limit of 1,000.00."
    assert values(warning.headroom, warning.hint) == ("200", "")


def gauges(world: RiskView) -> list[tuple[object, ...]]:
    gauge = CHECKS["daily_loss"].gauge
    assert gauge is not None
    found: list[Gauge] = list(gauge(world))
    assert {(one.check, one.unit) for one in found} == {("daily_loss", Unit.MONEY)}
    return [(one.subject, one.limit, one.used, one.note) for one in found]


def test_the_gauges() -> None:
    assert gauges(world(AAPL=-50, MSFT=20)) == [
        ("", 1000, 30, ""),
        ("AAPL", 200, 50, ""),
        ("MSFT", 1000, 0, ""),
    ]
    assert gauges(world(AAPL=-50, MSFT=None)) == [
        ("", 1000, None, "MSFT (no price for what is held)"),
        ("AAPL", 200, 50, ""),
    ]
    assert gauges(view(limits=LIMITS, pnl=None)) == [
        ("", 1000, None, "nobody has worked out the day's result")
    ]


def test_who_is_unknown_is_named_as_one_types_it() -> None:
    brk = msgspec.structs.replace(MSFT, symbol="BRK B", con_id=3)
    found = DayPnl(contracts={3: one(brk, None)}, unpriced=(3,))
    with pytest.raises(FactMissing) as missing:
        judge("daily_loss", bracket(), view(limits=LIMITS, pnl=found))
    assert missing.value.hint == "ibkr-trader quote BRK.B"


def test_other_money_opens_nothing() -> None:
    yen = msgspec.structs.replace(MSFT, symbol="7203", con_id=7, currency="JPY")
    foreign = ContractPnl(contract=yen, unrealized=None, is_foreign=True)
    found = DayPnl(contracts={7: foreign}, unpriced=(7,))
    with pytest.raises(FactMissing) as missing:
        judge("daily_loss", bracket(), view(limits=LIMITS, pnl=found))
    assert missing.value.message == (
        "The day's result is unknown: 7203 (nothing here converts JPY)."
    )
    assert missing.value.hint == FOREIGN_HINT
    both = msgspec.structs.replace(found, contracts={7: foreign, 2: one(MSFT, None)})
    both = msgspec.structs.replace(both, unpriced=(7, 2))
    with pytest.raises(FactMissing) as missing:
        judge("daily_loss", bracket(), view(limits=LIMITS, pnl=both))
    assert missing.value.hint == "ibkr-trader quote MSFT"
    assert values(unknown_parts(both, "7203"), unknown_parts(both, "AAPL")) == (
        "7203 (nothing here converts JPY)",
        "",
    )
