from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.sizing import only_one, rule_of
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds, Sizing

ONE_PERCENT = FixedRisk(fraction=Decimal("0.01"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("10", FixedQuantity(Decimal(10))),
        (" RISK:1% ", ONE_PERCENT),
        ("risk:0.5%", FixedRisk(fraction=Decimal("0.005"))),
        ("risk:250", FixedRisk(amount=Decimal(250))),
        ("atr:2", AtrRisk(multiple=Decimal(2), risk=ONE_PERCENT)),
        ("atr:1.5:250", AtrRisk(multiple=Decimal("1.5"), risk=FixedRisk(amount=Decimal(250)))),
        ("kelly", Kelly()),
        (
            "kelly:0.55:1.8",
            Kelly(odds=Odds(win_rate=Decimal("0.55"), payoff=Decimal("1.8"))),
        ),
        (
            "kelly:0.55:1.8:0.5",
            Kelly(odds=Odds(win_rate=Decimal("0.55"), payoff=Decimal("1.8")), part=Decimal("0.5")),
        ),
    ],
)
def test_a_size_is_read_as_its_rule(text: str, rule: Sizing) -> None:
    assert rule_of(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-5",
        "10.5",
        "1e3",
        "NaN",
        "risk",
        "risk:",
        "risk:0",
        "risk:101%",
        "risk:-1%",
        "risk:1%:2",
        "atr",
        "atr:0",
        "atr:2:0",
        "kelly:0.55",
        "kelly:1.5:2",
        "kelly:0.5:0",
        "kelly:0.5:2:0",
        "risk:٣%",
        "half",
    ],
)
def test_what_is_no_size_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(UsageFault, match="it is one of: 10, risk:1%") as caught:
        rule_of(text)
    assert (caught.value.option, caught.value.better) == ("--size", "risk:1%")


def test_a_quantity_or_a_size_and_never_both() -> None:
    only_one("10", "")
    only_one("", "risk:1%")
    with pytest.raises(UsageFault, match="both"):
        only_one("10", "risk:1%")
    with pytest.raises(UsageFault, match="missing"):
        only_one("", "")
