"""What a file of this repository may not hold, and where a test of something is found."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house.sources import PACKAGE, ROOT, called, none, plant, sources

# Folders that hold no file of ours: .gitignore names them, and a machine may have them.
FOREIGN = {"__pycache__", "benchmarks-out", "build", "dist", "htmlcov", "live", "mutants", "paper"}
TEXT = {
    "", ".cfg", ".csv", ".in", ".ini", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml",
    ".yml",
}  # fmt: skip
THIS = "tests/house/test_repo.py"  # plants what it forbids

HOME = re.compile(r"(?<![\w.~$}])/(?:home|root|Users)/\w")
INDEX = re.compile(r"(?<!no-emit-)(?:index[-_]url|extra[-_]index|find[-_]links)", re.IGNORECASE)
ADDRESS = re.compile(r"https?://")
# Live and paper account numbers; placeholders (zeros, or 1234567) are not anybody's.
ACCOUNT = re.compile(r"\b(?:DU|DF|DI|U|F|I)(?!0{4}|1234567\b)\d{6,8}\b")

# Where parts are discovered: each file there registers exactly one, and has a test.
DISCOVERED = (
    "risk/checks",
    "rules/actions",
    "rules/indicators",
    "adapters/sinks",
)
# Decorators that register, besides `REGISTRY.register(name)`: a registry's own shorthand.
REGISTRARS = {"check", "indicator"}
# Tests of more than one module, which no single module's name fits.
WHOLE = {
    "bad_days",
    "benchmarks",
    "contract",
    "docs",
    "examples",
    "house",
    "invariants",
    "mutation",
    "clients",
    "processes",
    "scenarios",
    "torture",
}

Rule = Callable[[Path], list[str]]


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every text file that belongs to the repository."""
    for folder, folders, names in os.walk(root):
        place = Path(folder)
        is_top = place == root
        folders[:] = sorted(one for one in folders if not _is_foreign(one, is_top=is_top))
        for path in (place / name for name in sorted(names)):
            if path.suffix not in TEXT or not path.is_file():
                continue
            try:
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a suffix that promises text, and bytes that are none


def _is_foreign(folder: str, *, is_top: bool) -> bool:
    is_hidden = is_top and folder.startswith(".") and folder not in {".ci", ".github"}
    return is_hidden or folder in FOREIGN


def found(root: Path, pattern: re.Pattern[str], message: str) -> Iterator[str]:
    """Yield a complaint for each line of a text file that holds `pattern`."""
    for path, text in texts(root):
        if path != THIS and pattern.search(text):
            for number, line in enumerate(text.splitlines(), start=1):
                if match := pattern.search(line):
                    yield f"{path}:{number}: {message}: {match.group()}"


def machine_paths(root: Path) -> list[str]:
    """Complain about a path into somebody's home folder."""
    return list(found(root, HOME, "a path of one machine"))


def accounts(root: Path) -> list[str]:
    """Complain about what looks like somebody's account number."""
    return list(found(root, ACCOUNT, "an account number"))


def indexes(root: Path) -> list[str]:
    """Complain about a package index in any file, and about any address in a lock."""
    named = list(found(root, INDEX, "a package index"))
    addresses = [c for c in found(root, ADDRESS, "an address") if c.startswith("requirements/")]
    return named + addresses


def unhashed(root: Path) -> list[str]:
    """Complain about a locked requirement that has no exact version or no hash."""
    complaints = []
    for path in sorted((root / "requirements").glob("*.txt")):
        entries = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        complaints += [
            f"requirements/{path.name}: {entry.split()[0]} is not locked"
            for entry in entries
            if entry and not entry.startswith("#") and not ("==" in entry and "--hash=" in entry)
        ]
    return complaints


def mirrors(inner: str, package: Path) -> bool:
    """Whether a test file's path follows a module's: its name, or its name and a subject."""
    folder, _, name = inner.rpartition("/")
    words = name.removeprefix("test_").removesuffix(".py").split("_")
    stems = ["_".join(words[:n]) for n in range(len(words), 0, -1)]
    if folder:
        stems.append(folder.rpartition("/")[2])  # tests/sim/gateway/test_gateway_….py
    here = package / folder
    return here.is_dir() and any(
        (here / f"{stem}.py").exists() or (here / stem).is_dir() or here.name == stem
        for stem in stems[: len(words)]
    )


def strays(root: Path) -> list[str]:
    """Complain about a test file that stands where no module stands."""
    return [
        f"{source.path}:1: there is no such module in {PACKAGE}/"
        for source in sources(root, "tests")
        if source.inner.rpartition("/")[2].startswith("test_")
        and source.inner.partition("/")[0] not in WHOLE
        and not mirrors(source.inner, root / PACKAGE)
    ]


