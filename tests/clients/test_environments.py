"""What a missing environment and a wrong answer look like: neither may pass for a success."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.clients import environments
from tests.clients.environments import program, surroundings
from tests.clients.spoken import Driver, matches


def test_a_missing_environment_is_a_failure_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    with pytest.raises(
        pytest.fail.Exception, match=r"\.venv-client_x is missing.*make test-clients"
    ):
        program("client_x")
    (tmp_path / ".venv-client_x").mkdir()
    with pytest.raises(pytest.fail.Exception, match="half made"):
        program("client_x")
    (tmp_path / ".venv-client_x" / ".installed-client_x").touch()
    assert program("client_x", "ibkr") == tmp_path / ".venv-client_x" / "bin" / "ibkr"


def test_a_foreign_program_knows_nothing_of_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IBKR_PROFILE", "live")
    monkeypatch.setenv("PYTHONPATH", "here")
    given = surroundings(tmp_path)
    assert given["HOME"] == str(tmp_path)
    assert not {"IBKR_PROFILE", "PYTHONPATH"} & set(given)


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        ("x", {"a": 1}, False),
        ("10", 10, True),
        ("10.5", 10, False),
        ("ten", 10, False),
        ("10", "10.0", False),
        (None, None, True),
    ],
)
def test_a_match_is_what_is_named_and_no_less(value: object, wanted: object, same: bool) -> None:
    assert matches(value, wanted) is same


def test_an_event_that_never_comes_fails_with_what_came(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text('print(\'{"event": "hello", "n": 1}\')\nraise SystemExit("dying words")\n')
    driver = Driver([sys.executable, script], surroundings(tmp_path))
    with pytest.raises(AssertionError, match=r'no hello \{\'n\': 2\}.*\n.*"n": 1'):
        driver.expect("hello", n=2)
    assert driver.close() == 1
    assert [fault["text"] for fault in driver.faults] == ["dying words"]


def test_what_came_after_the_one_expected_is_not_told_yet(tmp_path: Path) -> None:
    """How much of it is here already depends on how fast the machine is."""
    script = tmp_path / "talker.py"
    script.write_text('for n in range(4): print(\'{"event": "hello", "n": %d}\' % n)\n')
    driver = Driver([sys.executable, script], surroundings(tmp_path))
    driver.close()
    driver.expect("hello", n=1)
    assert len(driver.heard) == 4
    assert [told["n"] for told in driver.told("hello")] == [0, 1]
    assert [told["n"] for told in driver.told("hello", since=1)] == [1]
