"""An account's id tells whose money it is, and is shown in part."""

from __future__ import annotations

import pytest

from ibkr_trader.core.accounts import is_paper, is_simulated, masked, without_accounts


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("DU0000000", "DU***000"), ("U0000000", "U***000"), ("SIM0000001", "SIM0000001"),
        ("DF0000000A", "DF***00A"), ("U00123", "U***123"), ("U1234", "U1234"), ("", ""),
        ("DUN000000", "DU***000"),
    ],
)  # fmt: skip
def test_an_account_is_masked_unless_it_is_simulated(account: str, shown: str) -> None:
    assert masked(account) == shown
    if len(account) > 5:
        assert without_accounts(f"of {account}, now") == f"of {shown}, now"


@pytest.mark.parametrize("text", ["AAPL U12", "IU1234567", "DU123456789012345", "U12 34567", ""])
def test_what_is_no_account_stays(text: str) -> None:
    assert without_accounts(text) == text


def test_the_first_letters_tell_whose_money_it_is() -> None:
    ids = ("SIM0000001", "DU0000000", "DF0000000", "U0000000", "F0000000", "")
    assert [one for one in ids if is_simulated(one)] == ["SIM0000001"]
    assert [one for one in ids if is_paper(one)] == ["DU0000000", "DF0000000"]
