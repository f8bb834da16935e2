from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.adapters import limits_file
from ibkr_trader.adapters.limits_file import MOST, LimitsFile
from ibkr_trader.adapters.limits_reader import read_limits
from ibkr_trader.adapters.limits_writer import text_of
from ibkr_trader.core.errors import AccountLocked, ConfigError
from ibkr_trader.risk.limits import LIMIT_KEYS, RiskLimits, SymbolLimitRegistry
from tests.adapters.disks import takes_only
from tests.adapters.limits_parts import NAMES, registries
from tests.adapters.test_limits_reader import SEED
from tests.processes import warm

CAP = RiskLimits()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> LimitsFile:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return LimitsFile(folder, CAP)


def position(file: LimitsFile, symbol: str = "AAPL") -> Decimal | None:
    registry = file.read().registry
    assert registry is not None
    return registry.own(symbol, "max_position_size")


def child(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tests.adapters.limits_child", str(folder), *words]
    return warm.Popen(program, cwd=ROOT)


def test_what_is_set_is_there_for_the_next_process(file: LimitsFile) -> None:
    file.change("AAPL", {"max_position_size": Decimal(50), "max_daily_loss": Decimal(200)})
    again = LimitsFile(file.path.parent, CAP).read().registry
    assert again is not None
    limit = again.get_limit("AAPL", CAP)
    assert limit.max_position_size == 50
    assert limit.max_daily_loss == 200


def test_without_a_file_there_is_nothing_and_no_fault(file: LimitsFile) -> None:
    assert file.mark() is None
    reading = file.read()
    assert (reading.is_missing, reading.faults, reading.mark) == (True, (), None)


def test_a_change_says_what_was_and_what_is(file: LimitsFile) -> None:
    file.path.write_text(SEED)
    would = file.would("TSLA", {"max_position_size": Decimal(5)})
    assert position(file, "TSLA") == 10
    before, after = file.change("TSLA", {"max_position_size": Decimal(5)})
    assert (before, after) == would
    assert [one.own("TSLA", "max_position_size") for one in (before, after)] == [10, 5]
    assert position(file, "AAPL") == 50


def test_the_file_is_private_and_nothing_else_is_left(file: LimitsFile) -> None:
    file.change("AAPL", {"max_position_size": Decimal(50)})
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    left = {path.name for path in file.path.parent.iterdir()}
    assert left == {"symbol_limits.json", ".symbol_limits.json.lock"}


def test_the_mark_changes_with_the_file(file: LimitsFile) -> None:
    marks = [file.mark()]
    for value in (50, 60, 70):
        file.change("AAPL", {"max_position_size": Decimal(value)})
        marks.append(file.mark())
    assert len(set(marks)) == 4


def test_what_was_written_just_now_is_read_again(file: LimitsFile) -> None:
    """A second write within one step of the disk's clock would leave no trace in its times."""
    file.path.write_text(SEED)
    assert file.read().mark != file.mark()
    os.utime(file.path, ns=(1, 1))
    assert file.read().mark == file.mark()


def _too_large(path: Path) -> None:
    with path.open("wb") as large:
        large.truncate(10_000_000)


def _folder(path: Path) -> None:
    path.mkdir()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    target = path.with_name("elsewhere.json")
    target.write_text(SEED)
    path.symlink_to(target)


def _everybodys(path: Path) -> None:
    path.write_text(SEED)
    path.chmod(0o666)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_too_large, f"is larger than {MOST:,} bytes"),
        (_folder, "is no file"),
        (_fifo, "is no file"),
        (_link, "is a link, and links are not followed"),
        (_everybodys, "can be written by everybody"),
    ],
)
def test_what_cannot_be_a_limits_file_is_not_read(
    make: object, complaint: str, file: LimitsFile
) -> None:
    assert callable(make)
    make(file.path)
    reading = file.read()
    assert complaint in str(reading.faults[0])
    assert reading.mark is not None
    with pytest.raises(ConfigError, match=complaint):
        file.change("AAPL", {"max_position_size": Decimal(50)})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_at_fault(file: LimitsFile) -> None:
    file.path.write_text(SEED)
    file.path.chmod(0)
    assert "cannot be read" in str(file.read().faults[0])


