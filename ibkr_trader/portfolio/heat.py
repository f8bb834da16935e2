"""Heat: what is lost from now on if every stop hits, by contract and in all.

Of a position it is the way from the present price to its stops; what no working stop would end
counts as if it were stopped far away, and is named. Of what works and may still open it is the
way from its price to the stop that it brings with it: each order that may fill is counted, of
those that exclude one another the worst, and exits that take a gain are never counted on. So no
subset of the working, in-flight and unknown orders filling can lose more at its stops.

A stop is no promise of a price: `gaps` says what is lost if each ends a step further away. And
what is lost together depends on what moves together: `diversified`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from ibkr_trader.core.models import ZERO, Contract, Order, OrderSpec, Position
from ibkr_trader.core.shapes import STOP_TYPES
from ibkr_trader.orders.coverage import Cluster, at_work, clusters, coverage, protects
from ibkr_trader.orders.members import traded
from ibkr_trader.portfolio.contract_exposure import ContractExposure
from ibkr_trader.portfolio.currency import currency_of, is_foreign
from ibkr_trader.portfolio.exposure import ExposureIndex

if TYPE_CHECKING:
    from ibkr_trader.portfolio.state import PortfolioState

NO_STOP = Decimal("0.20")  # of its value: where a position without a stop is taken to end
UNKNOWN_RANGE = Decimal("0.05")  # of its price: the daily range of what nobody has measured


class Correlations(Protocol):
    """What `diversified` needs to know of two symbols."""

    def get_correlation(self, symbol_a: str, symbol_b: str) -> float | None:
        """Return their coefficient; None if nobody knows it."""


class ContractHeat(msgspec.Struct, frozen=True, kw_only=True):
    """One contract, every stop hit.

    Attributes:
        quantity: What is held, signed.
        mark: The present price of a unit; None if nobody knows it.
        stop: The trigger that lies furthest away; None without a working stop.
        covered: How much of what is held working stops would end.
        held: What is lost of the position from now on; None without a price.
        result: What it has then gained, from its average cost; negative is a loss.
        entries: What is lost of orders that may still open; None if one has no price.
        worth: The value of all that may be stopped: what a gap is a part of.
        lean: Which way it is lost, mostly: 1 by a fall, -1 by a rise.
    """

    contract: Contract
    quantity: Decimal = ZERO
    mark: Decimal | None = None
    stop: Decimal | None = None
    covered: Decimal = ZERO
    held: Decimal | None = ZERO
    result: Decimal | None = None
    entries: Decimal | None = ZERO
    worth: Decimal = ZERO
    lean: int = 1

    @property
    def total(self) -> Decimal | None:
        """What is lost in all; None if some part is unknown."""
        return None if self.held is None or self.entries is None else self.held + self.entries

    @property
    def uncovered(self) -> Decimal:
        """How much is held that no working stop would end."""
        return abs(self.quantity) - self.covered

    def unconverted(self) -> ContractHeat:
        """Return it without any amount: of what is in other money than the account."""
        return msgspec.structs.replace(self, held=None, entries=None, result=None, worth=ZERO)

    def held_gap(self, ranges: Mapping[str, Decimal], gap: Decimal) -> Decimal:
        """Return the same of what is held alone, without the orders that may open."""
        worth = abs(self.quantity) * (self.mark or ZERO) * self.contract.multiplier
        return worth * gap * ranges.get(self.contract.symbol, UNKNOWN_RANGE)

    def gap(self, ranges: Mapping[str, Decimal], gap: Decimal) -> Decimal:
        """Return what is lost beyond the stops if each is passed by `gap` daily ranges."""
        return self.worth * gap * ranges.get(self.contract.symbol, UNKNOWN_RANGE)


class HeatIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Every contract's heat, kept from one portfolio to the next.

    Attributes:
        no_stop: How far away, as a fraction, what has no stop is taken to end.
        contracts: By con_id.
        total: The sum of those that are known.
        unknown: Those that are not: they have no price, or are in other money than the account.
        foreign: Those of them that are in other money.
        exposure, marks, currency: What it was made from.
    """

    no_stop: Decimal = NO_STOP
    contracts: Mapping[int, ContractHeat] = MappingProxyType({})
    total: Decimal = ZERO
    unknown: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()
    exposure: ExposureIndex = ExposureIndex()
    marks: Mapping[int, Decimal] = MappingProxyType({})
    currency: str = ""

    def follow(
        self, portfolio: PortfolioState, exposure: ExposureIndex, *, no_stop: Decimal = NO_STOP
    ) -> HeatIndex:
        """Return the index of a later portfolio and its exposure; what is unchanged stays."""
        marks, currency = portfolio.marks, currency_of(portfolio)
        if no_stop != self.no_stop or currency != self.currency:
            empty = HeatIndex(no_stop=no_stop, currency=currency)
            return empty.follow(portfolio, exposure, no_stop=no_stop)
        if exposure is self.exposure and marks is self.marks:
            return self
        contracts: dict[int, ContractHeat] = {}
        for con_id, one in exposure.contracts.items():
            known = self.contracts.get(con_id)
            if (
                known is not None
                and self.exposure.contracts[con_id] is one
                and self.marks.get(con_id) == marks.get(con_id)
            ):
                contracts[con_id] = known
                continue
            orders = [exposure.orders[w.order_id] for w in one.working]
            heat = contract_heat(
                one,
                orders,
                position=portfolio.positions.get(con_id),
                mark=marks.get(con_id),
                no_stop=no_stop,
            )
            is_other = is_foreign(heat.contract, currency)
            contracts[con_id] = heat.unconverted() if is_other else heat
        totals = {key: heat.total for key, heat in contracts.items()}
        unknown = tuple(key for key, total in totals.items() if total is None)
        return HeatIndex(
            no_stop=no_stop,
            contracts=contracts,
            total=sum((total for total in totals.values() if total is not None), ZERO),
            unknown=unknown,
            foreign=tuple(key for key in unknown if is_foreign(contracts[key].contract, currency)),
            exposure=exposure,
            marks=marks,
            currency=currency,
        )


