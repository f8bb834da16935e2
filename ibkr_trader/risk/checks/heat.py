"""What may be lost if every stop hits: of all that is held, works, is unknown or is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO, Order
from ibkr_trader.core.text import money, percent
from ibkr_trader.portfolio.currency import FOREIGN, is_foreign
from ibkr_trader.portfolio.heat import HeatIndex, contract_heat, entry_heat
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import FOREIGN_HINT, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "heat"
_PRICELESS = "there is no price"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    found, values = view.heat_now(), view.portfolio.values
    equity = values.net_liquidation if values is not None else None
    limit = None if equity is None else equity * view.limits.max_heat
    used: Decimal | None = found.total
    note = ""
    if unknown := [found.contracts[con_id].contract for con_id in found.unknown]:
        used, note = None, _why(unknown, found.currency)
    yield Gauge(check=_NAME, limit=limit, used=used, unit=Unit.MONEY, note=note)


@check(_NAME, gauge=_gauge)
def heat(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny what could make all stops together lose more than the limit.

    What lowers the heat passes, however high it is.

    Raises:
        FactMissing: If some part of it has no price, or nobody says what the account is worth.
    """
    limit = view.account_value("net_liquidation") * view.limits.max_heat
    before = view.heat_now()
    unknown = [before.contracts[key].contract for key in before.unknown]
    more = ZERO
    for con_id in proposal.after:
        grown = _grown(proposal, con_id, view, before=before)
        if grown is not None:
            more += grown
        else:
            unknown += [
                c.spec.contract for c in proposal.changes if c.spec.contract.con_id == con_id
            ]
    if unknown:
        priceless = [one for one in unknown if not is_foreign(one, before.currency)]
        raise FactMissing(
            f"Nobody knows what {_names(unknown)} would lose at its stop: "
            f"{_why(unknown, before.currency) if len(priceless) < len(unknown) else _PRICELESS}.",
            about=_NAME,
            hint=f"ibkr-trader quote {' '.join(dict.fromkeys(map(ticker, priceless)))}"
            if priceless
            else FOREIGN_HINT,
        )
    after = before.total + more
    if after > limit and more > 0:
        yield Breach(
            check=_NAME,
            message=(
                f"Every stop hit would then lose {money(after)}, of which {money(more)} is new; "
                f"the limit is {money(limit)} ({percent(view.limits.max_heat)} of net liquidation)."
            ),
            limit=number(limit),
            actual=number(after),
            headroom=number(max(limit - before.total, ZERO)),
            hint="use a smaller --quantity or a nearer stop, or see: ibkr-trader heat",
        )


def _grown(proposal: Proposal, con_id: int, view: RiskView, *, before: HeatIndex) -> Decimal | None:
    """What the proposal adds in one contract; None if nobody can say that in our money."""
    no_stop = view.limits.max_stop_distance
    portfolio, exposure, mark = view.portfolio, proposal.after[con_id], _mark(view, con_id)
    here = [one for one in proposal.changes if one.spec.contract.con_id == con_id]
    if any(is_foreign(one.spec.contract, before.currency) for one in here):
        return None
    if proposal.is_new:  # nothing that stands changes by it
        orders = [Order(spec=one.spec, status=OrderStatus.PENDING) for one in here]
        kin = dict.fromkeys(
            key for o in orders for key in portfolio.groups.get(o.spec.group_id, ())
        )
        beside = [portfolio.orders[key] for key in kin if key in portfolio.orders]
        return entry_heat(exposure, orders, beside=beside, mark=mark, no_stop=no_stop).lost
    # Until a change is confirmed, the order may trade under either terms.
    asked = {
        one.spec.order_id: msgspec.structs.replace(one.before, desired=one.spec)
        for one in here
        if one.before is not None
    }
    after = contract_heat(
        exposure,
        [asked.get(w.order_id) or view.exposure.orders[w.order_id] for w in exposure.working],
        position=portfolio.positions.get(con_id),
        mark=mark,
        no_stop=no_stop,
    ).total
    here_before = before.contracts.get(con_id)
    known = here_before.total if here_before is not None else ZERO
    return None if after is None or known is None else after - known


def _mark(view: RiskView, con_id: int) -> Decimal | None:
    mark, quote = view.portfolio.marks.get(con_id), view.quotes.get(con_id)
    return quote.quote.mark if mark is None and quote is not None else mark


def _why(found: list[Contract], currency: str) -> str:
    others = [one for one in found if is_foreign(one, currency)]
    parts = [FOREIGN.format(money) for money in dict.fromkeys(one.currency for one in others)]
    if len(others) < len(found):
        parts.insert(0, f"no price of {_names([one for one in found if one not in others])}")
    return ", ".join(parts)


def _names(found: list[Contract]) -> str:
    return ", ".join(dict.fromkeys(label(one) for one in found))
