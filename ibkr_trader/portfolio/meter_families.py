"""The counted figures by the names under which they are told; see `docs/metrics.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.portfolio.metric import Family, Kind, Sample, Tally

if TYPE_CHECKING:
    from ibkr_trader.portfolio.meters import Meters

PREFIX = "ibkr_trader_"


def families(meters: Meters) -> tuple[Family, ...]:
    """Return all that is counted."""
    stages = tuple(Sample(one, (("stage", name.value),)) for name, one in meters.stages.items())
    return (
        Family(
            name=f"{PREFIX}order_stage_seconds",
            kind=Kind.HISTOGRAM,
            words="How long each stage of an order took, each from the moment before it.",
            samples=stages,
        ),
        Family(
            name=f"{PREFIX}shortfall_basis_points",
            kind=Kind.HISTOGRAM,
            words="What an order that traded has cost against the first price known.",
            samples=(Sample(meters.shortfalls),),
        ),
        gauge(
            "shortfall_money",
            "The same added up since the start, before commissions; it falls with a gain.",
            *meters.costs.samples,
        ),
        _counter("orders_total", "Orders of ours that have ended, by outcome.", meters.orders),
        _counter(
            "denials_total",
            "Orders and changes that a check of ours has denied, by check.",
            meters.denials,
        ),
        _counter(
            "signals_total",
            "Signals by source, and by what came of them or why they were refused.",
            meters.signals,
        ),
        _counter("decisions_total", "Decisions of rules, by outcome.", meters.decisions),
        _counter("halts_total", "Times that opening was forbidden, by state.", meters.halts),
        _counter("events_total", "How often what happened.", meters.happened),
        Family(
            name=f"{PREFIX}journal_append_seconds",
            kind=Kind.HISTOGRAM,
            words="How long the journal took to have a record on disk.",
            samples=(Sample(meters.appends),),
        ),
    )


def gauge(name: str, words: str, *samples: Sample) -> Family:
    """Return a family of figures that rise and fall."""
    return Family(name=f"{PREFIX}{name}", kind=Kind.GAUGE, words=words, samples=samples)


def counter(name: str, words: str, *samples: Sample) -> Family:
    """Return a family of figures that only grow."""
    return Family(name=f"{PREFIX}{name}", kind=Kind.COUNTER, words=words, samples=samples)


def _counter(name: str, words: str, tally: Tally) -> Family:
    return counter(name, words, *tally.samples)
