from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.cli import values
from ibkr_trader.dashboard import terms
from ibkr_trader.dashboard.model import Field
from tests.dashboard.play import guarded, held


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("147.50", "147.50"),
        ("147", "147"),
        ("147.", "147"),
        (".5", "0.5"),
        ("0", None),
        ("0.0", None),
        ("", None),
        (".", None),
        ("1e5", None),
        ("1_000", None),
        ("-1", None),
        ("1,000", None),
        (" 1", None),
        ("١٤٧", None),
        ("NaN", None),
        ("1.2.3", None),
        ("1234567890", None),
        ("1.1234567", None),
    ],
)
def test_a_figure_is_read_strictly(text: str, figure: str | None) -> None:
    assert terms.figure(text) == (None if figure is None else Decimal(figure))


@given(st.text(alphabet="0123456789.", max_size=12))
def test_what_is_read_here_the_trader_reads_the_same(text: str) -> None:
    value = terms.figure(text)
    if value is not None:
        assert values.price(terms.plainly(value), "--stop") == value


@given(st.text(alphabet="0123456789.", max_size=9))
def test_a_whole_number_is_one_for_the_trader_too(text: str) -> None:
    if terms.is_whole(text):
        assert values.quantity(text) == Decimal(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("147.5", "147.5"),
        ("147.50", "147.50"),
        ("147.500", "147.5"),
        ("147.000", "147"),
        ("0.9875", "0.9875"),
        ("1E+2", "100"),
        ("100", "100"),
    ],
)
def test_a_figure_stands_in_a_field_as_it_is(value: str | None, text: str) -> None:
    assert terms.plainly(None if value is None else Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("10", "10"), ("10.00", "10"), ("0.50", "0.5"), ("1E+2", "100"), ("0", "0")]
)
def test_a_quantity_has_no_decimals_for_nothing(value: str, text: str) -> None:
    assert terms.size(Decimal(value)) == text


@pytest.mark.parametrize(
    ("name", "text", "was", "fault"),
    [
        ("stop", "147.50", "145.00", ""),
        ("stop", "-1.5", "-1.5", ""),
        ("stop", "", "", ""),
        ("stop", "", "145.00", "Stop is empty; it was 145.00"),
        ("stop", "1..5", "145.00", "Stop: '1..5' is no price"),
        ("quantity", "0.5", "10", "Quantity: '0.5' is no whole number"),
        ("quantity", "10.", "9", "Quantity: '10.' is no whole number"),
        ("quantity", "0", "9", "Quantity: '0' is no whole number"),
        ("quantity", "0.5", "0.5", ""),
        ("quantity", "12", "10", ""),
    ],
)
def test_a_field_is_refused_with_the_reason(name: str, text: str, was: str, fault: str) -> None:
    field = Field(name=name, label=name.capitalize(), text=text, was=was)
    assert terms.field_fault(field) == fault


@pytest.mark.parametrize(
    ("text", "was", "changed"),
    [
        ("145.00", "145.00", False),
        ("145", "145.00", False),
        ("145.", "145.00", False),
        ("145.01", "145.00", True),
        ("145", "", True),
        ("-1", "-1", False),
    ],
)
def test_only_another_figure_is_a_change(text: str, was: str, changed: bool) -> None:
    field = Field(name="stop", label="Stop", text=text, was=was)
    assert terms.is_changed(field) is changed


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("2%", "2"), ("0.5%", "0.5"), ("99.9%", "99.9"),
        ("2", None), ("%", None), ("100%", None), ("0%", None), ("2%%", None), ("x%", None),
    ],
)  # fmt: skip
def test_a_share_of_the_price(text: str, share: str | None) -> None:
    assert terms.share(text) == (None if share is None else Decimal(share))


@pytest.mark.parametrize(
    ("size", "stop", "through"),
    [(10, "149.99", False), (10, "150", True), (-10, "150.01", False), (-10, "150", True)],
)
def test_a_stop_beyond_the_market(size: int, stop: str, through: bool) -> None:
    assert terms.is_through(Decimal(stop), held(quantity=size)) is through
    assert not terms.is_through(Decimal(stop), held(quantity=size, last=None))


@pytest.mark.parametrize(
    ("size", "stop", "looser"),
    [(10, "145.01", False), (10, "145", True), (-10, "144.99", False), (-10, "145", True)],
)
def test_a_stop_only_gets_tighter(size: int, stop: str, looser: bool) -> None:
    assert terms.loosens(Decimal(stop), guarded(quantity=Decimal(size))) is looser
    assert not terms.loosens(Decimal(stop), held(quantity=size))
