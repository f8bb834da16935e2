"""The sectors file is read as strictly as the limits, and says where it is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ibkr_trader.adapters.sectors_file import MOST, SectorsFile, parse


def read(folder: Path, text: str | bytes) -> tuple[dict[str, str], list[str]]:
    path = folder / "sectors.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, ns=(1, 1))  # what was written just now would be read again
    reading = SectorsFile(folder).read()
    assert reading.mark == SectorsFile(folder).mark()
    return dict(reading.sectors), [str(fault) for fault in reading.faults]


def test_sectors_of_symbols_as_the_broker_writes_them(tmp_path: Path) -> None:
    text = '{"AAPL": "Technology", "BRK.B": "Financial, Insurance", "XOM": "Énergie"}'
    found, faults = read(tmp_path, text)
    assert found == {"AAPL": "Technology", "BRK B": "Financial, Insurance", "XOM": "Énergie"}
    assert faults == []


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    reading = SectorsFile(tmp_path).read()
    assert (reading.sectors, reading.faults, reading.mark) == ({}, (), None)
    assert SectorsFile(tmp_path).mark() is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1]", "line 1, column 1: it must be an object"),
        ('{"AAPL": 1}', "line 1, column 10: AAPL: write the name of its sector"),
        ('{"AAPL": null}', "AAPL: write the name of its sector"),
        ('{"AAPL": " "}', "AAPL: 1 to 40 visible characters"),
        ('{"AAPL": "' + "x" * 41 + '"}', "AAPL: 1 to 40 visible characters"),
        ('{"AAPL": "Tech\\u202e"}', "AAPL: 1 to 40 visible characters"),
        ('{"AAPL": "a",\n "AAPL": "b"}', "line 2, column 2: AAPL: it stands here twice"),
        ('{"sectors": {"AAPL": "a"}}', "sectors: the symbols stand at the top: write {"),
        ('{"aapl": "a"}', "it is in lower case: write AAPL"),
        ('{"\u0410APL": "a"}', "U+0410"),
        ('{"AAPL": "a"', "the file ends too early"),
        ("", "the file ends too early"),
        (b'{"AAPL": "\xff"}', "not UTF-8"),
        ('{"BRK.B": "a", "BRK B": "b"}', "it stands here twice"),
    ],
)
def test_a_fault_has_its_place_and_nothing_holds(
    text: str | bytes, fault: str, tmp_path: Path
) -> None:
    found, faults = read(tmp_path, text)
    assert found == {}
    assert len(faults) == 1
    assert fault in faults[0]


def test_every_fault_is_told() -> None:
    _, faults = parse(b'{"aapl": "a", "MSFT": 1}')
    assert len(faults) == 2


def test_a_file_that_cannot_be_trusted_says_so(tmp_path: Path) -> None:
    _, faults = read(tmp_path, b" " * (MOST + 1))
    assert "larger than" in faults[0]
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "sectors.json").unlink()
    (tmp_path / "sectors.json").symlink_to(tmp_path / "real.json")
    reading = SectorsFile(tmp_path).read()
    assert "is a link, and links are not followed" in str(reading.faults[0])
    (tmp_path / "sectors.json").unlink()
    assert SectorsFile(tmp_path).name.endswith("sectors.json")
    (tmp_path / "sectors.json").write_text('{"AAPL": "Technology"}')
    (tmp_path / "sectors.json").chmod(0o666)
    reading = SectorsFile(tmp_path).read()
    assert (dict(reading.sectors), len(reading.faults)) == ({}, 1)
    assert "can be written by everybody" in str(reading.faults[0])
