"""Services to serve: one whose two hours are seconds, and one that asks five people at once."""

from __future__ import annotations

from tests.builders import shift, small_town

_ALWAYS = [shift(name) for name in ("asha", "ben", "dee")]

#: Warnings after 3, 4.5 and 5.4 seconds, missed after 6; two offers, two notices.
QUICK_TOWN = small_town(
    sla={"respond_within": "PT6S", "accept_within": "PT4S"},
    rota=_ALWAYS,
    escalation=[
        {"after": "PT0S", "action": "offer", "to": "best_responder", "answer_within": "PT2M"},
        {"after": "PT2S", "action": "offer", "to": "next_responder", "answer_within": "PT2M"},
        {"after": "PT3S", "action": "notify", "to": "duty_officer", "by": ["sms"]},
        {"after": "PT5S", "action": "notify", "to": "team_leader", "by": ["sms"]},
    ],
)

FIVE = {f"r{n}": f"+4477009002{n:02}" for n in range(5)}

#: All five are asked within a second or so; each has two minutes to answer.
ASKS_FIVE = small_town(
    responders=[
        *(
            {"id": name, "name": name, "phones": {"sms": phone}, "skills": ["doorstep_crime", "scam"]}
            for name, phone in FIVE.items()
        ),
        {"id": "dee", "name": "Dee Okoro", "phones": {"sms": "+447700900109"}, "roles": ["duty_officer"]},
    ],
    rota=[shift(name) for name in (*FIVE, "dee")],
    on_call=[],
    escalation=[
        {"after": "PT0S", "action": "offer", "to": to, "answer_within": "PT2M"}
        for to in ("best_responder", *["next_responder"] * 4)
    ],
)
