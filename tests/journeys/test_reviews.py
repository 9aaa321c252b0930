"""Whether somebody was chosen for age: flagged, looked at, decided by one or by two, corrected, and told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from rapid_response.access.keys import create_key
from rapid_response.core.vocabulary import AgeEvidence, HateStrand, Role, Scope
from rapid_response.hatecrime.rules import assess
from rapid_response.steps import reviewing
from rapid_response.steps.service import service_now
from rapid_response.storage.tables import AccessRow, NoticeRow
from tests.builders import SMALL_TOWN, kettle, long_ago, paid_today, shift, small_town
from tests.harness import ASHA, DEE, LEAD_ON_HATE, Case, Town
from tests.journeys.browser import Browser, Shown, browser_of, forms_of, on_sqlite
from tests.journeys.test_pages_access import select_incident

OLD_DEARS = (
    "He said old dears round here never check, and he only called at the bungalows for older people. "
    "She paid him 200 pounds."
)
PICKED_ME = (
    "He picked me because I'm old. He said old dears never check, and he called only at the bungalows for "
    "older people. I paid him 200 pounds."
)
SLURS = "He shouted homophobic abuse at my uncle, called him a queer, and made him pay for the drive."


async def flagged(town: Town, said: str = OLD_DEARS, **more: Any) -> Case:
    """Flagged by its words; without a two-hour clock, so that nothing else is told."""
    return await town.takes(long_ago(town.clock.now(), narrative=said, **more))


async def reviews(who: Browser, case: Case, action: str = "review_age_targeting", /, **given: str) -> Shown:
    """Somebody fills in a form of the case's page."""
    page = f"/incidents/{case.reference}"
    return await who.fill(page, f"{page}/actions/{action}", **given)


async def states(case: Case) -> list[str]:
    """The states it went through."""
    return [e["state"] for e in await case.happened("targeting_assessed")]


# --- what the machine says --------------------------------------------------------------------------------


async def test_s22_the_words_are_shown_with_their_kind_and_the_rest_apart(town: Town) -> None:
    case = await town.takes(paid_today(narrative=OLD_DEARS))
    whole = await case.now()
    evidence = whole["age_targeting"]["evidence"]
    assert {span["kind"] for span in evidence} >= {AgeEvidence.OFFENDER_WORDS, AgeEvidence.PATTERN}
    assert {span["kind"] for span in evidence} <= set(AgeEvidence)
    assert all(span["why"] for span in evidence)
    (report,) = whole["reports"]
    assert all(
        report["narrative"][s["start"] : s["end"]] == s["text"] and s["report"] == report["id"]
        for s in evidence
    )
    assert whole["category"] == "doorstep_crime"
    assert (whole["statutory_strands"], whole["statutory_strand_evidence"]) == ([], [])
    async with await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead:
        page = (await lead.get(f"/incidents/{case.reference}")).html
    assert "The suspect’s own words or list point to age" in page
    assert "Who is called on and who is passed over points to age" in page
    assert "“old dears”" in page
    # Of what is shown whole, no piece is shown again.
    assert "“dears”" not in page


async def test_s22_the_lead_is_told_once_and_again_when_it_is_overdue(town: Town) -> None:
    case = await flagged(town)
    (text,) = await town.texts(LEAD_ON_HATE)
    assert text == "TS duty: a case is for you to review by Thu 09:00. Sign in and open Reviews."
    due = datetime.fromisoformat((await case.tasks())["review_age_targeting"]["due_at"])
    await town.until(due - timedelta(seconds=1))
    assert len(await town.texts(LEAD_ON_HATE)) == 1

    await town.until(due + timedelta(minutes=11))
    assert (await town.texts(LEAD_ON_HATE))[1:] == [
        "TS duty: a case still waits for your review, and is overdue. Sign in and open Reviews."
    ]
    # The duty officer's reminder stays, and is repeated as ever.
    assert len(await town.texts_with("a task on a case is overdue", DEE)) >= 2
    kinds = {n["kind"]: n["role"] for n in await case.happened("notice_given")}
    assert kinds["lead_overdue"] == "hate_crime_lead"

    await case.act("review_age_targeting", state="recognised_local", reason="Met our definition.")
    await case.act("acknowledge")
    before = await town.texts(LEAD_ON_HATE)
    town.clock.advance(timedelta(days=2))
    await town.settle()
    assert await town.texts(LEAD_ON_HATE) == before


