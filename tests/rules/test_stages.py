from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Stage
from ibkr_trader.rules.stages import MOST_BEFORE, Stages
from tests.orders.samples import AT


def staged(version: str, stage: Stage = Stage.LIVE, name: str = "s") -> ev.StageEvent:
    return ev.StageEvent(
        at=AT, strategy=name, stage=stage, version=version, content=f"{name} {version}"
    )


def told(*events: ev.BaseEvent) -> Stages:
    stages = Stages()
    for event in events:
        stages = stages.after(event)
    return stages


def live(stages: Stages, name: str = "s") -> str:
    one = stages.live.get(name)
    return one.version if one is not None else ""


def earlier(stages: Stages, name: str = "s") -> str:
    one = stages.earlier(name)
    return one.version if one is not None else ""


def shadows(stages: Stages) -> dict[str, str]:
    return {name: one.version for name, one in stages.shadow.items()}


def test_the_last_word_counts_and_what_traded_before_can_be_brought_back() -> None:
    stages = told(staged("v1"), staged("v1"), staged("v2"), staged("x", name="other"))
    assert (live(stages), earlier(stages)) == ("v2", "v1")
    assert (live(stages, "other"), earlier(stages, "other")) == ("x", "")
    assert (live(stages, "none"), earlier(stages, "none")) == ("", "")


def test_brought_back_and_forth_it_is_always_the_other_one() -> None:
    stages = told(staged("v1"), staged("v2"), staged("v1"))
    assert (live(stages), earlier(stages)) == ("v1", "v2")
    stages = stages.after(staged("v2"))
    assert (live(stages), earlier(stages)) == ("v2", "v1")


def test_only_so_many_are_kept() -> None:
    stages = told(*(staged(f"v{n}") for n in range(10)))
    assert [one.version for one in stages.before["s"]] == ["v4", "v5", "v6", "v7", "v8"]
    assert len(stages.before["s"]) == MOST_BEFORE
    assert earlier(stages) == "v8"


def test_a_shadow_stands_beside_what_trades_until_it_trades_itself() -> None:
    stages = told(staged("v1"), staged("v2", Stage.SHADOW), staged("y", Stage.SHADOW, "other"))
    assert (live(stages), shadows(stages)) == ("v1", {"s": "v2", "other": "y"})
    assert shadows(stages.after(staged("v3"))) == {"s": "v2", "other": "y"}
    assert shadows(stages.after(staged("v2"))) == {"other": "y"}


def test_what_is_retired_is_no_shadow_any_more() -> None:
    stages = told(staged("v1"), staged("v2", Stage.SHADOW), staged("v2", Stage.RETIRED))
    assert (live(stages), shadows(stages)) == ("v1", {})


def test_what_a_start_does_not_name_trades_no_more_and_can_be_brought_back() -> None:
    stages = told(staged("v1"), staged("v2"), staged("x", name="other"))
    stages = stages.after(staged("v2", Stage.RETIRED))
    assert (live(stages), earlier(stages), live(stages, "other")) == ("", "v2", "x")
    stages = stages.after(staged("v1"))
    assert (live(stages), earlier(stages)) == ("v1", "v2")
    many = told(*(staged(f"v{n}") for n in range(10)), staged("v9", Stage.RETIRED))
    assert [one.version for one in many.before["s"]] == ["v5", "v6", "v7", "v8", "v9"]


def test_what_traded_last_is_known_where_it_was_another_version() -> None:
    stages = told(staged("v1"), staged("v2"))
    assert stages.unlike("s", "v2") is None
    was = stages.unlike("s", "v1")
    assert was is not None
    assert was.content == "s v2"
    assert stages.unlike("other", "v1") is None
    assert stages.after(staged("v2", Stage.RETIRED)).unlike("s", "v1") is None


def test_what_says_nothing_of_stages_changes_nothing() -> None:
    stages = told(staged("v1"))
    assert stages.after(ev.TimeEvent(at=AT)) is stages


MOVES = st.lists(
    st.builds(
        staged,
        st.sampled_from(["v1", "v2", "v3", "v4", "v5", "v6", "v7"]),
        st.sampled_from([Stage.LIVE, Stage.SHADOW, Stage.RETIRED]),
        st.sampled_from(["s", "t"]),
    ),
    max_size=12,
)


@given(MOVES, MOVES)
def test_a_checkpoint_tells_all_of_it_again(
    first: list[ev.StageEvent], second: list[ev.StageEvent]
) -> None:
    stages = told(*first)
    checkpoint = ev.CheckpointEvent(at=AT, stages=stages.kept)
    again = told(*second).after(codec.decode_event(codec.encode(checkpoint)))
    assert again.live == stages.live
    assert again.shadow == stages.shadow
    assert {k: v for k, v in again.before.items() if v} == {
        k: v for k, v in stages.before.items() if v
    }
