"""Figures as text, in Prometheus's exposition format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/ - lines of `name{label="text"} 1.5`,
before each family what it is. A histogram is told as counts up to each bound, its sum and its
count; the counts add up, which ours do not.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from ibkr_trader.portfolio.metric import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.portfolio.metric import Family, Labels, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family]) -> str:
    """Return the text of all families; one without samples is left out."""
    return "".join(f"{line}\n" for family in families for line in _family(family))


def _family(family: Family) -> Iterator[str]:
    if not family.samples:
        return
    words = family.words.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {words}"
    yield f"# TYPE {family.name} {family.kind.value}"
    for sample in family.samples:
        yield from _sample(family.name, sample)


def _sample(name: str, sample: Sample) -> Iterator[str]:
    value, labels = sample.value, sample.labels
    if not isinstance(value, Histogram):
        yield _line(name, labels, value)
        return
    ends = [*(_plain(bound) for bound in value.bounds), "+Inf"]
    for end, count in zip(ends, accumulate(value.counts), strict=True):
        yield _line(f"{name}_bucket", (*labels, ("le", end)), count)
    yield _line(f"{name}_sum", labels, value.total)
    yield _line(f"{name}_count", labels, value.count)


def _line(name: str, labels: Labels, value: Decimal | int) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{told}}} {_plain(value)}" if told else f"{name} {_plain(value)}"


def _escaped(text: str) -> str:
    r"""Return a label's text, in which `\`, `"` and the line's end would end something else.

    Half a surrogate pair is no text: it is told as what stands for nothing.
    """
    text = text.encode(errors="replace").decode()
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _plain(value: Decimal | int) -> str:
    """Return a figure without an exponent, and without the noughts that say nothing."""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
