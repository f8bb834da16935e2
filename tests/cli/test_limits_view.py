"""`limits` at a running desk: what is in use, what waits, and what a symbol's own part is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.adapters.limits_file import LimitsFile
from ibkr_trader.cli import limits_setting, limits_view
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.output import Reply, Table, aligned
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.limits_watch import LimitsWatch
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.check import CHECKS, Unit
from tests.execution.parts import LIMITS, Floor, request


@pytest.fixture
def file(tmp_path: Path) -> LimitsFile:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return LimitsFile(folder, LIMITS)


def at(trader: Trader, file: LimitsFile | None, *, json: bool = False) -> Face:
    face = Face(data_dir=str(file.path.parent) if file else "", profile="sim", json=json)
    face.desk = Desk(trader, timeout=2)
    if file is not None:
        LimitsWatch(trader, file, LIMITS).attach()
    return face


def shown(reply: Reply) -> list[str]:
    texts = [aligned(one) if isinstance(one, Table) else one for one in reply.blocks]
    return "\n".join(texts).splitlines()


async def test_a_symbol_has_its_own_part(file: LimitsFile) -> None:
    file.change("MSFT", {"max_daily_loss": Decimal(10)})
    async with Floor().trader() as trader:
        face = at(trader, file)
        await Desk(trader, timeout=2).submit_order(request(8, limit="140"))
        lines = shown(await limits_view.limits(face, symbol="AAPL"))
        assert any(line.startswith("working_orders AAPL BUY") for line in lines)
        assert not [line for line in lines if "MSFT" in line or "order_rate" in line]
        lines = shown(await limits_view.limits(face, symbol="MSFT"))
        assert [line.split()[0] for line in lines if "10.00 symbol" in line] == ["MSFT"]
        option = await limits_view.limits(face, symbol="AAPL261218C00150000")
        assert not any(line.startswith("working_orders") for line in shown(option))


async def test_a_row_says_what_it_is_about_and_what_must_be_read(file: LimitsFile) -> None:
    async with Floor().trader() as trader:
        face = at(trader, file)
        await Desk(trader, timeout=2).submit_order(request(8, limit="140"))
        lines = shown(await limits_view.limits(face, symbol=""))
    rows = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    table = rows[: next(n for n, row in enumerate(rows) if row.startswith("RULE"))]
    assert len(set(table)) == len(table), "each row of figures has a name of its own"
    assert {"position_size all others", "order_exposure all others"} < set(table)
    assert {"breaker refused", "breaker unanswered"} < set(table)
    assert any(line.startswith("  correlated_exposure: nobody has computed") for line in lines)
    assert not any(line.startswith("  order_rate") for line in lines)
    assert [line.split()[-1] for line in lines if line.startswith("AAPL ")] == ["none"]


async def test_what_waits_is_shown_and_taken_up(file: LimitsFile) -> None:
    file.change("AAPL", {"max_position_size": Decimal(50), "max_daily_loss": Decimal(200)})
    async with Floor().trader() as trader:
        face = at(trader, file)
        assert limits_setting.take_up(face).data["waiting"] == []
        file.change("AAPL", {"max_position_size": Decimal(60), "max_daily_loss": Decimal(100)})
        (waits,) = limits_setting.take_up(face).data["waiting"]
        assert (waits["key"], waits["before"], waits["after"]) == ("max_position_size", 50, 60)
        reply = await limits_view.limits(face, symbol="")
        assert shown(reply)[-1] == "  AAPL max_position_size 50 → 60"
        assert reply.data["waiting"] == [waits]
        file.path.write_text("{")
        assert "the file ends too early" in limits_setting.take_up(face).data["fault"]
        reply = await limits_view.limits(face, symbol="")
        assert reply.data["file"]["state"] == "damaged"
        assert reply.data["file"]["faults"][0]["line"] == 1
        restored = limits_setting.restore(face)
        assert restored.data["aside"] is not None
        assert trader.outlook.view().limits_fault == ""
        assert trader.outlook.view().symbol_limit("AAPL").max_daily_loss == 100


async def test_a_desk_that_follows_no_file_shows_its_limits_all_the_same() -> None:
    async with Floor().trader() as trader:
        reply = await limits_view.limits(at(trader, None), symbol="")
    assert reply.data["file"] is None
    assert {one["check"] for one in reply.data["gauges"]} == {
        name for name, check in CHECKS.items() if check.gauge is not None
    }


async def test_without_limits_in_force_there_is_nothing_to_restore(file: LimitsFile) -> None:
    async with Floor().trader() as trader:
        face = at(trader, file)
        with pytest.raises(ConfigError, match="no limits are known"):
            limits_setting.restore(face)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("1234.5", Unit.MONEY, "1,234.50"),
        ("0.625", Unit.PERCENT, "62.5 %"),
        ("3.14159", Unit.RATIO, "3.1416"),
        ("5", Unit.SECONDS, "5 s"),
        ("1200", Unit.SHARES, "1,200"),
        ("7", Unit.COUNT, "7"),
    ],
)
def test_figures_are_written_as_their_unit(value: str, unit: Unit, text: str) -> None:
    assert limits_view.figure(Decimal(value), unit) == text


@pytest.mark.parametrize("unit", list(Unit))
def test_what_is_not_known_is_a_dash(unit: Unit) -> None:
    assert limits_view.figure(None, unit) == "–"
