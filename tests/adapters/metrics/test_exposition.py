"""Figures as text, read back by the format's own rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.metrics.exposition import exposition
from ibkr_trader.portfolio.meter_families import families
from ibkr_trader.portfolio.meters import Meters
from ibkr_trader.portfolio.metric import Family, Histogram, Kind, Sample
from tests.prometheus_text import read

D = Decimal
HISTOGRAM = "# HELP a A.\n# TYPE a histogram\n"


def gauge(*samples: Sample, words: str = "A figure.") -> Family:
    return Family(name="a_figure", kind=Kind.GAUGE, words=words, samples=samples)


def test_a_figure_is_a_line() -> None:
    family = gauge(Sample(D("1.50")), Sample(7, (("sink", "redis"), ("what", "sent"))))
    assert exposition([family]) == (
        "# HELP a_figure A figure.\n"
        "# TYPE a_figure gauge\n"
        "a_figure 1.5\n"
        'a_figure{sink="redis",what="sent"} 7\n'
    )


def test_a_histogram_adds_up() -> None:
    found = Histogram.of("-1", "0.25", "10").plus(D(-3)).plus(D("0.25")).plus(D(3)).plus(D(99))
    family = Family(
        name="h", kind=Kind.HISTOGRAM, words="H.", samples=(Sample(found, (("stage", "send"),)),)
    )
    assert exposition([family]).splitlines()[2:] == [
        'h_bucket{stage="send",le="-1"} 1',
        'h_bucket{stage="send",le="0.25"} 2',
        'h_bucket{stage="send",le="10"} 3',
        'h_bucket{stage="send",le="+Inf"} 4',
        'h_sum{stage="send"} 99.25',
        'h_count{stage="send"} 4',
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("1E+3"), "1000"),
        (D("0E-8"), "0"),
        (D("-0.10"), "-0.1"),
        (D("1E-7"), "0.0000001"),
        (0, "0"),
        (100, "100"),
    ],
)
def test_a_figure_has_no_exponent(value: Decimal | int, text: str) -> None:
    assert exposition([gauge(Sample(value))]).splitlines()[-1] == f"a_figure {text}"


def test_what_has_no_samples_is_not_named() -> None:
    assert exposition([gauge()]) == ""


TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from('"\\\n{},= '))


@given(TEXTS, st.decimals(-1_000, 1_000, places=4), st.text(st.sampled_from('ab\\\n"')))
def test_no_text_breaks_out_of_its_label(text: str, value: Decimal, words: str) -> None:
    found = read(exposition([gauge(Sample(value, (("name", text), ("on", "x"))), words=words)]))
    assert found.samples == {("a_figure", (("name", text), ("on", "x"))): value}


def test_half_a_character_is_told_as_none() -> None:
    found = exposition([gauge(Sample(1, (("name", "a\ud800b"),)))])
    assert found.encode().endswith(b'{name="a?b"} 1\n')


def test_all_that_is_counted_is_well_formed_from_the_start() -> None:
    found = read(exposition(families(Meters())))
    assert found.value("ibkr_trader_order_stage_seconds_count", stage="send") == 0
    assert found.kinds["ibkr_trader_shortfall_basis_points"] == "histogram"


@pytest.mark.parametrize(
    "text",
    [
        "a 1",
        "a 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n",
        "# HELP a A.\n# TYPE a gauge\na{x=1} 1\n",
        '# HELP a A.\n# TYPE a gauge\na{x="1\\t"} 1\n',
        '# HELP a A.\n# TYPE a gauge\na{x="1",} 1\n',
        "# HELP a A.\n# TYPE a gauge\na 1E+3\n",
        "# HELP a A.\n# TYPE a counter\na -1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\n# HELP a A.\n",
        f'{HISTOGRAM}a_bucket{{le="1"}} 2\na_bucket{{le="+Inf"}} 1\na_sum 1\na_count 1\n',
        f'{HISTOGRAM}a_bucket{{le="1"}} 1\na_sum 1\na_count 1\n',
    ],
)
def test_the_reader_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)
