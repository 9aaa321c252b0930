"""A repeat with the same key gets the first answer and does nothing; another body under it is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from rapid_response.access.keys import create_key
from rapid_response.core.vocabulary import Scope
from rapid_response.storage.tables import AvailabilityRow, IdempotencyRow
from tests.builders import paid_today
from tests.harness import ASHA, Town
from tests.journeys.browser import on_sqlite

REPORTS = "/api/v1/reports"


async def test_the_first_answer_comes_back_byte_for_byte(town: Town) -> None:
    first = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"})
    await town.settle()
    await town.texts_reply(ASHA, f"OK {(await town.newest()).number}")
    await town.restart(after_minutes=7)
    again = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"})

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.json()["status"] == "dispatching"
    assert await town.count_incidents() == 1


async def test_another_body_under_the_same_key_is_refused(town: Town) -> None:
    await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"})
    for other in (
        paid_today(narrative="Another story altogether."),
        paid_today(answers={"lives_alone": True}),
        paid_today(channel="partner"),
    ):
        refused = await town.post(REPORTS, other, headers={"Idempotency-Key": "a"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "Idempotency-Key"
        assert "Use a new key" in refused.json()["detail"]
    assert await town.count_incidents() == 1


async def test_twenty_at_once_are_one_report(town: Town) -> None:
    sent = [town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"}) for _ in range(20)]
    answers = await asyncio.gather(*sent)
    await town.settle()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert await town.count_incidents() == 1
    assert len(await town.texts(ASHA)) == 1
    assert await town.metric("contacts_total", channel="phone") == 1


async def test_a_key_counts_within_one_senders_scope(town: Town) -> None:
    other = await town.app.database.run(lambda tx: create_key(tx, "a bank", (Scope.REPORT,)))
    mine = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"})
    theirs = await town.post(
        REPORTS, paid_today(), headers={"Idempotency-Key": "a", "authorization": f"Bearer {other.secret}"}
    )
    assert mine.status_code == theirs.status_code == 201
    assert mine.json()["reference"] != theirs.json()["reference"]


async def test_without_a_key_every_report_is_its_own(town: Town) -> None:
    first, second = await town.takes(paid_today()), await town.takes(paid_today())
    assert first.reference != second.reference


async def test_a_refused_report_leaves_its_key_free(town: Town) -> None:
    bad = await town.post(REPORTS, {"channel": "phone"}, headers={"Idempotency-Key": "a"})
    assert bad.status_code == 422
    early = await town.post(
        REPORTS, paid_today(received_at="2026-07-16T12:00:00Z"), headers={"Idempotency-Key": "a"}
    )
    assert early.status_code == 422
    good = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "a"})
    assert good.status_code == 201


async def test_a_key_has_a_length(town: Town) -> None:
    longest = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "k" * 255})
    too_long = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": "k" * 256})
    empty = await town.post(REPORTS, paid_today(), headers={"Idempotency-Key": ""})
    assert longest.status_code == 201
    assert too_long.status_code == empty.status_code == 422
    assert "k" * 20 not in too_long.text
    assert too_long.headers["content-type"] == "application/problem+json"


async def test_first_answers_are_kept_for_as_long_as_the_words_of_texts(town: Town) -> None:
    """They may name postcodes near the victim's, and nobody repeats a request after three months."""
    keyed = {"Idempotency-Key": "a"}
    await town.post(REPORTS, paid_today(), headers=keyed)
    town.clock.advance(timedelta(days=89))
    await town.app.caretaker.erase_due()
    assert (await town.post(REPORTS, paid_today(), headers=keyed)).headers["idempotent-replayed"] == "true"
    town.clock.advance(timedelta(days=2))
    await town.app.caretaker.erase_due()
    assert await town.rows(IdempotencyRow) == []


# --- actions, which a partner's system repeats as well ---------------------------------------------------


SAVED = {"outcomes": [{"code": "money_prevented", "amount_gbp": 3000, "evidence_grade": "A"}]}


async def test_an_action_that_is_sent_again_is_done_once(town: Town) -> None:
    """Its answer was lost on the way: the same pounds are not kept twice, nor is it referred twice."""
    case = await town.takes(paid_today())
    for action, body in (("add_outcomes", SAVED), ("refer", {"kind": "police"})):
        path = f"/api/v1/incidents/{case.reference}/actions/{action}"
        first = await town.post(path, body, headers={"Idempotency-Key": action})
        await town.restart(after_minutes=1)
        again = await town.post(path, body, headers={"Idempotency-Key": action})
        assert (first.status_code, again.status_code) == (200, 200), again.text
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["reference"] == case.reference
    board = await town.board("2026-07")
    assert board["money_gbp"]["prevented"]["A"] == 3000
    assert board["referrals"]["police"]["sent"] == 1


async def test_an_action_sent_often_at_once_is_done_once(town: Town) -> None:
    case = await town.takes(paid_today())
    path = f"/api/v1/incidents/{case.reference}/actions/add_outcomes"
    sent = [town.post(path, SAVED, headers={"Idempotency-Key": "a"}) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {200}
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len((await case.now())["outcomes"]) == 1


@on_sqlite
async def test_another_action_under_the_same_key_is_refused(town: Town) -> None:
    case, other = await town.takes(paid_today()), await town.takes(paid_today())
    keyed = {"Idempotency-Key": "a"}
    path = "/api/v1/incidents/{}/actions/{}"
    amend = {"victim": {"age": None}, "answers": {"lives_alone": True}}
    assert (await town.post(path.format(case.reference, "amend"), amend, headers=keyed)).is_success
    for reference, action, body in (
        (other.reference, "amend", amend),
        (case.reference, "amend", {"answers": {"lives_alone": True}}),
        (case.reference, "note", {"body": "She rang again."}),
    ):
        refused = await town.post(path.format(reference, action), body, headers=keyed)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


@on_sqlite
async def test_a_refused_action_leaves_its_key_free(town: Town) -> None:
    case = await town.takes(paid_today())
    path = f"/api/v1/incidents/{case.reference}/actions/close"
    body = {"disposition": "resolved_remote"}
    assert (await town.post(path, body, headers={"Idempotency-Key": "a"})).status_code == 409
    await case.act("remote_response", protective_act="bank_told")
    closed = await town.post(path, body, headers={"Idempotency-Key": "a"})
    assert closed.status_code == 200
    assert "idempotent-replayed" not in closed.headers
    again = await town.post(path, body, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["status"]) == (200, "closed")


@on_sqlite
async def test_an_absence_that_is_sent_again_is_planned_once(town: Town) -> None:
    path = "/api/v1/responders/asha/availability"
    off = {"state": "off", "from": "2026-07-16T09:00:00+01:00", "until": "2026-07-16T17:00:00+01:00"}
    first = await town.post(path, off, headers={"Idempotency-Key": "a"})
    again = await town.post(path, off, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await town.rows(AvailabilityRow)) == 1
