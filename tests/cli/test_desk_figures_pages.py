"""The pages and the files to start from speak of figures that there are, and of all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.cli.desk_figures import DeskFigures
from ibkr_trader.config.metrics_table import MetricsTable
from ibkr_trader.core.enums import OrderStatus, Outcome, TradingState
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.portfolio.forensics import Latency
from ibkr_trader.portfolio.meters import _ENDS, _PLAIN
from ibkr_trader.risk.check import CHECKS
from tests.cli.test_desk_figures import watched

EXAMPLES = ROOT / "examples"
NAME = re.compile(r"ibkr_trader_[a-z_]+")
MATCHER = re.compile(r"(ibkr_trader_[a-z_]+)\{([^}]*)\}")
HAPPENED = {*_PLAIN.values(), "order_written", "execution", "cancel", "reconnected"}
# What each label may be, where that is a closed set.
WORDS = {
    "state": {one.value.lower() for one in (*TradingState, *Light)},
    "line": {"gateway", "ibkr", "data"},
    "status": {one.value.lower() for one in OrderStatus},
    "stage": {one.value for one in Latency},
    "what": {*HAPPENED, "sent", "dropped", "refused", "failures"},
    "check": set(CHECKS),
}


async def told() -> dict[str, str]:
    """Return the kind of every family that a trader tells, whether it has samples or not."""
    async with watched() as one:
        figures: DeskFigures = one.figures
        return {family.name: family.kind.value for family in await figures.families()}


def expressions() -> list[str]:
    rules = re.findall(r"^ +expr: (.+)$", (EXAMPLES / "alerts.yml").read_text(), re.MULTILINE)
    board: Any = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    return rules + [one["expr"] for panel in board["panels"] for one in panel["targets"]]


async def test_every_figure_is_explained_and_every_explanation_is_of_one() -> None:
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(ibkr_trader_\w+)` \|", page, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == set(await told())


def test_the_words_of_labels_are_the_codes() -> None:
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    row = dict(re.findall(r"^\| `(\w+)` \|(.+)$", page, re.MULTILINE))
    words = {name: set(re.findall(r"`(\w+)`", cells)) for name, cells in row.items()}
    assert words["ibkr_trader_events_total"] == {"what", *HAPPENED}
    outcomes = {"outcome", "filled", "denied", *_ENDS.values()}
    assert words["ibkr_trader_orders_total"] == outcomes
    assert {one.value.lower() for one in Outcome} <= words["ibkr_trader_signals_total"]
    states = {one.value.lower() for one in TradingState}
    assert words["ibkr_trader_trading_state"] == {"state", *states}
    prose = page.partition("## What is counted")[2].partition("\n| figure")[0]
    assert {one.value for one in Latency} <= set(re.findall(r"`(\w+)`", prose))


async def test_alerts_and_the_dashboard_ask_for_figures_that_there_are() -> None:
    kinds = await told()
    asked = expressions()
    assert len(asked) > 30
    for expression in asked:
        names = NAME.findall(expression) or ["up"]
        for name in names:
            family = name.removesuffix("_bucket") if name.endswith("_bucket") else name
            assert family in kinds or name == "up", expression
            assert name.endswith("_bucket") == (kinds.get(family) == "histogram"), expression
            is_rate = re.search(rf"(rate|increase)\({name}", expression) is not None
            assert is_rate == (kinds.get(family) in {"counter", "histogram"}), expression


@pytest.mark.parametrize("expression", expressions())
def test_they_ask_for_labels_that_there_are(expression: str) -> None:
    for _, matchers in MATCHER.findall(expression):
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            assert set(values.split("|")) <= WORDS[label], expression


def test_every_alert_that_was_asked_for_is_there() -> None:
    text = (EXAMPLES / "alerts.yml").read_text()
    names = re.findall(r"^ +- alert: (\w+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == text.count("summary:") == text.count("severity:")
    wanted = {"PositionUnprotected", "LinkLost", "Halted", "SourceDown", "JournalSlow"}
    assert {*wanted, "SinkBacklog"} <= set(names)


def test_prometheus_asks_where_the_trader_tells() -> None:
    text = (EXAMPLES / "prometheus.yml").read_text()
    assert f'targets: ["127.0.0.1:{MetricsTable().port}"]' in text
    assert (EXAMPLES / "alerts.yml").name in text


def test_panels_do_not_lie_on_each_other() -> None:
    board: Any = json.loads(Path(EXAMPLES / "grafana-dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
