"""What everything that moves together may come to, carried from one portfolio to the next.

For each symbol of the matrix: the worst that it and all that moves with it may add up to,
longs less shorts, whichever orders fill; what moves against it counts the other way round.
Of two portfolios in a row only the contracts with news are added up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.portfolio.currency import currency_of, is_foreign
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.value_span import NOTHING, Span, span_of
from ibkr_trader.risk.correlation import CorrelationMatrix, Near, neighbours

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract
    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.risk.view import RiskView


_PUT = "P"


class Part(NamedTuple):
    """One contract in the sums: as it was added, and as what."""

    exposure: ContractExposure
    symbol: str
    span: Span | None  # None: there is no price for it, or it is in other money
    currency: str = ""  # what that money is; empty: the account's own


class CorrelatedIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The sums, as of one portfolio and one matrix.

    Attributes:
        exposure, matrix, threshold, sectors, currency: What it is of.
        near: Who moves with whom; empty without a matrix.
        parts: The contracts in it, by con_id.
        spans: The value of each symbol with exposure.
        ups, downs: The most that a symbol's cluster may come to, long and short; of every symbol
            of the matrix.
        worst: The larger of the two.
        by_sector: The value of each sector with exposure.
        total: Every symbol's larger side, added without sign.
        strangers: The symbols with exposure that the matrix does not have.
        unknown: What they come to, likewise without sign.
        foreign: The currency of each symbol whose exposure is in other money: in none of the sums.
    """

    exposure: ExposureIndex = ExposureIndex()
    matrix: CorrelationMatrix | None = None
    threshold: Decimal = ZERO
    sectors: Mapping[str, str] = MappingProxyType({})
    currency: str = ""
    near: Mapping[str, Near] = MappingProxyType({})
    parts: Mapping[int, Part] = MappingProxyType({})
    spans: Mapping[str, Span] = MappingProxyType({})
    ups: Mapping[str, Decimal] = MappingProxyType({})
    downs: Mapping[str, Decimal] = MappingProxyType({})
    worst: Mapping[str, Decimal] = MappingProxyType({})
    by_sector: Mapping[str, Span] = MappingProxyType({})
    total: Decimal = ZERO
    strangers: frozenset[str] = frozenset()
    unknown: Decimal = ZERO
    foreign: Mapping[str, str] = MappingProxyType({})

    def follow(
        self,
        exposure: ExposureIndex,
        *,
        matrix: CorrelationMatrix | None,
        threshold: Decimal,
        sectors: Mapping[str, str],
        currency: str = "",
    ) -> CorrelatedIndex:
        """Return the index of a later portfolio; all is added up anew where the rest differs."""
        is_same = self.matrix is matrix and self.threshold == threshold
        if is_same and self.sectors is sectors and self.currency == currency:
            return self if self.exposure is exposure else self._follow(exposure)
        near = self.near if is_same else {}
        if matrix is not None and not is_same:
            near = neighbours(matrix, threshold)
        zeros = dict.fromkeys(near, ZERO)
        empty = CorrelatedIndex(
            matrix=matrix,
            threshold=threshold,
            sectors=sectors,
            currency=currency,
            near=near,
            ups=zeros,
            downs=zeros,
            worst=zeros,
        )
        return empty._follow(exposure)

    def _follow(self, exposure: ExposureIndex) -> CorrelatedIndex:
        old, now = self.parts, exposure.contracts
        changed = [c for c, one in now.items() if c not in old or old[c].exposure is not one]
        changed += old.keys() - now.keys()
        sums = _Sums(self)
        for con_id in changed:
            sums.put(con_id, exposure)
        return msgspec.structs.replace(self, exposure=exposure, **sums.fields())


class _Sums:
    """The sums while they are being brought up to date."""

    def __init__(self, before: CorrelatedIndex) -> None:
        self._near, self._sectors = before.near, before.sectors
        self._currency = before.currency
        self._parts, self._spans = dict(before.parts), dict(before.spans)
        self._ups, self._downs = dict(before.ups), dict(before.downs)
        self._worst, self._by_sector = dict(before.worst), dict(before.by_sector)
        self._total, self._unknown = before.total, before.unknown

    def put(self, con_id: int, exposure: ExposureIndex) -> None:
        """Count a contract as it now stands; one that is flat is taken out."""
        gone, one = self._parts.pop(con_id, None), exposure.contracts.get(con_id)
        taken = NOTHING if gone is None else gone.span or NOTHING
        contract = None if one is None else contract_of(exposure, one)
        if gone is not None and (contract is None or contract.symbol != gone.symbol):
            self._move(gone.symbol, NOTHING.minus(taken))
            taken = NOTHING
        if one is not None and contract is not None:
            is_other = is_foreign(contract, self._currency)
            span = None if is_other else value_of(one, contract)
            money = contract.currency if is_other else ""
            self._parts[con_id] = Part(one, contract.symbol, span, money)
            self._move(contract.symbol, (span or NOTHING).minus(taken))

    def fields(self) -> dict[str, object]:
        """Return the sums, by the names that the index has; what is flat is in none of them."""
        held = {part.symbol for part in self._parts.values()}
        sectors = {self._sectors.get(symbol, "") for symbol in held}
        return {
            "parts": self._parts,
            "spans": {symbol: self._spans[symbol] for symbol in held},
            "ups": self._ups,
            "downs": self._downs,
            "worst": self._worst,
            "by_sector": {s: span for s, span in self._by_sector.items() if s in sectors},
            "total": self._total,
            "strangers": frozenset(held - self._near.keys()),
            "unknown": self._unknown,
            "foreign": {p.symbol: p.currency for p in self._parts.values() if p.currency},
        }

    def _move(self, symbol: str, change: Span) -> None:
        before = self._spans.get(symbol, NOTHING)
        after = before.plus(change)
        self._spans[symbol] = after
        self._total += after.reach - before.reach
        if sector := self._sectors.get(symbol, ""):
            self._by_sector[sector] = self._by_sector.get(sector, NOTHING).plus(change)
        near = self._near.get(symbol)
        if near is None:
            self._unknown += after.reach - before.reach
        elif change != NOTHING:
            low, high = change
            self._shift(near.alike, high, -low)
            self._shift(near.against, -low, high)

    def _shift(self, symbols: tuple[str, ...], rise: Decimal, fall: Decimal) -> None:
        ups, downs, worst = self._ups, self._downs, self._worst
        for other in symbols:
            up = ups[other] = ups[other] + rise
            down = downs[other] = downs[other] + fall
            worst[other] = max(down, up)


def index_of(view: RiskView) -> CorrelatedIndex:
    """Return the index of exactly this view: the one that it brings, or a later one."""
    return view.correlated.follow(
        view.exposure,
        matrix=view.correlations,
        threshold=view.limits.correlation_threshold,
        sectors=view.sectors,
        currency=currency_of(view.portfolio),
    )


def contract_of(exposure: ExposureIndex, one: ContractExposure) -> Contract:
    """Return the contract that an exposure is of."""
    position = exposure.positions.get(one.con_id)
    if position is not None:
        return position.contract
    return exposure.orders[one.working[0].order_id].spec.contract


def value_of(
    one: ContractExposure, contract: Contract, market: Decimal | None = None
) -> Span | None:
    """Return between which values a contract may end; None if there is no price for it.

    A put moves against its symbol, by how much nobody here knows: it counts both ways.
    """
    span = span_of(one, market)
    if span is not None and contract.right == _PUT:
        return Span(-span.reach, span.reach)
    return span
