"""A report as one page that needs nothing else: no script, no file, no address.

Names come from files, producers and brokers, so everything is escaped, and the page forbids
itself to load or run anything. It tells what was traded, so it is for its owner alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.output import Table
from ibkr_trader.cli.report_plots import curve, histogram, safe, shortfalls
from ibkr_trader.cli.report_view import (
    groups_table,
    messages_table,
    orders_table,
    remarks,
    went,
)
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core.text import SENTENCES, money
from ibkr_trader.portfolio.forensics import Latency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.cli.report_facts import Report

MARK = "<!DOCTYPE html>\n<!-- ibkr-trader report/1 -->\n"  # how a page of ours is known again
_MOST_ORDERS = 1_000  # rows, the newest
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8888; --good: #2a7; --bad: #c54; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 2px 10px 2px 0; text-align: left; border-bottom: 1px solid var(--line); }
.right { text-align: right; }
.wide { overflow-x: auto; }
figure { margin: 1em 0; } svg { width: 100%; max-width: 720px; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.mid { text-anchor: middle; }
.axis { stroke: var(--line); } .curve { fill: none; stroke: var(--good); stroke-width: 1.5; }
.bar { fill: var(--bad); } .gain { fill: var(--good); }
"""
_STAGES = {
    Latency.SIGNAL: "From the signal's making until it was here",
    Latency.DECISION: "From the signal until the decision",
    Latency.SEND: "From the decision until the order was handed over",
    Latency.ACCEPT: "From there until the broker's first word",
    Latency.FILL: "From there until the first execution, of what does not wait by its nature",
}


def page(report: Report, *, utc: bool) -> str:
    """Return the whole page."""
    title = f"{report.profile.upper()} report, {when(report.until, utc=utc)}"
    since = f"since {when(report.since, utc=utc)}" if report.since is not None else "of all time"
    return (
        f'{MARK}<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{safe(_POLICY)}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{safe(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{safe(title)}</h1>"
        f"<p>{safe(counted(len(report.orders), 'order'))} {safe(since)}</p>"
        f"{''.join(_sections(report))}</body></html>\n"
    )


def _sections(report: Report) -> Iterator[str]:
    yield "<h2>Round trips</h2>"
    yield from _lines(went(report))
    for one in report.performance:
        total = money(one.net, one.currency, signed=True)
        yield curve(one.curve, f"Sum of the round trips, commissions taken off: {total}")
    yield from _lines(remarks(report))
    yield "<h2>What execution cost</h2>"
    yield "<p>Against the price that was seen first; what is negative was a better price.</p>"
    yield shortfalls(report.groups, f"Shortfall by {report.by}, before commissions")
    yield _table(groups_table(report.groups, report.by))
    yield "<h2>How long it took</h2>"
    for stage, words in _STAGES.items():
        yield histogram(report.orders, stage, words)
    yield "<h2>Orders</h2>"
    if len(report.orders) > _MOST_ORDERS:
        yield f"<p>The newest {_MOST_ORDERS:,} of {len(report.orders):,}.</p>"
    yield _table(orders_table(report.orders[-_MOST_ORDERS:]))
    yield "<h2>Messages</h2>"
    yield _table(messages_table(report.rules))


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (f"<p>{safe(line, limit=SENTENCES)}</p>" for line in lines)


def _table(table: Table) -> str:
    right = ' class="right"'

    def cells(row: Iterable[str], tag: str) -> str:
        written = (
            f"<{tag}{right if name in table.right else ''}>{safe(cell)}</{tag}>"
            for name, cell in zip(table.headers, row, strict=True)
        )
        return f"<tr>{''.join(written)}</tr>"

    rows = "".join(cells(row, "td") for row in table.rows)
    return f'<div class="wide"><table>{cells(table.headers, "th")}{rows}</table></div>'