def contract_heat(
    exposure: ContractExposure,
    orders: Iterable[Order],
    *,
    position: Position | None = None,
    mark: Decimal | None = None,
    no_stop: Decimal = NO_STOP,
) -> ContractHeat:
    """Return the heat of one contract.

    Args:
        exposure: What is held and what works, `orders` among it.
        orders: Those orders, in full.
        position: What is held; None is flat.
        mark: The present price of a unit; None asks the position for it.
        no_stop: As in `HeatIndex`.
    """
    live = list(orders)
    if mark is None and position is not None:
        mark = position.market_price
    entries, opened, lean = entry_heat(exposure, live, mark=mark, no_stop=no_stop)
    if position is None:
        contract = live[0].spec.contract
        return ContractHeat(contract=contract, mark=mark, entries=entries, worth=opened, lean=lean)
    found = ContractHeat(
        contract=position.contract,
        quantity=position.quantity,
        mark=mark,
        entries=entries,
        lean=1 if position.quantity > 0 else -1,
    )
    return _with_stops(found, position, live, opened=opened, no_stop=no_stop)


class EntryHeat(NamedTuple):
    """What entries lose at their stops, what they are worth, and which way most is lost."""

    lost: Decimal | None
    worth: Decimal
    lean: int


def entry_heat(
    exposure: ContractExposure,
    orders: Iterable[Order],
    *,
    beside: Iterable[Order] = (),
    mark: Decimal | None = None,
    no_stop: Decimal = NO_STOP,
) -> EntryHeat:
    """Return the heat of those among `orders` that may open, of one contract.

    Args:
        exposure: What is held and what works, `orders` among it.
        orders: Those that count.
        beside: More orders of their groups, which may stop them.
        mark: What an order pays that names no price; None is unknown.
        no_stop: As in `HeatIndex`.
    """
    live = list(orders)
    others = (*live, *beside)
    is_known, unit = True, exposure.multiplier
    rivals: dict[str, tuple[Decimal, Decimal]] = {}
    leans = {1: ZERO, -1: ZERO}
    for order in live:
        size = _opening(exposure, order)
        if not size:
            continue
        price = _price(order, mark)
        if price is None:
            is_known = False
            continue
        own = _lost(order, others, size=size, price=price, no_stop=no_stop)
        leans[order.spec.side.sign] += own
        # Of those that exclude one another, each may be the one; what is alone has no rival.
        name = order.spec.oca_group or order.order_id
        most, dear = rivals.get(name, (ZERO, ZERO))
        rivals[name] = max(most, own), max(dear, size * price)
    worth = sum((dear for _, dear in rivals.values()), ZERO) * unit
    lean = 1 if leans[1] >= leans[-1] else -1
    lost = sum((most for most, _ in rivals.values()), ZERO) * unit
    return EntryHeat(lost if is_known else None, worth, lean)


