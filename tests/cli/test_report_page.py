"""The page of a report: whole in itself, and no way in for whoever chooses a name."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest

from ibkr_trader.cli.report_facts import Report
from ibkr_trader.cli.report_page import MARK, page
from ibkr_trader.cli.report_plots import curve, histogram, safe, shortfalls
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Contract
from ibkr_trader.portfolio.forensic_fold import forensics
from ibkr_trader.portfolio.forensic_summary import By
from ibkr_trader.portfolio.forensics import Latency
from tests.cli.report_parts import DAY, EVIL, trip
from tests.orders.samples import AT
from tests.portfolio.way import new, traded

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div"),
    *("table", "tr", "th", "td", "figure", "figcaption", "svg", "line", "polyline", "rect", "text"),
}
VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page strictly: what is opened is closed, and nothing else is there."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def told(*events: ev.BaseEvent, by: By = By.RULE) -> Report:
    return Report.of(forensics(events), by=by, since=None, until=AT, profile="sim")


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


@pytest.mark.parametrize("by", By)
def test_a_page_has_everything_and_needs_nothing(by: By) -> None:
    text = page(told(*DAY, by=by), utc=True)
    reader = read(text)
    assert text.startswith(MARK)
    assert reader.seen <= TAGS
    assert not re.search(r"https?:|url\(|@import|//", text)
    assert not {"src", "href", "style", "onload", "action"} & reader.attributes
    assert "default-src &#x27;none&#x27;" in text
    for words in ("SIM report, 2026-11-20 15:00:00 UTC", "Round trips", "1-entry", "edge is eaten"):
        assert words in reader.text, words
    assert text.count("<svg") == 1 + 1 + 5  # the sum, the shortfalls, a stage each


def test_names_from_outside_are_text_and_nothing_else() -> None:
    evil = Contract(symbol=EVIL, con_id=5)
    order = new(contract=evil, because="d7", at=2)
    made = ev.DecisionEvent(
        at=AT, decision_id="d7", strategy=EVIL, rule=EVIL, version="1", ticker=EVIL,
        cause="bar", wish="open", price=Decimal(90),
    )  # fmt: skip
    back = msgspec.structs.replace(
        traded(order, 10, "1", key="e9", at=9),
        fill=msgspec.structs.replace(
            traded(order, 10, "1", key="e9", at=9).fill, side=order.spec.side.opposite
        ),
    )
    for by in By:
        report = told(made, order, traded(order, 10, "100", contract=evil), back, by=by)
        report = msgspec.structs.replace(report, profile=EVIL, left_out=(EVIL,))
        text = page(report, utc=True)
        reader = read(text)
        assert reader.seen <= TAGS
        assert "<script" not in text.lower()
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "<script>alert(1)</script>" in reader.text  # said, and not done


def test_what_is_quoted_cannot_leave_its_quotes() -> None:
    assert safe(EVIL) == "&lt;script&gt;alert(1)&lt;/script&gt;[31m&quot;&#x27;&amp;"
    assert len(safe("x" * 1000)) == 200


def test_an_empty_page_is_a_page() -> None:
    text = page(told(), utc=False)
    assert "no round trip has ended" in read(text).text
    assert "<svg" not in text


def test_a_page_shows_the_newest_orders_of_many() -> None:
    many = [new(f"memo-{n}-entry", at=n / 100) for n in range(1, 1_102)]
    reader = read(page(told(*many), utc=True))
    assert "The newest 1,000 of 1,101." in reader.text
    assert "1101-entry" in reader.text
    assert "memo-101-entry" not in reader.text


def test_a_curve_goes_from_zero_to_its_end_within_its_box() -> None:
    root = drawn(curve([Decimal(10), Decimal(-10), Decimal(5)], "sum"))
    (line,) = root.iter("polyline")
    points = [tuple(map(float, one.split(","))) for one in line.attrib["points"].split()]
    assert [x for x, _ in points] == pytest.approx([10, 243.3, 476.7, 710], abs=0.1)
    assert [y for _, y in points] == [90, 10, 170, 50]
    (axis,) = root.iter("line")
    assert float(axis.attrib["y1"]) == 90


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    rising = [Decimal(n) for n in range(1, 5_001)]
    (line,) = drawn(curve(rising, "sum")).iter("polyline")
    points = line.attrib["points"].split()
    assert len(points) == 1_001
    assert points[-1] == "710.0,10.0"
    flat = drawn(curve([Decimal(0)], "sum"))
    assert len(list(flat.iter("polyline"))) == 1


def test_a_histogram_counts_each_order_once_and_no_wait() -> None:
    """Entries of rules took 238 ms, closes 100, the entry by hand 10; a stop only waited."""
    orders = told(*DAY).orders
    root = drawn(histogram(orders, Latency.FILL, "fill"))
    bars = [float(one.attrib["height"]) for one in root.iter("rect")]
    assert [round(height / max(bars) * 4, 2) for height in bars] == [0, 0, 0, 1, 0, 4, 0, 0, 0, 0]
    labels = [one.text for one in root.iter("text")]
    assert labels[:6] == ["<1 ms", "<3", "<10", "<30", "1", "<100"]
    assert labels.count("4") == 1
    assert histogram(orders[:0], Latency.FILL, "none") == ""


def test_shortfalls_lie_on_their_sides() -> None:
    better = new("memo-9-entry", because="d1", origin="x", at=950)
    report = told(
        *trip(1, "102"),
        *(ev_ for ev_ in trip(2, "102", rule="cheap")[:3]),
        traded(new("memo-2-entry"), 10, "99", key="y", at=300),
        better,
    )
    root = drawn(shortfalls(report.groups, "short"))
    kinds = [one.attrib["class"] for one in root.iter("rect")]
    texts = [one.text for one in root.iter("text")]
    assert kinds == ["bar", "gain"]
    assert texts == ["flow/buy", "+3.00 USD", "flow/cheap", "-10.00 USD"]
    middle = float(next(root.iter("line")).attrib["x1"])
    bar, gain = root.iter("rect")
    assert float(bar.attrib["x"]) == pytest.approx(middle)
    assert float(gain.attrib["x"]) + float(gain.attrib["width"]) == pytest.approx(middle, abs=0.2)
    assert float(gain.attrib["width"]) == pytest.approx(float(bar.attrib["width"]) * 10 / 3, abs=1)
    assert shortfalls((), "none") == ""
