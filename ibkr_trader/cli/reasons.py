"""`why`: what led to an order or a decision, and what kept a signal from becoming one.

It is the journal's own story, read from its end: who claimed what, what each rule saw, what the
checks said, and what the broker made of it. What did not happen has a reason on record, too.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ibkr_trader.cli import output
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.cli.explaining import explain, recall
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import when
from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.origins import rule_origin
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.execution.desk import UnknownOrder
from ibkr_trader.execution.long_reading import recent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk

MOST = 40  # lines of a story

Told = (
    ev.OptionsFlowEvent
    | ev.StrategyEvent
    | ev.DenyEvent
    | ev.NewOrderEvent
    | ev.FillEvent
    | ev.NoticeEvent
    | ev.CloseRequestEvent
    | ev.CloseEndEvent
)


class Story:
    """Gathers what the journal says about one thing, in one reading.

    Args:
        about: A signal's or a decision's id, or a symbol; empty is anything.
    """

    def __init__(self, about: str) -> None:
        self._about = about
        self._symbol = about.upper()
        self._causes: set[str] = set()
        self._decisions: set[str] = set()
        self._orders: set[str] = set()
        self._asking: dict[str, ev.DecisionEvent] = {}  # not ended yet, by the origin
        self._closings: set[str] = set()
        self.events: deque[Told] = deque(maxlen=MOST)

    def hear(self, event: object) -> None:
        """Keep an event that belongs to the story, and what may follow from it."""
        if isinstance(event, Told) and (self._decides(event) or self._follows(event)):
            self.events.append(event)

    def _decides(self, event: Told) -> bool:
        """Whether it is a signal or a decision of the story, or how one ended."""
        match event:
            case ev.OptionsFlowEvent() if self._is_ours(event.ticker, *_names(event)):
                self._causes.add(event.name)
            case ev.DecisionEvent() if (
                self._is_ours(event.ticker, event.decision_id, short_id(event.decision_id))
                or event.cause in self._causes
            ):
                self._decisions.add(event.decision_id)
                self._asking[rule_origin(event.strategy, event.rule)] = event
            case ev.DecisionEndEvent() if event.decision_id in self._decisions:
                self._asking = {
                    origin: one
                    for origin, one in self._asking.items()
                    if one.decision_id != event.decision_id
                }
            case ev.StageEvent() | ev.FaultEvent():
                return event.strategy == self._about
            case _:
                return False
        return True

    def _follows(self, event: Told) -> bool:
        """Whether it is what a decision of the story led to."""
        match event:
            case ev.NoticeEvent():
                return event.origin in self._asking
            case ev.CloseRequestEvent() if event.correlation_id in self._decisions:
                is_news = event.group_id not in self._closings  # it is told again with its stop
                self._closings.add(event.group_id)
                return is_news
            case ev.CloseEndEvent():
                return event.group_id in self._closings
            case ev.NewOrderEvent() if event.correlation_id in self._decisions:
                self._orders.add(event.order_id)
                return True
            case ev.DenyEvent(spec=spec):
                is_here = spec is not None and self._symbol == ticker(spec.contract)
                return is_here or event.order_id in self._orders
            case ev.FillEvent():
                return event.order_id in self._orders
            case _:
                return False

    def _is_ours(self, symbol: str, *names: str) -> bool:
        return not self._about or self._symbol == symbol or self._about in names


async def why(face: Face, about: str) -> output.Reply:
    """Reply with what led to something, or what kept it from happening.

    Raises:
        UnknownOrder: If nothing on record is about it.
        TraderError: Whatever keeps the desk from being opened.
    """
    async with desk_for(face, looks=True) as desk:
        story = await _read(desk, Story(about))
        lines = list(_lines(story, utc=face.utc))
        lines += await _explained(desk, about, utc=face.utc, is_all=not lines)
        if not lines:
            lines = ["No signal has come in, and no rule has decided anything."]
        head = f"{title(face.settings(), desk)}  why {about}".rstrip()
        return output.Reply(
            schema="why/1",
            data={"about": about, "lines": lines, "events": list(story.events)},
            blocks=[head, *(f"  {line}" if line else "" for line in lines)],
        )


async def _read(desk: Desk, story: Story) -> Story:
    """Let a story hear the end of the journal, in small steps."""
    async for message in recent(desk.trader.journal):
        story.hear(message)
    return story


async def _explained(desk: Desk, about: str, *, utc: bool, is_all: bool) -> list[str]:
    """All there is to say of what is held of a symbol, or of an order, a group, its latest orders.

    Whether it still works makes no difference: that is told of whatever is on record.

    Raises:
        UnknownOrder: If it is none of these, and nothing else is known of it.
        UsageFault: If it may mean several orders, of which none is told.
    """
    held = [
        str(one.contract.con_id)
        for one in desk.trader.portfolio.positions.values()
        if about.upper() in {ticker(one.contract), str(one.contract.con_id)}
    ]
    if not about:
        return []
    try:
        if held:
            return ["", *await explain(desk, held[0], utc=utc)]
        found = await recall(desk, about, utc=utc, only_recent=not is_all)
    except UnknownOrder as error:
        if not is_all:
            return []
        message = f"nothing on record is about {plain(about, limit=SENTENCES)}"
        raise UnknownOrder(message, hint="ibkr-trader why; ibkr-trader orders --all") from error
    return found if is_all else ["", *found]


def _lines(story: Story, *, utc: bool) -> Iterator[str]:
    words = EventWords(utc=utc)
    for event in story.events:
        text = words.of(event) or _ended(event)
        if text is None:
            continue
        yield f"{when(event.at, utc=utc)}  {plain(text, limit=SENTENCES)}"
        for more in _details(event):
            yield f"    {plain(more, limit=SENTENCES)}"


def _ended(event: ev.BaseEvent) -> str | None:
    """What is worth no line while it happens, and is when somebody asks."""
    if isinstance(event, ev.DecisionEndEvent):
        return f"{short_id(event.decision_id)}: {event.outcome.value.lower()}"
    return None


def _details(event: ev.BaseEvent) -> Iterable[str]:
    match event:
        case ev.DecisionEvent():
            told = "; ".join(f"{name} {value}" for name, value in event.facts.items())
            named = f"decision {short_id(event.decision_id)}, version {event.version}"
            return (f"{named}, because of {event.cause}", *((f"saw: {told}",) if told else ()))
        case ev.DecisionEndEvent(outcome=Outcome.ACTED, reasons=reasons):
            return reasons  # of any other its line tells them
        case _:
            return ()


def _names(event: ev.OptionsFlowEvent) -> tuple[str, ...]:
    return (event.signal_id, event.name) if event.signal_id else ()
