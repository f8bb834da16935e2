"""Which way imports point, and what the pure packages may touch.

`lint-imports` holds the contracts of pyproject.toml; the tests here run it, prove that each
contract can break, and add the general form of purity: the standard library without its
effects, msgspec, and nothing else.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, Source, called, none, plant, sources

PURE_PACKAGES = ("core", "orders", "portfolio", "risk", "rules")
# Pure in spirit: no contract names them, because what lies beside them is not.
PURE_MODULES = (
    "sim/matching", "sim/account", "sim/exchange",
    *(
        f"dashboard/{name}.py"
        for name in (
            "acting", "answering", "choosing", "editing", "effects", "inputs", "keys", "model",
            "moving", "protecting", "rows", "scene", "state", "steps", "terms",
        )
    ),
)  # fmt: skip

EFFECTS = {
    "asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "glob", "http", "io", "logging",
    "mmap", "multiprocessing", "os", "pathlib", "random", "sched", "secrets", "select",
    "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3",
    "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid", "warnings",
}  # fmt: skip
LIBRARIES = {"msgspec"}
# numpy multiplies matrices of returns: dimensionless, and no effect.
ALSO = {"ibkr_trader/risk/correlation_math.py": {"numpy"}}
BUILT_IN_EFFECTS = {"open", "print", "input", "exec", "eval", "breakpoint"}


def is_pure(source: Source) -> bool:
    """Whether a file belongs to the pure part of the house."""
    inner = source.inner
    return inner.partition("/")[0] in PURE_PACKAGES or inner.startswith(PURE_MODULES)


def imported(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import of a file with the top-level package that it names."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, (node.module or "").partition(".")[0]


def impurities(root: Path) -> list[str]:
    """Complain about effects in the pure packages: imports, built-ins, module state."""
    complaints = []
    harmless = (set(sys.stdlib_module_names) - EFFECTS) | LIBRARIES | {"ibkr_trader"}
    for source in filter(is_pure, sources(root)):
        allowed = harmless | ALSO.get(source.path, set())
        complaints += [
            source.complain(node, f"a pure package does not import {name}")
            for node, name in imported(source)
            if name not in allowed
        ]
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Global):
                complaints.append(source.complain(node, "a pure package keeps no module state"))
            elif isinstance(node, ast.Call) and called(node) in BUILT_IN_EFFECTS:
                complaints.append(source.complain(node, f"a pure package calls no {called(node)}"))
            elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
                complaints.append(source.complain(node, "a pure package awaits nothing"))
    return complaints


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run lint-imports over the package and the contracts in `root`."""
    program = (
        "import sys; sys.path.insert(0, '.'); "
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package and of its contracts, to plant imports in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for source in sources(ROOT):
        plant(tmp_path, {source.path: source.text})
    return tmp_path


def test_imports_point_inward() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_can_break(copy: Path) -> None:
    plant(
        copy,
        {
            "ibkr_trader/core/planted.py": "import ibkr_trader.execution\nimport asyncio\n",
            "ibkr_trader/execution/planted.py": "import typer\n",
            "ibkr_trader/adapters/planted.py": "import ib_insync\nimport rich\n",
            "ibkr_trader/sim/planted.py": "import pydantic\nimport numpy\nimport redis\n",
        },
    )
    result = lint_imports(copy)
    contracts = tomllib.loads((copy / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"0 kept, {len(contracts['contracts'])} broken" in result.stdout


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("sim/planted.py", "import ibkr_trader.adapters"),
        ("adapters/planted.py", "import ibkr_trader.sim"),
        ("homeless/__init__.py", ""),
    ],
)
def test_a_wrong_way_is_found(path: str, line: str, copy: Path) -> None:
    plant(copy, {f"ibkr_trader/{path}": f"{line}\n"})
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Dependencies point inward BROKEN" in result.stdout


def test_every_pure_package_is_under_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    pure = next(c for c in settings["contracts"] if c["name"].startswith("The pure packages"))
    present = [name for name in PURE_PACKAGES if (ROOT / "ibkr_trader" / name).exists()]
    assert pure["source_modules"] == [f"ibkr_trader.{name}" for name in present]


def test_the_pure_packages_are_pure() -> None:
    none(impurities(ROOT))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("core/ticks.py", "import numpy"),
        ("core/ticks.py", "from time import monotonic"),
        ("orders/lifecycle.py", "import logging.handlers"),
        ("portfolio/pnl.py", "from redis import Redis"),
        ("portfolio/pnl.py", "print(1)"),
        ("risk/checks/rate.py", "def f() -> None: import os"),
        ("risk/guard.py", "async def f() -> None: ..."),
        ("rules/engine.py", "def f() -> None:  global x"),
        ("sim/matching.py", "import random"),
        ("sim/matching/book.py", "import asyncio"),
        ("dashboard/state.py", "from time import monotonic"),
        ("dashboard/protecting.py", "import rich"),
    ],
)
def test_an_impurity_is_found(path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {f"ibkr_trader/{path}": f"import decimal\n{line}\n"})
    assert [c.split(": ")[0] for c in impurities(tmp_path)] == [f"ibkr_trader/{path}:2"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("core/ticks.py", "from decimal import Decimal"),
        ("core/models.py", "import msgspec"),
        ("risk/guard.py", "from ibkr_trader.core.models import Order"),
        ("risk/correlation_math.py", "import numpy as np"),
        ("sim/gateway/server.py", "import asyncio"),
        ("dashboard/shell.py", "import asyncio"),
        ("execution/router.py", "import logging"),
    ],
)
def test_what_is_harmless_passes(path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {f"ibkr_trader/{path}": f"{line}\n"})
    assert impurities(tmp_path) == []
