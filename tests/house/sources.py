"""The source files that the house rules read, parsed once, from any root.

A rule is a function from a root folder to complaints, so that the same rule judges this
repository and the bad trees that its own tests plant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ibkr_trader"


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, with forward slashes, and its syntax tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree, made once it is asked for."""
        return ast.parse(self.text, filename=self.path)

    @property
    def inner(self) -> str:
        """The path inside the package or the tests: `risk/guard.py`."""
        return self.path.partition("/")[2]

    def complain(self, node: ast.AST, message: str) -> str:
        """Return a complaint that an editor can jump to."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


@lru_cache(maxsize=4096)
def _known(path: str, text: str) -> Source:
    return Source(path=path, text=text)


def sources(root: Path, top: str = PACKAGE) -> Iterator[Source]:
    """Yield every Python file below `root/top`, in order of path."""
    for path in sorted((root / top).rglob("*.py")):
        if "__pycache__" not in path.parts:
            yield _known(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def plant(root: Path, files: dict[str, str]) -> Path:
    """Write a small tree for a rule to find fault with, and return its root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def none(complaints: list[str]) -> None:
    """Fail with every complaint in full, if there is one."""
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def called(node: ast.Call) -> str:
    """Return the dotted name that a call calls: `asyncio.create_task`, `group.create_task`."""
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    if isinstance(target, ast.Name):
        parts.append(target.id)
    elif isinstance(target, ast.Call):
        parts.append(f"{called(target)}()")
    return ".".join(reversed(parts))
