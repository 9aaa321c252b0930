"""Things to test with, whose safe defaults leave a test to say only what matters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import yaml

#: Two who are always on duty, one on call, a duty officer, a team leader, a head of service.
SMALL_TOWN = """\
service:
  name: Small town
  area: {wards: [Bromley Town, Hayes & Coney Hall], postcode_districts: [BR1, BR2]}
  hotline: "+442079460001"
sla:
  respond_within: PT2H
  accept_within: PT12M
  warn_at: [50%, 75%, 90%]
  coverage: always
lone_worker: {check_in_every: PT30M, then: [duty_officer, team_leader]}
responders:
  - id: asha
    name: Asha Patel
    phones: {sms: "+447700900101", voice: "+447700900101"}
    skills: [doorstep_crime, scam]
    wards: [Bromley Town]
  - id: ben
    name: Ben Osei
    phones: {sms: "+447700900102", voice: "+447700900102"}
    skills: [doorstep_crime, scam]
  - {id: cat, name: Cat Lewis, phones: {sms: "+447700900103"}, skills: [scam]}
  - id: dee
    name: Dee Okoro
    phones: {sms: "+447700900109", voice: "+447700900109"}
    roles: [duty_officer]
rota:
  - {responder: asha, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: ben, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
  - {responder: dee, days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}
escalation:
  - {after: PT0M, action: offer, to: best_responder, answer_within: PT5M}
  - {after: PT5M, action: offer, to: next_responder, answer_within: PT5M}
  - {after: PT15M, action: notify, to: duty_officer, by: [sms, voice]}
  - {after: PT30M, action: notify, to: team_leader, by: [sms, voice]}
  - {after: PT60M, action: notify, to: head_of_service, by: [sms, voice]}
on_call: [cat]
contacts:
  duty_officer: "+447700900109"
  team_leader: "+447700900120"
  head_of_service: "+447700900121"
  hate_crime_lead: "+447700900122"
  desk: "+447700900123"
"""

#: A first step of a ladder that leaves time for other things to happen.
PATIENT_OFFER = {"after": "PT0M", "action": "offer", "to": "best_responder", "answer_within": "PT30M"}

_DAILY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def shift(responder: str, from_: str = "00:00", to: str = "24:00") -> dict[str, Any]:
    """A shift of every day, in local time."""
    return {"responder": responder, "days": _DAILY, "from": from_, "to": to}


def small_town(**changes: Any) -> str:
    """The small town with some of its parts given anew; `sla` is changed key by key."""
    definition = yaml.load(SMALL_TOWN, _LOADER)  # noqa: S506  # a safe one
    sla = {**definition["sla"], **changes.pop("sla", {})}
    return str(yaml.dump({**definition, **changes, "sla": sla}, Dumper=_DUMPER, sort_keys=False))


#: In C where it is there: each town of hundreds is read so.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


EVE = "+447700900110"


def with_second_duty_officer(handover: str, **changes: Any) -> str:
    """The small town where Dee is on duty by day, and Eve Adams from that local time on until the morning."""
    responders = yaml.load(SMALL_TOWN, _LOADER)["responders"]  # noqa: S506  # a safe one
    eve = {"id": "eve", "name": "Eve Adams", "phones": {"sms": EVE, "voice": EVE}, "roles": ["duty_officer"]}
    rota = [shift("asha"), shift("ben"), shift("dee", "06:00", handover), shift("eve", handover, "06:00")]
    return small_town(responders=[*responders, eve], rota=rota, **changes)


# --- reports ----------------------------------------------------------------------------------------------

CENTRE = {"ward": "Bromley Town", "postcode": "BR1 3UH"}


def _report(narrative: str, answers: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    given = {**answers, **more.pop("answers", {})}
    return {"channel": "phone", "narrative": narrative, "location": CENTRE, "answers": given, **more}


def roofers_now(**more: Any) -> dict[str, Any]:
    """P0 (R05): a suspect is there and demands money, so two are to go."""
    said = "Two men are on my mother's roof now, they want 3000 pounds cash."
    return _report(said, {"suspect_on_premises": True, "demands_money_now": True}, more)


def paid_today(**more: Any) -> dict[str, Any]:
    """P1 (R11) by the answers: paid, the suspect gone; nobody need go in twos."""
    said = "My mother paid a man who knocked and said her gutters were loose."
    return _report(said, {"paid_within_24h": True, "suspect_on_premises": False}, more)


def scam_paid(**more: Any) -> dict[str, Any]:
    """P1 (R11), a scam, which those with that skill alone can take."""
    said = "She sent money by bank transfer to somebody who rang and said he was from her bank."
    return _report(said, {"paid_within_24h": True, "payment_method": "transfer"}, more)


def long_ago(now: datetime, **more: Any) -> dict[str, Any]:
    """P3 (R15): a visit ten days ago, no contact now."""
    said = "A man sold my mother a mattress at the door, the week before last."
    happened = (now - timedelta(days=10)).isoformat()
    return _report(said, {"happened_at": happened, "suspect_on_premises": False}, more)


def unclear(**more: Any) -> dict[str, Any]:
    """P2 provisional (R18): that somebody was there decides nothing, and no more is known."""
    return _report("Something does not feel right, could someone ring me.", {"suspect_just_left": True}, more)


def kettle(**more: Any) -> dict[str, Any]:
    """P4 from its words alone (R17): no crime."""
    return _report("My new kettle is faulty and the shop will not give me a refund.", {}, more)
