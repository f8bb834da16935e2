"""The tables of the settings file: each key checked, and named with its line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.errors import ConfigError
from ibkr_trader.orders.cover_orders import CoverRules, Policy
from tests.config.conftest import Desk, origin, shown

# -- [risk] -------------------------------------------------------------------------------


def test_risk_limits_are_read_from_their_table(desk: Desk) -> None:
    path = desk.toml(
        "[risk]\n"
        "max_order_quantity = 50\n"
        "order_collar = 0.1\n"
        'max_order_exposure = "1234.56"\n'
        "max_quote_age = 2.5\n"
        "allow_delayed_quotes = true\n"
        'sec_types = ["STK", "OPT"]\n'
    )
    settings = desk.load()
    assert settings.risk.max_order_quantity == 50
    assert settings.risk.order_collar == Decimal("0.1")
    assert settings.risk.max_order_exposure == Decimal("1234.56")
    assert settings.risk.max_quote_age == timedelta(seconds=2.5)
    assert settings.risk.allow_delayed_quotes is True
    assert len(settings.risk.sec_types) == 2
    assert origin(settings, "risk.order_collar") == f"{path} line 3"
    assert shown(settings, "risk.max_quote_age") == "2.5"
    assert shown(settings, "risk.sec_types") == "OPT, STK"
    assert origin(settings, "risk.max_position_size") == "default"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("max_position = 5", "risk.max_position is no setting"),
        ("max_position_size = -5", "max_position_size must be a positive number"),
        ("max_position_size = 0", "max_position_size must be a positive number"),
        ("max_position_size = inf", "max_position_size"),
        ("max_daily_loss = 1e400", "1,000,000,000,000,000 at most, not 1E.400"),
        ('max_daily_loss = "1e16"', "1,000,000,000,000,000 at most"),
        ("max_position_size = nan", "max_position_size"),
        ('max_position_size = "many"', "max_position_size"),
        ("max_position_size = true", "max_position_size"),
        ("max_position_size = [1]", "max_position_size"),
        ("max_quote_age = 'soon'", "max_quote_age"),
        ("max_quote_age = nan", "max_quote_age"),
        ("max_working = 1.5", "max_working"),
        ("closing_reserve = 50", "closing_reserve must be below"),
        ('blackouts = ["23:40"]', 'risk.blackouts has .23:40.: write "23:40-00:20"'),
        ('blackouts = ["09:30-25:00"]', "risk.blackouts has"),
        ('blackouts = "23:40-00:20"', "blackouts"),
        ('sec_types = ["BOND"]', "sec_types"),
        ("allow_delayed_quotes = 'perhaps'", "allow_delayed_quotes"),
    ],
)
def test_bad_limits_are_refused_by_line(desk: Desk, line: str, named: str) -> None:
    path = desk.toml(f"[risk]\nmax_order_quantity = 10\n{line}\n")
    with pytest.raises(ConfigError, match=named) as caught:
        desk.load()
    assert f"{path} line 3: " in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("order_collar = 3", "order_collar = 0.03, for 3 %"),
        ('max_drawdown = "5"', "max_drawdown = 0.05, for 5 %"),
        ("max_heat = 1.01", "max_heat = 0.0101, for 1.01 %"),
        ("max_symbol_share = 10", "max_symbol_share = 0.1, for 10 %"),
        ("max_gross_exposure = 100", "max_gross_exposure = 1, for 100 %"),
        ("max_sector_share = 30", "max_sector_share = 0.3, for 30 %"),
    ],
)
def test_a_percentage_is_no_fraction_and_would_bind_nothing(
    desk: Desk, line: str, hint: str
) -> None:
    path = desk.toml(f"[risk]\n{line}\n")
    with pytest.raises(ConfigError, match=r"% ?.*, and would bind nothing") as caught:
        desk.load()
    assert f"{path} line 2: risk." in caught.value.message
    assert caught.value.hint == f"write for example: {hint}"
    desk.toml(f"[risk]\n{hint.partition(',')[0]}\n")
    desk.load()


def test_a_share_of_the_account_may_be_all_that_may_be_held(desk: Desk) -> None:
    desk.toml("[risk]\nmax_gross_exposure = 2\nmax_sector_share = 1.5\n")
    assert desk.load().risk.max_sector_share == Decimal("1.5")


def test_with_real_money_shorts_must_be_written_down(desk: Desk) -> None:
    assert desk.load().risk.allow_shorts is True
    assert desk.load(profile="paper").risk.allow_shorts is True
    live = desk.load(profile="live")
    assert live.risk.allow_shorts is False
    assert origin(live, "risk.allow_shorts") == "default of live"
    assert shown(live, "risk.allow_shorts") == "false"
    assert origin(live, "risk.max_working") == "default"
    path = desk.toml("[risk]\nmax_working = 40\n")
    assert desk.load(profile="live").risk.allow_shorts is False
    path = desk.toml("[risk]\nallow_shorts = true\n")
    assert desk.load(profile="live").risk.allow_shorts is True
    assert origin(desk.load(profile="live"), "risk.allow_shorts") == f"{path} line 2"


@pytest.mark.parametrize("symbol", ["aapl", "BRK.B", "A/B"])
def test_symbols_are_written_as_ibkr_has_them(desk: Desk, symbol: str) -> None:
    path = desk.toml(f'[risk]\nmax_working = 40\nrestricted_symbols = ["GME", "{symbol}"]\n')
    with pytest.raises(ConfigError, match="restricted_symbols") as caught:
        desk.load()
    assert f"{path} line 3: " in caught.value.message


def test_protection_is_read_from_its_table(desk: Desk) -> None:
    path = desk.toml(
        '[protection]\npolicy = "attach"\ngrace = 2.5\nstop_distance = 0.08\ncover_foreign = true\n'
    )
    settings = desk.load()
    assert settings.protection == CoverRules(
        policy=Policy.ATTACH,
        grace=timedelta(seconds=2.5),
        stop_distance=Decimal("0.08"),
        cover_foreign=True,
    )
    assert origin(settings, "protection.grace") == f"{path} line 3"
    assert shown(settings, "protection.policy") == "attach"
    assert origin(settings, "protection.repeat") == "default"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('policy = "panic"', r"line 2: protection.policy: panic cannot be used"),
        ("grace = 0", "line 2: protection.grace must be more than 0 seconds"),
        ("stop_distance = 2", "line 2: protection.stop_distance must be between 0 and 1"),
        ('polcy = "attach"', "line 2: protection.polcy is no setting"),
    ],
)
def test_protection_that_makes_no_sense_is_refused(desk: Desk, line: str, complaint: str) -> None:
    desk.toml(f"[protection]\n{line}\n")
    with pytest.raises(ConfigError, match=complaint) as refused:
        desk.load()
    if "panic" in line:
        assert refused.value.hint == 'write for example: policy = "alert"'


def test_risk_must_be_a_table(desk: Desk) -> None:
    desk.toml("risk = 3\n")
    with pytest.raises(ConfigError, match=r"line 1: risk must be a table"):
        desk.load()
