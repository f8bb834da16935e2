"""The gate against a judge that knows no sums: it tries every subset of the orders, in cents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from functools import cache, lru_cache
from itertools import combinations
from typing import NamedTuple

import pytest

from ibkr_trader.core.models import Contract, Order, OrderSpec, Position
from ibkr_trader.risk.correlation import CorrelationMatrix
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.risk.limits import RiskLimits, Stale, SymbolLimitRegistry, SymbolLimits
from tests.limits import roomy
from tests.risk.world import (
    NOW,
    D,
    aged,
    details,
    held,
    limit,
    quote,
    reasons,
    spec,
    submit,
    view,
    working,
)

PORTFOLIOS = 10_000
PARTS = 10
EQUITY = 1_000_000_00  # cents
SECTORS = ("Technology", "Energy", "")
GATE = RiskGuard(checks=("correlated_exposure", "sector_exposure"))
NAMES = {"correlated_exposure", "sector_exposure"}


class Limit(NamedTuple):
    """An order: signed shares, its limit in cents (0: at the market), its OCA group."""

    signed: int
    price: int
    oca: str = ""


class Stock(NamedTuple):
    symbol: str
    held: int
    cost: int
    bid: int
    ask: int
    orders: tuple[Limit, ...]
    sector: str


class World(NamedTuple):
    stocks: tuple[Stock, ...]
    rho: dict[tuple[str, str], float] | None  # None: there is no matrix
    known: frozenset[str]
    age: int
    stale: Stale
    caps: dict[str, int]
    target: int
    order: Limit
    share: int  # percent
    sector_share: int


def world_of(seed: int) -> World:
    luck = random.Random(seed)  # noqa: S311 - a portfolio, no secret
    count = luck.randint(1, 5)
    left = luck.choice((0, 1, 2, 2, 3, 3, 4))
    stocks = []
    for number in range(count):
        size = luck.randint(0, min(left, 2))
        left -= size
        mid = luck.randint(50_00, 300_00)
        oca = luck.choice(("", "", "pair"))
        orders = tuple(
            Limit(luck.choice((-1, 1)) * luck.randint(1, 600), _price(luck, mid), oca)
            for _ in range(size)
        )
        signed = luck.choice((0, luck.randint(-900, 900), luck.randint(-900, 900)))
        cost = round(mid * luck.uniform(0.8, 1.2))
        symbol = f"S{number}"
        sector = luck.choice(SECTORS)
        stocks.append(Stock(symbol, signed, cost, mid - 1, mid + 1, orders, sector))
    names = [stock.symbol for stock in stocks]
    rho = _coefficients(luck, names)
    known = frozenset(names if luck.random() < 0.7 else luck.sample(names, luck.randint(0, count)))
    target = luck.randrange(count)
    middle = stocks[target].ask
    return World(
        stocks=tuple(stocks),
        rho=rho if luck.random() < 0.9 else None,
        known=known,
        age=luck.choice((0, 0, 0, 4, 6)),
        stale=luck.choice(tuple(Stale)),
        caps={n: luck.randint(10_000_00, 300_000_00) for n in names if luck.random() < 0.15},
        target=target,
        order=Limit(luck.choice((-1, 1)) * luck.randint(1, 900), _price(luck, middle)),
        share=luck.choice((10, 20, 30)),
        sector_share=luck.choice((10, 20, 30)),
    )


def _coefficients(luck: random.Random, names: list[str]) -> dict[tuple[str, str], float]:
    lean = luck.choice((0.0, 0.5))
    rho = {
        pair: max(-1.0, min(1.0, luck.uniform(-1, 1) + luck.choice((-lean, lean, lean))))
        for pair in combinations(names, 2)
    }
    if rho and luck.random() < 0.1:
        rho[luck.choice(list(rho))] = luck.choice((0.7, -0.7))
    return rho


def _price(luck: random.Random, mid: int) -> int:
    return luck.choice((0, round(mid * luck.uniform(0.8, 1.2))))


# -- the judge ------------------------------------------------------------------------------


def verdict(world: World) -> set[str]:
    """Return which of the two checks must deny."""
    target = world.stocks[world.target]
    if not opens(target, world.order):
        return set()
    before, after = list(endings(world, with_order=False)), list(endings(world, with_order=True))
    denied = set()
    if by_correlation(world, before, after):
        denied.add("correlated_exposure")
    if target.sector:
        limit = EQUITY * world.sector_share // 100
        ours = [s.symbol for s in world.stocks if s.sector == target.sector]
        was = max(abs(sum(one[name] for name in ours)) for one in before)
        will = max(abs(sum(one[name] for name in ours)) for one in after)
        if will > was and will > limit:
            denied.add("sector_exposure")
    return denied


def opens(stock: Stock, order: Limit) -> bool:
    """Whether the order could end further from flat, beside the others or alone."""
    now = [stock.held + sum(o.signed for o in some) for some in subsets(stock.orders)]
    then = [stock.held + sum(o.signed for o in some) for some in subsets((*stock.orders, order))]
    alone = stock.held + order.signed
    return (
        max(then) > max(*now, 0)
        or min(then) < min(*now, 0)
        or alone > max(stock.held, 0)
        or alone < min(stock.held, 0)
    )


@lru_cache(maxsize=64)  # asked for again for every ending of one portfolio
def subsets(orders: tuple[Limit, ...]) -> tuple[tuple[Limit, ...], ...]:
    """Return what may fill: of a one-cancels-all group, one."""
    found = []
    for size in range(len(orders) + 1):
        for some in combinations(range(len(orders)), size):
            groups = [orders[n].oca for n in some if orders[n].oca]
            if len(groups) == len(set(groups)):
                found.append(tuple(orders[n] for n in some))
    return tuple(found)


def endings(world: World, *, with_order: bool) -> Iterator[dict[str, int]]:
    """Yield the value of each stock, in cents, after every subset of all orders."""
    target = world.stocks[world.target]
    ends: list[dict[str, int]] = [{}]
    for stock in world.stocks:
        orders = stock.orders
        if stock is target and with_order:
            orders = (*orders, world.order)
        values = {value(stock, some, world, orders) for some in subsets(orders)}
        ends = [{**end, stock.symbol: one} for end in ends for one in values]
    yield from ends


def value(stock: Stock, filled: tuple[Limit, ...], world: World, orders: tuple[Limit, ...]) -> int:
    """What a stock is worth after `filled`: what is there at its price, the rest at the highest."""
    end = stock.held + sum(order.signed for order in filled)
    named = [order.price for order in orders if order.price]
    if stock is world.stocks[world.target]:
        every = [
            stock.held + sum(o.signed for o in some)
            for some in subsets((*stock.orders, world.order))
        ]
        sure = stock.ask if max(every) >= -min(every) else stock.bid
        if stock.held:
            named.append(stock.cost)
    elif stock.held:
        sure = stock.cost
    else:
        sure = (stock.bid + stock.ask) // 2 if not named else 0
    top = max([*named, sure])
    low, high = min(stock.held, 0), max(stock.held, 0)
    there = max(low, min(high, end))
    return there * (sure or top) + (end - there) * top


def by_correlation(world: World, before: list[dict[str, int]], after: list[dict[str, int]]) -> bool:
    """Whether a cluster that the order makes worse passes its limit."""
    target = world.stocks[world.target].symbol
    concerned = [s.symbol for s in world.stocks if s.held or s.orders or s.symbol == target]
    is_old = world.rho is None or world.age > 5
    strangers = set(concerned) - world.known
    if world.stale is Stale.DENY and (is_old or strangers):
        return True
    is_one = is_old and world.stale is Stale.ASSUME_ONE
    for subject in concerned:
        limit = min(EQUITY * world.share // 100, world.caps.get(subject, EQUITY))
        was = max(cluster(world, subject, end, concerned, is_one=is_one) for end in before)
        will = max(cluster(world, subject, end, concerned, is_one=is_one) for end in after)
        if will > was and will > limit:
            return True
    return False


def cluster(
    world: World, subject: str, end: dict[str, int], concerned: list[str], *, is_one: bool
) -> int:
    net = loose = 0
    for name in concerned:
        if is_one:
            loose += abs(end[name])
        elif world.rho is None:
            net += end[name] if name == subject else 0
        elif name not in world.known or subject not in world.known:
            if world.stale is Stale.ASSUME_ONE:
                loose += abs(end[name])
            elif name == subject:
                net += end[name]
        else:
            pair = (min(name, subject), max(name, subject))
            rho = 1.0 if name == subject else world.rho[pair]
            net += end[name] * ((rho >= 0.7) - (rho <= -0.7))
    return abs(net) + loose


# -- the gate -------------------------------------------------------------------------------

CONTRACTS = {f"S{n}": Contract(symbol=f"S{n}", con_id=n + 1) for n in range(5)}
DETAILS = {one.con_id: details(one) for one in CONTRACTS.values()}


@cache
def limits_of(share: int, sector_share: int, stale: Stale) -> RiskLimits:
    """Return the limits of one of the few kinds of desk that there are; percent."""
    return roomy(
        max_correlated_share=D(share) / 100,
        max_sector_share=D(sector_share) / 100,
        stale_correlation=stale,
    )


def judged(world: World) -> set[str]:
    """Return which of the two checks deny at the real gate."""
    contracts = [CONTRACTS[stock.symbol] for stock in world.stocks]
    parts: list[Order | Position] = []
    for contract, stock in zip(contracts, world.stocks, strict=True):
        if stock.held:
            parts.append(held(stock.held, contract, str(D(stock.cost) / 100)))
        parts += [
            working(_spec(order, contract, f"t-{contract.con_id}{n}-single"))
            for n, order in enumerate(stock.orders)
        ]
    matrix = None
    if world.rho is not None:
        pairs = {p: v for p, v in world.rho.items() if world.known.issuperset(p)}
        matrix = CorrelationMatrix(
            computed_at=NOW - timedelta(days=world.age),
            lookback=60,
            symbols=tuple(sorted(world.known)),
            coefficients=pairs,
        )
    caps = {
        name: SymbolLimits(symbol=name, max_correlation_exposure=D(cap) / 100)
        for name, cap in world.caps.items()
    }
    desk = view(
        *parts,
        quotes={
            c.con_id: aged(quote(str(D(s.bid) / 100), str(D(s.ask) / 100), c))
            for c, s in zip(contracts, world.stocks, strict=True)
        },
        details={c.con_id: DETAILS[c.con_id] for c in contracts},
        correlations=matrix,
        sectors={s.symbol: s.sector for s in world.stocks if s.sector},
        symbol_limits=SymbolLimitRegistry(symbols=caps),
        limits=limits_of(world.share, world.sector_share, world.stale),
    )
    command = submit(_spec(world.order, contracts[world.target], "t-99-single"))
    return reasons(GATE.review(command, desk)) & NAMES


def _spec(order: Limit, contract: Contract, name: str) -> OrderSpec:
    side, size = "BUY" if order.signed > 0 else "SELL", abs(order.signed)
    group = f"{contract.symbol}-{order.oca}" if order.oca else ""
    if order.price:
        price = str(D(order.price) / 100)
        return limit(side, size, price, name, contract=contract, oca_group=group)
    return spec(side, size, name, contract=contract, oca_group=group)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_gate_agrees_with_every_subset_of_orders(part: int) -> None:
    each = PORTFOLIOS // PARTS
    denied = dict.fromkeys(NAMES, 0)
    for seed in range(part * each, (part + 1) * each):
        world = world_of(seed)
        expected = verdict(world)
        assert judged(world) == expected, (seed, world)
        for name in expected:
            denied[name] += 1
    # A judge that never says no, or always, would agree with nothing.
    assert all(each // 20 < count < each for count in denied.values()), denied
