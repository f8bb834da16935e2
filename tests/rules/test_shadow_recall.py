from __future__ import annotations

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Stage
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.shadow_recall import ShadowRecall
from ibkr_trader.rules.strategy_text import read_strategy
from tests.rules.shadow_samples import NOON, decision, enter, quote

RULE = '[[rule]]\nname = "R"\nwhen = "bar.close > 1"\n[rule.notify]\nmessage = "m"\n'
ONE = read_strategy(f'name = "one"\nsymbols = ["AAPL"]\n{RULE}')
TWO = read_strategy(f'name = "two"\nsymbols = ["AAPL"]\n{RULE}')


def stage(kind: Stage, version: str = ONE.version) -> ev.StageEvent:
    return ev.StageEvent(at=NOON, strategy="one", stage=kind, version=version)


def entered(strategy: str = "one", version: str = ONE.version) -> list[ev.BaseEvent]:
    """Return a decision of a shadow and its execution."""
    made = decision(enter(), strategy=strategy, version=version)
    book, _ = ShadowBook(strategy=strategy, version=version).after(made, NOON)
    _, fills = book.after(quote("99", "100"), NOON)
    return [made, *fills]


def recalled(*messages: object) -> ShadowRecall:
    on = ShadowRecall.of([ONE, TWO])
    for one in messages:
        on = on.after(one)
    return on


def held(on: ShadowRecall, name: str = "one", version: str = ONE.version) -> list[str]:
    return list(on.books[name, version].places)


def test_each_has_its_own_of_one_reading() -> None:
    other = entered("else")
    on = recalled(*entered(), *other, *entered("two", TWO.version), "no event")
    assert held(on) == held(on, "two", TWO.version) == ["AAPL"]
    assert len(on.books) == 2
    assert recalled().books["one", ONE.version] == ShadowBook(strategy="one", version=ONE.version)


def test_a_version_that_is_promoted_holds_nothing_in_the_shadow_any_more() -> None:
    begun = (stage(Stage.LIVE, "v0"), stage(Stage.SHADOW), *entered())
    assert held(recalled(*begun, stage(Stage.SHADOW))) == ["AAPL"]
    assert held(recalled(*begun, stage(Stage.LIVE), stage(Stage.SHADOW))) == []
    assert held(recalled(*begun, stage(Stage.RETIRED))) == []


def test_a_start_that_tells_again_what_trades_ends_no_shadow() -> None:
    twins = (stage(Stage.LIVE), stage(Stage.SHADOW))
    assert held(recalled(*twins, *entered(), *twins)) == ["AAPL"]
    other = (stage(Stage.LIVE, "v0"), stage(Stage.SHADOW))
    assert held(recalled(*other, *entered(), *other)) == ["AAPL"]
