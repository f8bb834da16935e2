from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.sizing import only_one, rule_of
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds, Sizing
from tests.cli.conftest import CommandLine

BRACKET = "bracket-order --symbol AAPL"
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


def sized(cli: CommandLine, rest: str) -> tuple[Decimal, str]:
    done = cli(f"{BRACKET} {rest} --dry-run --json")
    assert done.code == 0, done
    (told,) = done.document["size"]
    return Decimal(done.document["orders"][0]["quantity"]), told


def test_a_risk_in_money_over_the_distance_to_the_stop(cli: CommandLine) -> None:
    count, told = sized(cli, "--size risk:100 --limit 150 --stop-loss 145 --take-profit 160")
    assert count == 20
    assert told == "Size 20: risks 100.00 over 5.00 to the stop"
    text = cli(f"{BRACKET} --size risk:100 --limit 150 --stop-loss 145 --dry-run").out
    assert "Size 20: risks 100.00 over 5.00 to the stop" in text


def test_targets_share_what_the_rule_finds(cli: CommandLine) -> None:
    line = f"{BRACKET} --size risk:100 --limit 150 --stop-loss 145 --take-profit 160"
    done = cli(f"{line} --take-profit 165 --dry-run --json")
    assert [one["quantity"] for one in done.document["orders"]] == ["20", "10", "10", "10", "10"]


def test_a_trail_stands_behind_the_entry(cli: CommandLine) -> None:
    assert sized(cli, "--size risk:100 --limit 150 --trail-amount 4")[0] == 25
    assert sized(cli, "--size risk:100 --limit 150 --trail-percent 2")[0] == 33


def test_a_share_of_the_account_is_cut_to_the_limits_and_says_so(cli: CommandLine) -> None:
    count, told = sized(cli, "--size risk:1% --limit 150 --stop-loss 145")
    assert count == 50
    assert "cut from" in told
    assert "by the risk of one trade" in told


def test_the_average_range_places_the_stop(cli: CommandLine) -> None:
    done = cli(f"{BRACKET} --size atr:2:100 --limit 150 --dry-run --json")
    assert done.code == 0, done
    entry, stop = done.document["orders"]
    away = Decimal(entry["limit_price"]) - Decimal(stop["stop_price"])
    assert Decimal(entry["quantity"]) * away <= 100
    assert "average daily ranges" in done.document["size"][0]


def test_kelly_by_given_odds_and_by_a_record_that_is_too_short(cli: CommandLine) -> None:
    assert sized(cli, "--size kelly:0.55:2:0.01 --limit 150 --stop-loss 145")[0] > 0
    code, _, err = cli(f"{BRACKET} --size kelly --limit 150 --stop-loss 145")
    assert code == 2
    assert "0 trips are on record" in err


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("--size risk:1% --quantity 5 --stop-loss 145", "both --quantity and --size"),
        ("--stop-loss 145", "--quantity is missing"),
        ("--size half --stop-loss 145", "it is one of: 10, risk:1%"),
        ("--size risk:1% --limit 150 --stop-loss 155", "not below 150"),
        ("--size risk:1% --limit 150", "a bracket needs one of --stop-loss"),
        ("--size risk:1 --limit 150 --stop-loss 145", "less than one lot"),
    ],
)
def test_what_cannot_be_sized(cli: CommandLine, rest: str, words: str) -> None:
    code, _, err = cli(f"{BRACKET} {rest}")
    assert code == 2, err
    assert words in err


def test_a_sized_bracket_is_placed_as_any_other(cli: CommandLine) -> None:
    done = cli(f"{BRACKET} --size risk:60 --stop-loss 145 --take-profit 160 --yes --json")
    assert done.code == 0, done
    assert done.document["size"]
    (position,) = cli("positions --json").document["positions"]
    assert position["is_covered"]
