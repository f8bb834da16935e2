"""What to do about a position that stops do not cover, or that exits cover twice.

A value that looks at how things stand, contract by contract, and says what follows: it
holds after a restart, a lost message or a repeated one. It is the last to act. Groups mend
themselves first, a closing takes stops away on purpose, and what a person has cancelled
stays cancelled unless the settings say otherwise. Of what is not known (an order that may
be live, a position the broker tells differently, a market that is closed or silent)
nothing follows but a word.

Too little: after the grace the policy acts. Too much: what is left of our exits when
somebody else has closed the position is taken away after `SETTLE`, sooner than it can do
harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.orders.cover_orders import KIND, CoverRules
from ibkr_trader.orders.cover_rules import RELAPSE, SETTLE, too_little, too_much
from ibkr_trader.orders.cover_scene import Action, Known, Scene, Terms, Watch
from ibkr_trader.orders.wishes import PERSONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import OrderId

_UNSIZED = frozenset({KIND, "single"})  # groups that leave the size of their order alone


class CoverStep(NamedTuple):
    """The policy after a look: its next self, what to do, and what to tell."""

    policy: CoverPolicy
    actions: tuple[Action, ...] = ()
    events: tuple[ev.CoverEvent, ...] = ()


class CoverPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy and what it remembers; a new one begins with nothing.

    Attributes:
        watches: By con_id; contracts that are as they should be have none.
        known: What was heard of the purpose of orders.
        placed: When stops were put in place of late, by con_id: one that somebody takes away
            comes again, but not for ever.
    """

    rules: CoverRules = CoverRules()
    watches: Mapping[int, Watch] = MappingProxyType({})
    known: Known = Known()
    placed: Mapping[int, tuple[datetime, ...]] = MappingProxyType({})

    def hear(self, event: ev.OrderEvent) -> CoverPolicy:
        """Return the policy that knows what `event` says of an order's purpose."""
        known = self.known
        match event:
            case ev.NewOrderEvent():
                one = frozenset({event.order_id})
                known = Known(
                    exits=known.exits | one if event.reduces else known.exits,
                    loose=known.loose | one if event.kind in _UNSIZED else known.loose,
                    wishes=known.wishes,
                )
            case ev.CancelRequestEvent(origin=origin) if origin in PERSONS:
                wishes = known.wishes | {event.order_id}
                known = msgspec.structs.replace(known, wishes=wishes)
            case _:
                return self
        return msgspec.structs.replace(self, known=known)

    def step(
        self, scenes: Iterable[Scene], now: datetime, *, settle: timedelta = SETTLE
    ) -> CoverStep:
        """Return what follows from how things stand.

        Args:
            scenes: The contracts with news, and all that are watched: what is watched and not
                among them is forgotten.
            now: The exchange's time.
            settle: For how long there must have been too many exits; none when the broker
                has just told the whole truth.
        """
        watches: dict[int, Watch] = {}
        placed = self._placed_of_late(now)
        actions: list[Action] = []
        told: list[ev.CoverEvent] = []
        terms = Terms(self.rules, self.known, now)
        for scene in scenes:
            con_id = scene.contract.con_id
            much = too_much(scene, self.watches.get(con_id, Watch()), terms, settle=settle)
            of_late = placed.pop(con_id, ())
            watch = msgspec.structs.replace(much.watch, placed=of_late if scene.held else ())
            little = too_little(scene, watch, terms)
            actions += (*much.actions, *little.actions)
            told += (*much.events, *little.events)
            if little.watch.is_needed:
                watches[con_id] = little.watch
            if little.watch.placed:
                placed[con_id] = little.watch.placed
        policy = msgspec.structs.replace(self, watches=watches, placed=placed)
        return CoverStep(policy, tuple(actions), tuple(told))

    def parted(self) -> CoverPolicy:
        """Return the policy once the link is lost: what was asked of orders may be lost with it."""
        watches = {con_id: watch.parted() for con_id, watch in self.watches.items()}
        return msgspec.structs.replace(self, watches=watches)

    def knowing_only(self, orders: Iterable[OrderId]) -> CoverPolicy:
        """Return the policy without what it has heard of other orders than these."""
        return msgspec.structs.replace(self, known=self.known.only(orders))

    def _placed_of_late(self, now: datetime) -> dict[int, tuple[datetime, ...]]:
        recent = {
            con_id: tuple(at for at in moments if now - at < RELAPSE)
            for con_id, moments in self.placed.items()
        }
        return {con_id: moments for con_id, moments in recent.items() if moments}

    @property
    def is_waiting(self) -> bool:
        """Whether something falls due sooner than a heartbeat would notice."""
        return any(watch.is_waiting for watch in self.watches.values())