async def test_a_review_that_is_owed_after_the_end_is_not_called_no_longer_needed(town: Town) -> None:
    case = await town.takes(paid_today(narrative=OLD_DEARS))
    await case.hears(ASHA, "OK {n}")
    await case.hears(ASHA, "HERE {n}")
    await case.act("close", disposition="resolved_attended")

    assert "review_age_targeting" in await case.tasks()
    (notice,) = [n for n in await town.rows(NoticeRow) if n.kind == "lead_review"]
    assert notice.acknowledged_at is None
    await case.act("review_age_targeting", state="recognised_local", reason="Met our definition.")
    (notice,) = [n for n in await town.rows(NoticeRow) if n.kind == "lead_review"]
    assert notice.acknowledged_by == "overtaken"


@on_sqlite
async def test_the_text_to_the_lead_names_the_job_and_nobody(town: Town) -> None:
    case = await town.takes(
        paid_today(narrative=OLD_DEARS, victim={"name": "Jean Whitlock"}, location={"address": "14 Larkspur"})
    )
    (text,) = await town.texts(LEAD_ON_HATE)
    assert text.startswith(f"TS duty: job {case.number} is for you to review by Thu 09:00.")
    for word in ("age", "hate", "old", "Jean", "Larkspur", "bungalow"):
        assert word not in text.lower().replace("message", "")
    assert "noted that you have seen this" in await case.hears(LEAD_ON_HATE, "OK {n}")
    assert [n["role"] for n in await case.happened("notice_acknowledged")] == ["hate_crime_lead"]
    # However urgent the case, its offer went out first.
    sent = [m["to"] for m in (await town.http.get("/simulator/messages")).json()]
    assert sent.index(ASHA) < sent.index(LEAD_ON_HATE)


@on_sqlite
async def test_whoever_holds_the_role_on_the_rota_is_told(town: Town) -> None:
    lead = {"id": "hal", "name": "Hal", "phones": {"sms": "+447700900133"}, "roles": ["hate_crime_lead"]}
    made = yaml.safe_load(SMALL_TOWN)
    await town.load(small_town(responders=[*made["responders"], lead], rota=[*made["rota"], shift("hal")]))
    await flagged(town)
    assert len(await town.texts("+447700900133")) == 1
    assert await town.texts(LEAD_ON_HATE) == []


async def test_words_heard_later_open_a_review_as_well(town: Town) -> None:
    await town.rings_hotline("+447700900555", OLD_DEARS)
    await town.settle()
    case = await town.newest()
    assert (await case.now())["age_targeting"]["state"] == "potential"
    assert "review_age_targeting" in await case.tasks()
    assert len(await town.texts(LEAD_ON_HATE)) == 1


@on_sqlite
async def test_paper_from_an_outage_tells_the_lead_when_it_is_released(town: Town) -> None:
    case = await town.takes(paid_today(narrative=OLD_DEARS, back_entry=True))
    assert "review_age_targeting" in await case.tasks()
    assert await town.texts(LEAD_ON_HATE) == []
    await case.act("release")
    assert len(await town.texts(LEAD_ON_HATE)) == 1


# --- one person decides -----------------------------------------------------------------------------------


