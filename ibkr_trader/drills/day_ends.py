"""The end of the day in a story, as cron's command does it, at the time that the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.execution.day_end import DayEndPlan, Due, end_day, look_again, survey

if TYPE_CHECKING:
    from ibkr_trader.drills.scene import Scene


async def end_the_day(scene: Scene, closes: datetime) -> None:
    """Let cron's command run a minute after its window opens: all must be flat at the close.

    `closes` is when the market does (UTC). A minute before its window it must do nothing.
    """
    before = timedelta(minutes=scene.settings.eod_minutes_before)
    window = timedelta(minutes=scene.settings.eod_window_minutes)
    plan = DayEndPlan(before=before, window=window)
    early = closes - before - timedelta(minutes=1)
    left = (early - scene.gateway.clock.now()).total_seconds()
    await scene.gateway.wait(left, step=max(60.0, left / 30))
    dues = [one.due for one in await survey(scene.trader, ExchangeCalendar(), plan)]
    scene.must(set(dues) <= {Due.EARLY}, f"a minute too early it is {', '.join(dues)}")
    await scene.gateway.wait(60 + min(60.0, before.total_seconds() / 2), step=10)
    ends = await survey(scene.trader, ExchangeCalendar(), plan)
    await scene.doing(end_day(scene.trader, ends, timeout=30))
    await scene.doing(look_again(scene.trader, ends))
    scene.did("eod-close runs")
    scene.must(scene.gateway.clock.now() < closes, "the market had closed by then")
    scene.must(scene.held == 0, f"{scene.held} {scene.symbol} are held into the close")
