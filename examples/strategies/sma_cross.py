"""Be long while a fast average is above a slow one: a strategy in Python.

    ibkr-trader strategy check examples/strategies/sma_cross.py
    ibkr-trader run --strategy examples/strategies/sma_cross.py

The same in TOML is `sma_cross.toml`, beside this file.
"""

from collections.abc import Iterator

from ibkr_trader import Action, CloseAll, Envelope, Moment, StrategyProgram, condition, enter


class SmaCross(StrategyProgram):
    """Enter when the fast average crosses above the slow one, leave when it crosses back."""

    name = "sma-cross"
    symbols = ("AAPL",)
    bars = "1 min"
    description = "Long above the slow average, with a stop two average ranges away."
    envelope = Envelope(max_entries_per_day=10)
    needs = ("atr(14)",)

    up = condition("crosses_above(sma(10), sma(50)) and time.minutes_to_close > 15")
    down = condition("crosses_below(sma(10), sma(50))")
    late = condition("time.minutes_to_close <= 5")

    def on_bar(self, moment: Moment) -> Iterator[Action]:
        """Follow the averages."""
        if self.up.holds(moment) and not moment.holding.quantity:
            yield enter("long", size="risk:0.5%", stop_loss="2atr", take_profit="4atr")
        elif self.down.holds(moment):
            yield CloseAll(only="long")

    def on_time(self, moment: Moment) -> Iterator[Action]:
        """Be flat at the end of the day."""
        if self.late.holds(moment) and moment.holding.quantity:
            yield CloseAll()
