"""Twenty stocks of the S&P 500, as they really traded: from the gateway to the coefficients.

The prices are a data set that the package `skfolio` ships; it is installed alone, into an
environment of its own, and nothing of it is imported.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ibkr_trader.sim.gateway.background import start_background
from tests.cli.conftest import Shell
from tests.clients.environments import ROOT

pytestmark = pytest.mark.clients

_ENVIRONMENT = ".venv-data_prices"
_FILE = "skfolio/datasets/data/sp500_dataset.csv.gz"
_HEADER = "time,open,high,low,close,volume"
_KEPT = 300  # sessions: more than any lookback here
THURSDAY = datetime(2022, 12, 29, 15, 0, tzinfo=UTC)  # the session after the last in the data
LISTING = {"primary_exchange": "NYSE", "sector": "Industrial", "opening_price": "100.00"}


class Prices:
    """The last sessions of the data set: `days`, and each symbol's closes as they are written."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.days = [row["Date"] for row in rows]
        self.symbols = [name for name in rows[0] if name != "Date"]
        self.closes = {name: [row[name] for row in rows] for name in self.symbols}

    def expected(self, lookback: int) -> Any:
        """Return what numpy makes of the simple returns of the last sessions."""
        closes = np.array([self.closes[name][-lookback - 1 :] for name in self.symbols], float)
        return np.corrcoef(closes[:, 1:] / closes[:, :-1] - 1)


@pytest.fixture(scope="module")
def prices() -> Prices:
    found = sorted((ROOT / _ENVIRONMENT).glob(f"lib/python*/site-packages/{_FILE}"))
    if not found:
        pytest.skip(f"{_ENVIRONMENT} has no {_FILE}: `make test-clients` installs it")
    with gzip.open(found[0], "rt", newline="") as lines:
        return Prices(list(csv.DictReader(lines))[-_KEPT:])


@pytest.fixture
def market(prices: Prices, tmp_path: Path) -> Iterator[Shell]:
    """Serve the prices as daily bars of the simulated exchange, on the day after the last."""
    shell = Shell(tmp_path)
    folder, state = tmp_path / "bars", shell.data / "sim" / "gateway"
    folder.mkdir()
    state.mkdir(parents=True, mode=0o700)
    for symbol in prices.symbols:
        rows = zip(prices.days, prices.closes[symbol], strict=True)
        lines = [f"{day}T09:30:00,{close},{close},{close},{close},1000" for day, close in rows]
        (folder / f"{symbol}.csv").write_text("\n".join([_HEADER, *lines]))
    unlisted = [
        LISTING | {"con_id": 650_000_000 + n, "symbol": symbol, "long_name": symbol}
        for n, symbol in enumerate(("BBY", "MRK", "RRC"))
    ]
    (state / "universe.json").write_text(json.dumps({"stocks": unlisted}))
    start_background(state_dir=state, bars=folder, at=THURSDAY)
    yield shell
    shell.stop_gateway()


@pytest.mark.parametrize("lookback", [60, 252])
def test_coefficients_are_those_of_numpy(market: Shell, prices: Prices, lookback: int) -> None:
    assert len(prices.symbols) == 20
    names = ",".join(prices.symbols)
    ran = market(f"update-correlations --symbols {names} --lookback {lookback} --json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert document["symbols"] == sorted(prices.symbols)
    assert (document["sessions"], document["asked"]) == (lookback, 20)
    assert (document["first"], document["last"]) == (prices.days[-lookback - 1], "2022-12-28")
    place = {name: n for n, name in enumerate(prices.symbols)}
    truth = prices.expected(lookback)
    rows = dict(zip(document["symbols"], document["coefficients"], strict=True))
    pairs = list(combinations(document["symbols"], 2))
    assert len(pairs) == 190
    for a, b in pairs:
        found = rows[a][document["symbols"].index(b)]
        assert found == pytest.approx(truth[place[a], place[b]], abs=1e-12, rel=0)
    # It is real: the oil companies and the banks move together, and not everything does.
    oil, banks = truth[place["CVX"], place["XOM"]], truth[place["BAC"], place["JPM"]]
    assert min(oil, banks) > 0.7 > abs(truth[place["KO"], place["AMD"]])
    kept = market("correlations XOM --json").document
    assert kept["correlations"]["CVX"] == rows["XOM"][document["symbols"].index("CVX")]
