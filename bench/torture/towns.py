"""The town of the campaign: its two hours are seconds, so that each deadline is met within a round."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import shift, small_town

#: Those who are asked.
PHONES = {f"+4477009002{n:02}": f"r{n}" for n in range(6)}
RESPOND_WITHIN = timedelta(seconds=8)
#: A little longer than the last deadline of a report.
SOON = timedelta(seconds=9)
#: Which rungs ask, and which tell.
OFFERS, NOTICES = (0, 1), (2,)

TOWN = small_town(
    sla={"respond_within": "PT8S", "accept_within": "PT5S", "warn_at": ["60%"]},
    responders=[
        *(
            {
                "id": name,
                "name": name.upper(),
                "phones": {"sms": phone, "voice": phone},
                "skills": ["doorstep_crime", "scam"],
            }
            for phone, name in PHONES.items()
        ),
        {"id": "dee", "name": "Dee Okoro", "phones": {"sms": "+447700900109"}, "roles": ["duty_officer"]},
    ],
    rota=[shift(name) for name in (*PHONES.values(), "dee")],
    on_call=[],
    escalation=[
        {"after": "PT0S", "action": "offer", "to": "best_responder", "answer_within": "PT30M"},
        {"after": "PT2S", "action": "offer", "to": "next_responder", "answer_within": "PT30M"},
        {"after": "PT3S", "action": "notify", "to": "duty_officer", "by": ["sms"]},
    ],
)
