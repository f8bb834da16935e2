"""Every fault of the catalogue has a test that carries its name or is named for it, or a reason."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bad_days.catalogue import ELSEWHERE, FAULTS, LEFT_OUT
from tests.house.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = ROOT / "tests/bad_days"
NAMED = re.compile(r"test_f_([a-h]\d\d)_\w+")
SECTIONS = {"A": 21, "B": 25, "C": 12, "D": 11, "E": 16, "F": 11, "G": 12, "H": 9}


@cache
def functions_of(path: Path) -> tuple[str, ...]:
    """Return the name of every test function of a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    found = (
        node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return tuple(name for name in found if name.startswith("test_"))


def names_in(folder: Path) -> Iterator[str]:
    """Yield the name of every test function of a folder."""
    for path in sorted(folder.glob("test_*.py")):
        yield from functions_of(path)


def rehearsed(folder: Path) -> set[str]:
    """Return the ids that tests of a folder carry."""
    found = (NAMED.fullmatch(name) for name in names_in(folder))
    return {match[1].upper() for match in found if match is not None}


def is_there(place: str, *, root: Path = ROOT) -> bool:
    """Whether a test that is named as `path::test` exists."""
    path, _, name = place.partition("::")
    return (root / path).is_file() and name in functions_of(root / path)


def test_every_fault_is_rehearsed() -> None:
    assert rehearsed(HERE) | ELSEWHERE.keys() == set(FAULTS)


def test_the_table_leaves_no_number_out() -> None:
    numbers = {
        f"{section}{n:02d}" for section, last in SECTIONS.items() for n in range(1, last + 1)
    }
    assert numbers == {*FAULTS, *LEFT_OUT}
    assert not FAULTS.keys() & LEFT_OUT.keys()
    assert all(LEFT_OUT.values())


def test_the_catalogue_has_117_faults() -> None:
    assert sum(SECTIONS.values()) == 117


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there(name: str) -> None:
    assert not [place for place in ELSEWHERE[name] if not is_there(place)]


def test_a_fault_without_a_test_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_f_c01_x(): ...\ndef test_y(): ...\n")
    assert rehearsed(tmp_path) == {"C01"}


def test_a_test_that_is_gone_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("async def test_y(): ...\n")
    assert is_there("test_a.py::test_y", root=tmp_path)
    assert not is_there("test_a.py::test_x", root=tmp_path)
    assert not is_there("test_b.py::test_y", root=tmp_path)
