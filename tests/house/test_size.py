"""Small files, small functions, small classes, and names that say something."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.sources import ROOT, Source, none, plant, sources

MAX_FILE = 400
MAX_FUNCTION = 40
MAX_METHODS = 7
EMPTY_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

# Tables may be long; each is named here, with what it is a table of.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
WIDE_CLASSES = {
    "ibkr_trader/adapters/ibkr/client.py:ApiClient": "a foreign class, as much of it as we call",
    "ibkr_trader/adapters/ibkr/receiver.py:Receiver": "the library's callbacks, one a message",
    "ibkr_trader/sim/broker.py:SimulatedBroker": "the port's five, and its own life",
}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines the body takes; the signature and the docstring are not work."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


# asyncio calls these; whoever uses the class does not.
CALLBACKS = {"connection_made", "connection_lost", "data_received", "eof_received"}
CALLBACKS |= {"pause_writing", "resume_writing"}


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell an attribute that happens to be computed from a method."""
    names = {ast.unparse(decorator) for decorator in function.decorator_list}
    return any(n.endswith(("property", ".setter", "overload")) for n in names)


def long_files(root: Path) -> list[str]:
    """Complain about each file that is longer than the wall."""
    return [
        f"{source.path}:1: {lines} lines; split it by subject at {MAX_FILE}"
        for top in ("ibkr_trader", "tests")
        for source in sources(root, top)
        if (lines := source.text.count("\n")) > MAX_FILE and source.path not in LONG_FILES
    ]


def long_functions(root: Path) -> list[str]:
    """Complain about each function whose body is too long to hold in mind."""
    return [
        source.complain(node, f"{node.name} has {lines} lines; {MAX_FUNCTION} is the limit")
        for top in ("ibkr_trader", "tests")
        for source in sources(root, top)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := body_lines(node)) > MAX_FUNCTION
        and f"{source.path}:{node.name}" not in LONG_FUNCTIONS
    ]


def wide_classes(root: Path) -> list[str]:
    """Complain about each class that does too many things."""
    complaints = []
    for source in sources(root):
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ClassDef) or f"{source.path}:{node.name}" in WIDE_CLASSES:
                continue
            methods = [
                one.name
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                and not one.name.startswith("_")
                and not is_property(one)
                and one.name not in CALLBACKS
            ]
            if len(methods) > MAX_METHODS:
                listed = ", ".join(methods)
                message = f"{node.name} has {len(methods)} public methods: {listed}"
                complaints.append(source.complain(node, message))
    return complaints


def empty_names(root: Path) -> list[str]:
    """Complain about modules whose name would fit anything."""
    return [
        f"{source.path}:1: say what is in it; {sorted(found)} could hold anything"
        for top in ("ibkr_trader", "tests")
        for source in sources(root, top)
        if (found := EMPTY_NAMES & words(source))
    ]


def words(source: Source) -> set[str]:
    """Return the words of a module's name and of its folder's."""
    parts = source.path.removesuffix(".py").split("/")[-2:]
    return {word for part in parts for word in part.split("_")}


def stale_exemptions(root: Path) -> list[str]:
    """Complain about an exemption whose file, function or class is gone."""
    complaints = [f"{path} is gone" for path in LONG_FILES if not (root / path).exists()]
    for entry in [*LONG_FUNCTIONS, *WIDE_CLASSES]:
        path, _, name = entry.partition(":")
        file = root / path
        if not file.exists() or f" {name}" not in file.read_text(encoding="utf-8"):
            complaints.append(f"{entry} is gone")
    return complaints


def test_files_are_short() -> None:
    none(long_files(ROOT))


def test_functions_are_short() -> None:
    none(long_functions(ROOT))


def test_classes_do_one_thing() -> None:
    none(wide_classes(ROOT))


def test_names_say_something() -> None:
    none(empty_names(ROOT))


def test_exemptions_are_needed() -> None:
    none(stale_exemptions(ROOT))


def test_a_long_file_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "ibkr_trader/fits.py": "x = 1\n" * MAX_FILE,
            "ibkr_trader/core/long.py": "x = 1\n" * (MAX_FILE + 1),
            "tests/core/test_long.py": "x = 1\n" * (MAX_FILE + 1),
        },
    )
    assert [c.split(":")[0] for c in long_files(tmp_path)] == [
        "ibkr_trader/core/long.py",
        "tests/core/test_long.py",
    ]


def test_a_long_function_is_found(tmp_path: Path) -> None:
    line = "    x = 1\n"
    documented = '    """Do.\n' + "\n    More.\n" * 30 + '    """\n'
    plant(
        tmp_path,
        {
            "ibkr_trader/fits.py": "def fits():\n" + documented + line * MAX_FUNCTION,
            "ibkr_trader/long.py": "async def long():\n" + line * (MAX_FUNCTION + 1),
        },
    )
    assert long_functions(tmp_path) == [
        "ibkr_trader/long.py:1: long has 41 lines; 40 is the limit",
    ]


def test_a_wide_class_is_found(tmp_path: Path) -> None:
    methods = "".join(f"    def m{n}(self): ...\n" for n in range(MAX_METHODS))
    extra = "    @property\n    def p(self): ...\n    def _private(self): ...\n"
    extra += "    def data_received(self, data): ...\n"
    plant(
        tmp_path,
        {
            "ibkr_trader/fits.py": "class Fits:\n" + methods + extra,
            "ibkr_trader/wide.py": "class Wide:\n" + methods + "    async def run(self): ...\n",
        },
    )
    assert [c.split(": ")[0] for c in wide_classes(tmp_path)] == ["ibkr_trader/wide.py:1"]


def test_an_empty_name_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "ibkr_trader/core/ticks.py": "",
            "ibkr_trader/core/utils.py": "",
            "ibkr_trader/order_manager.py": "",
            "ibkr_trader/common/ticks.py": "",
        },
    )
    assert [c.split(":")[0] for c in empty_names(tmp_path)] == [
        "ibkr_trader/common/ticks.py",
        "ibkr_trader/core/utils.py",
        "ibkr_trader/order_manager.py",
    ]


def test_a_stale_exemption_is_found(tmp_path: Path) -> None:
    named = [*LONG_FILES, *LONG_FUNCTIONS, *WIDE_CLASSES]
    assert stale_exemptions(tmp_path) == [f"{entry} is gone" for entry in named]
