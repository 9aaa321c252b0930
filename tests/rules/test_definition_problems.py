"""What doctor says about a definition that loads."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rapid_response.definition import Weight, findings, parse, problems
from tests.cases import each

LONDON = ZoneInfo("Europe/London")
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)  # a Monday

TEXT = """\
service: {name: Testborough, area: {wards: [Town]}, hotline: "+442083134000"}
sla:
  respond_within: PT2H
  coverage: {mon: ["09:00-17:00"], tue: ["09:00-17:00"]}
  holidays: [2026-12-25]
responders:
  - {id: asha, name: Asha, phones: {sms: "+447911123456"}, skills: [scam, doorstep_crime]}
  - {id: dee, name: Dee, phones: {sms: "+447911123457"}, roles: [duty_officer]}
rota:
  - {responder: asha, days: [mon, tue], from: "08:00", to: "18:00"}
  - {responder: dee, days: [mon], from: "08:00", to: "18:00"}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT15M, action: notify, to: desk}
on_call: [asha]
contacts:
  duty_officer: "+447911123458"
  team_leader: "+447911123459"
  hate_crime_lead: "+447911123460"
  desk: "+447911123461"
"""


def test_nothing_to_say_about_a_service_in_order() -> None:
    assert problems(parse(TEXT, "service.yaml"), AT, LONDON) == []


OFF = '  - {responder: asha, from: "2026-12-24T09:00", to: "2026-12-24T17:00", off: true}\n'
NOBODY = "Nobody with the skill"
BROKEN, PLACEHOLDER, ADVICE = Weight

FINDINGS = [
    # (what is written, what is written instead, weight, words of the sentence)
    ('"08:00"', '"10:00"', BROKEN, f"{NOBODY} scam is on duty from Tue 24 Nov 09:00 to Tue 24 Nov 10:00."),
    ("[mon, tue]", "[tue]", BROKEN, f"{NOBODY} scam is on duty from Mon 23 Nov 10:00 to Mon 23 Nov 17:00."),
    ("[scam, doorstep_crime]", "[scam]", BROKEN, f"{NOBODY} doorstep_crime is on the rota"),
    ("on_call: [asha]", "on_call: []", ADVICE, "on_call is empty"),
    ("on_call: [asha]", "on_call: [dee]", BROKEN, "dee, who has no skills"),
    ('duty_officer: "+447911123458"', "", ADVICE, "When no duty officer is on duty, there is no contact"),
    ('team_leader: "+447911123459"', "", BROKEN, "There is no team leader contact"),
    ('hate_crime_lead: "+447911123460"', "", ADVICE, "There is no hate crime lead contact"),
    ('desk: "+447911123461"', "", BROKEN, "a step of the escalation goes there. Add contacts.desk."),
    ('desk: "+447911123461"', 'desk: "+442083134001"', BROKEN, "contacts.desk is a landline"),
    ("on_call:", "lone_worker: {check_in_every: PT30M, then: [head_of_service]}\non_call:", BROKEN,
     "There is no head of service contact: missed check-ins go there"),
    ("+442083134000", "+442079460100", PLACEHOLDER, "The hotline +442079460100 is a placeholder"),
    ("+447911123456", "+447700900101", PLACEHOLDER, "made-up numbers (Ofcom keeps them for films): asha."),
    ("+447911123461", "+447700900123", PLACEHOLDER, "contacts have made-up numbers: desk"),
    ("+442083134000", "+447911123456", BROKEN, "asha has the hotline’s own number"),
    ("+447911123461", "+447911123456", ADVICE, "contacts.desk is also asha’s number"),
    ('sms: "+447911123456"', 'voice: "+447911123456"', ADVICE, "asha has no sms number"),
    ("after: PT0M", "after: PT1M", ADVICE, "the first offer waits"),
    ("after: PT15M", "after: PT2H", ADVICE, "has already passed"),
    ("PT2H", "PT2H\n  accept_within: PT2H", ADVICE, "not shorter than sla.respond_within"),
    ("PT2H", "PT2H\n  warn_at: []", ADVICE, "nobody is warned"),
    (", roles: [duty_officer]", "", ADVICE, "dee has neither skills nor roles"),
    ("{responder: dee", "{responder: asha", ADVICE, "dee is neither on the rota nor on call"),
    ("escalation:", OFF + "escalation:", ADVICE, "asha is taken off at 24 December 2026 09:00"),
    ("2026-12-25", "2025-12-25", ADVICE, "sla.holidays has no day to come"),
]  # fmt: skip


@each(("old", "new", "weight", "words"), FINDINGS)
def test_what_is_missing_is_said(old: str, new: str, weight: Weight, words: str) -> None:
    assert old in TEXT
    found = findings(parse(TEXT.replace(old, new, 1), "service.yaml"), AT, LONDON)
    assert [finding.weight for finding in found if words in finding.text] == [weight], found


def test_nobody_holds_the_role_at_this_hour() -> None:
    text = TEXT.replace('  duty_officer: "+447911123458"\n', "")
    tuesday = datetime(2026, 11, 24, 10, tzinfo=UTC)
    (finding,) = findings(parse(text, "service.yaml"), tuesday, LONDON)
    assert (finding.weight, finding.text[:34]) == (Weight.BROKEN, "No duty officer is on duty now, an")


def test_an_empty_on_call_list_matters_when_the_rota_has_gaps() -> None:
    text = TEXT.replace("on_call: [asha]", "on_call: []").replace('from: "08:00"', 'from: "09:30"')
    found = findings(parse(text, "service.yaml"), AT, LONDON)
    assert [f.weight for f in found if "on_call is empty" in f.text] == [Weight.BROKEN]


def test_many_gaps_are_summed_up_and_weight_comes_first() -> None:
    wednesday = ", ".join(f'"{hour:02}:00-{hour + 1:02}:00"' for hour in range(9, 23, 2))
    text = TEXT.replace("coverage: {", f"coverage: {{wed: [{wednesday}], ").replace(
        "+442083134000", "+442079460100"
    )
    found = findings(parse(text, "service.yaml"), AT, LONDON)
    assert "… and 2 more gaps for scam in the next seven days." in [f.text for f in found]
    assert [f.weight for f in found] == sorted((f.weight for f in found), key=list(Weight).index)