def diversified(losses: Iterable[tuple[str, Decimal]], known: Correlations | None) -> Decimal:
    """Return what losses come to together if prices move as they have: the root of h'Rh.

    Each loss is by symbol, positive where a fall causes it and negative where a rise does; so
    what moves together hedges what is held the other way. What nobody knows the coefficient of
    never hedges: it counts as if both went wrong at once.
    """
    there = [(symbol, loss) for symbol, loss in losses if loss]
    total = ZERO
    for number, (symbol, loss) in enumerate(there):
        total += loss * loss
        for other, beside in there[number + 1 :]:
            value = _coefficient(symbol, other, known)
            both = loss * beside
            total += 2 * (abs(both) if value is None else both * value)
    return max(ZERO, total).sqrt()


def _coefficient(symbol: str, other: str, known: Correlations | None) -> Decimal | None:
    if symbol == other:
        return Decimal(1)
    value = known.get_correlation(symbol, other) if known is not None else None
    return None if value is None else Decimal(f"{value:.9f}")


def _with_stops(
    found: ContractHeat,
    position: Position,
    live: list[Order],
    *,
    opened: Decimal,
    no_stop: Decimal,
) -> ContractHeat:
    mark, size, sign = found.mark, abs(position.quantity), found.lean
    if mark is None:
        covered = coverage(position.quantity, live).covered
        return msgspec.structs.replace(found, covered=covered, held=None, worth=opened)
    stops = [o for o in live if o.spec.side.sign * sign < 0 and protects(o, mark)]
    ends = [
        (_furthest(group.members, mark), max(at_work(member) for member in group.members))
        for group in _groups(stops, live)
    ]
    covered = min(size, sum((part for _, part in ends), ZERO))
    lost = _ended(size, ends, price=mark, sign=sign) + (size - covered) * mark * no_stop
    triggers = [_trigger(stop, mark) for stop in stops]
    unit = position.contract.multiplier
    gained = size * (mark - position.average_cost) * sign
    return msgspec.structs.replace(
        found,
        stop=min(triggers, key=lambda price: price * sign, default=None),
        covered=covered,
        held=lost * unit,
        result=(gained - lost) * unit,
        worth=opened + size * mark * unit,
    )


def _ended(
    size: Decimal, ends: Iterable[tuple[Decimal, Decimal]], *, price: Decimal, sign: int
) -> Decimal:
    """What `size` loses on its way from `price` to the ends: each a price and how much it ends.

    If they are too many, those furthest away count: which will end it, nobody can say.
    """
    left, lost = size, ZERO
    for end, part in sorted(ends, key=lambda one: one[0] * sign):
        ended = min(left, part)
        lost += ended * max(ZERO, (price - end) * sign)
        left -= ended
    return lost


