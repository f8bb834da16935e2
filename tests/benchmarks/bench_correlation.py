"""What correlations cost: computing a matrix, reading it, and asking it before an order."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from ibkr_trader.adapters.correlation_file import CorrelationFile
from ibkr_trader.core.models import Contract, Position
from ibkr_trader.portfolio.currency import currency_of
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.correlated import CorrelatedIndex
from ibkr_trader.risk.correlation import CorrelationMatrix, Triangle, neighbours
from ibkr_trader.risk.correlation_math import coefficients
from ibkr_trader.risk.proposal import propose
from ibkr_trader.risk.view import RiskView
from tests.benchmarks import bench_risk
from tests.benchmarks.harness import Goal, Sample, Table, timed, version
from tests.risk.world import NOW, limit, portfolio, submit, working

TIMES = 20
DAYS = 252
THRESHOLD = Decimal("0.7")


def prices(symbols: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return a year's closes, one row a symbol."""
    luck = np.random.default_rng(7)
    moves = 0.01 * (luck.standard_normal((symbols, DAYS)) + luck.standard_normal((1, DAYS)))
    return np.asarray(100 * np.cumprod(1 + moves, axis=1), dtype=np.float64)


def computing(symbols: int, *, times: int, rounds: int) -> Table:
    """Return the table of one size of matrix."""
    closes = prices(symbols)
    left = np.ascontiguousarray(closes[:, 1:])
    right = np.ascontiguousarray(
        left.T
    ).copy()  # another array, or numpy would use a cheaper product

    def product() -> None:
        for _ in range(times):
            left @ right

    def ours() -> None:
        for _ in range(times):
            coefficients(closes)

    def theirs() -> None:
        for _ in range(times):
            np.corrcoef(closes[:, 1:] / closes[:, :-1])

    threads = os.environ.get("OPENBLAS_NUM_THREADS", "as it likes")
    worst = float(np.abs(coefficients(closes) - np.corrcoef(closes[:, 1:] / closes[:, :-1])).max())
    return Table(
        title=f"a matrix of {symbols:,} symbols x {DAYS} days, prices aligned",
        rows={
            "dgemm": timed(product, per=times),
            "ours": timed(ours, per=times),
            "numpy.corrcoef": timed(theirs, per=times),
        },
        unit="ms",
        goals=(Goal("ours", 5.0, of="dgemm"),),
        peers=(version("numpy"),),
        notes=(
            f"largest difference to numpy.corrcoef: {worst:.1e}",
            f"threads: OPENBLAS_NUM_THREADS={threads}",
        ),
        rounds=rounds,
    )


def reading() -> Iterator[Table]:
    """Yield what it costs to take up a matrix of 500 symbols."""
    matrix = matrix_of([f"S{number:03}" for number in range(500)], together=0.1)
    with tempfile.TemporaryDirectory() as folder:
        file = CorrelationFile(Path(folder))
        file.write(matrix, {})
        yield Table(
            title="a stored matrix of 500 symbols",
            rows={
                "read": timed(file.read),
                "look whether it changed": timed(file.mark),
                "who moves with whom": timed(lambda: neighbours(matrix, THRESHOLD)),
            },
            unit="ms",
            goals=(Goal("read", 100.0),),
            rounds=15,
        )


def matrix_of(symbols: list[str], *, together: float) -> CorrelationMatrix:
    """Return a matrix in which so large a part of the pairs moves together."""
    luck = random.Random(7)  # noqa: S311 - no secret
    values = [0.8 if luck.random() < together else 0.3 for _ in combinations(symbols, 2)]
    names = tuple(symbols)
    return CorrelationMatrix(
        computed_at=NOW, lookback=60, symbols=names, coefficients=Triangle(names, values)
    )