def test_a_damaged_file_is_not_written_over(file: LimitsFile) -> None:
    file.path.write_text('{"symbol_limits": {"aapl": {"max_daily_loss": -1}}}')
    with pytest.raises(ConfigError) as found:
        file.change("AAPL", {"max_position_size": Decimal(50)})
    assert "line 1, column 20: symbol_limits.aapl: it is in lower case" in found.value.message
    assert "-1 is not above 0" in found.value.message
    assert found.value.hint.endswith("ibkr-trader limits --restore")
    assert "aapl" in file.path.read_text()


def test_a_file_that_would_grow_too_large_is_not_written(
    file: LimitsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.path.write_text(SEED)
    monkeypatch.setattr(limits_file, "MOST", len(SEED) + 10)
    with pytest.raises(ConfigError, match="would be larger than"):
        file.change("MSFT", {"max_position_size": Decimal(50)})
    assert file.path.read_text() == SEED


def test_a_disk_that_takes_only_a_part_loses_nothing(file: LimitsFile) -> None:
    file.path.write_text(SEED)
    full = pytest.raises(ConfigError, match="cannot be written: No space left")
    with takes_only(len(SEED) - 9), full:
        file.change("AAPL", {"max_position_size": Decimal(7)})
    assert file.path.read_text() == SEED
    assert not list(file.path.parent.glob(".*.new"))


def test_restoring_keeps_what_was_damaged(file: LimitsFile) -> None:
    assert file.restore(SEED) is None
    file.path.write_text("{")
    aside = file.restore(SEED)
    assert aside is not None
    assert aside.read_text() == "{"
    assert file.path.read_text() == SEED
    file.path.write_text("[")
    assert file.restore(SEED) == aside
    assert aside.read_text() == "["


def test_a_folder_in_its_place_cannot_be_restored_over(file: LimitsFile) -> None:
    file.path.mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        file.restore(SEED)


def test_a_folder_that_others_write_in_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="can be written by other users"):
        LimitsFile(folder, CAP).change("AAPL", {"max_position_size": Decimal(50)})


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(
    file: LimitsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits_file, "LOCK_PATIENCE", 0.05)
    with (
        LimitsFile(file.path.parent, CAP)._alone(),
        pytest.raises(AccountLocked, match="another process is writing"),
    ):
        file.change("AAPL", {"max_position_size": Decimal(50)})


def test_two_writers_at_once_lose_nothing(file: LimitsFile) -> None:
    writers = [child(file.path.parent, "set", symbol, "25") for symbol in ("A", "B", "C")]
    assert [writer.wait(timeout=50) for writer in writers] == [0, 0, 0]
    for symbol in ("A", "B", "C"):
        found = [position(file, f"{symbol}{number}") for number in range(1, 26)]
        assert found == list(range(1, 26))


@pytest.mark.slow
def test_a_writer_that_is_killed_anywhere_leaves_the_old_or_the_new(file: LimitsFile) -> None:
    seen: set[tuple[int, Decimal | None]] = set()
    for step in range(1, 60):
        file.path.write_text(SEED)
        code = child(file.path.parent, "die", str(step)).wait(timeout=50)
        assert code in {0, -signal.SIGKILL}
        seen.add((code, position(file)))
        assert position(file, "TSLA") == 10
        if code == 0:
            break
    # It was killed before and after the moment that counts, and came to its end at last.
    assert seen == {
        (-signal.SIGKILL, Decimal(50)),
        (-signal.SIGKILL, Decimal(60)),
        (0, Decimal(60)),
    }
    assert file.change("AAPL", {"max_position_size": Decimal(40)})
    assert position(file) == 40


# -- what a damaged file can be read as -----------------------------------------------------


@given(registries(), st.data())
def test_what_is_cut_off_is_never_read(registry: SymbolLimitRegistry, data: st.DataObject) -> None:
    content = text_of(registry).strip().encode()
    cut = data.draw(st.integers(0, len(content) - 1))
    assert read_limits(content[:cut], CAP).registry is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(registries(), st.data())
def test_flipped_bits_are_at_fault_or_stay_within_the_cap(
    registry: SymbolLimitRegistry, data: st.DataObject
) -> None:
    content = bytearray(text_of(registry).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    reading = read_limits(bytes(content), CAP)
    if reading.registry is None:
        assert reading.faults
        return
    for symbol in NAMES:
        limit = reading.registry.get_limit(symbol, CAP)
        for key in LIMIT_KEYS[:3]:
            assert 0 < getattr(limit, key) <= getattr(CAP, key)
