"""Orders that are only asked about: would the broker take what our own limits allow?

Each probe is a what-if at the edge of a limit of ours. TWS refuses in it what it would refuse
in the order, so its settings are known before anything depends on them. Nothing is placed.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.errors import BrokerUnavailable, OrderRejectedError
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.core.ticks import round_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import ContractDetails, Quote, WhatIf
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.limits import RiskLimits


class Probe(NamedTuple):
    """One question and its answer.

    Attributes:
        edge: Which limit of ours it is at: `smallest`, `size`, `value` or `price`.
        answer: What the order would do; None if it was refused or not answered.
        code, reason: Of the refusal, in TWS's words; without a code nobody answered.
    """

    edge: str
    spec: OrderSpec
    answer: WhatIf | None = None
    code: int = 0
    reason: str = ""


async def probe_limits(
    trader: Trader, details: ContractDetails, quote: Quote, *, limits: RiskLimits, timeout: float
) -> list[Probe]:
    """Ask about an order at each of `limits` in turn, and return what became of each.

    One that is refused as such (a read-only API, no permission) ends it: the rest would be too.
    """
    found: list[Probe] = []
    for edge, spec in _edges(trader.account, details, quote, limits=limits):
        try:
            answer = await trader.broker.what_if(spec, timeout=timeout)
        except OrderRejectedError as refused:
            found.append(Probe(edge, spec, code=refused.code, reason=refused.reason))
        except BrokerUnavailable as silent:
            found.append(Probe(edge, spec, reason=silent.message))
        else:
            found.append(Probe(edge, spec, answer=answer))
            continue
        if edge == "smallest":
            return found
    return found


def _edges(
    account: str, details: ContractDetails, quote: Quote, *, limits: RiskLimits
) -> Iterator[tuple[str, OrderSpec]]:
    at = quote.ask or quote.mark
    if at is None:
        return
    least = max(Decimal(1), details.min_size)
    worth = (limits.max_order_exposure / at / details.contract.multiplier).to_integral_value(
        rounding=ROUND_FLOOR
    )
    asked = {
        "smallest": (least, at),
        "size": (limits.max_order_quantity, at),
        "value": (max(least, worth), at),
        "price": (least, at * (1 + limits.marketable_collar)),
    }
    for edge, (size, price) in asked.items():
        yield (
            edge,
            OrderSpec(
                order_id=OrderId("what-if"),
                group_id=GroupId("what-if"),
                role=OrderRole.SINGLE,
                contract=details.contract,
                account=account,
                side=Side.BUY,
                quantity=size,
                order_type=OrderType.LIMIT,
                limit_price=round_limit(price, Side.BUY, details.bands),
            ),
        )