def desk(together: float) -> RiskView:
    """Return the busy desk of `bench_risk` with correlations of all that it holds, and a room."""
    busy = bench_risk.world()
    symbols = [contract.symbol for contract in bench_risk.CONTRACTS]
    matrix = matrix_of([*symbols, "ZNEW"], together=together)
    index = CorrelatedIndex().follow(
        busy.exposure,
        matrix=matrix,
        threshold=busy.limits.correlation_threshold,
        sectors={symbol: f"sector {n % 10}" for n, symbol in enumerate(symbols)},
        currency=currency_of(busy.portfolio),
    )
    # So near to the limit that what everything comes to does not settle it.
    share = (max(index.worst.values()) + 10_000) / Decimal(1_000_000)
    limits = msgspec.structs.replace(busy.limits, max_correlated_share=share)
    return msgspec.structs.replace(
        busy, correlations=matrix, sectors=index.sectors, correlated=index, limits=limits
    )


def loop(view: RiskView) -> Sample:
    """Return the naive way: a dictionary of pairs, and a sum over all that is held."""
    matrix, symbol = view.correlations, bench_risk.CONTRACTS[0].symbol
    if matrix is None:
        raise TypeError("there are no correlations")
    pairs = {pair: Decimal(str(value)) for pair, value in matrix.pairs()}
    held: list[Position] = list(view.portfolio.positions.values())
    bound = Decimal(10**9)

    def naive() -> None:
        for _ in range(TIMES):
            total = Decimal(0)
            for position in held:
                other = position.contract.symbol
                pair = (symbol, other) if symbol < other else (other, symbol)
                rho = pairs.get(pair)
                if other == symbol or (rho is not None and abs(rho) >= THRESHOLD):
                    total += position.quantity * position.average_cost
            if total > bound:
                raise ValueError(total)

    return timed(naive, per=TIMES)


def checked(view: RiskView, contract: Contract, name: str = "correlated_exposure") -> Sample:
    """Return a sample of one check of one order, the view being at hand."""
    command = submit(limit("BUY", 10, "149", "t-0-single", contract=contract))
    quotes, details = dict(view.quotes), dict(view.details)
    quotes.setdefault(contract.con_id, next(iter(view.quotes.values())))
    view = msgspec.structs.replace(view, quotes=quotes, details=details)
    proposal, run = propose(command, view), CHECKS[name].run
    if found := list(run(proposal, view)):
        raise TypeError(f"the order to be checked is denied: {found}")

    def work() -> None:
        for _ in range(TIMES):
            list(run(proposal, view))

    return timed(work, per=TIMES)


def followed(view: RiskView) -> Sample:
    """Return what it costs to follow one changed order."""
    orders = list(view.portfolio.orders.values())
    orders[0] = working(
        limit("BUY", 2, "140", orders[0].order_id, contract=orders[0].spec.contract)
    )
    later = view.exposure.follow(portfolio(*view.portfolio.positions.values(), *orders))
    if later.contracts == ExposureIndex().contracts:
        raise TypeError("there is nothing to follow")

    def work() -> None:
        for _ in range(TIMES):
            view.correlated.follow(
                later,
                matrix=view.correlations,
                threshold=view.limits.correlation_threshold,
                sectors=view.sectors,
                currency=currency_of(view.portfolio),
            )

    return timed(work, per=TIMES)


def checking(together: float, words: str) -> Table:
    """Return the table of the check, so large a part of all pairs moving together."""
    view = desk(together)
    known, fresh = bench_risk.CONTRACTS[0], Contract(symbol="ZNEW", con_id=9_999)
    return Table(
        title=f"one order, 100 held, 500 working, {words}",
        rows={
            "dict-of-tuples loop": loop(view),
            "correlated_exposure": checked(view, known),
            "correlated_exposure, a new symbol": checked(view, fresh),
            "sector_exposure": checked(view, known, "sector_exposure"),
            "following one change": followed(view),
        },
        goals=(
            Goal("correlated_exposure", 0.5, of="dict-of-tuples loop"),
            Goal("correlated_exposure, a new symbol", 0.5, of="dict-of-tuples loop"),
        ),
        rounds=40,
    )


def tables() -> Iterator[Table]:
    """Measure the matrix, the file and the check."""
    yield computing(100, times=20, rounds=30)
    yield computing(2_000, times=1, rounds=7)
    yield from reading()
    yield checking(0.1, "each moves with one in ten")
    yield checking(1.0, "all move together")
