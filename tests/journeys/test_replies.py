"""What people text back, and what becomes of it."""

from __future__ import annotations

import pytest

from rapid_response.storage.tables import MessageRow, NoteRow
from tests.builders import paid_today, roofers_now, scam_paid, shift, small_town
from tests.harness import ASHA, BEN, CAT, DEE, Town

ONLY_ASHA = small_town(rota=[shift("asha"), shift("dee")], on_call=[])


async def test_s27_a_yes_with_the_number_accepts(town: Town) -> None:
    await town.load(ONLY_ASHA)
    for words, eta in (("Y{n}", None), ("yes {n} 15 mins", 15), ("y {n}!!", None)):
        case = await town.takes(paid_today())
        assert f"Job {case.number} is yours" in await case.hears(ASHA, words)
        assert (await case.now())["responder"] == "asha"
        (accepted,) = await case.happened("offer_accepted")
        assert (accepted["eta_minutes"], accepted["source"], accepted["late"]) == (eta, "sms", False)


async def test_s28_a_bare_ok_to_two_offers_takes_neither(town: Town) -> None:
    await town.load(ONLY_ASHA)
    first, second = await town.takes(paid_today()), await town.takes(paid_today())
    assert await first.asked() == await second.asked() == ["asha"]

    answer = await first.hears(ASHA, "ok")

    assert "2 jobs open with you" in answer
    assert str(first.number) in answer
    assert str(second.number) in answer
    assert "OK and the job number" in answer
    assert await first.status() == await second.status() == "dispatching"
    await town.pass_time(minutes=5)
    assert len(await first.happened("offer_lapsed")) == 1


async def test_s28_what_she_has_refused_is_not_listed_as_open_with_her(town: Town) -> None:
    await town.load(ONLY_ASHA)
    refused = await town.takes(paid_today())
    await refused.hears(ASHA, "NO {n}")
    first, second = await town.takes(paid_today()), await town.takes(paid_today())
    answer = await first.hears(ASHA, "ok")
    assert "2 jobs open with you" in answer
    assert [str(case.number) in answer for case in (refused, first, second)] == [False, True, True]


async def test_s29_a_no_with_free_text_asks_the_next_person_within_seconds(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "cant, at dentist")

    assert await case.asked() == ["asha", "ben"]
    (declined,) = await case.happened("offer_declined")
    asked_at = (await case.happened("offer_made"))[1]["event_at"]
    assert (asked_at - declined["event_at"]).total_seconds() < 5
    assert f"OK {case.number}" in await town.last_text(BEN)
    assert "at dentist" in " ".join(note.body for note in await town.rows(NoteRow))
    assert "dentist" not in " ".join(await town.texts(BEN))


async def test_s30_a_late_yes_finds_the_job_covered(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=5)
    await case.hears(BEN, "OK {n}")
    answer = await case.hears(ASHA, "Y{n}")

    assert "not yours any more" in answer
    assert "Do not attend" in answer
    assert (await case.now())["responder"] == "ben"
    assert len(await case.happened("offer_accepted")) == 1


async def test_a_late_yes_before_anybody_else_is_welcome(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=6)
    await case.hears(ASHA, "OK {n}")
    assert (await case.now())["responder"] == "asha"
    assert (await case.happened("offer_accepted"))[0]["late"] is True
    assert "Do not attend" in await town.last_text(BEN)


async def test_s31_a_text_delivered_twice_acts_once(town: Town) -> None:
    case = await town.takes(paid_today())
    no = await town.texts_reply(ASHA, f"NO {case.number}")
    await town.delivers_again(no)
    yes = await town.texts_reply(BEN, f"OK {case.number}")
    await town.delivers_again(yes)
    await town.delivers_again(no)

    assert len(await case.happened("offer_declined")) == 1
    assert len(await case.happened("offer_accepted")) == 1
    assert len(await town.texts_with("is yours", BEN)) == 1
    assert len(await town.texts(ASHA)) == 2


