from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import areas, main
from tests.benchmarks.harness import Goal, Table, as_text, measure, percentile, reached, run, timed


def scripted(*seconds: float) -> Table:
    """Return a table whose second row takes `seconds` in turn, beside a row that takes one."""
    left = list(seconds)
    return Table(
        title="scripted",
        unit="ms",
        rows={"limit": lambda: 1.0, "ours": lambda: left.pop(0)},
        goals=(Goal("ours", 3.0, of="limit"), Goal("ours", 2500.0), Goal("ours", 1.0, of="limit")),
        rounds=len(seconds),
        warm_up=0,
    )


def test_rows_take_turns_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def row(name: str) -> float:
        order.append(name)
        return float(len(order))

    table = Table(
        title="",
        rows={"a": lambda: row("a"), "b": lambda: row("b")},
        rounds=2,
        warm_up=1,
    )
    measure(table)
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert table.taken == {"a": [3.0, 6.0], "b": [4.0, 5.0]}


def test_the_median_decides() -> None:
    table = scripted(2.0, 50.0, 2.0)
    measure(table)
    assert [reached(table, goal) for goal in table.goals] == [2.0, 2000.0, 2.0]


def test_a_goal_may_look_at_the_tail_and_at_a_sum() -> None:
    table = scripted(2.0, 8.0, 2.0)
    measure(table)
    assert reached(table, Goal("ours", 9.0, of=("limit", "limit"), percentile=99)) == 4.0


@pytest.mark.parametrize(("percent", "expected"), [(50, 50.5), (1, 1), (99, 99), (100, 100)])
def test_percentiles(percent: int, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], percent) == expected


def test_the_table_says_what_was_missed() -> None:
    table = scripted(2.0)
    measure(table)
    assert as_text("x", table).splitlines() == [
        "x: scripted",
        "                 ms     ratio         p10         p99",
        "  limit        1000     x1.00        1000        1000",
        "  ours         2000     x2.00        2000        2000",
        "  goal: ours <= x3 of limit: x2, met",
        "  goal: ours <= 2500 ms: 2e+03, met",
        "  goal: ours <= x1 of limit: x2, MISSED",
    ]


def test_the_json_holds_what_the_table_shows(tmp_path: Path) -> None:
    def tables() -> Iterator[Table]:
        yield scripted(2.0)

    run("x", tables(), folder=tmp_path)
    written = json.loads((tmp_path / "x.json").read_text())
    assert written["tables"][0]["rows"][1]["median_seconds"] == 2.0
    assert [goal["met"] for goal in written["tables"][0]["goals"]] == [True, True, False]


def test_an_area_tears_down_even_when_a_row_fails(tmp_path: Path) -> None:
    steps: list[str] = []

    def broken() -> float:
        raise RuntimeError

    def tables() -> Iterator[Table]:
        try:
            yield Table(title="", rows={"broken": broken})
        finally:
            steps.append("torn down")

    area = tables()  # held here, so that nothing but `run` can close it
    with pytest.raises(RuntimeError):
        run("x", area, folder=tmp_path)
    assert steps == ["torn down"]


def test_timed_counts_by_operation() -> None:
    assert 0 < timed(lambda: sum(range(1000)), per=1000)() < 0.001


def test_an_unknown_name_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert capsys.readouterr().out == (
        f"no such benchmark: nothing; there are {', '.join(areas())}\n"
    )


@pytest.mark.parametrize("name", ["bus", "objects", "risk", "simulated"])
def test_an_area_runs(name: str, tmp_path: Path) -> None:
    """The light areas, one round each, so that they do not rot unseen."""
    assert main([name, "--rounds", "1", "--out", str(tmp_path)]) == 0
    assert (tmp_path / f"{name}.json").exists()
