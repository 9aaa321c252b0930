"""What people type becomes the API's body, and what is missing is said kindly."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapid_response.console.forms.actions import ACTION_FORMS, Kind, read_action
from rapid_response.console.forms.handler import read_handler_report
from rapid_response.console.forms.posted import NARRATIVE_LIMIT, Parsed, Posted
from rapid_response.console.forms.public import Now, read_now, read_public_report
from rapid_response.console.forms.reading import read_pounds
from rapid_response.console.forms.responder import read_cannot_go, read_finish
from rapid_response.console.words import FIELDS
from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS
from rapid_response.core.incident import Action
from rapid_response.core.vocabulary import Category, Disposition
from rapid_response.intake.report_in import ReportIn
from rapid_response.steps.commands import COMMANDS
from tests.cases import each
from tests.pages.samples import LONDON, NOW

SHOWN = (NOW - timedelta(minutes=4)).isoformat()
Fields = dict[str, str | list[str]]


def posted(**values: str | list[str]) -> Posted:
    """A form; `__` in a name stands for the dot."""
    pairs: list[tuple[str, object]] = []
    for name, value in values.items():
        dotted = name.replace("__", ".")
        pairs += [(dotted, v) for v in ([value] if isinstance(value, str) else value)]
    return Posted.from_pairs(pairs)


def public(**values: str | list[str]) -> Parsed:
    base: Fields = {"narrative": "a man at the door", "shown_at": SHOWN}
    return read_public_report(posted(**{**base, **values}), now=NOW)


def handler(**values: str | list[str]) -> Parsed:
    base: Fields = {"narrative": "a man at the door"}
    return read_handler_report(posted(**{**base, **values}), now=NOW, zone=LONDON)


def faults(parsed: Parsed) -> dict[str, str]:
    return {e.field: e.message for e in parsed.filled.errors}


# --- the public form --------------------------------------------------------------------------------------


def test_a_few_words_are_a_report() -> None:
    assert public().ok
    assert public().body == {
        "channel": "web",
        "narrative": "a man at the door",
        "safe_contact": {"sms": False, "voice": False, "voicemail": False},
    }


def test_nothing_said_is_asked_back_with_all_that_was_typed() -> None:
    parsed = public(narrative="  \n ", caller__name="Jean")
    assert faults(parsed) == {"narrative": "Tell us what has happened, in your own words"}
    assert parsed.filled.value("caller.name") == "Jean"
    assert parsed.filled.errors[0].href == "#narrative"


@each(
    ("answer", "facts"),
    [
        (Now.HERE, {"suspect_on_premises": True}),
        (Now.FRIGHTENED, {"threat_or_fear": True}),
        (Now.ON_THE_PHONE, {"on_phone_with_suspect": True}),
        (Now.COMING, {"suspect_returning": True}),
        (Now.NOBODY, {"suspect_on_premises": False}),
        (Now.NOT_SURE, None),
    ],
)
def test_the_first_answer_states_a_fact(answer: Now, facts: dict[str, bool] | None) -> None:
    assert public(now=answer.value).body.get("answers") == facts


def test_money_and_circumstances_are_facts_and_nothing_unticked_is_denied() -> None:
    parsed = public(
        paid="last_day", applies=["lives_alone", "disability", "threat_or_fear"], answers__amount_gbp="£1,200"
    )
    assert parsed.body["answers"] == {
        "paid_within_24h": True,
        "lives_alone": True,
        "disability": True,
        "amount_gbp": 1200,
    }


def test_the_caller_is_the_victim_only_if_the_caller_says_so() -> None:
    said = public(caller__name="Jean", caller__phone="07700 900145", caller__role="self")
    assert said.body["victim"] == {"name": "Jean", "phone": "+447700900145"}
    assert said.body["caller"] == {"name": "Jean", "phone": "+447700900145", "role": "self"}
    other = public(caller__name="Priya", caller__role="family", victim__name="Jean", victim__age="84")
    assert other.body["victim"] == {"name": "Jean", "age": 84}
    assert other.body["caller"] == {"name": "Priya", "role": "family"}
    assert "victim" not in public(caller__name="Priya").body


def test_contact_is_safe_only_where_it_is_ticked() -> None:
    parsed = public(safe=["voice"], safe_contact__note="before 3pm")
    assert parsed.body["safe_contact"] == {
        "sms": False,
        "voice": True,
        "voicemail": False,
        "note": "before 3pm",
    }


@each("number", ["12", "07700 90014555555555", "ring me", "+44"])
def test_a_number_that_cannot_be_one_is_asked_again(number: str) -> None:
    assert list(faults(public(caller__phone=number))) == ["caller.phone"]


@each("number", ["8460 1234", "460 1234", "+44 8460 1234"])
def test_a_number_without_its_area_code_reaches_nobody_and_is_asked_again(number: str) -> None:
    assert list(faults(public(caller__phone=number))) == ["caller.phone"]
    assert list(faults(handler(victim__phone=number))) == ["victim.phone"]


@each("number", ["07700 900145", "(020) 7946-0018", "+44 7700 900145", "00353 1 234 5678", "0800 1111"])
def test_numbers_may_be_written_in_any_way(number: str) -> None:
    assert public(caller__phone=number).body["caller"]["phone"].startswith("+")


def test_a_filled_trap_or_a_hurry_is_noted_and_the_report_is_taken() -> None:
    assert not public().looks_automated
    for values in (
        {"website": "x"},
        {"shown_at": NOW.isoformat()},
        {"shown_at": "?"},
        {"shown_at": "2026-11-23"},
    ):
        parsed = public(**values)
        assert parsed.ok
        assert parsed.looks_automated
        assert "website" not in parsed.body


def test_too_much_at_once_is_said_and_kept() -> None:
    parsed = public(narrative="a" * (NARRATIVE_LIMIT + 1))
    assert "20,000 characters or fewer" in faults(parsed)["narrative"]
    assert len(parsed.filled.value("narrative")) == NARRATIVE_LIMIT + 1


def test_what_nobody_can_type_is_dropped() -> None:
    assert public(narrative="a\x00b\ud800c\r\nd\te").body["narrative"] == "abc\nd\te"


def test_an_unknown_first_answer_is_no_answer() -> None:
    assert read_now(posted(now="9")) is None
    assert read_now(posted(now="1")) is Now.HERE
    assert read_now(posted()) is None


# --- the call handler's form ------------------------------------------------------------------------------


def test_every_fact_of_the_contract_can_be_answered() -> None:
    answers: Fields = {f"answers__{name}": "yes" for name in BOOLEAN_FACTS}
    answers |= {f"answers__{name}": "now" for name in TIME_FACTS}
    parsed = handler(**answers, answers__amount_gbp="400", answers__payment_method="cash")
    assert parsed.ok
    assert set(parsed.body["answers"]) == {*BOOLEAN_FACTS, *TIME_FACTS, "amount_gbp", "payment_method"}


def test_not_known_is_left_out_and_no_is_said() -> None:
    answers = handler(
        answers__suspect_on_premises="unknown", answers__safe_to_talk="no", answers__lives_alone="yes"
    ).body
    assert answers["answers"] == {"safe_to_talk": False, "lives_alone": True}
    assert answers["victim"] == {"lives_alone": True}


def test_the_clock_starts_when_the_call_was_answered() -> None:
    opened = NOW - timedelta(minutes=6, seconds=13)
    untouched = handler(opened_at=opened.isoformat(), received_at="2026-11-23T14:14")
    assert untouched.body["received_at"] == "2026-11-23T14:14:17+00:00"
    assert handler(opened_at=opened.isoformat()).body["received_at"] == "2026-11-23T14:14:17+00:00"
    moved = handler(opened_at=opened.isoformat(), received_at="2026-11-23T13:50")
    assert moved.body["received_at"] == "2026-11-23T13:50:00+00:00"
    assert "received_at" in faults(handler(received_at="2026-11-23T14:40"))
    assert "received_at" in faults(handler(received_at="yesterday-ish"))
    assert handler().body["received_at"].startswith("2026-11-23T14:20:30")


def test_a_page_that_was_open_for_long_is_asked_about_once() -> None:
    opened = NOW - timedelta(hours=3)
    untouched = {"opened_at": opened.isoformat(), "received_at": "2026-11-23T11:20"}
    asked = handler(**untouched)
    assert "Was this call answered at 11:20am, when the page was opened?" in faults(asked)["received_at"]
    assert asked.filled.value("narrative")
    # Asked once, or written by the page when the first thing was said: the time is meant.
    assert handler(**untouched, begun="yes").body["received_at"] == opened.isoformat()
    assert handler(**untouched | {"received_at": "2026-11-23T14:18"}).ok


def test_what_has_happened_did_not_happen_tomorrow() -> None:
    for name in ("happened_at", "paid_at", "suspect_left_at"):
        field = f"answers.{name}"
        late = faults(handler(**{field.replace(".", "__"): "tomorrow 9am"}))
        assert late[field].endswith("”: this time is still to come. Check it: write when it was")
    assert handler(answers__suspect_returning_at="tomorrow 9am").ok


def test_summer_time_is_written_with_its_offset() -> None:
    summer = datetime.fromisoformat("2026-07-01T12:00:00+00:00")
    parsed = read_handler_report(
        posted(narrative="x", received_at="2026-07-01T12:55"), now=summer, zone=LONDON
    )
    assert parsed.body["received_at"] == "2026-07-01T12:55:00+01:00"


def test_several_faults_are_told_at_once_by_field() -> None:
    parsed = handler(
        narrative="",
        caller__phone="12",
        victim__age="old",
        answers__courier_expected_at="sometime",
        answers__amount_gbp="lots",
        answers__payment_method="barter",
    )
    assert set(faults(parsed)) == {
        "narrative",
        "caller.phone",
        "victim.age",
        "answers.courier_expected_at",
        "answers.amount_gbp",
        "answers.payment_method",
    }


def test_the_rest_of_the_call() -> None:
    body = handler(
        channel="partner",
        external_reference="CAD 4471",
        caller__role="bank",
        caller__email="a@b.example",
        location__address="14 Larkspur Way",
        location__ward="Bromley Town",
        suspect__vehicle_registration="AB12 CDE",
        suspect__phone="07700 900199",
        back_entry="yes",
        victims_own_perception="yes",
    ).body
    assert body["victims_own_perception"] is True
    assert body["channel"] == "partner"
    assert body["back_entry"] is True
    assert body["caller"] == {"role": "bank", "email": "a@b.example"}
    assert body["location"] == {"address": "14 Larkspur Way", "ward": "Bromley Town"}
    assert body["suspect"] == {"vehicle_registration": "AB12 CDE", "phone": "+447700900199"}
    assert handler(channel="pigeon").body["channel"] == "phone"
    assert not {"back_entry", "victims_own_perception"} & handler().body.keys()


def test_the_apis_own_errors_land_on_their_fields() -> None:
    parsed = handler().refused([{"field": "location.postcode", "message": "Check the postcode"}])
    assert not parsed.ok
    assert parsed.filled.error("location.postcode") == "Check the postcode"
    assert parsed.filled.errors[0].href == "#location-postcode"


_FIELDS = (
    *("narrative", "now", "caller.phone", "victim.age", "received_at", "opened_at", "shown_at", "channel"),
    *("answers.paid_at", "answers.courier_expected_at", "answers.amount_gbp", "answers.lives_alone"),
    *("safe", "caller.role", "paid", "applies"),
)


@given(st.dictionaries(st.sampled_from(_FIELDS), st.text(max_size=40)))
def test_no_form_breaks_the_reading(values: dict[str, str]) -> None:
    form = Posted.from_pairs(values.items())
    for parsed in (read_public_report(form, now=NOW), read_handler_report(form, now=NOW, zone=LONDON)):
        assert parsed.ok or all(e.message for e in parsed.filled.errors)


# --- sums -------------------------------------------------------------------------------------------------


@each(
    ("typed", "pounds"),
    [
        ("450", 450),
        ("£1,200.50", 1200.5),
        ("4k", 4000),
        ("2.5k", 2500),
        (" 3 000 ", 3000),
        ("10 pounds", 10),
        ("0", 0),
    ],
)
def test_sums_as_people_write_them(typed: str, pounds: float) -> None:
    assert read_pounds(typed) == pounds


@each("typed", ["lots", "-5", "1e9", "nan", "inf", "1.234", "", "£"])
def test_what_is_no_sum(typed: str) -> None:
    with pytest.raises(ValueError, match="pounds"):
        read_pounds(typed)


# --- actions ----------------------------------------------------------------------------------------------


def test_every_action_has_its_form() -> None:
    assert set(ACTION_FORMS) == set(Action)


@each("action", Action)
def test_an_empty_form_says_all_that_is_missing(action: Action) -> None:
    wanted = {f.name for f in ACTION_FORMS[action].fields if f.missing}
    if action is Action.AMEND:  # nothing must be filled in, but something must be different
        wanted = {"reason"}
    assert set(faults(read_action(action, posted()))) == wanted


def test_closing_reads_outcomes_row_by_row() -> None:
    parsed = read_action(
        Action.CLOSE,
        posted(
            disposition=Disposition.RESOLVED_ATTENDED.value,
            outcomes__0__code="money_prevented",
            outcomes__0__amount_gbp="2,600",
            outcomes__0__evidence_grade="B",
            outcomes__2__code="trader_left",
        ),
    )
    assert parsed.ok
    assert parsed.body == {
        "disposition": "resolved_attended",
        "outcomes": [
            {"code": "money_prevented", "amount_gbp": 2600, "evidence_grade": "B"},
            {"code": "trader_left"},
        ],
    }


def test_a_sum_needs_a_kind_and_a_grade() -> None:
    parsed = read_action(
        Action.CLOSE,
        posted(
            disposition="resolved_attended",
            outcomes__0__amount_gbp="5",
            outcomes__1__code="money_recovered",
            outcomes__1__amount_gbp="5",
            outcomes__2__code="gold",
        ),
    )
    assert set(faults(parsed)) == {"outcomes.0.code", "outcomes.1.evidence_grade", "outcomes.2.code"}


def test_action_bodies() -> None:
    cases: list[tuple[Action, Fields, dict[str, Any]]] = [
        (Action.ASSIGN, {"responder": "asha"}, {"responder": "asha", "companion": False}),
        (
            Action.ASSIGN,
            {"responder": "ben", "companion": "yes"},
            {"responder": "ben", "companion": True},
        ),
        (Action.RELEASE, {"reason": "x"}, {"reason": "x"}),
        (Action.RELEASE, {"arranged": "police", "reason": "x"}, {"arranged": "police", "reason": "x"}),
        (Action.CHECK_IN, {}, {}),
        (Action.DECLINE, {"responder": "asha"}, {"responder": "asha"}),
        (Action.POLICE_HANDOVER, {"cad_reference": "4471"}, {"cad_reference": "4471"}),
        (Action.REMOTE_RESPONSE, {"protective_act": "bank_told"}, {"protective_act": "bank_told"}),
        (Action.SET_PRIORITY, {"priority": "P3", "reason": "over"}, {"priority": "P3", "reason": "over"}),
        (
            Action.RECLASSIFY,
            {"category": Category.SCAM.value, "reason": "x"},
            {"category": "scam", "reason": "x"},
        ),
        (Action.TASK_DONE, {"task_id": "t1"}, {"task_id": "t1"}),
        (Action.TASK_DONE, {"task_id": "t1", "reason": "travel"}, {"task_id": "t1", "reason": "travel"}),
        (Action.ACKNOWLEDGE, {"seen": ["n1", "n2"]}, {"seen": ["n1", "n2"]}),
        (Action.EN_ROUTE, {}, {}),
        (
            Action.REVIEW_AGE_TARGETING,
            # A name of a second reviewer is not taken from a page: that person signs in.
            {"state": "ruled_out", "victims_own_perception": "yes", "second_reviewer": "Ann", "reason": "x"},
            {"state": "ruled_out", "victims_own_perception": True, "reason": "x"},
        ),
        (
            Action.REVIEW_AGE_TARGETING,
            {"state": "referred_partner", "referral_kind": "age_uk", "reference": "A 7", "reason": "x"},
            {
                "state": "referred_partner",
                "victims_own_perception": False,
                "referral_kind": "age_uk",
                "reference": "A 7",
                "reason": "x",
            },
        ),
        (Action.SECOND_REVIEW, {"agree": "yes"}, {"agree": "yes"}),
        (Action.REFER, {"kind": "bank", "reference": "B 9"}, {"kind": "bank", "reference": "B 9"}),
        (
            Action.UPDATE_REFERRAL,
            {"referral": "r1", "state": "declined", "reason": "No capacity"},
            {"referral": "r1", "state": "declined", "reason": "No capacity"},
        ),
    ]
    for action, values, body in cases:
        parsed = read_action(action, posted(**values))
        assert parsed.ok, action
        assert parsed.body == body


def filled_in(action: Action) -> Posted:
    """The form of an action with every field answered."""
    values: list[tuple[str, object]] = []
    if action is Action.AMEND:
        return _everything_corrected()
    for asked in ACTION_FORMS[action].fields:
        if asked.kind is Kind.OUTCOMES:
            values += [("outcomes.0.code", "money_prevented"), ("outcomes.0.amount_gbp", "12.50")]
            values += [("outcomes.0.evidence_grade", "A")]
        else:
            values.append((asked.name, asked.options[-1][0] if asked.options else "x" * asked.limit))
    return Posted.from_pairs(values)


def _everything_corrected() -> Posted:
    answers = [(f"answers.{name}", "yes") for name in BOOLEAN_FACTS]
    answers += [(f"answers.{name}", "now") for name in TIME_FACTS]
    answers += [("answers.amount_gbp", "1,200.50"), ("answers.payment_method", "cash")]
    phones = [(f"{part}.phone", "07700 900145") for part in ("caller", "victim", "suspect")]
    lines = [(path, "x" * 80) for path in FIELDS if path.partition(".")[2] not in NOT_LINES]
    more = [("victim.age", "84"), ("safe", "voice"), ("was.safe", "sms"), ("report", "r1"), ("reason", "x")]
    return Posted.from_pairs([*answers, *phones, *lines, *more])


#: Asked otherwise than in a line, or not by the form.
NOT_LINES = (
    *("phone", "age", "sms", "voice", "voicemail", "latitude", "longitude"),
    *("lives_alone", "vulnerabilities"),
)


def test_only_what_is_different_is_corrected() -> None:
    shown = {"victim.name": "Jean", "victim.phone": "+447700900145", "answers.lives_alone": "yes"}
    pairs = [(f"was.{name}", value) for name, value in shown.items()]
    parsed = read_action(
        Action.AMEND,
        Posted.from_pairs(
            [
                *pairs,
                *(("victim.name", "Jean"), ("victim.phone", ""), ("answers.lives_alone", "unknown")),
                *(("location.address", "14 Larkspur Way"), ("was.location.address", "")),
                *(("safe", "voice"), ("was.safe", "voice"), ("was.safe", "sms")),
            ]
        ),
        now=NOW,
        zone=LONDON,
    )
    assert parsed.ok
    assert parsed.body == {
        "victim": {"phone": None},
        "answers": {"lives_alone": None},
        "location": {"address": "14 Larkspur Way"},
        "safe_contact": {"sms": False},
    }


def test_a_correction_that_cannot_be_read_is_said_beside_its_field() -> None:
    parsed = read_action(
        Action.AMEND,
        posted(
            victim__phone="12", victim__age="old", answers__paid_at="sometime", answers__amount_gbp="lots"
        ),
        now=NOW,
        zone=LONDON,
    )
    assert set(faults(parsed)) == {
        "victim.phone",
        "victim.age",
        "answers.paid_at",
        "answers.amount_gbp",
    }


@each("action", Action)
def test_what_a_form_sends_is_what_the_action_takes(action: Action) -> None:
    parsed = read_action(action, filled_in(action), now=NOW, zone=LONDON)
    assert parsed.ok
    COMMANDS[action].model_validate(parsed.body)


def test_what_the_report_forms_send_is_what_a_report_takes() -> None:
    answers: Fields = {f"answers__{name}": "yes" for name in BOOLEAN_FACTS}
    answers |= {f"answers__{name}": "now" for name in TIME_FACTS}
    parts = (
        *("location.address", "location.postcode", "location.ward", "external_reference", "caller.name"),
        *("caller.email", "victim.name", "suspect.name", "suspect.company", "suspect.website"),
        *("suspect.vehicle_registration", "suspect.description", "safe_contact.note"),
    )
    lines: Fields = {name.replace(".", "__"): "x" * 80 for name in parts}
    rest: Fields = {
        **{
            "caller__phone": "07700 900145",
            "victim__phone": "07700 900145",
            "suspect__phone": "07700 900145",
        },
        **{"caller__role": "family", "victim__age": "84", "safe": ["voice", "sms"], "back_entry": "yes"},
        "victims_own_perception": "yes",
        **{"answers__amount_gbp": "1,200.50", "answers__payment_method": "cash", "channel": "email"},
    }
    for parsed in (handler(**answers, **lines, **rest), public(**lines, **rest, now="1", paid="last_day")):
        assert parsed.ok
        ReportIn.model_validate(parsed.body)


@each("state", ["none", "potential"])
def test_a_person_decides_and_never_leaves_it_open(state: str) -> None:
    assert "state" in faults(read_action(Action.REVIEW_AGE_TARGETING, posted(state=state, reason="x")))


# --- the responder's page ---------------------------------------------------------------------------------


def test_finishing_asks_for_what_its_ending_needs() -> None:
    assert list(faults(read_finish(posted()))) == ["code"]
    assert list(faults(read_finish(posted(code="POLICE")))) == ["cad_reference"]
    assert list(faults(read_finish(posted(code="PHONE")))) == ["protective_act"]
    done = read_finish(posted(code="HELPED", note="all well", outcomes__0__code="victim_reassured"))
    assert done.body == {"code": "HELPED", "note": "all well", "outcomes": [{"code": "victim_reassured"}]}


def test_who_cannot_go_is_never_asked_twice() -> None:
    assert read_cannot_go(posted(reason="not_safe")).body == {"reason": "not_safe"}
    assert read_cannot_go(posted(reason="<script>")).body == {"reason": "other"}
    assert read_cannot_go(posted()).ok
