"""How much may depend on one movement: a symbol with everything that moves with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.concentration import (
    UPDATE,
    Basis,
    Standing,
    Sum,
    foreign_words,
    in_one_money,
    rise_at_most,
    shifts,
    some,
    standing,
    sums,
)
from ibkr_trader.risk.correlated import index_of
from ibkr_trader.risk.limits import Stale
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.risk.correlated import CorrelatedIndex
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "correlated_exposure"
_ASSUMED = {
    Stale.ASSUME_ONE: "they are taken to move with everything else",
    Stale.WARN: "they are taken to move with nothing else",
}


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Yield what each symbol with exposure may come to, with all that moves with it."""
    index, on = index_of(view), standing(view)
    if on.basis is Basis.NONE:
        yield Gauge(check=_NAME, note=f"{on.why}: nothing is opened; {UPDATE}")
        return
    if index.foreign:
        yield Gauge(check=_NAME, note=f"not in it: {foreign_words(index.foreign)}")
    limit = _share(view)
    if not index.spans or on.basis is Basis.ONE:
        note = f"{on.why}, so everything is taken to move together; {UPDATE}" if on.why else ""
        yield Gauge(check=_NAME, limit=limit, used=index.total, unit=Unit.MONEY, note=note)
        return
    for one in sums(index, {}, on=on, everything=True):
        names = some(_moving_with(one.subject, index, set()))
        yield Gauge(
            check=_NAME,
            subject=one.subject,
            limit=_limit(one.subject, view),
            used=one.after,
            unit=Unit.MONEY,
            note="; ".join(part for part in (names and f"with {names}", on.why) if part),
        )


@check(_NAME, gauge=gauge)
def correlated_exposure(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings by which a symbol and all that moves with it could pass their limit.

    Longs less shorts: a hedge lowers it, as far as it is surely held.

    Raises:
        FactMissing: If something has no price, or is in other money than the account.
    """
    if not proposal.openings:
        return
    index, on = index_of(view), standing(view)
    in_one_money(proposal, index, about=_NAME)
    if on.basis is Basis.NONE:
        yield Breach(check=_NAME, message=f"Nothing is opened: {on.why}.", hint=UPDATE)
        return
    opened = {contract.symbol for contract in proposal.opened}
    yield from _notes(index, opened, on=on)
    rise = rise_at_most(proposal, view, index)
    if rise is None or not _has_room(index, opened, rise, view=view, on=on):
        changes = shifts(proposal, view, index)
        worse = (one for one in sums(index, changes, on=on) if one.after > one.before)
        limit = _tightest(view)
        over = [one for one in worse if one.after > limit and one.after > _limit(one.subject, view)]
        if over:
            yield _breach(_worst_of(over, opened, view), index, opened, view=view, on=on)


def _has_room(
    index: CorrelatedIndex, opened: set[str], rise: Decimal, *, view: RiskView, on: Standing
) -> bool:
    """Whether no sum can pass any limit, as far as a quick look tells; False is no answer."""
    limit = _tightest(view)
    if index.total + rise <= limit:
        return True
    (symbol,) = opened
    near = index.near.get(symbol)
    if near is None or on.basis is Basis.ONE or index.strangers:
        return False
    worst = index.worst.__getitem__
    peak = max(map(worst, near.alike))
    if near.against:
        peak = max(peak, *map(worst, near.against))
    return peak + rise <= limit


def _notes(index: CorrelatedIndex, opened: set[str], *, on: Standing) -> Iterator[Breach]:
    """Say what is assumed, where it makes a difference: beside something else."""
    is_beside = len(index.spans) > 1 or len(opened) > 1 or not opened >= index.spans.keys()
    if on.why and (on.basis is Basis.ONE or not index.near):
        is_one = on.basis is Basis.ONE
        assumed = "everything is taken to move together" if is_one else "nothing is added up"
        if is_beside:
            yield _warning(f"{on.why}, so {assumed}.", UPDATE)
        return
    if on.why and is_beside:
        yield _warning(f"{on.why}; they are used all the same.", UPDATE)
    if names := sorted(index.strangers | (opened - index.near.keys())):
        text, hint = f"there are no correlations of {some(names)}", f"{UPDATE} --add "
        hint += ",".join(names)
        if on.stranger is Stale.DENY:
            yield Breach(check=_NAME, message=f"Nothing is opened: {text}.", hint=hint)
        elif is_beside:
            yield _warning(f"{text}: {_ASSUMED[on.stranger]}.", hint)


def _warning(text: str, hint: str) -> Breach:
    return Breach(check=_NAME, message=text[0].upper() + text[1:], hint=hint, is_warning=True)


def _share(view: RiskView) -> Decimal:
    return view.account_value("net_liquidation") * view.limits.max_correlated_share


def _tightest(view: RiskView) -> Decimal:
    """The tightest limit that any symbol has."""
    limit = _share(view)
    for one in (view.symbol_limits.default, *view.symbol_limits.symbols.values()):
        if one.max_correlation_exposure is not None and one.max_correlation_exposure < limit:
            limit = one.max_correlation_exposure
    return limit


def _limit(symbol: str, view: RiskView) -> Decimal:
    own = view.symbol_limit(symbol).max_correlation_exposure
    return _share(view) if own is None else min(own, _share(view))


def _worst_of(over: list[Sum], opened: set[str], view: RiskView) -> Sum:
    """The one that is furthest over its limit; what the command opens before the rest."""
    return max(over, key=lambda one: (one.after - _limit(one.subject, view), one.subject in opened))


def _breach(
    one: Sum, index: CorrelatedIndex, opened: set[str], *, view: RiskView, on: Standing
) -> Breach:
    limit, share = _limit(one.subject, view), view.limits.max_correlated_share
    if on.basis is Basis.ONE:
        what, why = "Everything together", f" ({on.why}, so everything is taken to move together)"
    else:
        names = some(_moving_with(one.subject, index, opened))
        what = f"{one.subject} and what moves with it ({names})" if names else one.subject
        why = f" ({on.why})" if on.why else ""
    is_own = limit < _share(view)
    source = f"of {one.subject} itself" if is_own else f"{percent(share)} of net liquidation"
    return Breach(
        check=_NAME,
        message=(
            f"{what} could come to {money(one.after)}, should every working order fill{why}; "
            f"the limit is {money(limit)} ({source})."
        ),
        limit=number(limit),
        actual=number(one.after),
        hint=UPDATE if on.why else "use a smaller --quantity, or close or cancel something first",
    )


def _moving_with(symbol: str, index: CorrelatedIndex, opened: set[str]) -> list[str]:
    """What has exposure, or will, and moves with `symbol`: the closest first."""
    near, matrix = index.near.get(symbol), index.matrix
    if near is None or matrix is None:
        return []
    others = {*near.alike, *near.against} & (index.spans.keys() | opened) - {symbol}
    found = [(matrix.get_correlation(symbol, other) or 0.0, other) for other in others]
    return [f"{other} {rho:.2f}" for rho, other in sorted(found, key=lambda one: -abs(one[0]))]
