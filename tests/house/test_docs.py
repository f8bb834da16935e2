"""The pages say what the code does: states, checks, limits, commands, options, links."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs import make_diagrams, settings_tables
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.cli import entry, exits
from ibkr_trader.config.model import SettingsModel
from ibkr_trader.config.sources import _ONLY_IN_FILE, NAMES, PREFIX, TABLES
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.lifecycle import TRANSITIONS, Trigger
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.sim.gateway.act_words import FORMS
from ibkr_trader.sim.gateway.trigger_words import TRIGGERS
from tests.house.sources import ROOT, none, plant

PAGES = make_diagrams.pages()
FENCE = re.compile(
    r"^(?P<bar>`{3,})(?P<kind>\S*)\n(?P<body>.*?)^(?P=bar)$", re.MULTILINE | re.DOTALL
)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PROGRAM = "ibkr-trader"
AHEAD = {"plan.md"}  # speaks of commands that do not exist yet


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_made_from_code_is_what_the_code_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert make_diagrams.rendered(text) == text, "run: make docs"


def test_a_page_that_has_fallen_behind_is_found() -> None:
    text = (ROOT / "docs/risk_management.md").read_text(encoding="utf-8")
    assert make_diagrams.rendered(text.replace("max_order_quantity = 100", "…")) == text
    assert make_diagrams.rendered(text.replace("| `tick` |", "| `tock` |")) == text


# -- the state diagram, read back and held against the table by another way than it was made ----


def drawn(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each arrow of the first diagram as (from, to, evidence)."""
    diagram = next(m["body"] for m in FENCE.finditer(text) if m["kind"] == "mermaid")
    for source, target, words in re.findall(r"^ +(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE):
        for word in words.split(", "):
            yield source, target, word


def test_the_diagram_has_every_move_of_the_table_and_no_other() -> None:
    text = (ROOT / "docs/order_states.md").read_text(encoding="utf-8")
    arrows = set(drawn(text))
    shared = {(to, why) for source, to, why in arrows if source == "any_live_state"}
    own = {arrow for arrow in arrows if arrow[0] in set(OrderStatus)}
    live = [status for status in OrderStatus if not status.is_closed]
    moves = {
        (str(source), str(to), str(why))
        for source, row in TRANSITIONS.items()
        for why, to in row.items()
        if to is not source
    }
    told = {(str(s), to, why) for s in live for to, why in shared}
    stays = {
        (str(s), to, why)
        for s, to, why in told
        if TRANSITIONS[OrderStatus(s)].get(Trigger(why)) == s
    }
    assert own | (told - stays) == moves
    assert own.isdisjoint(told), "an arrow is drawn twice"


def test_every_state_is_explained() -> None:
    text = (ROOT / "docs/order_states.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z_]+) \| [^|]+ \| (yes|counts as if|no) \|$", text, re.MULTILINE)
    assert {name: answer == "no" for name, answer in rows} == {
        str(status): status.is_closed for status in OrderStatus
    }


# -- commands and options ---------------------------------------------------------------------


def lines(text: str) -> Iterator[str]:
    """Yield every command line of ours that a page shows, without its prompt."""
    shown = [m["body"] for m in FENCE.finditer(text) if m["kind"] in {"sh", "console", "text"}]
    shown += INLINE.findall(FENCE.sub("", text))
    for block in shown:
        for line in block.splitlines():
            for part in re.split(r"[;|]|&&", line):
                word = part.strip().removeprefix("$ ").strip()
                if word.startswith(PROGRAM + " "):
                    yield word


def known_options(tree: Any) -> dict[str, set[str]]:
    """Return the options of each command by its words, those of its groups included."""
    common = {name for one in tree.params for name in one.opts} | {"--help", "-h"}
    found = {"": common}
    for words, command in make_diagrams.commands(tree).items():
        found[words] = common | {name for one in command.params for name in one.opts}
        found.setdefault(words.partition(" ")[0], common)
    # The simulator reads these words itself.
    acts = " ".join([*(form.text for form in FORMS.values()), *(text for text, _ in TRIGGERS)])
    found.setdefault("gateway inject", common).update(re.findall(r"--[a-z][a-z-]*", acts))
    return found


def wrong_words(line: str, known: dict[str, set[str]]) -> str:
    """Say what in a command line does not exist; nothing if all of it does."""
    words = shlex.split(line.replace("…", ""), comments=True)[1:]
    while words and words[0] in {"--profile", "--data-dir"}:
        words = words[2:]
    plain = [word for word in words if not word.startswith("-")]
    command = next((c for c in (" ".join(plain[:2]), *plain[:1]) if c in known), "")
    if plain and not command:
        return f"there is no command {plain[0]}"
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    missing = [option for option in options if option not in known[command]]
    return f"{command or PROGRAM} has no {missing[0]}" if missing else ""


def wrong_lines(pages: list[Path]) -> list[str]:
    """Complain about commands and options that a page shows and nobody has."""
    known = known_options(entry.build())
    every = set().union(*known.values()) | {"--bars", "--seed"}
    complaints = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        complaints += [
            f"{page.name}: {line}: {wrong}"
            for line in lines(text)
            if (wrong := wrong_words(line, known))
        ]
        complaints += [
            f"{page.name}: nothing has {option}"
            for span in INLINE.findall(FENCE.sub("", text))
            if not span.startswith(PROGRAM)
            for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", span)
            if option not in every
        ]
    return complaints


def test_every_command_and_option_that_a_page_shows_exists() -> None:
    none(wrong_lines([page for page in PAGES if page.name not in AHEAD]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```sh\nibkr-trader brackets --symbol AAPL\n```\n", "there is no command brackets"),
        ("```console\n$ ibkr-trader close AAPL --now\n```\n", "close has no --now"),
        ("Try `ibkr-trader gateway start --fast`.\n", "gateway start has no --fast"),
        ("Try `ibkr-trader --profile paper quotes AAPL`.\n", "there is no command quotes"),
        ("With `--hover` it follows.\n", "nothing has --hover"),
        ("`ibkr-trader orders --all | head` and `ibkr-trader gateway --help`\n", ""),
    ],
)
def test_a_command_that_nobody_has_is_found(text: str, complaint: str, tmp_path: Path) -> None:
    plant(tmp_path, {"page.md": text})
    found = wrong_lines([tmp_path / "page.md"])
    assert [c.rpartition(": ")[2] for c in found] == ([complaint] if complaint else [])


@pytest.mark.parametrize("name", ["crontab", "ibkr-trader.service"])
def test_every_command_in_a_file_to_start_from_exists(name: str) -> None:
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    lines = re.findall(r"(?:bin/|\$\()(ibkr-trader [a-z][^)>\n]*)", text)
    known = known_options(entry.build())
    assert lines
    none([f"{name}: {line}: {wrong}" for line in lines if (wrong := wrong_words(line, known))])


def test_every_command_has_a_section_with_its_options() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    names = set(make_diagrams.commands())
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) == names
    assert (
        set(re.findall(r"^<!-- made from code: options: ([a-z].*?) -->", text, re.MULTILINE))
        == names
    )


