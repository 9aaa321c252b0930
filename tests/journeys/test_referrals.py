"""Referrals: sent, asked after until somebody there answers, shown everywhere, counted once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rapid_response.core.vocabulary import Role
from tests.builders import kettle, long_ago, paid_today
from tests.harness import DEE, LEAD_ON_HATE, Case, Town
from tests.journeys.browser import browser_of, on_sqlite
from tests.journeys.test_reviews import OLD_DEARS, SLURS, flagged


async def referral(case: Case) -> dict[str, Any]:
    """Its only referral."""
    (found,) = (await case.now())["referrals"]
    referred: dict[str, Any] = found
    return referred


async def test_a_referral_is_asked_after_until_it_is_answered(town: Town) -> None:
    case = await town.takes(long_ago(town.clock.now()))
    await case.act("refer", kind="asc_safeguarding", reference="ASC 12", note="Rang the duty team.")
    sent = await referral(case)
    assert (sent["kind"], sent["state"], sent["reference"]) == ("asc_safeguarding", "sent", "ASC 12")
    assert sent["sent_by"].startswith("key:")
    chase = (await case.tasks())["chase_referral"]
    assert (chase["subject"], chase["due_at"]) == (sent["id"], sent["chase_due_at"])
    assert chase["due_at"] == "2026-07-16T08:00:00+00:00"

    # It goes on after the case has ended, and the duty officer is reminded.
    await case.act("close", disposition="referred_partner_only")
    await town.until(datetime.fromisoformat(chase["due_at"]))
    assert await town.texts_with("a task on a case is overdue", DEE)

    await case.act("update_referral", referral=sent["id"], state="chased")
    asked = await referral(case)
    assert (asked["state"], asked["chased"]) == ("sent", 1)
    assert asked["chase_due_at"] == "2026-07-17T08:00:00+00:00"
    # The reminder's button says the same.
    await case.act("task_done", task=(await case.tasks())["chase_referral"]["id"])
    assert (await referral(case))["chased"] == 2

    await case.act("update_referral", referral=sent["id"], state="acknowledged", reference="S42/7")
    has_it = await referral(case)
    assert (has_it["state"], has_it["reference"]) == ("acknowledged", "S42/7")
    assert has_it["chase_due_at"] == "2026-07-23T08:00:00+00:00"

    unfounded = await case.try_to("update_referral", referral=sent["id"], state="declined")
    assert unfounded.json()["errors"][0]["field"] == "reason"
    await case.act("update_referral", referral=sent["id"], state="declined", reason="Below the threshold.")
    ended = await referral(case)
    assert (ended["state"], ended["reason"], ended["chase_due_at"]) == (
        "declined",
        "Below the threshold.",
        None,
    )
    assert "chase_referral" not in await case.tasks()
    changed = await case.try_to("update_referral", referral=sent["id"], state="accepted")
    assert changed.status_code == 422
    assert "new referral" in changed.json()["detail"]
    steps = [e["state"] for e in await case.happened("referral_moved")]
    assert steps == ["sent", "chased", "chased", "acknowledged", "declined"]
    assert "Below the threshold" not in str(await town.events(case.reference))


async def test_each_referral_has_a_life_of_its_own(town: Town) -> None:
    case = await town.takes(kettle())
    other = await town.takes(kettle())
    for kind in ("bank", "age_uk"):
        await case.act("refer", kind=kind)
    bank, age_uk = (await case.now())["referrals"]
    tasks = [t for t in (await case.now())["tasks"] if t["kind"] == "chase_referral"]
    assert {t["subject"] for t in tasks} == {bank["id"], age_uk["id"]}
    await case.act("update_referral", referral=bank["id"], state="accepted")
    left = [t["subject"] for t in (await case.now())["tasks"] if t["kind"] == "chase_referral"]
    assert left == [age_uk["id"]]
    foreign = await other.try_to("update_referral", referral=age_uk["id"], state="accepted")
    assert foreign.status_code == 422

    figures = (await town.board("2026-07"))["referrals"]
    assert figures == {
        "bank": {"sent": 1, "acknowledged": 0, "accepted": 1, "declined": 0},
        "age_uk": {"sent": 1, "acknowledged": 0, "accepted": 0, "declined": 0},
    }
    assert await town.metric("referrals_total", kind="bank", state="accepted") == 1
    assert await town.metric("referrals_total", kind="age_uk", state="sent") == 1
    assert await town.metric("referrals_total", kind="imlt", state="chased") == 0


@on_sqlite
async def test_joining_a_case_takes_no_referral_out_of_the_figures(town: Town) -> None:
    first, again = await town.takes(paid_today()), await town.takes(paid_today())
    await again.act("refer", kind="police")
    sent = await referral(again)
    await again.act("link", kind="duplicate_of", reference=first.reference)
    await again.act("update_referral", referral=sent["id"], state="acknowledged")
    figures = (await town.board("2026-07"))["referrals"]
    assert figures == {"police": {"sent": 1, "acknowledged": 1, "accepted": 0, "declined": 0}}
    for state in ("sent", "acknowledged"):
        assert await town.metric("referrals_total", kind="police", state=state) == 1


@pytest.mark.long
async def test_a_decision_that_refers_sends_the_referral_with_it(town: Town) -> None:
    case = await flagged(town)
    await case.act(
        "review_age_targeting", state="referred_police", reason="Same van as in May.", reference="CAD 77"
    )
    sent = await referral(case)
    # Age is none of the strands: this is no hate crime referral.
    assert (sent["kind"], sent["reference"], sent["state"]) == ("police", "CAD 77", "sent")
    await case.act(
        "review_age_targeting", state="referred_partner", referral_kind="age_uk", reason="She is lonely."
    )
    kinds = [r["kind"] for r in (await case.now())["referrals"]]
    assert kinds == ["police", "age_uk"]
    # What waits for an answer already is not sent twice.
    await case.act("review_age_targeting", state="referred_police", reason="Rang them.", reference="CAD 78")
    assert [(r["kind"], r["reference"]) for r in (await case.now())["referrals"]] == [
        ("police", "CAD 78"),
        ("age_uk", None),
    ]
    unfit = await case.try_to(
        "review_age_targeting", state="referred_partner", referral_kind="police", reason="x"
    )
    assert unfit.json()["errors"][0]["field"] == "referral_kind"


async def test_s24_a_strand_is_referred_as_a_hate_crime_and_the_task_is_done(town: Town) -> None:
    case = await flagged(town, f"{SLURS} {OLD_DEARS}")
    assert {"review_age_targeting", "offer_police_hate_referral"} <= set(await case.tasks())
    await case.act("review_age_targeting", state="referred_police", reason="Slurs, and only bungalows.")
    assert (await referral(case))["kind"] == "police_hate_crime"
    assert set(await case.tasks()) & {"review_age_targeting", "offer_police_hate_referral"} == set()
    assert len(await town.texts(LEAD_ON_HATE)) == 1


@on_sqlite
async def test_recognised_locally_is_no_police_record_until_they_give_a_reference(town: Town) -> None:
    case = await flagged(town)
    await case.act("review_age_targeting", state="recognised_local", reason="Met our definition.")
    page = f"/incidents/{case.reference}"
    async with await browser_of(town, "hal", Role.HATE_CRIME_LEAD) as lead:
        shown = (await lead.get(page)).html
        assert "not a hate crime recorded by the police" in shown
        await lead.fill(page, f"{page}/actions/refer", kind="police_hate_crime")
        sent = (await case.now())["referrals"][0]
        updated = await lead.fill(
            page,
            f"{page}/actions/update_referral",
            state="acknowledged",
            police_hate_crime_ref="01/4471/26",
        )
        assert updated.status == 303
        shown = (await lead.get(page)).html
        assert "not a hate crime recorded by the police" not in shown
        assert "The police have recorded a hate crime: 01/4471/26" in shown
        # Faults are said beside the form they belong to.
        wrong = await lead.fill(page, f"{page}/actions/update_referral", state="")
        assert wrong.status == 422
        assert 'href="#update_referral-state"' in wrong.html
    whole = await case.now()
    assert whole["police_hate_crime_ref"] == "01/4471/26"
    assert sent["state"] == "sent"
    assert "4471" not in str(await town.events(case.reference))
    misplaced = await case.try_to("refer", kind="bank", police_hate_crime_ref="01/1/26")
    assert misplaced.json()["errors"][0]["field"] == "police_hate_crime_ref"


@on_sqlite
async def test_a_referral_that_waits_is_on_the_page_of_reviews(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.act("refer", kind="nts_scams_team", reference="NTS 3")
    town.clock.advance(timedelta(days=1))
    async with await browser_of(town, "lena", Role.TEAM_LEADER) as leader:
        page = (await leader.get("/reviews")).html
        assert "National Trading Standards Scams Team" in page
        assert "NTS 3" in page
        assert "Ask now" in page
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        case_page = await handler.get(f"/incidents/{case.reference}")
        assert "National Trading Standards Scams Team" in case_page.html
        assert not any(action.endswith(("/refer", "/update_referral")) for action in case_page.actions)
