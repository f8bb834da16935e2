"""Which account may be traded under which profile."""

from __future__ import annotations

import pytest

from ibkr_trader.config import Profile
from ibkr_trader.config.account_kind import check_account, kind_of
from ibkr_trader.core.errors import AccountMismatch


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("SIM0000001", Profile.SIM),
        ("DU0000000", Profile.PAPER),
        ("DF0000000", Profile.PAPER),
        ("U0000000", Profile.LIVE),
        ("", Profile.LIVE),
    ],
)
def test_the_account_decides_what_it_is(account: str, kind: Profile) -> None:
    assert kind_of(account) is kind


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("account", ["SIM0000001", "DU0000000", "U0000000"])
def test_an_account_of_another_kind_is_refused(profile: Profile, account: str) -> None:
    if kind_of(account) is profile:
        check_account(profile, account)
        return
    with pytest.raises(AccountMismatch) as refused:
        check_account(profile, account)
    assert account.startswith("SIM") or account not in str(refused.value)
