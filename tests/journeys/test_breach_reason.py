"""Why the two hours were missed: the board prints what a person chose, not the first of a list."""

from __future__ import annotations

from rapid_response.core.vocabulary import Role
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
    assert [e["code"] for e in await case.happened("breach_explained")] == ["travel"]
