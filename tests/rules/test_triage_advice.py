"""First advice: what is said, in which order (domain.md 3.3 and scenarios 1 to 4, 14, 20)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, PaymentMethod, Priority
from rapid_response.intake.advice import KEYS, advice, script
from rapid_response.intake.reading.port import Matter
from tests.cases import each

#: The keys of domain.md 3.3, which the contract promises.
DOMAIN_KEYS = {
    "door_shut", "do_not_confront", "dont_pay", "no_cash", "hang_up_other_phone", "bank_159", "safe_to_lie",
    "bank_recall", "cut_connection", "keep_evidence", "cancel_rights", "not_your_fault", "we_will_not_ask",
}  # fmt: skip
#: Added: 999 itself, the covert lines of scenario 20, the signpost of scenario 14.
ADDED_KEYS = {"call_999", "yes_no_questions", "silent_999", "citizens_advice"}


def said(
    priority: Priority,
    category: Category = Category.DOORSTEP_CRIME,
    subtype: str = "rogue_trader",
    matter: Matter = Matter.CRIME,
    **known: Any,
) -> tuple[str, ...]:
    return advice(Facts(**known), category, subtype, priority, matter)


def in_order(keys: tuple[str, ...], *wanted: str) -> bool:
    return [key for key in keys if key in wanted] == list(wanted)


def test_scenario_1_999_before_all_else() -> None:
    keys = said(Priority.P0, suspect_on_premises=True, demands_money_now=True)
    assert keys[:4] == ("call_999", "door_shut", "do_not_confront", "dont_pay")


def test_scenario_2_no_pin_then_other_phone_then_159() -> None:
    keys = said(Priority.P0, Category.SCAM, "courier_fraud", courier_expected=True)
    assert keys[:5] == ("call_999", "no_cash", "hang_up_other_phone", "bank_159", "safe_to_lie")


def test_scenario_3_cut_the_connection_first() -> None:
    keys = said(Priority.P1, Category.SCAM, "remote_access", remote_access_on=True)
    assert keys[:3] == ("cut_connection", "hang_up_other_phone", "bank_159")


def test_scenario_4_the_bank_first() -> None:
    keys = said(
        Priority.P1, Category.SCAM, "purchase", paid_within_24h=True, payment_method=PaymentMethod.TRANSFER
    )
    assert keys[:2] == ("bank_recall", "bank_159")


def test_scenario_14_no_crime_is_told_where_to_go() -> None:
    keys = said(Priority.P4, Category.OTHER, "consumer", Matter.NOT_CRIME, paid_within_24h=True)
    assert keys == ("citizens_advice", "not_your_fault")


def test_scenario_20_only_covert_lines_while_he_listens() -> None:
    keys = said(Priority.P0, safe_to_talk=False, suspect_on_premises=True)
    assert keys == ("call_999", "yes_no_questions", "silent_999", "not_your_fault")


def test_999_whenever_the_suspect_is_there_even_at_p1() -> None:
    assert said(Priority.P1, suspect_on_premises=True)[0] == "call_999"
    assert "call_999" not in said(Priority.P1, payment_pending=True)


def test_two_dangers_at_once_get_the_words_for_both() -> None:
    keys = said(Priority.P1, Category.SCAM, "remote_access", remote_access_on=True, paid_within_24h=True)
    assert in_order(keys, "cut_connection", "hang_up_other_phone", "bank_recall", "bank_159")


def test_cash_cannot_be_recalled() -> None:
    keys = said(Priority.P1, paid_within_24h=True, payment_method=PaymentMethod.CASH)
    assert not {"bank_recall", "bank_159"} & set(keys)
    assert "dont_pay" in keys


def test_a_thief_leaves_evidence_and_no_contract() -> None:
    keys = said(Priority.P0, subtype="distraction_burglary", suspect_just_left=True, property_taken=True)
    assert "keep_evidence" in keys
    assert "cancel_rights" not in keys


def test_the_keys_are_those_of_the_domain_and_four_more() -> None:
    assert set(KEYS) == DOMAIN_KEYS | ADDED_KEYS


@each("key", KEYS)
def test_every_line_is_one_short_plain_sentence(key: str) -> None:
    line = script(key)
    assert line.endswith(".")
    assert len(re.findall(r"[.!?](\s|$)", line)) == 1
    words = re.findall(r"[\w’'-]+", line)
    assert len(words) <= 28
    assert sum(len(word) for word in words) / len(words) <= 5


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        script("no_such_line")
