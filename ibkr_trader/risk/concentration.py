"""What a command does to the sums of what moves together, and what may be relied on for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.portfolio.currency import FOREIGN, is_foreign
from ibkr_trader.portfolio.value_span import NOTHING, Span
from ibkr_trader.risk.correlated import contract_of, value_of
from ibkr_trader.risk.limits import Stale
from ibkr_trader.risk.pricing import market_price, priced_by_quote
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import FOREIGN_HINT

if TYPE_CHECKING:
    from datetime import timedelta

    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.risk.correlated import CorrelatedIndex
    from ibkr_trader.risk.correlation import Near
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

UPDATE = "ibkr-trader update-correlations"
_NAMED = 5  # symbols that a message names


class Basis(Enum):
    """What the sums are made on."""

    MATRIX = auto()  # the coefficients; without any, each symbol stands alone
    ONE = auto()  # everything moves together, and nothing is a hedge
    NONE = auto()  # nothing: what is not known denies


class Standing(NamedTuple):
    """What may be relied on.

    Attributes:
        basis: What the sums are made on.
        why: Why that is not a fresh matrix; empty if it is.
        stranger: What becomes of a symbol that the matrix does not have.
    """

    basis: Basis
    why: str
    stranger: Stale


class Shift(NamedTuple):
    """One symbol's value: as the index has it, and before and after the command.

    Before and after are at the same market, so that only what the command does tells them apart.
    """

    indexed: Span
    before: Span
    after: Span


class Sum(NamedTuple):
    """The worst that the cluster of `subject` may come to, before the command and after it."""

    subject: str
    before: Decimal
    after: Decimal


def standing(view: RiskView) -> Standing:
    """Return what may be relied on now."""
    matrix, stale = view.correlations, view.limits.stale_correlation
    if matrix is None:
        why = "nobody has computed correlations yet"
    elif matrix.is_stale(view.now, view.limits.correlation_ttl):
        why = (
            f"the correlations are {_days(view.now - matrix.computed_at)} old, and count for "
            f"{_days(view.limits.correlation_ttl)}"
        )
    else:
        return Standing(Basis.MATRIX, "", stale)
    basis = {Stale.ASSUME_ONE: Basis.ONE, Stale.WARN: Basis.MATRIX, Stale.DENY: Basis.NONE}[stale]
    return Standing(basis, why, stale)


def foreign_words(symbols: Mapping[str, str]) -> str:
    """Return which symbols are in other money than the account, each with its currency."""
    return ", ".join(f"{s} ({FOREIGN.format(money)})" for s, money in sorted(symbols.items()))


def in_one_money(proposal: Proposal, index: CorrelatedIndex, *, about: str) -> None:
    """Ask that all that is held, works or is asked for is in the account's money.

    Raises:
        FactMissing: If something is not: then no sum has it. `about` is the check that asks.
    """
    own = index.currency
    found = {c.symbol: c.currency for c in proposal.opened if is_foreign(c, own)}
    if found or index.foreign:
        words = foreign_words({**index.foreign, **found})
        message = f"Nobody knows what everything comes to in {own}: {words}."
        raise FactMissing(message, about=about, hint=FOREIGN_HINT)


def rise_at_most(proposal: Proposal, view: RiskView, index: CorrelatedIndex) -> Decimal | None:
    """Return by how much no sum can grow further; None if that takes a closer look.

    A quick answer for the usual command, which opens one contract: more than it can be.

    Raises:
        FactMissing: If that contract has no price.
    """
    if len(proposal.opened) != 1 or view.exposure.unpriced:
        return None
    (contract,) = proposal.opened
    after, part = proposal.after[contract.con_id], index.parts.get(contract.con_id)
    market = market_price(view, contract, _side(after))
    unit = market if after.price is None else max(market, after.price)
    unit *= after.multiplier
    low, high = NOTHING if part is None else part.span or NOTHING
    if contract.right:
        return None
    return max(after.longest * unit - high, low - after.shortest * unit, -high, low, ZERO)


def _side(after: ContractExposure) -> Side:
    return Side.BUY if after.longest >= -after.shortest else Side.SELL


def shifts(proposal: Proposal, view: RiskView, index: CorrelatedIndex) -> dict[str, Shift]:
    """Return what becomes of each symbol in the command, or without a price in the index.

    Raises:
        FactMissing: If something has no price.
    """
    found: dict[str, Shift] = {}
    opened = {contract.con_id: contract for contract in proposal.opened}
    for con_id, after in proposal.after.items():
        contract = opened.get(con_id)
        if contract is None:  # an exit of what is held: it adds nothing, at any price
            continue
        market = market_price(view, contract, _side(after))
        part = index.parts.get(con_id)
        indexed = part.span if part is not None and part.span is not None else NOTHING
        ends = (proposal.before[con_id], after)
        _add(found, contract, indexed, index=index, ends=ends, market=market)
    for con_id in view.exposure.unpriced - opened.keys():
        one = priced_by_quote(view.exposure.contracts[con_id], view)
        contract = contract_of(view.exposure, one)
        _add(found, contract, NOTHING, index=index, ends=(one, one), market=None)
    return found


def _add(
    found: dict[str, Shift],
    contract: Contract,
    indexed: Span,
    *,
    index: CorrelatedIndex,
    ends: tuple[ContractExposure, ContractExposure],
    market: Decimal | None,
) -> None:
    """Put a contract's own value in place of what the index has of it."""
    known = found.get(contract.symbol)
    if known is None:
        whole = index.spans.get(contract.symbol, NOTHING)
        known = Shift(whole, whole, whole)
    spans = [value_of(end, contract, market) or NOTHING for end in ends]
    found[contract.symbol] = Shift(
        known.indexed,
        known.before.minus(indexed).plus(spans[0]),
        known.after.minus(indexed).plus(spans[1]),
    )