def _opening(exposure: ContractExposure, order: Order) -> Decimal:
    """How much of an order could lead further from flat, whatever else trades."""
    sign, remaining = order.spec.side.sign, order.remaining + order.unheard
    if order.spec.parent_id is None and exposure.held * sign >= 0:
        return remaining
    parent = order.spec.parent_id
    if parent is not None and any(o.order_id == parent for o in exposure.working):
        return ZERO  # it ends what its entry brings; that its size follows is the group's care
    beyond = exposure.longest if sign > 0 else -exposure.shortest
    if beyond <= max(ZERO, exposure.held * sign):
        return ZERO  # an exit, and nothing that works can turn the position round
    return min(remaining, exposure.surplus(order.order_id, sign))


def _lost(
    entry: Order, live: Iterable[Order], *, size: Decimal, price: Decimal, no_stop: Decimal
) -> Decimal:
    """What `size` of an entry loses at the stops that hang from it, and far away without one."""
    sign, own = entry.spec.side.sign, entry.order_id
    stops = [o for o in live if o.spec.side.sign != sign and o.spec.order_type in STOP_TYPES]
    mine = [o for o in stops if o.spec.parent_id == own and o.remaining]
    ends = [(_furthest(group.members, price), group.worst) for group in _groups(mine, live)]
    # What the entry has brought already stands behind them first.
    told = traded(entry) - entry.unheard
    room = max(ZERO, sum((part for _, part in ends), ZERO) - told)
    bare = size - min(size, room)
    lost = _ended(size - bare, ends, price=price, sign=sign)
    if bare:
        kin = [o for o in stops if o.spec.group_id == entry.spec.group_id]
        # The exits of its group are enlarged once it has filled; they stand where they stand.
        end = _furthest(kin, price) if kin else price * (1 - no_stop * sign)
        lost += bare * max(ZERO, (price - end) * sign)
    return lost


def _groups(stops: list[Order], live: Iterable[Order]) -> tuple[Cluster, ...]:
    """Stops by which of them exclude each other; of one there is nothing to find out."""
    if len(stops) > 1:
        return clusters(stops, live)
    return tuple(Cluster(members=(stop,)) for stop in stops)


def _furthest(stops: Iterable[Order], market: Decimal) -> Decimal:
    """Where the worst of some stops on one side ends what it protects."""
    found = [(_end(stop, market), -stop.spec.side.sign) for stop in stops]
    return min(found, key=lambda one: one[0] * one[1])[0]


def _price(entry: Order, mark: Decimal | None) -> Decimal | None:
    """The price at which an entry would lose most: the highest a buyer may pay, and so on."""
    sign = entry.spec.side.sign
    named = [price for spec in _terms(entry) if (price := _named(spec)) is not None]
    return max(named, key=lambda price: price * sign) if named else mark


def _named(spec: OrderSpec) -> Decimal | None:
    return spec.stop_price if spec.limit_price is None else spec.limit_price


def _end(stop: Order, market: Decimal) -> Decimal:
    """Where a stop ends what it protects at worst: at its trigger, or down to its limit."""
    sign = -stop.spec.side.sign
    prices = [p for s in _terms(stop) for p in (s.limit_price, _trigger_of(s, market))]
    return min((p for p in prices if p is not None), key=lambda price: price * sign)


def _trigger(stop: Order, market: Decimal) -> Decimal:
    """Where a stop is set off, under its old or its wanted terms."""
    sign = -stop.spec.side.sign
    prices = [_trigger_of(spec, market) for spec in _terms(stop)]
    return min(prices, key=lambda price: price * sign)


def _trigger_of(spec: OrderSpec, market: Decimal) -> Decimal:
    """Where it is set off now: a trail that nobody has told the place of, from the market."""
    if spec.stop_price is not None:
        return spec.stop_price
    percent = (spec.trail_percent or ZERO) / 100
    return market + spec.side.sign * (spec.trail_amount or market * percent)


def _terms(order: Order) -> tuple[OrderSpec, ...]:
    return (order.spec,) if order.desired is None else (order.spec, order.desired)
