"""How much of the guard the tests would miss: `make mutants`.

First each check is taken away, and its own tests must fail. Then mutmut plants one small bug
after the other in `ibkr_trader/risk` and runs the tests of that package against each; the
score is the part that they catch. It takes a quarter of an hour, so it is no part of
`make test`.

    python -m tests.mutation             all of it
    python -m tests.mutation removed     only the checks taken away
    python -m tests.mutation PATTERN     only mutants whose name matches, as `*position_size*`
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from ibkr_trader.risk.check import CHECKS

ROOT = Path(__file__).resolve().parents[2]
GOAL = 90.0  # per cent
_CAUGHT = frozenset({"killed", "timeout", "caught by type check"})
_JUDGED = _CAUGHT | {"survived", "suspicious", "no tests"}


def removed() -> list[str]:
    """Return the checks whose own tests do not notice that they are gone."""
    missed = []
    for name in CHECKS:
        command = [sys.executable, "-m", "pytest", "-x", "--quiet", "--no-header"]
        command += ["-p", "tests.mutation.without", f"tests/risk/checks/test_{name}.py"]
        env = os.environ | {"IBKR_TEST_WITHOUT": name}
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
        verdict = "noticed" if ran.returncode == 1 else "MISSED"
        print(f"without {name:24} {verdict}", flush=True)
        if ran.returncode != 1:
            missed.append(name)
    return missed


def mutated(pattern: str) -> float:
    """Return the part of mutmut's bugs that the tests catch, in per cent."""
    tool = str(Path(sys.executable).with_name("mutmut"))
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    subprocess.run([tool, "run", pattern], cwd=ROOT, check=False)
    listed = subprocess.run(
        [tool, "results", "--all", "true"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = Counter(
        state
        for line in listed.stdout.splitlines()
        if (state := line.rpartition(": ")[2].strip()) in _JUDGED
    )
    caught = sum(found[state] for state in _CAUGHT)
    score = 100 * caught / max(1, sum(found.values()))
    print(f"{caught} of {sum(found.values())} mutants caught: {score:.1f} % ({dict(found)})")
    return score


def main(arguments: list[str]) -> int:
    """Run what was asked for; 0 if nothing was missed."""
    pattern = arguments[0] if arguments else "*"
    missed = removed() if pattern in {"*", "removed"} else []
    if pattern == "removed":
        return len(missed)
    return 1 if mutated(pattern) < GOAL or missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
