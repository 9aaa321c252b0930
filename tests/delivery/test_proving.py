"""Whose number is whose: a code goes there and comes back by another way, and again after half a year."""

from __future__ import annotations

import re
from datetime import timedelta

import yaml

from rapid_response.core.states import Purpose
from rapid_response.core.vocabulary import Role
from rapid_response.messaging.proof import Proof
from rapid_response.steps import proving
from rapid_response.steps.service import service_now
from rapid_response.storage.tables import EndpointRow, EventRow, InboundMessageRow, MessageRow, NumberProofRow
from rapid_response.storage.tx import Tx
from tests.builders import PATIENT_OFFER, SMALL_TOWN, paid_today, small_town
from tests.harness import ASHA, BEN, DESK, Town
from tests.journeys.browser import Browser, browser_of

ASHA_HOME = "+442079460101"
SEND, ENTER = "/numbers/asha/0/send", "/numbers/asha/0/enter"


async def asha_of(town: Town) -> Browser:
    return await browser_of(town, "asha", Role.RESPONDER, "asha")


def code_in(text: str) -> str:
    found = re.search(r"\b[0-9]{6}\b", text)
    assert found is not None, text
    return found[0]


async def proof_of(town: Town, number: str) -> Proof:
    def step(tx: Tx) -> Proof:
        definition = service_now(tx, town.app.desk.zone).definition
        (found,) = [s for s in proving.standings(tx, definition, tx.now) if s.number == number]
        return found.proof

    return await town.app.database.run(step)


async def proves(town: Town, browser: Browser) -> None:
    """Asha has a code sent to her first number, and enters it."""
    await browser.send((await browser.get("/numbers")).form(SEND))
    await town.settle()
    code = code_in(await town.last_text(ASHA))
    assert (await browser.fill("/numbers", ENTER, code=code)).to == "/numbers?done=confirmed"


async def test_a_responder_proves_her_own_number(town: Town) -> None:
    async with await asha_of(town) as browser:
        assert 'href="/numbers"' in (await browser.get("/account")).html
        before = await browser.get("/numbers")
        assert "Not confirmed yet" in before.html
        assert "Ben" not in before.html
        assert ENTER not in before.actions
        await proves(town, browser)
        after = await browser.get("/numbers")
        assert "Confirmed" in after.html
        assert "11 January 2027" in after.html
    assert await proof_of(town, ASHA) is Proof.PROVED
    happened = [e for e in await town.rows(EventRow) if e.type.startswith("number_")]
    assert [e.type for e in happened] == ["number_code_sent", "number_proved"]
    code = code_in(await town.last_text(ASHA))
    assert not any(ASHA in e.data or code in e.data for e in happened)


async def test_another_way_back_is_what_proves_it(town: Town) -> None:
    """A text with the code proves only that the phone works."""
    async with await asha_of(town) as browser:
        await browser.send((await browser.get("/numbers")).form(SEND))
        await town.settle()
        await town.texts_reply(ASHA, code_in(await town.last_text(ASHA)))
    assert await proof_of(town, ASHA) is Proof.NEVER


async def test_a_guess_is_counted_and_a_code_wears_out(town: Town) -> None:
    async with await asha_of(town) as browser:
        await browser.send((await browser.get("/numbers")).form(SEND))
        await town.settle()
        code = code_in(await town.last_text(ASHA))
        wrong = "000000" if code != "000000" else "000001"
        for _ in range(5):
            refused = await browser.fill("/numbers", ENTER, code=wrong)
            assert refused.status == 422
            assert "This is not the code" in refused.html
        worn = await browser.fill("/numbers", ENTER, code=code)
        assert "Five wrong codes" in worn.html
        assert wrong not in worn.html
    assert await proof_of(town, ASHA) is Proof.NEVER


async def test_codes_are_few_and_short_lived(town: Town) -> None:
    async with await asha_of(town) as browser:
        await browser.send((await browser.get("/numbers")).form(SEND))
        await town.settle()
        first = code_in(await town.last_text(ASHA))
        soon = await browser.send((await browser.get("/numbers")).form(SEND))
        assert (soon.status, "sent a moment ago" in soon.html) == (422, True)
        await town.pass_time(minutes=29)
        form = (await browser.get("/numbers")).form(ENTER)
        await town.pass_time(minutes=1)
        late = await browser.send(form, code=first)
        assert "older than 30 minutes" in late.html
        for _ in range(4):
            again = await browser.send((await browser.get("/numbers")).form(SEND))
            assert again.to == "/numbers?done=sent"
            await town.pass_time(minutes=2)
        sixth = await browser.send((await browser.get("/numbers")).form(SEND))
        assert "Five codes were sent" in sixth.html
    codes = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.VERIFY_NUMBER]
    assert len(codes) == 5


async def test_one_does_not_prove_anothers_number_but_the_desk_may_take_a_code_by_phone(town: Town) -> None:
    async with await asha_of(town) as asha:
        await asha.send((await asha.get("/numbers")).form(SEND))
        await town.settle()
    async with await browser_of(town, "ben", Role.RESPONDER, "ben") as ben:
        form = (await ben.get("/numbers")).form("/numbers/ben/0/send")
        assert (await ben.send(form.to(SEND))).status == 403
        assert (await ben.send(form.to(ENTER), code="123456")).status == 403
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as dora:
        page = await dora.get("/numbers")
        assert "Ben Osei" in page.html
        assert ASHA not in page.html
        read_out = code_in(await town.last_text(ASHA))
        assert (await dora.fill("/numbers", ENTER, code=read_out)).to == "/numbers?done=confirmed"
        lost = form.to("/numbers/asha/7/send")
        lost.fields["csrf_token"] = page.form(SEND).fields["csrf_token"]
        assert (await dora.send(lost)).status == 404
    (row,) = await town.rows(NumberProofRow)
    assert (row.responder_id, row.code) == ("asha", None)
    assert (row.proved_by or "").startswith("user:")


