"""Why the two hours were missed: the board prints what a person chose, not the first of a list."""

from __future__ import annotations

import pytest

from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import NoteRow
from tests.builders import roofers_now
from tests.harness import Town
from tests.journeys.browser import browser_of, on_sqlite


@on_sqlite
async def test_a_reason_for_a_breach_is_chosen_by_a_person(town: Town) -> None:
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=125)
    page, task = f"/incidents/{case.reference}", (await case.tasks())["breach_reason"]["id"]
    async with await browser_of(town, "lee", Role.TEAM_LEADER) as leader:
        shown = await leader.get(page)
        forms = shown.forms(f"{page}/actions/task_done")
        form = next(form for form in forms if form.fields["task_id"] == [task])
        refused = await leader.send(form)
        assert refused.status == 422
        assert "Say why the two hours were missed" in refused.html
        assert 'href="#task_done-reason"' in refused.html
        assert 'id="task_done-reason"' in refused.html
        assert await case.happened("breach_explained") == []
        assert (await leader.send(form, reason="travel")).status == 303
        explained = (await leader.get(page)).html
    assert [e["code"] for e in await case.happened("breach_explained")] == ["travel"]
    # In the words of the list it was chosen from, and never as the code.
    assert "Travel took too long." in explained
    assert await town.rows(NoteRow) == []


@on_sqlite
@pytest.mark.parametrize("role", [Role.HANDLER, Role.DUTY_OFFICER])
async def test_nobody_below_a_team_leader_settles_a_breach(town: Town, role: Role) -> None:
    """It may have been of their own shift: there is no form for them, and none is taken."""
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=125)
    page, task = f"/incidents/{case.reference}", (await case.tasks())["breach_reason"]["id"]
    async with await browser_of(town, "dot", role) as officer:
        shown = await officer.get(page)
        assert not [f for f in shown.forms(f"{page}/actions/task_done") if f.fields["task_id"] == [task]]
        form = shown.form(f"{page}/actions/note").to(f"{page}/actions/task_done")
        refused = await officer.send(form, task_id=task, reason="travel")
    assert refused.status == 403
    assert "Ask a team leader" in refused.html
    assert await case.happened("breach_explained") == []
    assert "breach_reason" in await case.tasks()


@on_sqlite
async def test_a_reason_in_own_words_is_kept_as_a_note(town: Town) -> None:
    case = await town.takes(roofers_now())
    await town.pass_time(minutes=125)
    owed = (await case.tasks())["breach_reason"]["id"]
    await case.act("task_done", task=owed, reason="The bridge was up.")
    assert [e["code"] for e in await case.happened("breach_explained")] == ["other"]
    assert [note.body for note in await town.rows(NoteRow)] == ["The bridge was up."]
