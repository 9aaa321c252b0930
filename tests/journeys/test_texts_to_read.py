"""What we could not act on is read by a person, and put away by one."""

from __future__ import annotations

from functools import partial

from rapid_response.core.vocabulary import Role
from rapid_response.steps import inbound
from tests.builders import roofers_now
from tests.harness import ASHA, Town
from tests.journeys.browser import browser_of, on_sqlite


async def test_a_text_not_understood_waits_for_a_person_and_is_put_away(town: Town) -> None:
    await town.reports(**roofers_now())
    await town.texts_reply(ASHA, "which house is it, the one with the green door?")
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        shown = await handler.get("/texts")
        assert "the green door" in shown.html

        put_away = next(action for action in shown.actions if action.startswith("/texts/"))
        await handler.send(shown.form(put_away))

        assert "Nothing waits to be read" in (await handler.get("/texts")).html


@on_sqlite
async def test_whose_words_were_shown_is_on_record_with_their_case(town: Town) -> None:
    case = await town.takes(roofers_now())
    for words in ("which house is it?", "is it the green door?"):
        await case.hears(ASHA, f"{words} {{n}}")
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        assert "the green door" in (await handler.get("/texts")).html
    async with await browser_of(town, "lee", Role.TEAM_LEADER) as leader:
        log = (await leader.get(f"/access?reference={case.reference}")).html
    # Once, though two texts are about it.
    assert log.count("Texts and calls</td>") == 1


async def test_who_reads_a_text_is_told_that_a_picture_came_with_it(town: Town) -> None:
    take = partial(
        inbound.take_text,
        desk=town.app.desk,
        sid="MM" + "1" * 32,
        from_number="+447700900555",
        to_number=town.app.network.service_number,
        body="this is the man",
        has_media=True,
    )
    await town.app.database.run(take)
    await town.settle()
    async with await browser_of(town, "hana", Role.HANDLER) as handler:
        page = (await handler.get("/texts")).html
    assert "this is the man" in page
    assert "A picture or a video came with it. It was not fetched" in page
