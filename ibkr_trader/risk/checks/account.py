"""Every order names the armed account, and that account is one we may trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check(
    "account",
    Binds.ALL,
    gauge=rule("account", lambda view: f"only {view.account or 'none'} is traded"),
)
def account(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an order for an account that is not armed, or not on the list."""
    if view.account not in view.allowed_accounts:
        yield Breach(
            check="account",
            message=f"Account {view.account or '(none)'} is not one that may be traded.",
            limit=", ".join(sorted(view.allowed_accounts)),
            actual=view.account,
            hint="ibkr-trader config show",
        )
    armed = view.account or "(none)"
    for named in sorted({change.spec.account for change in proposal.changes} - {view.account}):
        yield Breach(
            check="account",
            message=f"The order names account {named or '(none)'}; armed is {armed}.",
            limit=view.account,
            actual=named,
            hint="leave out the account, or arm that one",
        )
