"""Whatever is pressed, pasted, seen and answered: what never happens.

A witness follows each step with a book of its own: what was weighed and what the trader said,
which row somebody has chosen, since when something waits. It asks the reducer for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibkr_trader.dashboard.effects import Act, Effect, Reply
from ibkr_trader.dashboard.inputs import (
    Answered,
    Input,
    Interrupted,
    Linked,
    Outcome,
    Pasted,
    Pressed,
    Questioned,
    Refused,
    Saw,
    Ticked,
)
from ibkr_trader.dashboard.keys import ACTIONS
from ibkr_trader.dashboard.model import (
    ConfirmDialog,
    EditDialog,
    FilterLine,
    Model,
    Panel,
    TypedDialog,
)
from ibkr_trader.dashboard.scene import OrderRow
from ibkr_trader.dashboard.state import update
from ibkr_trader.dashboard.steps import HALT
from tests.dashboard.play import entry, glimpse, guarded, head, held, stop

ROWS = {
    0: stop(17, is_last_stop=True),
    1: stop(18, "MSFT", can_limit=True, limit=Decimal(144)),
    2: entry(19, "MSFT"),
    3: entry(20, "NVDA", number=17),
    4: stop(21, "AAPL", number=0),
    5: stop(22, "NVDA", is_foreign=True),
}
HELD = {
    0: guarded(17),
    1: guarded(18, "MSFT"),
    2: held("NVDA", -5),
    3: held("BRK B", 3),
}
BURSTS = (
    ("m", "ctrl-u", "1", "4", "7", "enter"),
    ("m", "backtab", "ctrl-u", "8", "enter", "enter"),
    ("t", "1", "4", "8", "enter"),
    ("t", "2", "%", "enter"),
    ("tab", "tab", "tab", "tab", "t", "1", "4", "0", "enter"),
    ("c", *"AAPL", "enter"),
    ("a", *"AAPL", "enter"),
    ("a", "y"),
    ("h", "y"),
    ("h", "f"),
    ("x", "y"),
    ("r", *"ok", "enter"),
    ("u",),
    ("/", *"msft", "enter"),
    ("1", "7", "c"),
    ("#", "1", "7", "m"),
    ("enter",),
)
Step = tuple[str, Any]
_YES, _ADDS = ("answer", (0, True, True, "")), ("answer", (0, True, False, ""))
_NINE, _ENTER = ("keys", ("m", "ctrl-u", "9")), ("keys", ("enter",))
_GO = ("wait", 1.6)
_ASK, _Y = ("keys", ("u",)), ("keys", ("y",))
OPENINGS: tuple[tuple[Step, ...], ...] = (
    (_NINE, _YES),
    (_NINE, _ADDS),
    (_NINE, _ADDS, _ENTER),
    (_NINE, _ENTER),
    (_NINE, _YES, ("keys", ("escape", "j")), _NINE, _ENTER),
    (_ASK, _ADDS, ("wait", 0.5), _Y),
    (_ASK, _YES, ("wait", 0.5)),
    (("keys", ("j", "c", "j", "c")),),
    (("keys", ("backtab", "G", "t", "1", "4", "0")),),
    (("keys", ("backtab", "G", "t", "2", "%")),),
)
ENDINGS: tuple[Step, ...] = (_ENTER, _Y, _GO, _YES, _ADDS, ("keys", ("k", "c")), ("tick", 0.9))

KEYS = st.sampled_from([*ACTIONS, *"0179-#.%ynesfbkAPL", "escape", "backspace", "ctrl-u", "f5"])
NOISE: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("keys"), st.tuples(KEYS)),
    st.tuples(st.just("keys"), st.sampled_from(BURSTS)),
    st.tuples(st.just("paste"), st.sampled_from(["147.5", "jjca\nyes\n", "AAPL", "2%", "\x1b[A"])),
    st.tuples(
        st.just("see"),
        st.fixed_dictionaries(
            {
                "rows": st.sets(st.sampled_from(sorted(ROWS)), max_size=3),
                "gone": st.sets(st.sampled_from(sorted(ROWS)), max_size=2),
                "held": st.sets(st.sampled_from(sorted(HELD))),
                "terms": st.sampled_from(["145.00", "146.00"]),
                "size": st.integers(8, 11),
                "open": st.sampled_from([True, True, True, None, False]),
                "first": st.sampled_from([False, False, False, True]),
                "state": st.sampled_from(["ACTIVE", "HALTED"]),
            }
        ),
    ),
    st.tuples(
        st.just("answer"),
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([True, True, False]),
            st.sampled_from([True, True, False, None]),
            st.sampled_from(["", "", "refused"]),
        ),
    ),
    st.tuples(st.just("ask"), st.tuples(st.integers(0, 5), st.booleans())),
    st.tuples(st.just("tick"), st.sampled_from([0.02, 0.05, 0.1, 0.3, 0.5, 0.9, 1.2, 1.6, 11.0])),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 1.6])),
    st.tuples(st.just("line"), st.booleans()),
    st.tuples(st.just("other"), st.sampled_from([Interrupted(), Refused("no")])),
)
ENDS = st.lists(st.sampled_from(ENDINGS), max_size=3)
STORY = st.tuples(st.sampled_from(OPENINGS), st.lists(NOISE, max_size=1), ENDS)
STEPS = st.one_of(NOISE, NOISE, st.tuples(st.just("story"), STORY))


class Witness:
    """Plays steps, and complains of what must never be."""

    def __init__(self, *, is_own: bool) -> None:
        self.model = Model(operator="ann", is_own=is_own)
        self.weighed: dict[int, Act] = {}
        self.lowers: list[tuple[dict[str, Any], tuple[object, ...]]] = []
        self.staged_at: float | None = None
        self.is_chosen = True
        self.acts: list[Act] = []

    def play(self, steps: Sequence[Step]) -> None:
        for kind, what in steps:
            if kind == "story":
                opening, noise, ends = what
                self.play([("keys", self._home()), *opening, *noise, *ends])
                continue
            for one in self._inputs(kind, what):
                self.take(one)

    def _home(self) -> tuple[str, ...]:
        """The keys that lead back to the orders, mostly: a story begins there."""
        panels = list(Panel)
        away = panels.index(Panel.ORDERS) - panels.index(self.model.panel)
        return ("escape", "escape", "escape", *["tab"] * (away % len(panels)))

    def _inputs(self, kind: str, what: Any) -> list[Input]:
        now = self.model.now
        ways: dict[str, Callable[[], list[Input]]] = {
            "keys": lambda: [one for key in what for one in (Ticked(now), Pressed(key))],
            "paste": lambda: [Pasted(what)],
            "see": lambda: [_seen(what)],
            "answer": lambda: [self._answer(*what)],
            "ask": lambda: [Questioned(self._call(what[0]), "really?", is_typed=what[1])],
            "tick": lambda: [Ticked(now + what)],
            "wait": lambda: [Ticked(now + 0.05 * (n + 1)) for n in range(round(what / 0.05))],
            "line": lambda: [Linked(is_up=what, words="" if what else "gone")],
            "other": lambda: [what],
        }
        return ways[kind]()

    def _call(self, number: int) -> int:
        calls = sorted(self.model.calls)
        return calls[-1 - number % len(calls)] if calls else 99

    def _answer(self, number: int, is_done: bool, reduces: bool | None, fault: str) -> Input:
        call = self._call(number)
        orders = [{"role": "stop" if reduces else "entry"}]
        data = {"reduces": reduces, "fault": fault, "orders": orders, "lines": ["a line"]}
        lines = ("one", "two") if fault else ()
        return Answered(call, Outcome(is_done=is_done, data=data, lines=lines))

    def take(self, one: Input) -> None:
        """Take one input, and look at what comes of it."""
        before = self.model
        after, effects = update(before, one)
        self._listen(before, one)
        acts = [effect for effect in effects if isinstance(effect, Act)]
        changing = [act for act in acts if not act.looks]
        self.acts += changing
        assert len(changing) <= 1, "one key does one thing"
        for act in changing:
            self._judge(before, one, act)
        _judge_questions(before, after, effects)
        self._watch(before, after, one)
        self.weighed |= {act.call: act for act in acts if act.command == "screen.weigh"}
        if after.staged is not None and (
            before.staged is None or before.staged.act is not after.staged.act
        ):
            self.staged_at = after.now
            assert before.scene is not None
            assert before.scene.head.is_open is not False
        self.model = after

    def _watch(self, before: Model, after: Model, one: Input) -> None:
        """Keep whether somebody has put the order cursor where it stands."""
        was, now = before.selected.get(Panel.ORDERS, ""), after.selected.get(Panel.ORDERS, "")
        if isinstance(before.dialog, FilterLine) and isinstance(one, Pressed | Pasted):
            self.is_chosen = Panel.ORDERS not in after.lost
        elif isinstance(one, Saw) and was and now != was:
            self.is_chosen = False
        elif isinstance(one, Pressed) and (now != was or (_moves(before, one.key))):
            self.is_chosen = True

    def _listen(self, before: Model, one: Input) -> None:
        """Keep what the trader says yes to."""
        if isinstance(one, Answered) and one.call in self.weighed and one.call in before.calls:
            asked, data = self.weighed[one.call], one.outcome.data
            if one.outcome.is_done and data["reduces"] is True and not data["fault"]:
                self.lowers.append((dict(asked.options), _terms(before, asked.options["order"])))

    def _judge(self, before: Model, one: Input, act: Act) -> None:
        assert not isinstance(one, Pasted | Saw | Linked | Questioned | Refused | Interrupted)
        assert before.line.is_up or act.command == HALT
        assert act.words
        shown = before.scene.orders if before.scene is not None else {}
        assert all(name in shown for name in _names(act)), "an order that is gone"
        if act.command == "revise.modify":
            self._judge_change(before, one, act)
        elif act.command == "revise.cancel":
            self._judge_cancel(before, act)
        elif act.command in {"orders.order", "linked.trailing-stop"}:
            _judge_stop(before, act)
        elif act.command == "trail.trail":
            assert isinstance(before.dialog, EditDialog)
        else:
            assert act.command in {"protect.undo", "revise.close", "kill.resume", HALT}
            assert isinstance(before.dialog, ConfirmDialog | TypedDialog) or before.staged

    def _judge_change(self, before: Model, one: Input, act: Act) -> None:
        """It was staged for long enough, or the trader has said that it lowers the risk."""
        if before.staged is not None:
            assert isinstance(one, Ticked)
            assert self.staged_at is not None
            assert one.now - self.staged_at >= 1.5 - 1e-9
            assert before.staged.act.options == act.options
            return
        assert isinstance(before.dialog, EditDialog)
        assert before.dialog.before is not None
        assert act.options["order"] == before.dialog.before.order_id, "another order than shown"
        assert isinstance(one, Answered) or one == Pressed("enter")
        wanted = {"quantity": "", "limit": "", "stop": ""} | act.options
        assert (wanted, _terms(before, act.options["order"])) in self.lowers, "nobody has said so"

    def _judge_cancel(self, before: Model, act: Act) -> None:
        """It is the row that somebody has chosen, or the number typed, or what a question says."""
        dialog = before.dialog
        if isinstance(dialog, ConfirmDialog | TypedDialog):
            shown = dialog.choices[0].act if isinstance(dialog, ConfirmDialog) else dialog.act
            assert shown is not None
            assert shown.options == act.options
            if isinstance(dialog, TypedDialog):
                assert dialog.text.strip() == dialog.expected
            return
        (order_id,) = _names(act)
        assert before.scene is not None
        row = before.scene.orders[order_id]
        assert not row.is_last_stop, "the last stop went without its symbol"
        if before.typed_id:
            number = before.typed_id.strip("#-")
            assert number == str(row.number) or row.short.startswith(f"{number}-")
            return
        assert before.panel is Panel.ORDERS
        assert before.selected[Panel.ORDERS] == order_id
        assert self.is_chosen, "the cursor went there by itself"


def _names(act: Act) -> list[str]:
    """The orders that an act names."""
    several, one = act.options.get("orders"), act.options.get("order")
    return [*(several if isinstance(several, list) else ()), *([str(one)] if one else ())]


def _seen(what: Mapping[str, Any]) -> Saw:
    """A picture; the prices of all its stops and their sizes are others each time."""
    price = Decimal(what["terms"])
    rows = [_row(ROWS[number], price, size=what["size"]) for number in sorted(what["rows"])]
    gone = tuple(ROWS[number].order_id for number in what["gone"])
    positions = tuple(HELD[number] for number in sorted(what["held"]))
    told = head(is_open=what["open"], state=what["state"])
    return glimpse(*rows, positions=positions, gone=gone, head=told, is_first=what["first"])


def _row(row: OrderRow, price: Decimal, *, size: int) -> OrderRow:
    changes: dict[str, Any] = {"quantity": Decimal(size)}
    if row.can_stop:
        changes |= {"stop": price, "terms": str(price)}
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    return OrderRow(**(values | changes))


def _terms(model: Model, order_id: Any) -> tuple[object, ...]:
    row = model.scene.orders.get(order_id) if model.scene is not None else None
    return () if row is None else (row.quantity, row.stop, row.limit, row.terms)


def _judge_stop(before: Model, act: Act) -> None:
    """A new stop is for what is held without one now, and not for more."""
    assert isinstance(before.dialog, EditDialog)
    assert before.scene is not None
    (now,) = [one for one in before.scene.positions if one.ticker == act.options["symbol"]]
    assert before.dialog.position is not None
    assert before.dialog.position.con_id == now.con_id
    assert Decimal(str(act.options["quantity"])) == abs(now.quantity) - now.covered


def _judge_questions(before: Model, after: Model, effects: Sequence[Effect]) -> None:
    """No question of the trader's is lost without an answer while its command still waits."""
    replies = {one.call for one in effects if isinstance(one, Reply)}
    call = _asker(before)
    assert not call or call == _asker(after) or call not in after.calls or call in replies


