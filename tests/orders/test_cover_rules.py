"""The two rules: too many exits, and whatever else may come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders.asking import TRIES
from ibkr_trader.orders.cover_orders import Attach, CoverRules, Policy
from ibkr_trader.orders.cover_policy import CoverPolicy
from ibkr_trader.orders.cover_scene import Flatten, Look, Scene
from tests.orders.samples import AAPL, later, values, written
from tests.orders.test_cover_policy import NAKED, QUOTE, Story, orders
from tests.orders.test_coverage import stop, target

# -- too many exits ------------------------------------------------------------------------


def flat(*given: Order) -> Story:
    return Story(scene=Scene(contract=AAPL, held=Decimal(0), orders=given))


def test_exits_without_a_position_are_cancelled_within_half_a_second() -> None:
    story = flat(stop(oca_group="x"), target(oca_group="x")).run(0.9)
    assert [
        (at, action.order_id) for at, action in story.did if isinstance(action, CancelOrder)
    ] == [
        (0.4, "memo-1-stop"),
        (0.4, "memo-1-target"),
    ]
    ((_, word),) = story.said
    assert word.message == (
        "exits of AAPL could trade 10 more than the 0 that are held: "
        "memo-1-stop is cancelled, memo-1-target is cancelled"
    )
    assert values(word.surplus, word.is_serious) == (10, True)


def test_what_the_broker_mends_by_itself_is_left_to_it() -> None:
    story = flat(stop()).run(0.3).run(2, orders=())
    assert (story.did, story.said, story.policy.watches) == ([], [], {})


def test_at_rest_nothing_needs_to_settle() -> None:
    scene = Scene(contract=AAPL, held=Decimal(0), orders=(stop(),))
    assert len(CoverPolicy().step([scene], later(0), settle=timedelta(0)).actions) == 1


def test_exits_of_a_reduced_position_are_cut_and_keep_covering() -> None:
    part = stop(filled=Decimal(2), status=OrderStatus.PARTIALLY_FILLED)
    story = Story().run(0.5, held=Decimal(5), orders=orders(part))
    assert story.did == [
        (0.4, ModifyOrder(order_id=part.order_id, quantity=Decimal(7), origin="cover"))
    ]
    assert "memo-1-stop is cut to 5" in story.words()[0]


def test_what_the_broker_may_not_have_is_not_changed_but_may_be_cancelled() -> None:
    lost = stop(status=OrderStatus.UNKNOWN)
    assert Story().run(3, held=Decimal(5), orders=orders(lost)).did == []
    assert isinstance(flat(lost).run(1).did[0][1], CancelOrder)


def test_a_cancel_that_is_under_way_is_waited_for_and_a_refused_one_repeated() -> None:
    story = flat(stop()).run(0.5)
    story.run(20, orders=orders(stop(status=OrderStatus.PENDING_CANCEL)))
    assert len(story.did) == 1
    story.run(30, orders=orders(stop()))
    assert len(story.did) == TRIES
    story.run(1, orders=())
    assert story.policy.watches == {}


def test_what_is_refused_again_and_again_is_asked_for_slowly() -> None:
    """TWS was set to read-only: nobody tells when it takes orders again."""
    story = flat(stop()).run(150)
    assert [at for at, _ in story.did] == pytest.approx([0.4, 5.4, 10.4, 70.4, 130.4])


def test_what_a_lost_link_may_have_lost_is_asked_for_on_the_next_at_once() -> None:
    story = flat(stop()).run(1)
    story.policy = story.policy.parted()
    story.run(1)
    assert [at for at, _ in story.did] == [0.4, 1.0]


def test_a_stop_that_was_placed_as_the_link_was_lost_still_counts_as_placed() -> None:
    """It may have arrived: what is sent is counted, whatever became of it."""
    story = Story().run(6)
    story.policy = story.policy.parted()
    story.run(1)
    assert [at for at, _ in story.did] == [5.0]
    assert Story().policy.parted() == Story().policy


@pytest.mark.parametrize("changes", [{"is_known": False}, {"is_closing": True}])
def test_exits_stay_while_it_is_not_known_what_is_held(changes: dict[str, Any]) -> None:
    assert flat(stop()).run(5, **changes).did == []


def test_a_plain_order_is_an_exit_if_it_could_only_reduce() -> None:
    one = stop(role=OrderRole.SINGLE, order_id=OrderId("memo-1-single"))
    story = flat(one)
    assert story.run(1).did == []
    news = msgspec.structs.replace(written(one.spec), reduces=True)
    story.policy = story.policy.hear(news).hear(news)
    assert len(story.run(1).did) == 1


def test_a_position_turned_round_by_hand_loses_its_exits_and_is_called_naked() -> None:
    story = Story(scene=NAKED._replace(held=Decimal(-5), ours=Decimal(0)))
    story.run(5.1, orders=orders(stop(oca_group="x"), target(oca_group="x")))
    assert [type(action) for _, action in story.did] == [CancelOrder, CancelOrder]
    assert any("5 of 5 AAPL are held without a stop" in word for word in story.words())


# -- whatever happens ----------------------------------------------------------------------

SCENES = st.builds(
    lambda held, shapes, is_known, is_closing, has_market: Scene(
        contract=AAPL,
        held=Decimal(held),
        cost=Decimal(150),
        ours=Decimal(abs(held)),
        orders=tuple(
            stop(
                size,
                f"memo-{n + 1}-stop",
                status=status,
                is_foreign=is_foreign,
                side=side,
                order_type=OrderType.STOP,
            )
            for n, (size, status, is_foreign, side) in enumerate(shapes)
        ),
        is_known=is_known,
        is_closing=is_closing,
        market=QUOTE if has_market else None,
    ),
    st.integers(-20, 20),
    st.lists(
        st.tuples(
            st.integers(1, 20),
            st.sampled_from(list(OrderStatus)),
            st.booleans(),
            st.sampled_from(list(Side)),
        ),
        max_size=4,
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(st.tuples(SCENES, st.floats(0.1, 30)), max_size=6), st.sampled_from(list(Policy)))
def test_it_never_acts_on_what_is_not_known_nor_on_strangers_nor_too_much(
    steps: list[tuple[Scene, float]], answer: Policy
) -> None:
    policy, now = CoverPolicy(rules=CoverRules(policy=answer)), 0.0
    for scene, passed in steps:
        now += passed
        step = policy.step([scene], later(now))
        policy = step.policy
        by_id = {order.order_id: order for order in scene.orders}
        if not scene.is_known or scene.is_closing:
            assert step.actions == ()
        for action in step.actions:
            match action:
                case CancelOrder() | ModifyOrder():
                    assert not by_id[action.order_id].is_foreign
                case Attach():
                    assert not any(
                        o.status.is_in_flight and o.spec.side is action.side and not o.is_foreign
                        for o in scene.orders
                    )
                    assert action.side.sign * scene.held < 0
                    assert 0 < action.quantity <= abs(scene.held)
                case Flatten():
                    assert answer is Policy.FLATTEN
                case Look():
                    assert answer is Policy.ATTACH
