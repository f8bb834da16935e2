from __future__ import annotations

from decimal import Decimal

import pytest
from talipp.indicators import BB

from tests.rules.bar_samples import SEEDS, assert_agree, closes, closing, values, walk


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("bars", "width"), [(2, "2"), (20, "2"), (20, "1.5"), (50, "3")])
def test_it_agrees_with_talipp(seed: int, bars: int, width: str) -> None:
    path = walk(seed)
    bands = list(BB(bars, float(width), closes(path)))
    for ours, theirs in (("upper", "ub"), ("middle", "cb"), ("lower", "lb")):
        said = values(f"bollinger_{ours}", path, bars, width)
        assert_agree(said, [None if one is None else getattr(one, theirs) for one in bands])


def test_the_deviation_is_the_populations() -> None:
    path = closing("1", "3")  # mean 2, deviation 1; a sample's would be 1.41
    assert values("bollinger_upper", path, 2, 2)[-1] == 4
    assert values("bollinger_middle", path, 2, 2)[-1] == 2
    assert values("bollinger_lower", path, 2, 2)[-1] == 0


def test_a_flat_price_has_bands_of_no_width() -> None:
    path = closing(*["0.1"] * 20)
    assert {values(f"bollinger_{one}", path)[-1] for one in ("upper", "middle", "lower")} == {
        Decimal("0.1")
    }
