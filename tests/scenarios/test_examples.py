"""The example programs run as they stand, as processes, at a simulator of their own."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.run_transcripts import ROOT, Sitting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
BRACKET = ROOT / "examples" / "submit_bracket.py"


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Sitting]:
    found = Sitting(tmp_path)
    yield found
    found.end()


def run(sitting: Sitting, program: Path) -> str:
    command = f"{shlex.quote(sys.executable)} -W error::ResourceWarning {shlex.quote(str(program))}"
    return sitting.run(f'{command}; echo "exit code $?"')


def test_the_bracket_fills_and_a_repeat_is_denied(sitting: Sitting) -> None:
    first = run(sitting, BRACKET)
    assert re.search(r"^  \w{5}-1-entry: BUY 10 @ 150\.\d\d$", first, re.MULTILINE), first
    assert re.search(r"^  \w{5}-1-stop: PRESUBMITTED$", first, re.MULTILINE), first
    assert first.endswith("we hold 10 AAPL\nexit code 0"), first

    again = run(sitting, BRACKET)
    assert "denied, nothing was sent: BUY 10 AAPL repeats order" in again
    assert again.endswith("we hold 10 AAPL\nexit code 0"), again


def test_its_own_risk_check_is_asked(sitting: Sitting, tmp_path: Path) -> None:
    larger = tmp_path / "larger.py"
    larger.write_text(BRACKET.read_text().replace("Decimal(10)", "Decimal(60)"))
    output = run(sitting, larger)
    assert "Your own check refuses BUY 60 AAPL" in output
    assert output.endswith("exit code 0")
    assert "we hold" not in output


def test_every_example_is_in_the_index() -> None:
    index = (BRACKET.parent / "README.md").read_text(encoding="utf-8")
    assert all(path.name in index for path in BRACKET.parent.glob("*.py"))
