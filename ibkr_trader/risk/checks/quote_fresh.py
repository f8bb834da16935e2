"""Nothing is opened on a price that is old or delayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.wording import seconds, tenths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "quote_fresh"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return how old the oldest quote is of what is held.

    A price that stands still grows old, and that holds nothing up: it is asked for anew before
    something is opened on it. So an old one is told, and is no limit that is used up.
    """
    found = [view.quotes.get(con_id) for con_id in view.portfolio.positions]
    ages = [aged.age for aged in found if aged is not None]
    lacking = len(found) - len(ages)
    allowed = view.limits.max_quote_age
    if ages and max(ages) > allowed:
        told = f"{seconds(max(ages))} of {seconds(allowed)} is the oldest of what is held"
        yield Gauge(check=_NAME, note=f"{told}; it is asked for anew before anything is opened")
        return
    yield Gauge(
        check=_NAME,
        limit=tenths(allowed),
        used=tenths(max(ages)) if ages else None,
        unit=Unit.SECONDS,
        note=f"{lacking} held without a quote" if lacking else "the oldest of what is held",
    )


@check(_NAME, gauge=gauge)
def quote_fresh(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings whose contract has no quote to be trusted."""
    limits = view.limits
    for contract in proposal.opened:
        aged = view.aged_quote(contract)
        if aged.age > limits.max_quote_age:
            yield Breach(
                check=_NAME,
                message=(
                    f"The quote of {label(contract)} is {seconds(aged.age)} old; "
                    f"the limit is {seconds(limits.max_quote_age)}."
                ),
                limit=seconds(limits.max_quote_age),
                actual=seconds(aged.age),
                hint=f"ibkr-trader quote {ticker(contract)}",
            )
        if aged.quote.data_type is not DataType.LIVE and not limits.allow_delayed_quotes:
            yield Breach(
                check=_NAME,
                message=f"The quotes of {label(contract)} are {aged.quote.data_type}, not live.",
                limit=DataType.LIVE,
                actual=aged.quote.data_type,
                hint=(
                    "subscribe to its market data, or set [risk] allow_delayed_quotes "
                    "in config.toml"
                ),
            )
