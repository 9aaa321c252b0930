"""What we could not act on is read by a person, and put away by one."""

from __future__ import annotations

from rapid_response.core.vocabulary import Role
from tests.builders import roofers_now
from tests.harness import ASHA, Town
from tests.journeys.browser import browser_of


async def test_a_text_not_understood_waits_for_a_person_and_is_put_away(town: Town) -> None:
    await town.reports(**roofers_now())
    await town.texts_reply(ASHA, "which house is it, the one with the green door?")
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        shown = await handler.get("/texts")
        assert "the green door" in shown.html

        put_away = next(action for action in shown.actions if action.startswith("/texts/"))
        await handler.send(shown.form(put_away))

        assert "Nothing waits to be read" in (await handler.get("/texts")).html
