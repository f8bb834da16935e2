"""A managed trail never widens its stop, whatever the market, the broker and the process do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.managed_trails import KIND, ManagedTrail
from tests.orders.samples import (
    GROUP,
    accepted,
    later,
    written,
)
from tests.orders.trail_stage import STOP, Play

PRICES = st.integers(min_value=9_000, max_value=30_000).map(lambda cents: Decimal(cents) / 100)
QUOTES = st.tuples(PRICES, st.integers(min_value=-50, max_value=300)).map(
    lambda pair: (pair[0], pair[0] + Decimal(pair[1]) / 100)
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), QUOTES, st.sampled_from([0.05, 0.3, 1.0, 7.0])),
        st.tuples(st.just("wait"), st.none(), st.sampled_from([0.5, 2.0])),
        st.tuples(st.just("restart"), st.none(), st.just(0.0)),
        st.tuples(st.just("refuse"), st.none(), st.just(0.0)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(
    steps=STEPS,
    held=st.sampled_from([10, -10]),
    trail=st.sampled_from([{"trail_amount": Decimal(3)}, {"trail_percent": Decimal("1.7")}]),
    activation=st.booleans(),
)
def test_no_sequence_of_events_widens_it(
    steps: list[Any], held: int, trail: dict[str, Decimal], activation: bool
) -> None:
    """Whatever the market, the broker and the process do; nor does it ever cross the market."""
    if activation:
        trail = {**trail, "activation_price": Decimal(160 if held > 0 else 140)}
    play, sign, moved_at = Play(held, **trail), 1 if held > 0 else -1, -10.0
    for what, pair, seconds in steps:
        before, asked = play.at, None
        if what == "tick":
            bid, ask = pair
            asked = play.tick(str(bid), str(ask), after=seconds)
            if asked is not None:
                assert asked < bid if held > 0 else asked > ask
        elif what == "wait":
            asked = play.wait(seconds)
        elif what == "restart":
            now = play.group.stop.spec
            group = ORDER_TYPES[KIND](GROUP, (now,), play.group.open().plan)
            for event in (written(now, kind=KIND), accepted(now), play.held()):
                group = group.react(event).group
            assert isinstance(group, ManagedTrail)
            play.group, moved_at = group, -10.0
        elif play.group.stop.desired is None:
            refusal = ev.ModifyRejectEvent(
                at=later(play.seconds), order_id=STOP, code=201, reason="no"
            )
            play.hear(refusal)
        if asked is not None:
            assert play.seconds - moved_at >= 1
            moved_at = play.seconds
            play.answer()
        assert (play.at - before) * sign >= 0
