from __future__ import annotations

import pytest

from ibkr_trader.adapters.ibkr.error_codes import ERROR_RULES, Kind, rule_for

CLOSING = {Kind.REJECT, Kind.REFUSE, Kind.CANCELLED, Kind.CONFIG}


@pytest.mark.parametrize(
    "code", [10147, 10148, 161, 104, 105, 103, 100, 10349, 399, 404, 481, 2109]
)
def test_these_never_mean_that_an_order_was_cancelled(code: int) -> None:
    assert rule_for(code).kind is not Kind.CANCELLED


@pytest.mark.parametrize("code", [0, 7, 555, 2199, 10233, 10999, 99_999])
def test_a_code_that_nobody_knows_is_inert(code: int) -> None:
    assert rule_for(code).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (110, Kind.REFUSE),  # both client libraries call it a warning, and the order is gone
        (201, Kind.REJECT),
        (202, Kind.CANCELLED),
        (103, Kind.DUPLICATE_ID),
        (104, Kind.MODIFY_REFUSED),
        (161, Kind.CANCEL_REFUSED),
        (10147, Kind.CANCEL_REFUSED),
        (10148, Kind.CANCEL_REFUSED),
        (321, Kind.CONFIG),
        (326, Kind.CLIENT_ID),
        (100, Kind.PACING),
        (1100, Kind.LINK_LOST),
        (2110, Kind.LINK_LOST),
        (1101, Kind.LINK_RESET),
        (1102, Kind.LINK_BACK),
        (354, Kind.DATA),
        (10167, Kind.DATA_NOTE),
    ],
)
def test_what_the_codes_that_matter_mean(code: int, kind: Kind) -> None:
    assert rule_for(code).kind is kind


NAMED_BY_THE_PROTOCOL = [
    *(1100, 1101, 1102, 1300, 2103, 2104, 2105, 2106, 2107, 2108, 2110, 2157, 2158, 326, 502, 504),
    *(100, 162, 200, 321, 354, 10089, 10167, 10168, 366, 300, 322, 103, 105, 110, 161, 201, 202),
    *(382, 434, 399, 404, 435, 10147, 10148, 10197, 10349, 165, 2109, 2161, 320, 505, 387),
]
NAMED_BY_THE_FAULTS = [
    *(104, 481, 203, 460, 388, 10006, 135, 395, 10324, 10325, 10326, 10327, 10186, 507, 2102, 2137),
    *(10241, 10252, 10318, 154, 10289, 10293, 492, 317, 10225),
]


@pytest.mark.parametrize("code", NAMED_BY_THE_PROTOCOL + NAMED_BY_THE_FAULTS)
def test_every_code_we_have_met_has_a_row(code: int) -> None:
    assert code in ERROR_RULES
    assert rule_for(code).meaning
