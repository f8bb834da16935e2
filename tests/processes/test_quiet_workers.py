"""What a worker of pytest-xdist tells: nothing that somebody reads is left out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processes.quiet_workers import _filtered


def told(name: str, **report: Any) -> bool:
    """Say whether a message is passed on, whole."""
    sent: list[tuple[str, dict[str, Any]]] = []
    kwargs = {"data": {"sections": [], **report}} if report else {}
    _filtered(lambda name, **kwargs: sent.append((name, kwargs)))(name, **kwargs)
    assert sent in ([], [(name, kwargs)])
    return bool(sent)


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_whatever_did_not_pass_is_told(when: str, outcome: str) -> None:
    assert told("testreport", when=when, outcome=outcome)


def test_a_test_that_passed_is_told_once() -> None:
    assert told("testreport", when="call", outcome="passed")
    assert not told("testreport", when="setup", outcome="passed")
    assert not told("testreport", when="teardown", outcome="passed")


def test_what_a_setup_printed_is_told() -> None:
    printed = [("Captured stdout setup", "a line")]
    assert told("testreport", when="setup", outcome="passed", sections=printed)


@pytest.mark.parametrize("name", ["logfinish", "runtest_protocol_complete", "workerfinished"])
def test_what_a_run_goes_by_is_told(name: str) -> None:
    assert told(name)
