"""What is planned at a gateway, and its hour: acts that wait for something to happen.

A fault that is planned is in force as soon as its hour comes, before whatever brought it is told.
Other acts on the market or on orders wait until all that follows from that moment has been said.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.events import Executed, SimEvent
from ibkr_trader.sim.floor_rules import fits
from ibkr_trader.sim.gateway import triggers
from ibkr_trader.sim.gateway.acts import Act, Arm
from ibkr_trader.sim.gateway.triggers import Trigger

_HUNDRED = 100


class Planned:
    """An act that waits: its number, what for, and from when on (for a moment, its moment).

    Attributes:
        undo: Takes back what listens for it elsewhere, should it be dropped.
    """

    def __init__(
        self, number: int, trigger: Trigger, act: Act, *, due: datetime | None, was_so: bool
    ) -> None:
        self.number = number
        self.trigger = trigger
        self.act = act
        self.due = due
        self.was_so = was_so
        self.undo: Callable[[], object] = lambda: None


class Agenda:
    """The plans of one gateway.

    `now` is the exchange's time, `number` gives each plan the number it is lifted by, and
    `is_halted` says whether a symbol's trading stands still.

    Attributes:
        do: Carries an act out.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        number: Callable[[], int],
        is_halted: Callable[[str], bool],
    ) -> None:
        self.do: Callable[[Act], object] | None = None
        self._now = now
        self._number = number
        self._is_halted = is_halted
        self._plans: list[Planned] = []
        self._ripe: list[Act] = []

    @property
    def armed(self) -> tuple[Planned, ...]:
        """What waits, in the order of planning."""
        return tuple(self._plans)

    def plan(self, trigger: Trigger, act: Act) -> Planned:
        """Have an act wait; messages and bytes that it waits for are for the caller to tell."""
        due = _moment(trigger, self._now()) if isinstance(trigger, triggers.Moment) else None
        was_so = isinstance(trigger, triggers.Halted) and self._is(trigger)
        one = Planned(self._number(), trigger, act, due=due, was_so=was_so)
        self._plans.append(one)
        return one

    def lift(self, number: int | None = None) -> int:
        """Drop one plan, or all; return how many there were."""
        gone = [one for one in self._plans if number in {None, one.number}]
        self._plans = [one for one in self._plans if one not in gone]
        for one in gone:
            one.undo()
        return len(gone)

    def strike(self, plan: Planned, *, at_once: bool = True) -> None:
        """Do what a plan says, if it still stands."""
        if plan not in self._plans:
            return
        self._plans.remove(plan)
        if at_once or isinstance(plan.act, Arm):
            self._carry_out(plan.act)
        else:
            self._ripe.append(plan.act)

    def ring(self, number: int) -> None:
        """Do what waits for a message, as it has come by."""
        for plan in self.armed:
            if plan.number == number and isinstance(plan.trigger, triggers.Passing):
                self.strike(plan, at_once=plan.trigger.when.of_requests)

    def hear(self, event: SimEvent) -> None:
        """Take note of what happens at the exchange, before anybody else does."""
        if not self._plans or not isinstance(event, Executed):
            return
        order = event.order
        share = order.filled * _HUNDRED / order.terms.quantity
        for plan in self.armed:
            wanted = plan.trigger
            if not isinstance(wanted, triggers.Filled) or share < wanted.percent:
                continue
            if fits(order.terms.order_ref, wanted.order):
                self.strike(plan, at_once=False)

    def greet(self, client_id: int, count: int) -> None:
        """Take note of a client that starts the API for the `count`-th time."""
        for plan in self.armed:
            wanted = plan.trigger
            if not isinstance(wanted, triggers.Connected) or wanted.number != count:
                continue
            if wanted.client in {None, client_id}:
                self.strike(plan, at_once=False)

    def run(self) -> None:
        """Do what is due: by the clock, by a halt, or since something happened."""
        if not self._plans and not self._ripe:
            return
        for plan in self.armed:
            if plan.due is not None and plan.due <= self._now():
                self.strike(plan)
            elif isinstance(plan.trigger, triggers.Halted):
                is_so = self._is(plan.trigger)
                if is_so and not plan.was_so:
                    self.strike(plan)
                plan.was_so = is_so
        while self._ripe:
            self._carry_out(self._ripe.pop(0))

    def _is(self, trigger: triggers.Halted) -> bool:
        return self._is_halted(trigger.symbol) is trigger.halted

    def _carry_out(self, act: Act) -> None:
        if self.do is not None:
            self.do(act)


def _moment(trigger: triggers.Moment, now: datetime) -> datetime:
    if trigger.at is not None:
        return trigger.at
    if trigger.after is not None:
        return now + timedelta(seconds=trigger.after)
    local = now.astimezone(NEW_YORK)
    clock = trigger.clock or local.time()
    today = datetime.combine(local.date(), clock, NEW_YORK)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), clock, NEW_YORK)
    return today if today >= local else tomorrow
