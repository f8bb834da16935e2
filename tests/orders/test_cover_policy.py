"""What the cover policy does about one contract as time passes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders.asking import PATIENCE, TRIES
from ibkr_trader.orders.cover_orders import Attach, CoverRules, Market, Policy
from ibkr_trader.orders.cover_policy import CoverPolicy
from ibkr_trader.orders.cover_scene import Action, Flatten, Look, Scene
from tests.orders.samples import AAPL, later, spec, values, written
from tests.orders.test_cover_orders import CENTS
from tests.orders.test_coverage import ENTRY, entry, stop, target

QUOTE = Market(CENTS, Decimal("149.99"), Decimal("150.01"))
ATTACH = CoverRules(policy=Policy.ATTACH)
NAKED = Scene(contract=AAPL, held=Decimal(10), cost=Decimal(150), ours=Decimal(10), market=QUOTE)


class Story:
    """A policy, and the contract that it looks at every tenth of a second."""

    def __init__(self, rules: CoverRules = ATTACH, scene: Scene = NAKED) -> None:
        self.policy = CoverPolicy(rules=rules)
        self.scene = scene
        self.now = 0.0
        self.did: list[tuple[float, Action]] = []
        self.said: list[tuple[float, ev.CoverEvent]] = []

    def look(self, **changes: Any) -> Story:
        """Let the policy see the scene, changed."""
        self.scene = self.scene._replace(**changes)
        step = self.policy.step([self.scene], later(self.now))
        self.policy = step.policy
        self.did += [(self.now, action) for action in step.actions]
        self.said += [(self.now, event) for event in step.events]
        return self

    def run(self, seconds: float, *, beat: float = 0.1, **changes: Any) -> Story:
        """Let time pass, and look once a beat: a longer one will do while nothing is to happen."""
        self.look(**changes)
        for _ in range(round(seconds / beat)):
            self.now = round(self.now + beat, 1)
            self.look()
        return self

    def words(self) -> list[str]:
        return [event.message for _, event in self.said]


def orders(*given: Order) -> tuple[Order, ...]:
    return given


# -- too few stops -------------------------------------------------------------------------


def test_a_naked_position_is_told_then_covered_after_the_grace() -> None:
    story = Story().run(6)
    assert [at for at, _ in story.said] == [1.0, 5.0]
    told, alert = (event for _, event in story.said)
    assert told.message == "10 of 10 AAPL are held without a working stop"
    assert not told.is_serious
    assert alert.is_serious
    assert alert.message == (
        "10 of 10 AAPL are held without a stop since 15:00:00 UTC: a stop at 142.50 is being placed"
    )
    assert values(alert.since, alert.covered, alert.held) == (later(0), 0, 10)
    assert story.did == [(5.0, Attach(AAPL, Side.SELL, Decimal(10), Decimal("142.50")))]


def test_only_the_part_that_is_not_covered_gets_a_stop() -> None:
    story = Story().run(6, orders=orders(stop(4, oca_group="x")))
    assert story.did == [(5.0, Attach(AAPL, Side.SELL, Decimal(6), Decimal("142.50")))]


def test_an_own_stop_that_nobody_sizes_grows_in_place() -> None:
    story = Story()
    lone = stop(4, "memo-1-single")
    story.policy = story.policy.hear(written(lone.spec, kind="single"))
    story.run(6, orders=orders(lone, stop(1, "memo-2-stop")))
    (done,) = story.did
    assert done == (5.0, ModifyOrder(order_id=lone.order_id, quantity=Decimal(9), origin="cover"))
    for changes in ({"oca_group": "x"}, {"parent_id": ENTRY}):
        other = Story()
        other.policy = story.policy
        other.run(6, orders=orders(stop(4, "memo-1-single", **changes)))
        assert all(isinstance(action, Attach) for _, action in other.did)


def test_what_could_trade_beside_the_new_stop_makes_room_first() -> None:
    left_behind = stop(
        10, "memo-2-stop", order_type=OrderType.STOP_LIMIT, limit_price=Decimal("144.50")
    )
    story = Story(scene=NAKED._replace(mark=Decimal(140)))
    story.run(5, orders=orders(left_behind))
    assert [type(action) for _, action in story.did] == [CancelOrder]
    assert "memo-2-stop makes room: a stop at" in story.words()[-1]
    leaving = stop(10, "memo-2-stop", order_type=OrderType.STOP_LIMIT,
                   limit_price=Decimal("144.50"), status=OrderStatus.PENDING_CANCEL)  # fmt: skip
    story.run(1, orders=orders(leaving))
    assert len(story.did) == 1
    assert isinstance(story.run(0.1, orders=()).did[-1][1], Attach)


def test_a_target_makes_room_only_as_far_as_it_must_and_not_for_nothing() -> None:
    linked = orders(stop(4, oca_group="x"), target(10, oca_group="x"))
    cut = ModifyOrder(order_id=OrderId("memo-1-target"), quantity=Decimal(4), origin="cover")
    assert Story().run(5, orders=linked).did == [(5.0, cut)]
    assert Story(scene=NAKED._replace(market=None)).run(5, orders=linked).did == [(5.0, Look(AAPL))]
    assert Story().run(5, orders=orders(target(10, is_foreign=True))).did[0][1] == Attach(
        AAPL, Side.SELL, Decimal(10), Decimal("142.50")
    )


def test_the_stop_that_comes_ends_it_and_says_so() -> None:
    story = Story().run(6).run(1, orders=orders(stop()))
    assert story.words()[-1] == "AAPL is covered again after 6 s without a stop"
    assert len(story.did) == 1
    assert story.policy.watches == {}


def test_closing_it_ends_it_too() -> None:
    story = Story().run(2).look(held=Decimal(0))
    assert story.words()[-1] == "AAPL is closed after 2 s without a stop"


def test_a_gap_that_is_short_is_not_worth_a_word() -> None:
    story = Story().run(0.5).run(1, orders=orders(stop()))
    assert (story.said, story.did, story.policy.watches) == ([], [], {})


def test_alert_only_speaks_and_repeats_itself_with_patience() -> None:
    rules = CoverRules(repeat=timedelta(seconds=20))
    story = Story(rules).run(46)
    assert [at for at, event in story.said if event.is_serious] == [5.0, 25.0, 45.0]
    assert story.words()[-1].endswith("ibkr-trader cover --fix")
    assert story.did == []


def test_since_when_it_is_so_survives_a_restart_and_gives_groups_a_moment() -> None:
    story = Story(scene=NAKED._replace(since=later(-60))).run(3)
    assert [at for at, _ in story.did] == [2.0]
    assert story.said[-1][1].since == later(-60)
    assert Story(scene=NAKED._replace(since=later(60))).run(1).said[0][1].since == later(0)


def test_flatten_closes_what_we_opened() -> None:
    rules = CoverRules(policy=Policy.FLATTEN)
    assert Story(rules).run(6).did == [(5.0, Flatten(AAPL))]
    partly = Story(rules, NAKED._replace(ours=Decimal(6))).run(6)
    assert partly.did == []
    assert "not all was opened here" in partly.words()[-1]
    everything = CoverRules(policy=Policy.FLATTEN, cover_foreign=True)
    assert Story(everything, NAKED._replace(ours=Decimal(0))).run(6).did == [(5.0, Flatten(AAPL))]


def test_what_others_opened_is_told_and_covered_only_if_asked_for() -> None:
    theirs = NAKED._replace(ours=Decimal(0))
    story = Story(scene=theirs).run(6)
    assert story.did == []
    assert "protection.cover_foreign is off" in story.words()[-1]
    rules = msgspec.structs.replace(ATTACH, cover_foreign=True)
    assert len(Story(rules, theirs).run(6).did) == 1
    grown = Story(scene=NAKED._replace(held=Decimal(15))).run(6, orders=orders(stop()))
    assert grown.did == []


def test_what_a_person_cancelled_stays_cancelled_unless_asked_for() -> None:
    gone = stop(status=OrderStatus.CANCELLED)
    request = ev.CancelRequestEvent(at=later(0), order_id=gone.order_id, origin="cli")
    for rules, count in ((ATTACH, 0), (msgspec.structs.replace(ATTACH, auto_reprotect=True), 1)):
        story = Story(rules)
        story.policy = story.policy.hear(request)
        story.run(20, lost=orders(gone))
        assert bool(story.did) == bool(count)
        if not count:
            assert "memo-1-stop was cancelled on request" in story.words()[-1]


@pytest.mark.parametrize("origin", ["broker", "recovery", "bracket", "cover", "undo", ""])
def test_what_nobody_wished_for_is_put_right(origin: str) -> None:
    gone = stop(status=OrderStatus.CANCELLED)
    story = Story()
    request = ev.CancelRequestEvent(at=later(0), order_id=gone.order_id, origin=origin)
    story.policy = story.policy.hear(request)
    assert len(story.run(6, lost=orders(gone)).did) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"is_known": False},
        {"is_closing": True},
        {"orders": (stop(status=OrderStatus.UNKNOWN),)},
        {"orders": (stop(status=OrderStatus.PENDING),)},
    ],
)
def test_nothing_is_done_about_what_is_not_known(changes: dict[str, Any]) -> None:
    assert Story().run(30, **changes).did == []


def test_an_unknown_order_is_named_as_the_reason() -> None:
    story = Story().run(6, orders=orders(stop(status=OrderStatus.UNKNOWN)))
    assert "an order that may be live would cover it" in story.words()[-1]


def test_what_is_about_to_mend_itself_is_given_time_but_not_for_ever() -> None:
    sleeping = orders(
        entry(20, 10),
        stop(20, held_for="child", parent_id=ENTRY),
    )
    story = Story(scene=NAKED._replace(market=None)).run(20, orders=sleeping)
    assert story.words()[-1].endswith("its orders are changing")
    assert story.did[0] == (15.0, Look(AAPL))
    # A change that is never answered is given up for one that is.
    changing = stop(4, status=OrderStatus.PENDING_MODIFY, desired=spec(quantity=Decimal(10)))
    assert Story().run(14.9, orders=orders(changing)).did == []


def test_without_a_price_one_is_asked_for_again_and_again() -> None:
    story = Story(scene=NAKED._replace(market=None)).run(31)
    looks = [at for at, action in story.did if action == Look(AAPL)]
    assert looks == [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert "no price of an open market" in story.words()[-1]
    story.run(1, market=QUOTE)
    assert isinstance(story.did[-1][1], Attach)


def test_where_there_is_no_room_for_a_stop_nothing_is_placed() -> None:
    penny = Market(CENTS, Decimal("0.01"), Decimal("0.02"))
    story = Story(scene=NAKED._replace(cost=Decimal("0.01"), market=penny)).run(6)
    assert story.did == []
    assert "there is no room for a stop; ibkr-trader close AAPL" in story.words()[-1]


def test_what_does_not_help_is_tried_three_times_and_then_called_out() -> None:
    rules = msgspec.structs.replace(ATTACH, repeat=timedelta(seconds=60))
    story = Story(rules).run(70)
    assert [at for at, _ in story.did] == [5.0 + n * PATIENCE.seconds for n in range(TRIES)]
    assert "tried 3 times in vain" in story.words()[-1]


def lose_it(story: Story, times: int, *, every: float = 20) -> Story:
    """Have the stop appear that was placed, and somebody take it away again."""
    for _ in range(times):
        story.run(6, orders=())
        story.run(every, beat=1, orders=orders(stop()))
    return story.run(6, orders=())


def test_a_stop_that_is_taken_away_again_and_again_is_not_placed_for_ever() -> None:
    story = lose_it(Story(), TRIES + 3)
    assert [type(action) for _, action in story.did] == [Attach] * TRIES
    assert "its stop was taken away 3 times within 10 min" in story.words()[-1]
    # It stands for so long: what comes then is another matter.
    story.run(600, beat=5, orders=orders(stop()))
    assert story.run(6, orders=()).did[TRIES:]


def test_where_none_is_placed_any_more_no_target_makes_room_for_it() -> None:
    story = lose_it(Story(), TRIES)
    done = len(story.did)
    story.run(6, orders=orders(target()))
    assert len(story.did) == done


def test_a_stop_that_somebody_takes_away_now_and_then_comes_again() -> None:
    story = lose_it(Story(), TRIES + 1, every=300)
    assert len(story.did) == TRIES + 2


def test_another_position_has_its_own_count() -> None:
    story = lose_it(Story(), TRIES)
    story.run(1, held=Decimal(0), ours=Decimal(0))
    assert not story.policy.placed
    assert len(story.run(6, held=Decimal(10), ours=Decimal(10)).did) == TRIES + 1


# -- the policy itself -------------------------------------------------------------------


def test_other_news_changes_nothing() -> None:
    policy = CoverPolicy()
    assert policy.hear(ev.ExpireEvent(at=later(0), order_id=OrderId("memo-1-stop"))) is policy


def test_it_is_looked_at_more_often_while_something_falls_due() -> None:
    story = Story(scene=Scene(contract=AAPL, held=Decimal(0), orders=(stop(),)))
    assert not story.policy.is_waiting
    assert story.look().policy.is_waiting
    assert not story.run(0.5).policy.is_waiting
    assert Story().run(1).policy.is_waiting
    assert not Story(CoverRules()).run(6).policy.is_waiting


def test_what_is_long_gone_can_be_forgotten() -> None:
    policy = CoverPolicy()
    for number in (1, 2):
        one = spec(order_id=OrderId(f"memo-{number}-single"))
        news = msgspec.structs.replace(written(one, kind="single"), reduces=True)
        request = ev.CancelRequestEvent(at=later(0), order_id=one.order_id, origin="cli")
        policy = policy.hear(news).hear(request)
    assert policy.known.size == 6
    known = policy.knowing_only([OrderId("memo-2-single")]).known
    assert (known.exits, known.loose, known.wishes) == (frozenset({"memo-2-single"}),) * 3


def test_what_is_not_among_the_scenes_is_not_watched_any_more() -> None:
    story = Story().run(2)
    assert story.policy.step([], later(3)).policy.watches == {}
