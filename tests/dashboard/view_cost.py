"""What a screen costs: `python -m tests.dashboard.view_cost` prints milliseconds of CPU a frame.

A measurement and not a test: a shared machine says something else every time. In each frame all
orders and positions change, or none does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from time import process_time

from msgspec.structs import replace

from ibkr_trader.dashboard.model import Model, Panel, Sorting
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.scene import Scene
from ibkr_trader.dashboard.view import view
from tests.dashboard.scenes import NOW, feed, head, model, scene

FRAMES = 200
SIZES = ((80, 24), (120, 40), (200, 60))


def changing(first: Scene) -> Iterator[Scene]:
    """Yield scenes in which every order and every position is another one, all the time."""
    for frame in range(FRAMES):
        orders = {
            key: replace(row, terms=f"{150 + frame / 100:.2f}", filled=Decimal(frame))
            for key, row in first.orders.items()
        }
        positions = tuple(
            replace(row, last=row.last + frame if row.last is not None else None)
            for row in first.positions
        )
        now = NOW + timedelta(milliseconds=250 * frame)
        yield replace(first, orders=orders, positions=positions, head=head(now=now))


def cost(models: list[Model], size: tuple[int, int]) -> float:
    """Return the milliseconds of CPU for each of the models, after a first one."""
    cache = RowCache()
    view(models[0], *size, cache)
    begins = process_time()
    for one in models:
        view(one, *size, cache)
    return (process_time() - begins) / len(models) * 1000


def main() -> None:
    """Print the costs of all sizes, the cursor on the last of 50 and of 500 orders."""
    for count in (50, 500):
        first = scene(count, 10, feed=feed(500))
        look = {"selected": {Panel.ORDERS: f"k7qav-{count}-stop"}}
        ways: dict[str, dict[str, object]] = {
            "": {},
            "sorted": {"sorting": {Panel.ORDERS: Sorting("Age", is_descending=True)}},
            "filtered": {"filter": "aapl"},
        }
        for name, way in ways.items():
            all_new = [model(one, **look, **way) for one in changing(first)]
            for size in SIZES:
                new, same = cost(all_new, size), cost(all_new[:1] * FRAMES, size)
                told = f"{size[0]}x{size[1]} {count:>3} orders {name:<8}"
                sys.stdout.write(f"{told} all change {new:5.2f} ms, none changes {same:5.2f} ms\n")


if __name__ == "__main__":
    main()
