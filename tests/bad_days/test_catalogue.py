"""Every fault of the catalogue has a test that carries its name, and every test here a fault."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.bad_days.catalogue import ELSEWHERE, FAULTS, LEFT_OUT
from tests.house.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = ROOT / "tests/bad_days"
NAMED = re.compile(r"test_f_([a-f]\d\d)_\w+")
SECTIONS = {"A": 21, "C": 12, "D": 11, "E": 16, "F": 11}


def names_in(folder: Path) -> Iterator[str]:
    """Yield the name of every test function of a folder."""
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name


def rehearsed(folder: Path) -> set[str]:
    """Return the ids that tests of a folder carry."""
    found = (NAMED.fullmatch(name) for name in names_in(folder))
    return {match[1].upper() for match in found if match is not None}


def test_every_fault_is_rehearsed() -> None:
    assert rehearsed(HERE) == set(FAULTS)


def test_the_table_leaves_no_number_out() -> None:
    numbers = {
        f"{section}{n:02d}" for section, last in SECTIONS.items() for n in range(1, last + 1)
    }
    whole = {name for name in FAULTS if name[0] in SECTIONS}
    assert numbers == whole | LEFT_OUT.keys()
    assert not FAULTS.keys() & LEFT_OUT.keys()


def test_what_is_tested_elsewhere_is_there() -> None:
    assert ELSEWHERE.keys() <= FAULTS.keys()
    missing = [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()]
    assert not missing


def test_a_fault_without_a_test_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("def test_f_c01_x(): ...\ndef test_y(): ...\n")
    assert rehearsed(tmp_path) == {"C01"}