async def test_a_landline_is_told_its_code_after_a_key(town: Town) -> None:
    people = yaml.safe_load(SMALL_TOWN)["responders"]
    phones = {"sms": ASHA, "voice": ASHA_HOME}
    await town.load(
        small_town(responders=[{**p, "phones": phones} if p["id"] == "asha" else p for p in people])
    )
    async with await asha_of(town) as browser:
        page = await browser.get("/numbers")
        assert "Ring there and say a code" in page.html
        await browser.send(page.form("/numbers/asha/1/send"))
        await town.settle()
        (sent,) = [m for m in await town.rows(MessageRow) if m.purpose is Purpose.VERIFY_NUMBER]
        first = await town.answers_call(ASHA_HOME, "")
        assert not re.search("[0-9], [0-9]", first)
        said = await town.answers_call(ASHA_HOME, "1")
        code = "".join(re.findall(r"([0-9])(?:, |\.)", said))
        assert code == code_in(sent.body)
        await browser.fill("/numbers", "/numbers/asha/1/enter", code=code)
    assert await proof_of(town, ASHA_HOME) is Proof.PROVED
    assert await proof_of(town, ASHA) is Proof.NEVER


async def test_after_half_a_year_its_owner_is_asked_again_once_a_week(town: Town) -> None:
    async with await asha_of(town) as browser:
        await proves(town, browser)
    proved_at = (await town.rows(NumberProofRow))[0].proved_at
    assert proved_at is not None

    async def asked() -> int:
        return len(await town.texts_with("confirm your phone number again", ASHA))

    async def a_morning(days: int) -> None:
        """The clock stands at noon of that day after; the morning's line went out at nine."""
        town.clock.set(proved_at + timedelta(days=days - 1))
        await town.settle()
        await town.pass_time(minutes=24 * 60)

    await a_morning(165)
    assert await asked() == 0
    await a_morning(168)
    assert await asked() == 1
    await a_morning(170)
    assert await asked() == 1
    await a_morning(181)
    assert await asked() == 2
    assert await proof_of(town, ASHA) is Proof.OVER
    assert await town.texts_with("confirm your phone number again", BEN) == []
    case = await town.takes(paid_today())
    assert "asha" in await case.asked()  # never a filter: she is asked all the same


async def test_a_number_that_passes_to_somebody_else_is_not_proved(town: Town) -> None:
    async with await asha_of(town) as browser:
        await proves(town, browser)
    people = yaml.safe_load(SMALL_TOWN)["responders"]
    swapped = {"asha": {"sms": "+447700900401"}, "ben": {"sms": ASHA}}
    await town.load(
        small_town(responders=[{**p, "phones": swapped.get(p["id"], p["phones"])} for p in people])
    )
    assert await proof_of(town, ASHA) is Proof.NEVER


async def test_a_wrong_number_comes_last_and_the_desk_looks(town: Town) -> None:
    await town.load(small_town(escalation=[PATIENT_OFFER]))
    async with await asha_of(town) as browser:
        await proves(town, browser)
        before = len(await town.texts(ASHA))
        await town.texts_reply(ASHA, "Sorry, you have the wrong number")
        assert len(await town.texts(ASHA)) == before  # whoever has it hears nothing of ours
        assert await proof_of(town, ASHA) is Proof.DENIED
        assert "does not take our texts or calls" in await town.last_text(DESK)
        states = {(e.channel.value, e.state, e.why) for e in await town.rows(EndpointRow) if e.number == ASHA}
        assert states == {("sms", "suspect", "wrong_number"), ("voice", "suspect", "wrong_number")}
        text = [t for t in await town.rows(InboundMessageRow)][-1]
        assert (text.effect, text.needs_person) == ("denied", True)

        # That a text arrives there mends nothing; a code that comes back does.
        await town.takes(paid_today())
        await town.pass_time(minutes=1)
        assert {e.state for e in await town.rows(EndpointRow) if e.number == ASHA} == {"suspect"}
        await town.pass_time(minutes=5)
        await proves(town, browser)
    assert await proof_of(town, ASHA) is Proof.PROVED
    assert {e.state for e in await town.rows(EndpointRow) if e.number == ASHA} == {"active"}


async def test_a_wrong_number_that_was_asked_costs_nobody_the_answer_time(town: Town) -> None:
    case = await town.takes(paid_today())
    assert await case.asked() == ["asha"]
    await town.texts_reply(ASHA, "wrong number")
    assert await case.asked() == ["asha", "ben"]
    assert [n["kind"] for n in await case.happened("notice_given")] == ["delivery_failing"]
    (other,) = await case.happened("other_way_tried")
    assert (other["to_way"], other["reason"]) == ("next", "wrong_number")
    await town.pass_time(minutes=4)
    assert await town.calls(ASHA) == []  # whoever has that phone is not rung


async def test_who_has_a_job_by_that_phone_means_another_number(town: Town) -> None:
    case = await town.takes(paid_today())
    await case.hears(ASHA, "OK {n}")
    await town.texts_reply(ASHA, "wrong number")
    assert await proof_of(town, ASHA) is Proof.NEVER
    assert (await case.now())["responder"] == "asha"
    assert len(await case.happened("note_added")) == 1


async def test_who_must_confirm_is_said_on_the_status_page(town: Town) -> None:
    await town.texts_reply(ASHA, "wrong number")
    async with await browser_of(town, "dora", Role.DUTY_OFFICER) as dora:
        status = (await dora.get("/status")).html
    assert "Asha Patel (…101): somebody there says that it is a wrong number" in status
