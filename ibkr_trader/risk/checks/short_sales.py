"""Whether anything may be opened short, and whether there are shares to borrow for it.

How easy a share is to borrow is IBKR's figure: above 2.5 there are at least a thousand, above
1.5 shares would have to be located first, above 0.5 there are none; below that nobody knows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import SecType, Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.entry_stops import is_entry
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import number, order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NOBODY_KNOWS = Decimal("0.5")  # IBKR's own bound: a figure up to it is none


def _gauge(view: RiskView) -> Iterator[Gauge]:
    limits = view.limits
    note = f"allowed where {number(limits.min_shortable)} or more can be borrowed, as TWS counts"
    yield Gauge(check="short_sales", note=note if limits.allow_shorts else "not allowed")


@check("short_sales", gauge=_gauge)
def short_sales(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny what could end short, unless that is allowed and the shares can be borrowed."""
    for change in proposal.openings:
        spec = change.spec
        could = proposal.after[spec.contract.con_id].shortest
        if spec.side is not Side.SELL or not is_entry(change) or could >= 0:
            continue
        if not view.limits.allow_shorts:
            yield Breach(
                check="short_sales",
                message=f"{order_words(spec)} would open short, and that is not allowed.",
                limit="0",
                actual=number(could),
                hint="set [risk] allow_shorts = true in config.toml, if you mean to sell short",
            )
        elif spec.contract.sec_type is SecType.STOCK:
            yield from _borrowed(spec.contract, view)


def _borrowed(contract: Contract, view: RiskView) -> Iterator[Breach]:
    figure, least = view.quote(contract).shortable, view.limits.min_shortable
    if figure is None or figure <= _NOBODY_KNOWS:
        message = f"Nobody says whether shares of {label(contract)} can be borrowed."
        hint = "look in TWS, in the column Shortable"
        if view.arming.is_live:
            raise FactMissing(message, about="short_sales", hint=hint)
        yield Breach(check="short_sales", message=message, hint=hint, is_warning=True)
    elif figure < least:
        yield Breach(
            check="short_sales",
            message=(
                f"{label(contract)} is hard to borrow: TWS counts {number(figure)}, "
                f"and nothing is sold short below {number(least)}."
            ),
            limit=number(least),
            actual=number(figure),
            hint="choose another symbol, or set [risk] min_shortable in config.toml",
        )