def test_the_exit_codes_are_the_promised_ones() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \|", text, re.MULTILINE)
    promised: dict[int, set[str]] = {int(code): set() for code in exits.Exit}
    for word, code in exits._TABLE.values():
        promised[int(code)].add(word)
    promised[int(exits.Exit.BUG)].add("bug")
    assert {int(code): set(re.findall(r"\w+", words)) for code, words in rows} == promised


def test_every_document_has_its_row() -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    table = text.partition("\n## JSON\n")[2].partition("\n## ")[0]
    made = {
        name
        for path in (ROOT / "ibkr_trader/cli").rglob("*.py")
        for name in re.findall(r'schema="([a-z-]+/\d+)"', path.read_text(encoding="utf-8"))
    }
    assert len(made) > 30
    told = set(re.findall(r"^\|[^|]*\| `([a-z-]+/\d+)`", table, re.MULTILINE))
    inner = {one for one in made if one.startswith("screen-")} | {"limits-look/1"}
    assert made - told == inner  # what one of our programs answers another


def test_every_kind_of_group_is_in_the_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = text.partition("\n## Groups\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == set(ORDER_TYPES)


# -- settings and limits ----------------------------------------------------------------------


def test_every_setting_is_explained_with_its_default() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `?([\w–]+)`? \| ([^|]*) \|", text, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(NAMES)
    for name, variable, default in rows:
        if name in TABLES:
            continue
        assert variable == ("–" if name in _ONLY_IN_FILE else PREFIX + name.upper())
        value = SettingsModel.model_fields[name].get_default()
        if isinstance(value, str | int | float):
            said = default.replace("`", "").partition(";")[0].strip()
            assert said == str(value).lower(), name


def test_every_limit_is_explained() -> None:
    shown = re.findall(r"`(\w+)`", make_diagrams.risk_limits())
    assert set(RiskLimits.__struct_fields__) <= set(shown)


def test_every_key_of_every_source_and_sink_is_explained() -> None:
    kinds = {f"signals.{name}" for name in SOURCES} | {f"sinks.{name}" for name in SINKS}
    assert set(settings_tables.TABLES) == kinds
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name, kind in settings_tables.TABLES.items():
        shown = text.partition(f"<!-- made from code: keys: {name} -->")[2].partition("<!-- end")[0]
        keys = set(re.findall(r"^\| `(\w+)` \|", shown, re.MULTILINE))
        assert keys == set(kind.__struct_fields__), name


# -- links, targets, programs -----------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(pages: list[Path]) -> list[str]:
    """Complain about a link into the repository that leads nowhere."""
    complaints = []
    for page in pages:
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path) if path else page
            if not there.exists() or (anchor and anchor not in anchors(there.read_text("utf-8"))):
                complaints.append(f"{page.name}: {target} leads nowhere")
    return complaints


def test_links_lead_somewhere() -> None:
    none(dead_links(PAGES))


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    text = "# A page\n[a](b.md) [c](page.md#a-page) [d](#nowhere) [e](https://example.com)\n"
    plant(tmp_path, {"page.md": text})
    assert dead_links([tmp_path / "page.md"]) == [
        "page.md: b.md leads nowhere",
        "page.md: #nowhere leads nowhere",
    ]


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w.-]*)(?=[ \w.-]*:)", makefile, re.MULTILINE))
    targets |= {
        name
        for rule in re.findall(r"^(test-3[^:]+):", makefile, re.MULTILINE)
        for name in rule.split()
    }
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = [m["body"] for m in FENCE.finditer(text) if m["kind"] == "sh"]
        code += INLINE.findall(FENCE.sub("", text))
        for line in "\n".join(code).splitlines():
            if line.split()[:1] == ["make"]:
                words = shlex.split(line, comments=True)[1:]
                asked = {word for word in words if "=" not in word and not word.startswith("$")}
                assert asked <= targets, f"{name_of(page)}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_a_page_is_python(page: Path) -> None:
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        if match["kind"] == "python":
            body = "".join(f"    {line}\n" for line in match["body"].splitlines())
            ast.parse(f"async def page():\n{body}")


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index)
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))