def _asker(model: Model) -> int:
    return model.dialog.call if isinstance(model.dialog, ConfirmDialog | TypedDialog) else 0


def _moves(before: Model, key: str) -> bool:
    """Whether a key moves the order cursor, or tries to: then one has looked where it is."""
    is_free = before.dialog is None and before.staged is None
    names = {"j", "k", "g", "G", "up", "down", "home", "end", "pageup", "pagedown"}
    return is_free and before.panel is Panel.ORDERS and key in names


_FIRST = {"rows": set(ROWS), "gone": (), "held": set(HELD), "terms": "145.00", "size": 10}
_FIRST |= {"open": True, "first": True, "state": "ACTIVE"}
_GONE: Step = ("see", _FIRST | {"rows": {1, 2}, "gone": {0}, "first": False})
_MOVED: Step = ("see", _FIRST | {"terms": "146.00", "first": False})


@settings(max_examples=200)
@given(st.lists(STEPS, min_size=1, max_size=40), st.booleans())
@example([_NINE, _ADDS, _ENTER, _GO], False)
@example([_NINE, _ADDS, _ENTER, _GONE, _GO], False)
@example([_NINE, _YES, _MOVED, _ENTER, _ENTER], False)
@example(
    [_NINE, _YES, ("keys", ("escape", "j")), _NINE, _ENTER, ("answer", (1, *_YES[1][1:]))], False
)
@example([_GONE, ("keys", ("c",))], False)
@example([_NINE, _ENTER, ("line", False), _YES, _ADDS], False)
def test_whatever_comes(steps: list[Step], is_own: bool) -> None:
    witness = Witness(is_own=is_own)
    witness.play([("see", _FIRST), *steps])
    witness.play([("keys", ("escape",))] * 3)
    assert witness.model.dialog is None, "three times Esc closes everything"
    assert witness.model.staged is None
    assert witness.model.waiting is None


