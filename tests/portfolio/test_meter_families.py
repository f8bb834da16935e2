"""Every count has its name, and no name says whose account it is."""

from __future__ import annotations

import re

import msgspec

from ibkr_trader.portfolio.meter_families import PREFIX, counter, families, gauge
from ibkr_trader.portfolio.meters import Meters
from ibkr_trader.portfolio.metric import Histogram, Kind, Sample
from tests.orders.samples import AAPL, ACCOUNT
from tests.portfolio.test_meters import BUY, WAY, counted, denial
from tests.portfolio.way import traded


def test_everything_that_is_counted_is_told() -> None:
    one = counted(*WAY, traded(BUY, 10, "100.30"), denial("heat"))
    told = {id(sample.value) for family in families(one) for sample in family.samples}
    histograms = [one.shortfalls, one.appends, *one.stages.values()]
    assert {id(one) for one in histograms} <= told
    tallies = {"happened", "orders", "denials", "signals", "decisions", "halts", "costs"}
    counts = {"ways", "over", "halted", "is_lost", "stages", "shortfalls", "appends"}
    assert {*tallies, *counts} == set(msgspec.structs.asdict(one))
    for name in tallies:
        tally = getattr(one, name)
        assert any(family.samples == tally.samples for family in families(one)), name


def test_names_are_as_prometheus_wants_them() -> None:
    found = families(Meters())
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert re.fullmatch(r"ibkr_trader_[a-z_]+", one.name)
        assert one.name.endswith("_total") == (one.kind is Kind.COUNTER)
        assert all(
            isinstance(sample.value, Histogram) == (one.kind is Kind.HISTOGRAM)
            for sample in one.samples
        )
        assert one.words.endswith(".")


def test_no_label_names_an_account_a_symbol_or_an_order() -> None:
    one = counted(*WAY, traded(BUY, 10, "100.30"), denial("heat", spec=BUY.spec))
    labels = {
        text for family in families(one) for sample in family.samples for _, text in sample.labels
    }
    assert {"accept", "heat", "filled"} <= labels
    assert labels.isdisjoint({ACCOUNT, AAPL.symbol, BUY.order_id, BUY.correlation_id})


def test_a_family_is_made_of_its_samples() -> None:
    rises = counter("x_total", "X.", Sample(1))
    assert (rises.name, rises.kind, rises.samples) == (f"{PREFIX}x_total", "counter", (Sample(1),))
    assert gauge("y", "Y.").kind is Kind.GAUGE
