"""Every promise has a judge, and every judge a bug that it has caught."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter

import pytest

from tests.house.sources import ROOT
from tests.invariants import judges
from tests.invariants.promises import CASEBOOKS, OPEN, PROMISES, Promise, planted, resolved

NUMBERS = [*(f"S{n}" for n in range(1, 35)), *(f"L{n}" for n in range(1, 7))]


def names_in(path: str) -> set[str]:
    """Return the names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def lacks(promise: Promise) -> list[str]:
    """Say what a promise names that is not there."""
    found = []
    for name in promise.judges:
        path, _, test = name.partition("::")
        if (test and test not in names_in(path)) or (not test and not callable(resolved(name))):
            found.append(name)
    return found


def test_all_forty_are_there_once() -> None:
    assert [promise.number for promise in PROMISES] == NUMBERS


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.number)
def test_each_has_a_judge_and_a_planted_bug(promise: Promise) -> None:
    assert lacks(promise) == []
    is_kept = bool(promise.judges and planted()[promise.number])
    assert is_kept == (promise.number not in OPEN)


def test_what_is_open_is_named_and_becomes_no_more() -> None:
    sys.stdout.writelines(f"{number} is open: {why}\n" for number, why in OPEN.items())
    assert not OPEN


def test_thirty_four_and_six_have_both() -> None:
    bugs = planted()
    count = Counter(p.number[0] for p in PROMISES if p.judges and bugs[p.number])
    assert count == {"S": 34, "L": 6 - len(OPEN)}


def test_every_judge_of_the_days_keeps_a_promise() -> None:
    kept = {resolved(name) for p in PROMISES for name in p.judges if "::" not in name}
    assert set(judges.ALWAYS) | set(judges.AT_REST) <= kept


def test_a_bug_that_no_test_plants_would_be_found() -> None:
    """A bug outside of the casebooks stands in the code of the test that plants it, too."""
    for name in (bug for promise in PROMISES for bug in promise.bugs):
        module, _, bug = name.partition(".")
        source = inspect.getsource(inspect.getmodule(resolved(name)) or judges)
        assert source.count(bug) > 1, f"nothing in {module} plants {bug}"
        assert f"def {bug}" in source


def test_a_promise_that_names_nothing_is_found() -> None:
    promise = Promise("S1", "", ("tests/scenarios/test_crash.py::test_that_is_not_there",))
    assert lacks(promise)
    with pytest.raises(AttributeError):
        lacks(Promise("S1", "", ("judges.s1_that_is_not_there",)))


def test_every_casebook_is_read() -> None:
    books = {
        path.stem
        for path in (ROOT / "tests/invariants").glob("test_*.py")
        if "\nCASES = " in path.read_text(encoding="utf-8")
    }
    assert books == set(CASEBOOKS)
