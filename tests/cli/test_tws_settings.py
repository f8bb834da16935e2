from __future__ import annotations

import pytest

from ibkr_trader.adapters.ibkr.error_codes import ERROR_RULES, Kind
from ibkr_trader.cli.tws_settings import OVERFILL, READ_ONLY, SETTINGS, setting_of


@pytest.mark.parametrize(
    ("code", "reason", "name", "where"),
    [
        (
            321,
            "The API interface is currently in Read-Only mode.",
            "read-only API",
            "ReadOnlyApi=no",
        ),
        (321, "cause - something else", "read-only API", "API > Settings"),
        (383, "size exceeds the Size Limit of 50", "size precaution", "Size Limit"),
        (451, "value estimate of 1 USD exceeds", "value precaution", "Total Value Limit"),
        (163, "price exceeds the Percentage", "price precaution", "Percentage"),
        (109, "", "price precaution", "lower ours"),
        (10311, "directly routed", "routing precaution", "BypassRedirectOrderWarning=yes"),
        (10349, "Order TIF was set to DAY", "order presets", "Timing"),
        (110, "", "price steps", "report"),
        (201, "YOUR ACCOUNT", "order size", "ibkr-trader limits"),
        (203, "", "trading permission", "Trading Permissions"),
        (99999, "whatever", "order probe", "look the code up"),
        (0, "no Overfill protection", "overfill precaution", "BypassNoOverfillProtection"),
    ],
)
def test_each_refusal_names_the_setting_and_where_it_is(
    code: int, reason: str, name: str, where: str
) -> None:
    setting = setting_of(code, reason)
    assert setting.name == name
    assert where in setting.fix
    assert setting.what


def test_every_code_is_known_to_the_adapter_and_leaves_nothing_at_the_broker() -> None:
    kinds = {code: ERROR_RULES[code].kind for code in SETTINGS}
    assert {kind for code, kind in kinds.items() if code != 10349} <= {Kind.REFUSE, Kind.REJECT}


def test_nobody_is_told_to_switch_everything_off() -> None:
    for setting in (*SETTINGS.values(), READ_ONLY, OVERFILL):
        assert "Bypass Order Precautions" not in setting.fix
        assert "BypassOrderPrecautions" not in setting.fix
