from __future__ import annotations

from tests.risk.world import ACCOUNT, held, judge, modify, review, spec, stop, submit, view, working


def test_the_armed_account_passes() -> None:
    assert judge("account", submit(spec()), view()) == []


def test_an_order_for_another_account_is_denied_even_when_it_closes() -> None:
    close = submit(spec("SELL", 10, account="DU0000009"))
    (breach,) = judge("account", close, view(held(10)))
    assert (breach.limit, breach.actual) == (ACCOUNT, "DU0000009")
    assert not hasattr(review(close, view(held(10))), "reduces")


def test_an_armed_account_off_the_list_is_denied() -> None:
    (breach,) = judge("account", submit(spec()), view(allowed_accounts=frozenset({"DU0000009"})))
    assert breach.limit == "DU0000009"


def test_nothing_armed_is_denied_twice_over() -> None:
    unarmed, named = judge("account", submit(spec()), view(account=""))
    assert unarmed.message == "Account (none) is not one that may be traded."
    assert named.message == "The order names account SIM0000001; armed is (none)."


def test_an_order_without_an_account_is_told_so() -> None:
    (breach,) = judge("account", submit(spec(account="")), view())
    assert breach.message == "The order names account (none); armed is SIM0000001."


def test_a_change_is_judged_by_the_account_of_its_order() -> None:
    order = working(stop("SELL", 10, "145", account="DU0000009"))
    assert len(judge("account", modify(order, stop_price="146"), view(held(10), order))) == 1