def sums(
    index: CorrelatedIndex,
    changes: Mapping[str, Shift],
    *,
    on: Standing,
    everything: bool = False,
) -> Iterator[Sum]:
    """Yield the sum of every symbol that is opened, or has exposure and moves with one that is.

    With `everything`, of every symbol that has exposure. What the cluster of an unknown symbol
    is, `on` says: everything, or nothing but itself.
    """
    changed = {symbol for symbol, one in changes.items() if one.after != one.before}
    total = [index.total + one for one in _reaches(changes, changes.keys())]
    subjects = sorted(index.spans.keys() | changed)
    if on.basis is Basis.ONE:
        yield from (Sum(subject, *total) for subject in subjects)
        return
    joins = on.stranger is Stale.ASSUME_ONE
    strangers = changes.keys() - index.near.keys()
    extra = [index.unknown + one for one in _reaches(changes, strangers)] if joins else [ZERO, ZERO]
    turns = [_turn(index.near[one], changes[one]) for one in changes.keys() - strangers]
    for subject in subjects:
        if subject in index.near:
            before, after = _netted(index, subject, turns)
            found = Sum(subject, before + extra[0], after + extra[1])
        elif joins:
            found = Sum(subject, *total)
        elif subject in changed:
            found = Sum(subject, changes[subject].before.reach, changes[subject].after.reach)
        else:
            span = changes[subject].after if subject in changes else index.spans[subject]
            found = Sum(subject, span.reach, span.reach)
        if everything or found.after != found.before or subject in changed:
            yield found


def _reaches(changes: Mapping[str, Shift], symbols: AbstractSet[str]) -> list[Decimal]:
    """By how much the larger sides of `symbols` grow, before and after, beside the index's."""
    some = [changes[symbol] for symbol in symbols]
    return [
        sum((one.before.reach - one.indexed.reach for one in some), ZERO),
        sum((one.after.reach - one.indexed.reach for one in some), ZERO),
    ]


class _Turn(NamedTuple):
    """What one changed symbol does to the clusters that it is in, before and after.

    `against` is the same turned round, for those that move against it.
    """

    near: tuple[set[str], set[str]]
    alike: tuple[Span, Span]
    against: tuple[Span, Span]


def _turn(near: Near, one: Shift) -> _Turn:
    sooner, later = one.before.minus(one.indexed), one.after.minus(one.indexed)
    return _Turn(
        (set(near.alike), set(near.against)),
        (sooner, later),
        (Span(-sooner.high, -sooner.low), Span(-later.high, -later.low)),
    )


def _netted(
    index: CorrelatedIndex, subject: str, turns: Sequence[_Turn]
) -> tuple[Decimal, Decimal]:
    """The worst of a cluster, before and after; what moves against it counts turned round."""
    up = up_after = index.ups[subject]
    down = down_after = index.downs[subject]
    for turn in turns:
        if subject in turn.near[0]:
            sooner, later = turn.alike
        elif subject in turn.near[1]:
            sooner, later = turn.against
        else:
            continue
        up, down = up + sooner.high, down - sooner.low
        up_after, down_after = up_after + later.high, down_after - later.low
    return max(up, down), max(up_after, down_after)


def some(symbols: list[str]) -> str:
    """Return a few of many names."""
    rest = f" and {len(symbols) - _NAMED} more" if len(symbols) > _NAMED else ""
    return ", ".join(symbols[:_NAMED]) + rest


def _days(length: timedelta) -> str:
    days = Decimal(length.days) + Decimal(length.seconds) / 86_400
    shown = quantity(days.quantize(Decimal("0.1")))
    return f"{shown} day" if shown == "1" else f"{shown} days"