async def test_a_decision_ends_the_review_and_another_look_opens_it_again(town: Town) -> None:
    case = await flagged(town)
    await case.act("review_age_targeting", state="under_review")
    assert "review_age_targeting" in await case.tasks()
    await case.act("review_age_targeting", state="ruled_out", reason="He called at every house.")
    assert "review_age_targeting" not in await case.tasks()
    review = (await case.now())["targeting_review"]
    assert datetime.fromisoformat(review["decided_at"]) == town.clock.now()
    assert review["decided_by"].startswith("key:")

    await case.act("review_age_targeting", state="under_review", reason="A neighbour rang.")
    assert "review_age_targeting" in await case.tasks()
    assert len(await town.texts(LEAD_ON_HATE)) == 2
    assert await states(case) == ["potential", "under_review", "ruled_out", "under_review"]


@on_sqlite
async def test_a_person_may_raise_what_the_machine_did_not_see(town: Town) -> None:
    case = await town.takes(kettle())
    assert await town.texts(LEAD_ON_HATE) == []
    await case.act("review_age_targeting", state="potential", reason="He asked her age first.")
    assert "review_age_targeting" in await case.tasks()
    assert len(await town.texts(LEAD_ON_HATE)) == 1


@on_sqlite
async def test_the_task_of_a_review_ends_with_a_decision_only(town: Town) -> None:
    case = await flagged(town)
    task = (await case.tasks())["review_age_targeting"]["id"]
    refused = await case.try_to("task_done", task=task)
    assert refused.status_code == 422
    assert "review_age_targeting" in refused.json()["detail"]
    assert "review_age_targeting" in await case.tasks()


@on_sqlite
async def test_a_review_says_something(town: Town) -> None:
    case = await flagged(town)
    assert (await case.try_to("review_age_targeting", reason="Nothing.")).status_code == 422
    wrong = await case.try_to("review_age_targeting", reference="CAD 1", other_vulnerability=True)
    assert wrong.status_code == 422


# --- two pairs of eyes ------------------------------------------------------------------------------------


@pytest.mark.long
async def test_s23_what_the_victim_says_is_ruled_out_by_two_accounts(town: Town) -> None:
    case = await flagged(town, PICKED_ME)
    evidence = (await case.now())["age_targeting"]["evidence"]
    assert "stated_reason" in {span["kind"] for span in evidence}
    dee = await browser_of(town, "dee.o", Role.DUTY_OFFICER)
    hal = await browser_of(town, "hal", Role.HATE_CRIME_LEAD)
    hana = await browser_of(town, "hana", Role.HANDLER)
    page = f"/incidents/{case.reference}"
    second = f"{page}/actions/second_review"
    async with dee, hal, hana:
        # A reason is required of the first.
        unfounded = await reviews(dee, case, state="ruled_out")
        assert unfounded.status == 422
        assert "Give the reasons" in unfounded.html

        proposed = await reviews(dee, case, state="ruled_out", reason="He calls at every house.")
        assert proposed.status == 303
        whole = await case.now()
        assert whole["age_targeting"]["state"] == "under_review"
        assert whole["targeting_review"]["proposal"]["state"] == "ruled_out"
        assert "second_review" in whole["allowed_actions"]
        assert "review_age_targeting" in await case.tasks()

        # Nobody confirms a proposal of their own: no form for it, and none made up.
        own = await dee.get(page)
        assert "You proposed" in own.html
        forged = await dee.send(own.form(second), agree="yes")
        assert forged.status == 403
        assert "another person must agree" in forged.html
        again = await reviews(dee, case, state="ruled_out", reason="Once more.")
        assert again.status == 422
        assert second not in (await hana.get(page)).actions

        seen = await hal.get(page)
        assert "dee.o proposed" in seen.html
        assert (await hal.send(seen.form(second), agree="yes")).status == 303
    whole = await case.now()
    assert whole["age_targeting"]["state"] == "ruled_out"
    assert whole["targeting_review"]["proposal"] is None
    assert "review_age_targeting" not in await case.tasks()
    actors = {e["type"]: e["actor"] for e in await town.events(case.reference) if "proposal" in e["type"]}
    proposers = [e["actor"] for e in await town.events(case.reference) if e["type"] == "review_proposed"]
    assert [s["outcome"] for s in await case.happened("review_proposal_settled")] == ["confirmed"]
    assert proposers != [actors["review_proposal_settled"]]