def unregistered(root: Path) -> list[str]:
    """Complain about a discovered file that registers no part, or several, or is not tested."""
    complaints = []
    for source in sources(root):
        folder, _, name = source.inner.rpartition("/")
        if folder not in DISCOVERED or name.startswith("_"):
            continue
        parts = [
            decorator
            for node in source.tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
            and (called(decorator).endswith(".register") or called(decorator) in REGISTRARS)
        ]
        if len(parts) != 1:
            complaints.append(f"{source.path}:1: registers {len(parts)} parts; one is the rule")
        if not (root / "tests" / folder / f"test_{name}").exists():
            complaints.append(f"{source.path}:1: tests/{folder}/test_{name} is missing")
    return complaints


RULES: tuple[Rule, ...] = (machine_paths, accounts, indexes, unhashed, strays, unregistered)


@pytest.mark.parametrize("rule", RULES)
def test_the_repository_keeps(rule: Rule) -> None:
    none(rule(ROOT))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("docs/guide.md", "see /home/someone/desk"),
        ("requirements/dev.txt", "# made in /home/someone/work"),
        ("Makefile", "PYTHON=/Users/someone/python"),
        (".ci/run", "cd /home/someone"),
    ],
)
def test_a_path_of_a_machine_is_found(path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {path: f"\n{line}\n", "fits.md": "~/.config, $HOME/x, a/home/x, /tmp/x\n"})
    assert [c.split(": ")[0] for c in machine_paths(tmp_path)] == [f"{path}:2"]


@pytest.mark.parametrize("account", ["U7654321", "DU9876543", "F123456", "DF555555"])
def test_an_account_number_is_found(account: str, tmp_path: Path) -> None:
    fits = "SIM0000001 DU0000000 U0000001 DU1234567 U1234567\n"
    plant(tmp_path, {"tests/test_x.py": f"\n# {account}\n", "fits.md": fits})
    assert [c.split(": ")[0] for c in accounts(tmp_path)] == ["tests/test_x.py:2"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("requirements/dev.txt", "--index-url somewhere"),
        ("requirements/dev.txt", "x @ https://example.com/x.whl"),
        ("pyproject.toml", 'extra-index-url = "somewhere"'),
        (".ci/run", "export PIP_INDEX_URL=somewhere"),
        ("docs/log.txt", "pip install --find-links somewhere x"),
    ],
)
def test_a_package_index_is_found(path: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, {path: f"\n{line}\n", "fits.md": "https://example.com/docs\n"})
    assert [c.split(": ")[0] for c in indexes(tmp_path)] == [f"{path}:2"]


def test_an_unlocked_requirement_is_found(tmp_path: Path) -> None:
    lock = "# made by make lock\na==1 ; x \\\n    --hash=sha256:0\nb==1\nc>=1 --hash=sha256:0\n"
    plant(tmp_path, {"requirements/dev.txt": lock})
    assert unhashed(tmp_path) == [
        "requirements/dev.txt: b==1 is not locked",
        "requirements/dev.txt: c>=1 is not locked",
    ]


def test_a_stray_test_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "ibkr_trader/core/ticks.py": "",
            "ibkr_trader/config/__init__.py": "",
            "tests/core/test_ticks.py": "",
            "tests/core/test_ticks_by_side.py": "",
            "tests/config/test_config.py": "",
            "tests/scenarios/test_bad_day.py": "",
            "tests/core/conftest.py": "",
            "tests/core/test_tocks.py": "",
            "tests/risk/test_ticks.py": "",
        },
    )
    assert [c.split(":")[0] for c in strays(tmp_path)] == [
        "tests/core/test_tocks.py",
        "tests/risk/test_ticks.py",
    ]


def test_a_check_without_its_part_or_test_is_found(tmp_path: Path) -> None:
    part = '@CHECKS.register("x")\ndef check(): ...\n'
    plant(
        tmp_path,
        {
            "ibkr_trader/risk/checks/__init__.py": "",
            "ibkr_trader/risk/checks/good.py": part,
            "ibkr_trader/risk/checks/short.py": '@check("x", Binds.ALL)\ndef y(): ...\n',
            "ibkr_trader/risk/checks/none.py": "check = Check()\n",
            "ibkr_trader/risk/checks/twice.py": part + part,
            "ibkr_trader/risk/checks/untested.py": part,
            "tests/risk/checks/test_good.py": "",
            "tests/risk/checks/test_short.py": "",
            "tests/risk/checks/test_none.py": "",
            "tests/risk/checks/test_twice.py": "",
        },
    )
    assert unregistered(tmp_path) == [
        "ibkr_trader/risk/checks/none.py:1: registers 0 parts; one is the rule",
        "ibkr_trader/risk/checks/twice.py:1: registers 2 parts; one is the rule",
        "ibkr_trader/risk/checks/untested.py:1: tests/risk/checks/test_untested.py is missing",
    ]
