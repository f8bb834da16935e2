"""Drills are found by their files, one each, and say what they rehearse."""

from __future__ import annotations

import pkgutil
import re

import pytest

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.drills import stories
from ibkr_trader.drills.drill import DRILLS, drill
from ibkr_trader.drills.scene import Scene

INCIDENTS = range(1, 26)
ASKED_FOR = {
    *("nightly-restart", "1100-at-open", "partial-bracket", "both-oco-fill", "code-10349"),
    *("silent-gateway", "duplicate-signal", "half-day"),
}


def test_each_file_is_one_drill() -> None:
    modules = [one.name for one in pkgutil.iter_modules(stories.__path__)]
    found = [one for _, one in DRILLS.items()]
    assert len(modules) == len(found)
    assert {one.story.__module__.rpartition(".")[2] for one in found} == set(modules)


def test_those_that_were_asked_for_are_there() -> None:
    assert set(DRILLS) >= ASKED_FOR


@pytest.mark.parametrize("name", list(DRILLS))
def test_a_drill_says_what_it_rehearses(name: str) -> None:
    one = DRILLS[name]
    assert one.name == name
    assert re.fullmatch(r"[A-Z0-9].*\.", one.sentence)
    assert one.incidents or one.faults
    assert set(one.incidents) <= set(INCIDENTS)
    assert all(re.fullmatch(r"[A-H]\d\d", fault) for fault in one.faults)


def test_a_drill_without_a_sentence_is_refused() -> None:
    async def silent(scene: Scene) -> None:
        scene.did("nothing")

    with pytest.raises(InvariantBroken, match="does not say what goes wrong"):
        drill("silent")(silent)
