from __future__ import annotations

import pytest

from ibkr_trader.core.toml_lines import Keys, line_of, lines_of

TEXT = """\
# a comment = 1
name = "s"
"symbols" = ["AAPL"]

[envelope]  # of [all]
capital = 1

[[rule]]
name = "a"
[rule.open]
side = "long"
[[rule]]
open.side = "short"
[ rule . 'notify' ]
message = "x"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("symbols",), 3),
        (("envelope",), 5),
        (("envelope", "capital"), 6),
        (("envelope", "gone"), 5),
        (("rule", 0), 8),
        (("rule", 0, "name"), 9),
        (("rule", 0, "when"), 8),
        (("rule", 0, "open"), 10),
        (("rule", 0, "open", "side"), 11),
        (("rule", 1), 12),
        (("rule", 1, "open"), 13),
        (("rule", 1, "open", "side"), 13),
        (("rule", 1, "notify", "message"), 15),
        (("rule", 2), 0),
        (("gone",), 0),
        ((), 0),
    ],
)
def test_on_which_line_a_key_stands_or_else_its_table(path: Keys, line: int) -> None:
    assert line_of(lines_of(TEXT), path) == line


def test_the_first_of_two_counts() -> None:
    assert lines_of("a = 1\na = 2")["a",] == 1


def test_lines_are_those_of_toml() -> None:
    assert lines_of('a = "\u2028\x0b"\r\nb = 1')["b",] == 2


@pytest.mark.parametrize("mark", ["[ ", "[[a ", "a", " ", '"', "[a] ", "= "])
def test_a_long_line_takes_no_long_time(mark: str) -> None:
    for line in (mark * 100_000, "[" + mark * 100_000, mark * 100_000 + "]"):
        assert len(lines_of(line)) <= 1  # or pytest-timeout ends it
