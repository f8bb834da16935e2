"""One place per decision: who approves, who sends, who reads the clock, who starts a task."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, Source, called, none, plant, sources

APPROVES = {"ibkr_trader/risk/guard.py"}
SENDS = {"ibkr_trader/adapters/ibkr/broker.py"}
READS_THE_CLOCK = {
    "ibkr_trader/adapters/clock.py": "the desk's one clock",
    "ibkr_trader/sim/gateway/server.py": "beyond the wire: a process of its own, as TWS is",
}

# Where a float may be made from something else: each with the reason why no money is in it.
FLOATS = {
    "ibkr_trader/adapters/ibkr/translate": "the one crossing between float and Decimal",
    "ibkr_trader/cli/": "a face: what is shown is never read back",
    "ibkr_trader/dashboard/": "a face",
    "ibkr_trader/report/": "a face, and dimensionless statistics",
    "ibkr_trader/config/": "durations in seconds and dimensionless factors",
    "ibkr_trader/risk/correlation": "dimensionless statistics",
    "ibkr_trader/sim/bars.py": "the market model, which becomes Decimal ticks at its edge",
    "ibkr_trader/sim/market": "the market model",
    "ibkr_trader/sim/model": "the market model",
    "ibkr_trader/sim/quotes": "the market model's edge: here its floats become ticks",
    "ibkr_trader/sim/universe": "the model's dimensionless parameters",
    "ibkr_trader/sim/gateway/__main__": "the speed of time, dimensionless",
    "ibkr_trader/sim/gateway/words": "durations in seconds, and the speed of time",
    "ibkr_trader/sim/clock": "the speed of time, dimensionless",
}

Rule = Callable[[Path], list[str]]


def calls(source: Source) -> Iterator[ast.Call]:
    """Yield every call in a file."""
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def approvals(root: Path) -> list[str]:
    """Complain about an `Approved` that the guard did not make, or that was made by copying."""
    complaints = []
    for source in sources(root):
        if source.path in APPROVES:
            continue
        for node in calls(source):
            name = called(node)
            if name.rpartition(".")[2] == "Approved":
                complaints.append(source.complain(node, "only risk/guard.py approves"))
            elif name.rpartition(".")[2] in {"convert", "decode", "Decoder", "defstruct"} and any(
                isinstance(part, ast.Name) and part.id == "Approved"
                for argument in [*node.args, *(k.value for k in node.keywords)]
                for part in ast.walk(argument)
            ):
                complaints.append(source.complain(node, "an approval cannot be read from data"))
    return complaints


def senders(root: Path) -> list[str]:
    """Complain about a reference to `placeOrder` outside the one module that sends."""
    return [
        source.complain(node, "only adapters/ibkr/broker.py calls placeOrder")
        for source in sources(root)
        if source.path not in SENDS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "placeOrder"
    ]


def floats(root: Path) -> list[str]:
    """Complain about floats made outside their places, and about Decimals made from floats."""
    complaints = []
    for source in sources(root):
        complaints += [
            source.complain(node, "a Decimal is made from a string or an int")
            for node in calls(source)
            if called(node).rpartition(".")[2] == "Decimal" and any(map(is_float, node.args))
        ]
        if not source.path.startswith(tuple(FLOATS)):
            complaints += [
                source.complain(node, "no float here: money is Decimal, never is math.inf")
                for node in float_values(source.tree)
            ]
    return complaints


def is_float(node: ast.expr) -> bool:
    """Whether an expression is plainly a float: `0.1`, `-0.1`, `float(x)`, `1 / 3`."""
    match node:
        case ast.Constant(value=float()):
            return True
        case ast.UnaryOp(operand=operand):
            return is_float(operand)
        case ast.Call(func=ast.Name(id="float")):
            return True
        case ast.BinOp(left=left, op=op, right=right):
            whole = isinstance(left, ast.Constant) and isinstance(right, ast.Constant)
            return is_float(left) or is_float(right) or (whole and isinstance(op, ast.Div))
        case _:
            return False


def float_values(tree: ast.Module) -> Iterator[ast.Name]:
    """Yield each `float` that makes or converts: not one in an annotation or an isinstance."""
    harmless: set[int] = set()
    for node in ast.walk(tree):
        typed: list[ast.expr | None] = []
        match node:
            case ast.AnnAssign(annotation=annotation):
                typed = [annotation]
            case ast.arg(annotation=annotation):
                typed = [annotation]
            case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
                typed = [returns]
            case ast.Call(func=ast.Name(id="isinstance" | "cast" | "TypeVar")):
                typed = list(node.args)
            case ast.MatchClass(cls=cls):
                typed = [cls]
            case ast.BinOp(op=ast.BitOr()) | ast.Subscript():
                typed = [node]  # a type written as a value: `float | None`, `dict[str, float]`
            case _:
                continue
        harmless.update(id(part) for one in typed if one for part in ast.walk(one))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "float" and id(node) not in harmless:
            yield node


def clocks(root: Path) -> list[str]:
    """Complain about anyone who asks the machine for the time of day."""
    asks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    asks |= {"time.time_ns", "time.localtime", "time.gmtime"}
    by_name = {name.partition(".")[2] for name in asks if name.startswith("time.")}
    complaints = []
    for source in sources(root):
        if source.path in READS_THE_CLOCK:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and ".".join(called(node).split(".")[-2:]) in asks:
                name = called(node)
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                name = ", ".join(alias.name for alias in node.names if alias.name in by_name)
            else:
                continue
            if name:
                complaints.append(source.complain(node, f"{name}: only adapters/clock.py asks"))
    return complaints


def tasks(root: Path) -> list[str]:
    """Complain about a task that no TaskGroup owns."""
    complaints = []
    for source in sources(root):
        for node in calls(source):
            owner, _, name = called(node).rpartition(".")
            bare = name == "create_task" and (
                owner in {"", "asyncio"} or "loop" in owner.rpartition(".")[2]
            )
            if bare or name == "ensure_future":
                complaints.append(source.complain(node, f"{name}: a TaskGroup owns every task"))
    return complaints


RULES: tuple[Rule, ...] = (approvals, senders, floats, clocks, tasks)


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(rule: Rule) -> None:
    none(rule(ROOT))


@pytest.mark.parametrize(
    ("rule", "path", "line"),
    [
        (approvals, "execution/router.py", "verdict = Approved(command=c, at=now)"),
        (approvals, "adapters/journal.py", "verdict = verdicts.Approved(command=c, at=now)"),
        (approvals, "adapters/journal.py", "verdict = msgspec.json.decode(raw, type=Approved)"),
        (approvals, "risk/checks/guard.py", "verdict = Approved(command=c, at=now)"),
        (senders, "adapters/ibkr/market_data.py", "ib.placeOrder(contract, order)"),
        (senders, "execution/router.py", "send = broker.client.placeOrder"),
        (floats, "core/ticks.py", "price = float(text)"),
        (floats, "portfolio/pnl.py", "prices = list(map(float, texts))"),
        (floats, "cli/orders.py", "price = Decimal(0.1)"),
        (floats, "cli/orders.py", "price = Decimal(-1.5 * 2)"),
        (floats, "report/tables.py", "third = Decimal(1 / 3)"),
        (clocks, "core/models.py", "now = datetime.now(UTC)"),
        (clocks, "execution/router.py", "now = datetime.datetime.now(tz=UTC)"),
        (clocks, "sim/clock.py", "now = time.time()"),
        (clocks, "sim/clock.py", "from time import time as machine_seconds"),
        (tasks, "execution/trader.py", "task = asyncio.create_task(work())"),
        (tasks, "execution/trader.py", "task = create_task(work())"),
        (tasks, "sim/gateway/server.py", "task = asyncio.get_running_loop().create_task(work())"),
        (tasks, "sim/gateway/server.py", "task = self._loop.create_task(work())"),
        (tasks, "sim/gateway/server.py", "task = asyncio.ensure_future(work())"),
    ],
)
def test_a_breach_is_found(rule: Rule, path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {f"ibkr_trader/{path}": f"import x\n{line}\n"})
    complaints = rule(tmp_path)
    assert [c.split(": ")[0] for c in complaints] == [f"ibkr_trader/{path}:2"]


@pytest.mark.parametrize(
    ("rule", "path", "line"),
    [
        (approvals, "risk/guard.py", "verdict = Approved(command=c, at=now)"),
        (approvals, "execution/router.py", "def send(approved: Approved) -> None: ..."),
        (senders, "adapters/ibkr/broker.py", "client.placeOrder(1, contract, order)"),
        (floats, "adapters/ibkr/translate.py", "price = float(decimal)"),
        (floats, "core/models.py", "def wait(timeout: float | None) -> float: ..."),
        (floats, "core/text.py", "known = isinstance(value, int | float)"),
        (floats, "core/ticks.py", 'price = Decimal("0.1")'),
        (clocks, "adapters/clock.py", "now = datetime.now(UTC)"),
        (clocks, "execution/router.py", "now = self._clock.now()"),
        (clocks, "execution/router.py", "from time import monotonic"),
        (tasks, "execution/trader.py", "tasks.create_task(work())"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {f"ibkr_trader/{path}": f"import x\n{line}\n"})
    assert rule(tmp_path) == []
