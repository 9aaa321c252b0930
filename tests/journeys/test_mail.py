"""E-mails to the desk: a reference and what to do, beside the texts and never in their way."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import trustme

from rapid_response.core.notices import NoticeKind
from rapid_response.core.vocabulary import ContactRole, Role
from rapid_response.messaging import smtp
from rapid_response.messaging.mail import ROLES, WHAT_TO_DO, Mail, MailFailed, of_case
from rapid_response.messaging.smtp import Account, Security, SmtpMailer
from rapid_response.steps import mailing
from rapid_response.storage.tables import EventRow, MailRow
from tests.builders import long_ago, paid_today, roofers_now
from tests.gateways.mail_server import MailServer
from tests.harness import ASHA, DEE, DESK, Town
from tests.journeys.browser import browser_of, on_sqlite

PEOPLE = {
    "caller": {"name": "Priya Neighbour", "phone": "+447700900456"},
    "victim": {"name": "Jean Whitlock", "phone": "+447700900457", "age": 84},
    "location": {"address": "14 Larkspur Way", "postcode": "BR1 3UH", "ward": "Bromley Town"},
    "suspect": {"name": "Dan Roofer", "vehicle_registration": "AB12 CDE"},
}
CANARIES = ("Priya", "Whitlock", "Larkspur", "Roofer", "900456", "900457", "BR1", "AB12", "roof", "84")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as made:
        yield made


@pytest.fixture
async def town(database_url: str, start: datetime, server: MailServer) -> AsyncIterator[Town]:
    """A town whose desk has a mailbox."""
    async with Town(database_url, start, **server.settings) as made:
        yield made


async def states(town: Town) -> list[str]:
    return [row.state for row in sorted(await town.rows(MailRow), key=lambda row: row.created_at)]


async def test_the_desk_reads_a_reference_and_what_to_do(town: Town, server: MailServer) -> None:
    case = await town.takes(roofers_now(**PEOPLE))
    (mail,) = server.taken
    assert mail["subject"] == f"{case.reference}: arrange the police or a second officer."
    assert (mail["from"], mail["to"]) == ("duty@example.org", "desk@example.org")
    assert server.envelopes == [("<duty@example.org>", "<desk@example.org>")]
    assert mail["auto-submitted"] == "auto-generated"
    body = mail.get_content()
    assert f"http://testserver/incidents/{case.reference}" in body
    said = f"{mail['subject']} {body}"
    assert [
        words for words in (*CANARIES, str(case.number)) if words in said.replace(case.reference, "")
    ] == []
    # The text went all the same, and comes again until it is seen; the mail does not.
    assert await town.texts_with("Arrange police or 2nd officer", DEE)
    await town.pass_time(minutes=4)
    assert len(server.taken) == 1


async def test_what_is_for_others_or_about_nobody(town: Town, server: MailServer) -> None:
    said = "He said old dears round here never check, and he only called at bungalows for older people."
    await town.takes(long_ago(town.clock.now(), narrative=said))
    assert server.taken == []  # the hate-crime lead's own
    await town.rings_hotline("+447700900777", "", hang_up_after="answer")
    await town.pass_time(minutes=1)
    (mail,) = server.taken
    assert mail["subject"] == "Duty desk: look at the board"
    assert "rang off" in mail.get_content()
    assert "900777" not in mail.get_content()
    assert await town.texts_with("rang off", DESK)


async def test_a_mail_server_that_fails_holds_up_nothing_and_is_tried_again(
    town: Town, server: MailServer
) -> None:
    server.refuses = "421 4.3.2 Down for a moment"
    case = await town.takes(roofers_now(**PEOPLE))
    assert f"OK {case.number}" in await town.last_text(ASHA)
    assert await town.texts_with("Arrange police", DEE)
    (row,) = await town.rows(MailRow)
    assert (row.state, row.error, row.attempts) == ("waiting", "refused_421", 1)
    async with await browser_of(town, "ada", Role.ADMIN) as admin:
        assert "1 are tried again, 0 were left this week" in (await admin.get("/status")).html
    server.refuses = ""
    await town.pass_time(seconds=30)
    assert [mail["subject"][:10] for mail in server.taken] == [case.reference]
    assert await states(town) == ["sent"]


async def test_what_is_not_taken_for_a_day_is_left_and_said(town: Town, server: MailServer) -> None:
    server.refuses = "451 4.3.0 Try later"
    await town.takes(roofers_now(**PEOPLE))
    (row,) = await town.rows(MailRow)
    assert row.error == "refused_451"
    town.clock.advance(timedelta(hours=24, minutes=1))
    assert await town.app.worker.loops.passes["mail"]() == 1
    (row,) = await town.rows(MailRow)
    assert (row.state, row.error) == ("parked", "refused_451")
    assert [e.type for e in await town.rows(EventRow) if e.type == "mail_parked"] == ["mail_parked"]
    server.refuses = ""
    town.clock.advance(timedelta(hours=2))
    assert await town.app.worker.loops.passes["mail"]() == 0
    assert server.taken == []


async def test_what_was_seen_meanwhile_is_not_sent(town: Town, server: MailServer) -> None:
    server.refuses = "421 4.3.2 Down for a moment"
    case = await town.takes(roofers_now())
    await case.act("acknowledge")
    server.refuses = ""
    await town.pass_time(seconds=31)
    assert (await states(town), server.taken) == (["skipped"], [])


async def test_one_mail_is_sent_by_one_node(town: Town, server: MailServer) -> None:
    server.refuses = "451 4.3.0 Try later"
    await town.takes(roofers_now())
    server.refuses = ""
    town.clock.advance(timedelta(seconds=30))
    first = await town.app.database.run(mailing.claim)
    assert first is not None
    assert await town.app.database.run(mailing.claim) is None
    # The first node dies; after its lease another one sends it, and what the first says later is nothing.
    town.clock.advance(timedelta(seconds=61))
    assert await town.app.worker.loops.passes["mail"]() == 1
    assert await states(town) == ["sent"]
    late = partial(mailing.failed, claimed=first, error="timeout")
    assert await town.app.database.run(late) is False
    assert await states(town) == ["sent"]
    assert len(server.taken) == 1


@on_sqlite
async def test_without_a_mail_server_nothing_of_it_is_there(database_url: str, start: datetime) -> None:
    async with Town(database_url, start) as town:
        await town.takes(roofers_now())
        await town.takes(paid_today())
        assert await town.rows(MailRow) == []
        assert "mail" not in town.app.worker.loops.names


# --- the adapter ------------------------------------------------------------------------------------------

MAIL = Mail("key-1", "RR-7K4M2QX: see to it.", "RR-7K4M2QX: see to it.\n")


def account(server: MailServer, **more: object) -> Account:
    given: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": Security.OFF,
        "sender": "duty@example.org",
        "to": "desk@example.org",
    }
    return Account(**{**given, **more})  # type: ignore[arg-type]


@on_sqlite
@pytest.mark.parametrize(("password", "said"), [("right", None), ("wrong", "refused_535")])
async def test_it_signs_in_and_says_what_was_refused(town: Town, password: str, said: str | None) -> None:
    async with MailServer(account=("duty", "right")) as server:
        mailer = SmtpMailer(account(server, username="duty", password=password), town.clock)
        if said is None:
            await mailer.send(MAIL)
            assert server.taken[0]["message-id"] == "<key-1@example.org>"
        else:
            with pytest.raises(MailFailed, match=said):
                await mailer.send(MAIL)
        await mailer.close()


@on_sqlite
async def test_an_open_line_is_not_taken_for_a_safe_one(town: Town, server: MailServer) -> None:
    mailer = SmtpMailer(account(server, security=Security.STARTTLS), town.clock)
    with pytest.raises(MailFailed, match="SMTPNotSupportedError"):
        await mailer.send(MAIL)
    await mailer.close()
    assert server.taken == []


@dataclass(frozen=True)
class Authority:
    """Whose certificates this process trusts, as an operator says it: SSL_CERT_FILE."""

    ours: trustme.CA

    def context(self, *names: str, of: trustme.CA | None = None) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (of or self.ours).issue_cert(*names).configure_cert(made)
        return made


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    ours, file = trustme.CA(), tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return Authority(ours)


@on_sqlite
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_it_signs_in_over_a_line_that_is_safe(
    town: Town, authority: Authority, security: Security
) -> None:
    tls, begins_open = authority.context("127.0.0.1"), security is Security.STARTTLS
    async with MailServer(account=("duty", "right"), tls=tls, begins_open=begins_open) as server:
        mailer = SmtpMailer(account(server, security=security, username="duty", password="right"), town.clock)
        await mailer.send(MAIL)
        await mailer.close()
        assert server.taken[0]["message-id"] == "<key-1@example.org>"


@on_sqlite
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("fault", ["another name", "another authority"])
async def test_a_server_that_cannot_prove_who_it_is_hears_nothing(
    town: Town, authority: Authority, security: Security, fault: str
) -> None:
    name = "mail.example.org" if fault == "another name" else "127.0.0.1"
    tls = authority.context(name, of=trustme.CA() if fault == "another authority" else None)
    begins_open = security is Security.STARTTLS
    async with MailServer(account=("duty", "right"), tls=tls, begins_open=begins_open) as server:
        mailer = SmtpMailer(account(server, security=security, username="duty", password="right"), town.clock)
        with pytest.raises(MailFailed, match="certificate"):
            await mailer.send(MAIL)
        await mailer.close()
        assert server.taken == []


@on_sqlite
async def test_nobody_there_is_a_failure_like_any_other(town: Town, server: MailServer) -> None:
    mailer = SmtpMailer(account(server, port=1), town.clock)
    with pytest.raises(MailFailed, match="unreachable"):
        await mailer.send(MAIL)
    await mailer.close()


@on_sqlite
async def test_a_server_that_says_nothing_is_given_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "ALL_SECONDS", 0.05)
    async with MailServer(hangs=True) as server:
        mailer = SmtpMailer(account(server), town.clock)
        with pytest.raises(MailFailed, match="timeout"):
            await mailer.send(MAIL)
        await mailer.close()


# --- what it may say --------------------------------------------------------------------------------------


def test_each_notice_has_its_words_and_none_tells_of_a_person() -> None:
    assert set(WHAT_TO_DO) == set(NoticeKind)
    for kind in NoticeKind:
        mail = of_case("k", "RR-7K4M2QX", kind, "https://rapid.example.gov.uk")
        assert mail.subject.startswith("RR-7K4M2QX: ")
        assert len(mail.subject) <= 120
        for word in ("hate", "age", "victim", "suspect", "scam", "crime", "address", "£"):
            assert word not in mail.body.lower().replace("message", ""), (kind, word)


def test_only_roles_of_the_desk_are_mailed() -> None:
    assert {ContactRole.DESK, ContactRole.DUTY_OFFICER} == ROLES