@pytest.mark.long
async def test_s23_who_does_not_agree_says_why_and_it_stays_under_review(town: Town) -> None:
    case = await flagged(town, PICKED_ME)
    dee = await browser_of(town, "dee.o", Role.DUTY_OFFICER)
    lena = await browser_of(town, "lena", Role.TEAM_LEADER)
    async with dee, lena:
        await reviews(dee, case, state="ruled_out", reason="He calls at every house.")
        silent = await reviews(lena, case, "second_review", agree="no")
        assert silent.status == 422
        assert "why you do not agree" in silent.html
        await reviews(lena, case, "second_review", agree="no", reason="Only hers and number 9.")
        assert (await case.now())["age_targeting"]["state"] == "under_review"
        assert "second_review" not in (await case.now())["allowed_actions"]
        # A proposal may be taken back, and is overtaken by another decision.
        await reviews(dee, case, state="ruled_out", reason="Asked again.")
        taken_back = await reviews(dee, case, "second_review", agree="no")
        assert taken_back.status == 303
        await reviews(lena, case, state="ruled_out", reason="Now I think so too.")
        await reviews(dee, case, state="recognised_local", reason="I changed my mind.")
    outcomes = [s["outcome"] for s in await case.happened("review_proposal_settled")]
    assert outcomes == ["rejected", "withdrawn", "withdrawn"]
    assert (await case.now())["age_targeting"]["state"] == "recognised_local"


@on_sqlite
async def test_s23_that_the_victim_says_so_stays_said(town: Town) -> None:
    case = await flagged(town)
    async with await browser_of(town, "dee.o", Role.DUTY_OFFICER) as dee:
        said = await reviews(
            dee, case, state="under_review", reason="She told me.", victims_own_perception="yes"
        )
        assert said.status == 303
        await reviews(dee, case, state="ruled_out", reason="I do not think so.")
    whole = await case.now()
    assert whole["targeting_review"]["victims_own_perception"] is True
    assert whole["age_targeting"]["state"] == "under_review"


@on_sqlite
async def test_s23_that_the_victim_says_so_raises_what_nothing_had_raised(town: Town) -> None:
    """Said in a report or heard later, without a decision: a reviewer looks at it."""
    case = await town.takes(long_ago(town.clock.now()))
    said = await case.act("review_age_targeting", victims_own_perception=True)
    assert said["age_targeting"]["state"] == "potential"
    assert "review_age_targeting" in await case.tasks()
    assert len(await town.texts(LEAD_ON_HATE)) == 1
    assert (await town.board("2026-07"))["age_targeting"]["early"]["flagged_by_person"] == 1

    again = await case.act("review_age_targeting", victims_own_perception=True)
    assert (await states(case), again["age_targeting"]["state"]) == (["potential"], "potential")


@on_sqlite
async def test_s23_that_the_victim_says_so_stays_said_where_her_report_is_joined(town: Town) -> None:
    case, told_again = await flagged(town), await flagged(town)
    await told_again.act(
        "review_age_targeting", state="under_review", reason="She told me.", victims_own_perception=True
    )
    await told_again.act("link", kind="duplicate_of", reference=case.reference)
    async with await browser_of(town, "dee.o", Role.DUTY_OFFICER) as dee:
        await reviews(dee, case, state="ruled_out", reason="I do not think so.")
    whole = await case.now()
    assert whole["targeting_review"]["victims_own_perception"] is True
    assert whole["age_targeting"]["state"] == "under_review"


