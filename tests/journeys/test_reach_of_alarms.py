"""Did it reach them? Check-ins and silent alarms are messages of a case too: its page stands meanwhile."""

from __future__ import annotations

from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import Role
from rapid_response.messaging.explaining import PURPOSES
from rapid_response.storage.tables import AlarmRow
from tests.builders import SMALL_TOWN, paid_today
from tests.harness import ASHA, Town
from tests.journeys.browser import browser_of, on_sqlite


def test_each_message_says_what_it_is_for() -> None:
    assert set(PURPOSES) == {purpose.value for purpose in Purpose}


@on_sqlite
async def test_the_case_of_a_responder_who_was_asked_whether_she_is_safe_is_shown(town: Town) -> None:
    case = await town.takes(paid_today())
    for word in ("OK", "GO", "HERE"):
        await case.hears(ASHA, f"{word} {{n}}")
    await town.pass_time(minutes=31)
    assert await town.texts_with("are you safe", ASHA)
    await _stands(town, case.reference, "whether they are safe")


@on_sqlite
async def test_the_case_of_a_silent_alarm_is_shown_to_whoever_acts_on_it(town: Town) -> None:
    await town.load(SMALL_TOWN.replace("lone_worker: {", "lone_worker: {duress_word: heliotrope, "))
    case = await town.takes(paid_today())
    for word in ("OK", "GO", "HERE"):
        await case.hears(ASHA, f"{word} {{n}}")
    await town.texts_reply(ASHA, "heliotrope")
    assert await town.rows(AlarmRow)
    await _stands(town, case.reference, "a silent alarm")


async def _stands(town: Town, reference: str, said: str) -> None:
    async with await browser_of(town, "lee", Role.TEAM_LEADER) as leader:
        shown = await leader.get(f"/incidents/{reference}")
    assert shown.status == 200
    assert said in shown.html
    answer = await town.http.get(f"/api/v1/incidents/{reference}/deliveries")
    assert answer.status_code == 200
    assert said in answer.text