def test_the_witness_sees_every_kind_of_act() -> None:
    """A witness that sees nothing happen would never complain."""
    see: Step = ("see", _FIRST | {"state": "HALTED"})
    yes: Step = ("answer", (0, True, True, ""))
    steps: list[Step] = [
        see,
        ("keys", ("j", "m", "ctrl-u", "9")),
        yes,
        ("keys", ("enter", "m", "ctrl-u", "9")),
        ("answer", (0, True, False, "")),
        ("keys", ("enter",)),
        ("wait", 1.6),
        ("keys", ("j", "c")),
        ("keys", ("x",)),
        ("wait", 0.5),
        ("keys", ("y", "h", "y", "r", "o", "k", "enter", "u")),
        yes,
        ("wait", 0.5),
        ("keys", ("y", "backtab", "G", "t", "1", "4", "0", "enter")),
        ("keys", ("t", "2", "%")),
        yes,
        ("keys", ("enter", "enter")),
    ]
    witness = Witness(is_own=False)
    witness.play(steps)
    assert [act.command for act in witness.acts] == [
        "revise.modify",
        "revise.modify",
        "revise.cancel",
        "revise.close",
        HALT,
        "kill.resume",
        "protect.undo",
        "orders.order",
        "linked.trailing-stop",
    ]