@on_sqlite
async def test_s23_a_proposal_ends_where_its_report_is_joined_to_another(town: Town) -> None:
    case, told_again = await flagged(town), await flagged(town, PICKED_ME)
    page = f"/incidents/{told_again.reference}"
    dee = await browser_of(town, "dee.o", Role.DUTY_OFFICER)
    hal = await browser_of(town, "hal.n", Role.HATE_CRIME_LEAD)
    async with dee, hal:
        await reviews(dee, told_again, state="ruled_out", reason="He calls at every house.")
        seen = await hal.get(page)
        await told_again.act("link", kind="duplicate_of", reference=case.reference)
        late = await hal.send(seen.form(f"{page}/actions/second_review"), agree="yes")
        assert late.status == 409
        assert "and is decided there" in (await hal.get(page)).html
    assert [s["outcome"] for s in await told_again.happened("review_proposal_settled")] == ["joined"]
    assert (await told_again.now())["targeting_review"]["proposal"] is None
    assert "review_age_targeting" in await case.tasks()
    # Joined by mistake: a decision is owed there again, and whoever makes it has read it anew.
    await told_again.act("reopen", reason="Another house.")
    assert "review_age_targeting" in await told_again.tasks()
    assert "second_review" not in (await told_again.now())["allowed_actions"]


@on_sqlite
@pytest.mark.parametrize("is_over", [False, True], ids=["joined", "a new episode"])
async def test_s23_what_was_ruled_out_is_looked_at_again_when_she_says_so_herself(
    town: Town, is_over: bool
) -> None:
    case = await flagged(town)
    await case.act("review_age_targeting", state="ruled_out", reason="He calls at every house.")
    if is_over:
        await case.act("cancel", disposition="withdrawn", reason="As they wish.")
    told_again = await flagged(town, PICKED_ME)
    heard = len(await town.texts(LEAD_ON_HATE))
    if is_over:
        await case.act("reopen", reference=told_again.reference, reason="He is back.")
    else:
        await told_again.act("link", kind="duplicate_of", reference=case.reference)
    # Nothing was decided of what she says: it is owed here now, and the lead is told.
    task = (await case.tasks())["review_age_targeting"]
    assert "review_age_targeting" not in await told_again.tasks()
    assert len(await town.texts(LEAD_ON_HATE)) == heard + 1
    assert (await case.now())["age_targeting"]["state"] == "ruled_out"
    ticked = await case.try_to("task_done", task=task["id"], reason="It was decided.")
    assert ticked.status_code == 422
    async with await browser_of(town, "dee.o", Role.DUTY_OFFICER) as dee:
        assert case.reference in (await dee.get("/reviews")).html
        page = f"/incidents/{case.reference}"
        ticks = (await dee.get(page)).forms(f"{page}/actions/task_done")
        assert [task["id"]] not in [form.fields["task_id"] for form in ticks]
        await reviews(dee, case, state="under_review", reason="She says so herself.")
        await reviews(dee, case, state="ruled_out", reason="He calls at every house.")
    assert (await case.now())["targeting_review"]["proposal"]["state"] == "ruled_out"


