"""What TWS's own settings refuse: by code and words, what-ifs and changes too, and no more."""

from __future__ import annotations

import pytest

from ibkr_trader.sim.orders import Preview, Refusal
from ibkr_trader.sim.precautions import Precautions
from tests.sim.pit_desk import AAPL, Pit, codes, d, terms


def careful(pit: Pit, **settings: object) -> Pit:
    pit.exchange.floor_acts.set_up(Precautions(**settings), now=pit.now)  # type: ignore[arg-type] # as the test says
    return pit


def asked(pit: Pit, quantity: int, limit: str, side: str = "BUY") -> int:
    """The code with which a what-if is refused; 0 if it is answered."""
    wanted = terms(side, quantity, "LMT", limit_price=limit)
    answer = pit.exchange.preview(1, 999, terms=wanted, now=pit.now)
    assert isinstance(answer, (Preview, Refusal))
    return answer.code if isinstance(answer, Refusal) else 0


@pytest.mark.parametrize(
    ("settings", "allowed", "refused", "code"),
    [
        ({"size_limit": d(50)}, (50, "150"), (51, "150"), 383),
        ({"value_limit": d(5000)}, (33, "150"), (34, "150"), 451),
        ({"percentage": d(3)}, (1, "154.51"), (1, "154.52"), 163),
        ({"percentage": d(3)}, (1, "145.51"), (1, "145.50"), 163),
        ({"is_read_only": True}, None, (1, "150"), 321),
    ],
)
def test_each_setting_refuses_from_its_bound_on(
    settings: dict[str, object],
    allowed: tuple[int, str] | None,
    refused: tuple[int, str],
    code: int,
) -> None:
    pit = careful(Pit(), **settings)
    if allowed is not None:
        assert asked(pit, *allowed) == 0
        pit.place(terms("BUY", allowed[0], "LMT", limit_price=allowed[1]))
        assert codes(pit.events) == []
    assert asked(pit, *refused) == code
    before = pit.last_id
    pit.place(terms("BUY", refused[0], "LMT", limit_price=refused[1]))
    assert codes(pit.events) == [code]
    assert pit.order(before + 1) is None, "nothing is left of it"


def test_the_words_are_those_of_tws() -> None:
    pit = careful(Pit(), size_limit=d(50))
    pit.place(terms("BUY", 51, "MKT"))
    (words,) = [event.text for event in pit.events if hasattr(event, "text")]
    assert words == (
        'The following order "ID:1" size exceeds the Size Limit of 50. Restriction is specified '
        "in Precautionary Settings of Global Configuration/Presets."
    )
    careful(pit, value_limit=d(100_000))
    pit.place(terms("BUY", 1000, "MKT"))
    (words,) = [event.text for event in pit.events if hasattr(event, "text")]
    assert "value estimate of 150,000 USD exceeds  the Total Value Limit of 100,000 USD." in words


def test_a_change_meets_them_and_the_order_works_on() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="140"))
    careful(pit, size_limit=d(50))
    pit.place(terms("BUY", 60, "LMT", limit_price="140"), number=1)
    assert (codes(pit.events), pit.stands(1)) == ([383], "Submitted 0/10")


def test_a_read_only_api_cancels_nothing_and_a_person_at_tws_does() -> None:
    pit = Pit()
    order = pit.place(terms("BUY", 10, "LMT", limit_price="140"))
    careful(pit, is_read_only=True)
    assert codes(pit.cancel(1)) == [321]
    assert pit.stands(1) == "Submitted 0/10"
    assert order is not None
    pit.exchange.hand.cancel(order.perm_id, now=pit.now)
    assert pit.stands(1).startswith("Cancelled")
    pit.exchange.hand.place(terms("BUY", 10, "MKT"), now=pit.now)
    assert pit.exchange.account.positions[AAPL].quantity == 10


def test_they_outlive_a_restart_and_are_lifted_together() -> None:
    pit = careful(Pit(), size_limit=d(50), percentage=d(3))
    again = pit.restarted()
    assert asked(again, 51, "150") == 383
    careful(again)
    assert asked(again, 51, "150") == 0


@pytest.mark.parametrize("bound", ["0", "-1", "NaN"])
def test_a_bound_is_above_zero(bound: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        careful(Pit(), size_limit=d(bound))