async def test_s31_texts_out_of_order_lead_to_the_same_end(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(minutes=4)
    await case.hears(ASHA, "HERE {n}")
    await case.hears(ASHA, "GO {n}")
    await case.hears(ASHA, "OK {n}")

    whole = await case.now()
    assert (whole["status"], whole["responder"]) == ("on_scene", "asha")
    (stopped,) = await case.happened("clock_stopped")
    assert (stopped["stopped_by"], stopped["gross_seconds"], stopped["met"]) == ("attended", 240, True)
    assert len(await case.happened("arrived_on_scene")) == 1


async def test_s32_an_unknown_number_is_a_report_and_learns_nothing(town: Town) -> None:
    case = await town.takes(paid_today())
    await town.pass_time(seconds=1)
    stranger = "+447700900666"
    await town.texts_reply(stranger, f"OK {case.number}")
    assert await case.status() == "dispatching"
    assert await town.texts(stranger) == []
    # It waits for a person, who is told of it.
    kept = await (await town.newest()).now()
    assert (kept["status"], kept["responder"]) == ("awaiting_review", None)
    assert "your review" in await town.last_text(DEE)
    await town.pass_time(seconds=1)

    await town.texts_reply(stranger, "a man is at nans door about her roof and wont leave")
    report = await (await town.newest()).now()
    assert report["reference"] != case.reference
    assert report["reports"][0]["channel"] == "sms"
    assert report["reports"][0]["caller"]["phone"] == stranger
    assert report["priority"] == "P0"
    assert await town.texts(stranger) == []
    assert await town.metric("contacts_total", channel="sms") == 2


@pytest.mark.long
async def test_a_contacts_ok_says_that_she_has_seen_it_and_takes_nothing(town: Town) -> None:
    case = await town.takes(roofers_now())
    assert f"job {case.number}" in await town.last_text(DEE)
    answer = await case.hears(DEE, "OK {n}")

    assert "noted that you have seen this" in answer
    assert await case.status() == "dispatching"
    assert len(await case.happened("notice_acknowledged")) == 1
    await town.pass_time(minutes=14)
    assert await town.texts_with("Repeat:", DEE) == []


async def test_words_that_are_not_understood_are_kept_and_answered(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    answer = await case.hears(ASHA, "the gate is locked, going round the back")
    assert "kept as a note" in answer
    assert [n.body for n in await town.rows(NoteRow)] == ["the gate is locked, going round the back"]
    assert await case.status() == "assigned"


async def test_an_ok_after_our_own_thanks_is_swallowed(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    before = await town.texts(ASHA)
    await case.hears(ASHA, "ok")
    await case.hears(ASHA, "thanks")
    assert await town.texts(ASHA) == before


@pytest.mark.long
async def test_only_offers_hold_ok_and_a_number(town: Town) -> None:
    case = await town.takes(roofers_now())
    other = await town.takes(scam_paid(location={"ward": "Hayes & Coney Hall"}))
    await case.hears(ASHA, "eh?")
    await case.hears(ASHA, "NO {n}")
    await case.hears(BEN, "ok")
    await town.pass_time(minutes=16)
    await other.hears(CAT, "OK {n}")
    await case.act("assign", responder="ben")
    await town.pass_time(minutes=45)
    for phone, words in ((BEN, "HERE {n}"), (BEN, "DONE {n}"), (BEN, "DONE {n} HELPED"), (DEE, "?")):
        await case.hears(phone, words)

    messages = [m for m in await town.rows(MessageRow) if m.channel == "sms"]
    with_number = {
        m.purpose for m in messages if f"OK {case.number}" in m.body or f"OK {other.number}" in m.body
    }
    assert with_number == {"offer"}
    assert {"notice", "confirm", "clarify", "reminder"} <= {m.purpose for m in messages}
    assert await town.texts_with("Seen? Text OK and the job number.", DEE)


async def test_the_same_words_again_are_answered_where_they_did_something_else(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    for state in ("off", "on"):
        await town.post("/api/v1/responders/asha/availability", {"state": state})
    await town.settle()
    await case.hears(BEN, "NO {n}")
    assert await case.asked() == ["asha", "ben", "asha"]
    assert f"Job {case.number} is yours" in await case.hears(ASHA, "OK {n}")