async def test_s23_a_system_names_the_second_person(town: Town) -> None:
    case = await flagged(town, PICKED_ME)
    for missing in ({}, {"second_reviewer": "tests"}):
        refused = await case.try_to(
            "review_age_targeting", state="ruled_out", reason="He calls everywhere.", **missing
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "second_reviewer"
    unfounded = await case.try_to("review_age_targeting", state="ruled_out", second_reviewer="Lena Fox")
    assert unfounded.json()["errors"][0]["field"] == "reason"
    assert (await case.try_to("second_review", agree=True)).status_code == 409
    assert (await case.now())["age_targeting"]["state"] == "potential"
    await case.act(
        "review_age_targeting", state="ruled_out", reason="He calls everywhere.", second_reviewer="Lena Fox"
    )
    assert (await case.now())["age_targeting"]["state"] == "ruled_out"
    notes = [n["source"] for n in await case.happened("note_added")]
    assert notes == ["api", "api"]


@on_sqlite
async def test_s23_a_system_may_be_the_second_pair_of_eyes_for_a_person_it_names(town: Town) -> None:
    case = await flagged(town, PICKED_ME)
    async with await browser_of(town, "dee.o", Role.DUTY_OFFICER) as dee:
        await reviews(dee, case, state="ruled_out", reason="He calls at every house.")
    assert (await case.try_to("second_review", agree=True)).status_code == 422
    assert (await case.try_to("second_review", agree=True, second_reviewer="Dee.O")).status_code == 403
    await case.act("second_review", agree=True, second_reviewer="Lena Fox")
    assert (await case.now())["age_targeting"]["state"] == "ruled_out"


# --- strands and vulnerability ----------------------------------------------------------------------------


async def test_s24_a_strand_tells_the_lead_and_is_kept_apart(town: Town) -> None:
    case = await town.takes(paid_today(narrative=SLURS))
    whole = await case.now()
    assert whole["statutory_strands"] == ["sexual_orientation"]
    assert whole["statutory_strand_evidence"]
    assert whole["age_targeting"] == {"state": "none", "evidence": []}
    assert len(await town.texts(LEAD_ON_HATE)) == 1
    referred = await case.act("refer", kind="police_hate_crime", reference="CAD 4471")
    assert "offer_police_hate_referral" not in {t["kind"] for t in referred["tasks"]}
    assert referred["police_hate_crime_ref"] is None


async def test_s24_strands_and_vulnerability_are_corrected_by_hand_and_kept(town: Town) -> None:
    case = await town.takes(paid_today(narrative=SLURS))
    page = f"/incidents/{case.reference}"
    async with await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead:
        shown = await lead.get(page)
        (form,) = [f for f in forms_of(shown) if "correction" in f.fields]
        assert form.fields["shown_statutory_strands"] == ["sexual_orientation"]
        unchanged = await lead.send(form, reason="Nothing.")
        assert unchanged.status == 422
        assert "Change what is ticked" in unchanged.html
        unfounded = await lead.send(form, statutory_strands=["race"])
        assert unfounded.status == 422
        form.fields["reason"] = ["Spoke with him: it was about his accent."]
        corrected = await lead.send(form, statutory_strands=["race"], other_vulnerability="yes")
        assert corrected.status == 303
        assert (
            "Strands: sexual orientation, now race; Another vulnerability: yes" in (await lead.get(page)).html
        )
    whole = await case.now()
    assert whole["statutory_strands"] == ["race"]
    assert whole["other_vulnerability_targeted"] is True
    assert whole["age_targeting"]["state"] == "none"
    (event,) = await case.happened("targeting_corrected")
    assert event["strands_before"] == ["sexual_orientation"]

    await case.act("review_age_targeting", statutory_strands=[], reason="It was a neighbour's word.")
    assert "offer_police_hate_referral" not in await case.tasks()
    await case.act("review_age_targeting", statutory_strands=["disability"], reason="He mocked her limp.")
    assert "offer_police_hate_referral" in await case.tasks()
    assert (await case.try_to("review_age_targeting", statutory_strands=["age"])).status_code == 422


@on_sqlite
async def test_what_a_person_corrected_is_not_read_back(town: Town) -> None:
    """The transcript of a voicemail is read after somebody has spoken to the caller."""
    case = await town.takes(paid_today(narrative=SLURS))
    await case.act("review_age_targeting", statutory_strands=[], reason="A misheard word.")

    def read_again(tx: Any) -> None:
        incident = tx.first(select_incident(case.reference))
        desk = town.app.desk
        found = assess(True, ("pattern",), True, HateStrand.SEXUAL_ORIENTATION)
        reviewing.found_later(tx, desk, service_now(tx, desk.zone), incident, found)

    await town.app.database.run(read_again)
    whole = await case.now()
    assert whole["statutory_strands"] == []
    assert whole["other_vulnerability_targeted"] is False
    assert whole["age_targeting"]["state"] == "potential"
    assert "review_age_targeting" in await case.tasks()


# --- the page of reviews ----------------------------------------------------------------------------------


@pytest.mark.long
async def test_the_reviews_show_what_waits_whatever_became_of_the_case(town: Town) -> None:
    first = await flagged(town)
    town.clock.advance(timedelta(minutes=1))
    second = await flagged(town, PICKED_ME)
    town.clock.advance(timedelta(minutes=1))
    strand = await flagged(town, SLURS)
    await second.act("cancel", disposition="no_offence_consumer_dispute", reason="A dispute.")
    decided = await flagged(town)
    await decided.act("review_age_targeting", state="recognised_local", reason="Met our definition.")
    await decided.act("refer", kind="age_uk", reference="AUK 7")
    lead = await browser_of(town, "hal", Role.HATE_CRIME_LEAD)
    async with lead, await browser_of(town, "dee.o", Role.DUTY_OFFICER) as dee:
        await reviews(dee, second, state="ruled_out", reason="He calls at every house.")
        board = (await dee.get("/board")).html
        assert "2 decisions on age targeting wait" in board
        assert 'href="/reviews"' in board
        shown = (await lead.get("/reviews")).html
        order = [shown.index(c.reference) for c in (first, second, strand, decided)]
        assert order == sorted(order)
        for said in (
            "“old dears”",
            "The suspect’s own words or list point to age",
            'by <time datetime="2026-07-16T09:00:00+01:00">9:00am tomorrow',
            "dee.o would rule it out",
            "Recognised locally as age targeting",
            "sexual orientation",
            "AUK 7",
            "Cancelled",
        ):
            assert said in shown, said
        ended = (await lead.get("/reviews?case=ended")).html
        assert second.reference in ended
        assert first.reference not in ended
        assert "Nothing fits these filters" in (await lead.get("/reviews?category=scam&overdue=1")).html
        elsewhere = (await lead.get("/reviews?ward=Hayes+%26+Coney+Hall")).html
        assert first.reference not in elsewhere
    seen = [row.incident_id for row in await town.rows(AccessRow) if row.what == "reviews"]
    assert len(set(seen)) == 4


@on_sqlite
async def test_with_nothing_to_review_the_page_says_so(town: Town) -> None:
    async with await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead:
        page = (await lead.get("/reviews")).html
        assert "Nothing waits." in page
        assert "Nothing was decided in that time." in page
        assert "age targeting to decide" in (await lead.get("/board")).html
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "age targeting to decide" not in (await handler.get("/board")).html
        assert 'href="/reviews"' not in (await handler.get("/board")).html


# --- how early --------------------------------------------------------------------------------------------


async def test_the_board_says_how_early_people_were_seen(town: Town) -> None:
    nothing_gone = {"paid_within_24h": False, "payment_pending": False}
    before_loss = await flagged(town, answers=nothing_gone)
    await flagged(town, answers={"paid_at": (town.clock.now() - timedelta(days=10)).isoformat()})
    by_hand = await town.takes(kettle())
    town.clock.advance(timedelta(minutes=30))
    await by_hand.act("review_age_targeting", state="potential", reason="He asked her age first.")
    as_at = town.clock.now().isoformat()
    town.clock.advance(timedelta(minutes=90))
    await before_loss.act("review_age_targeting", state="referred_police", reason="Organised.")
    early = (await town.board("2026-07"))["age_targeting"]["early"]
    assert early == {
        "flagged_at_arrival": 2,
        "flagged_on_reading_again": 0,
        "flagged_by_person": 1,
        "before_loss": 1,
        "after_loss": 1,
        "loss_not_known": 1,
        "decided": 1,
        "median_hours_to_flag": 0.0,
        "median_hours_to_decision": 2.0,
    }
    then = (await town.board("2026-07", as_at=as_at))["age_targeting"]["early"]
    assert (then["flagged_by_person"], then["decided"], then["median_hours_to_decision"]) == (1, 0, None)


@pytest.mark.parametrize("action", ["second_review", "refer", "update_referral"])
@on_sqlite
async def test_a_key_that_only_reports_may_do_none_of_it(town: Town, action: str) -> None:
    case = await flagged(town)
    key = await town.app.database.run(lambda tx: create_key(tx, "a bank", (Scope.REPORT, Scope.READ)))
    refused = await town.post(
        f"/api/v1/incidents/{case.reference}/actions/{action}",
        {},
        headers={"authorization": f"Bearer {key.secret}"},
    )
    assert refused.status_code == 403
