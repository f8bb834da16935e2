"""Nothing is opened on a price that is old, delayed, halted or impossible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import price
from ibkr_trader.risk.check import check
from ibkr_trader.risk.wording import number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Quote
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check("quote_fresh")
def quote_fresh(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings whose contract has no quote to be trusted."""
    limits = view.limits
    for contract in proposal.opened:
        aged = view.aged_quote(contract)
        if aged.age > limits.max_quote_age:
            yield Breach(
                check="quote_fresh",
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
                check="quote_fresh",
                message=f"The quotes of {label(contract)} are {aged.quote.data_type}, not live.",
                limit=DataType.LIVE,
                actual=aged.quote.data_type,
                hint=(
                    "subscribe to its market data, or set [risk] allow_delayed_quotes "
                    "in config.toml"
                ),
            )
        yield from _impossible(aged.quote)


def _impossible(quote: Quote) -> Iterator[Breach]:
    name = label(quote.contract)
    if quote.halted:
        yield Breach(
            check="quote_fresh",
            message=f"Trading in {name} is halted.",
            hint="wait until it is resumed",
        )
    if quote.bid is not None and quote.ask is not None and quote.bid > quote.ask:
        yield Breach(
            check="quote_fresh",
            message=(
                f"The quote of {name} is crossed: "
                f"bid {price(quote.bid)} above ask {price(quote.ask)}."
            ),
            limit=number(quote.ask),
            actual=number(quote.bid),
            hint=f"ibkr-trader quote {ticker(quote.contract)}",
        )
