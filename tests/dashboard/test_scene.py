from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.dashboard.scene import MOST_LINES, FeedLine, Glimpse, Scene, scene_after
from tests.dashboard.play import entry, head, held, stop
from tests.dashboard.scenes import EQUITY, GAUGES, WARNINGS, decisions, feed

FIRST = Glimpse(
    head=head(), is_first=True, orders=(stop(), entry()), positions=(held(),), feed=feed(3)
)


def test_the_first_picture_is_all_there_is() -> None:
    scene = scene_after(None, FIRST)
    assert list(scene.orders.values()) == [stop(), entry()]
    assert scene.feed == feed(3)


def test_of_orders_only_the_news_comes() -> None:
    before = scene_after(None, FIRST)
    changed = entry(status="FILLED")
    after = scene_after(
        before, Glimpse(head=head(), orders=(changed, stop(19)), gone=(stop().order_id,))
    )
    assert list(after.orders.values()) == [changed, stop(19)]
    assert list(before.orders.values()) == [stop(), entry()]


def test_no_news_is_the_same_orders() -> None:
    before = scene_after(None, FIRST)
    after = scene_after(before, Glimpse(head=head(), events=7, skipped=2))
    assert after.orders is before.orders
    assert (after.positions, after.events, after.skipped) == ((), 7, 2)
    assert after.feed == before.feed


def test_a_first_picture_forgets_what_was() -> None:
    before = scene_after(None, FIRST)
    after = scene_after(before, Glimpse(head=head(), is_first=True, orders=(stop(19),)))
    assert list(after.orders.values()) == [stop(19)]
    assert after.feed == ()


def test_news_of_a_trader_whose_first_picture_is_missing_stand_alone() -> None:
    after = scene_after(None, Glimpse(head=head(), orders=(stop(),), gone=("nobody",)))
    assert list(after.orders) == [stop().order_id]


def test_the_panels_come_whole() -> None:
    told = Glimpse(
        head=head(), gauges=GAUGES, warnings=WARNINGS, decisions=decisions(2), equity=EQUITY
    )
    after = scene_after(scene_after(None, FIRST), told)
    assert (after.gauges, after.warnings, after.decisions, after.equity) == (
        GAUGES,
        WARNINGS,
        decisions(2),
        EQUITY,
    )


def test_the_feed_has_an_end() -> None:
    scene: Scene | None = None
    for _ in range(3):
        scene = scene_after(scene, Glimpse(head=head(), feed=feed(MOST_LINES // 2 + 1)))
    assert scene is not None
    assert len(scene.feed) == MOST_LINES
    assert isinstance(scene.feed[-1], FeedLine)


NEWS = st.lists(
    st.tuples(
        st.booleans(), st.sets(st.integers(1, 6)), st.sets(st.integers(1, 6)), st.integers(1, 9)
    ),
    max_size=12,
)


@given(NEWS)
def test_the_pictures_add_up_to_what_the_trader_has(
    news: list[tuple[bool, set[int], set[int], int]],
) -> None:
    """A trader that keeps its own book tells the differences; the picture is that book again."""
    scene: Scene | None = None
    book: dict[str, object] = {}
    for is_first, fresh, gone, size in news:
        rows = tuple(stop(one, filled=size) for one in sorted(fresh))
        book = {} if is_first else book
        book |= {row.order_id: row for row in rows}
        ids = tuple(stop(one).order_id for one in sorted(gone))
        book = {key: row for key, row in book.items() if key not in ids}
        told = Glimpse(head=head(), is_first=is_first, orders=rows, gone=ids)
        scene = scene_after(scene, told)
        assert dict(scene.orders) == book
