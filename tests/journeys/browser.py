"""A person's browser without a screen: keeps cookies, follows nothing by itself, fills in forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self

import httpx
import pytest
from argon2 import PasswordHasher

from rapid_response.access.accounts import Account, add_user
from rapid_response.access.passwords import Passwords
from rapid_response.access.sessions import start_session
from rapid_response.access.sign_in import SignIn
from rapid_response.access.signing import Signer
from rapid_response.console.visit_pages import Pages
from rapid_response.core.vocabulary import Role
from tests.harness import BASE, Town

#: Where nothing that is asked of the database differs, one kind of it is enough.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PASSWORD = "heron velvet teapot olive"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
_HASH = CHEAP.hash(PASSWORD)


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and what it holds before anybody writes in it."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)

    def to(self, action: str) -> Form:
        """The same form, bent to another address."""
        return Form(action, self.fields)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.area: str | None = None
        self.select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(given.get("action", ""))
            self.forms.append(self.open)
        elif self.open is None:
            return
        elif tag == "input" and "name" in given:
            chosen = "checked" in given or given.get("type") not in ("radio", "checkbox", "submit")
            if chosen:
                self.open.fields.setdefault(given["name"], []).append(given.get("value", ""))
        elif tag == "textarea":
            self.area = given["name"]
            self.open.fields.setdefault(self.area, []).append("")
        elif tag == "select":
            self.select = given["name"]
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.open.fields):
            self.open.fields[self.select] = [given.get("value", "")]

    def handle_data(self, data: str) -> None:
        if self.area and self.open:
            self.open.fields[self.area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea":
            self.area = None
        elif tag == "select":
            self.select = None


class Shown:
    """A page as the browser shows it."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.html = answer.text
        self.to = answer.headers.get("location", "")

    def form(self, action: str) -> Form:
        """The first form that goes there."""
        return next(form for form in forms_of(self) if form.action == action)

    def forms(self, action: str) -> list[Form]:
        """All forms that go there."""
        reader = _Forms()
        reader.feed(self.html)
        return [form for form in reader.forms if form.action == action]

    @property
    def actions(self) -> set[str]:
        """Where the page's forms go."""
        return {form.action for form in forms_of(self)}


def forms_of(shown: Shown) -> list[Form]:
    """All forms of a page."""
    reader = _Forms()
    reader.feed(shown.html)
    return reader.forms


class Browser:
    """One person's browser."""

    def __init__(self, town: Town) -> None:
        self.town = town
        transport = httpx.ASGITransport(app=town.app.asgi, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def get(self, path: str, /, **headers: str) -> Shown:
        """Look at a page."""
        return Shown(await self.http.get(path, headers=headers))

    async def send(self, form: Form, headers: dict[str, str] | None = None, /, **given: Any) -> Shown:
        """Send a form as it is, with what is given written into it."""
        data = {**form.fields, **given}
        marks = {"sec-fetch-site": "same-origin"} if headers is None else headers
        return Shown(await self.http.post(form.action, data=data, headers=marks))

    async def fill(self, path: str, action: str, /, **given: Any) -> Shown:
        """Open a page, fill in its form that goes to `action`, and send it."""
        page = await self.get(path)
        return await self.send(page.form(action), **given)

    async def sign_in(self, name: str, password: str = PASSWORD, path: str = "/sign-in") -> Shown:
        """Sign in as people do."""
        return await self.fill(path, "/sign-in", name=name, password=password)


async def account(town: Town, name: str, role: Role, responder: str | None = None) -> Account:
    """An account with the one password of all tests; the town then hashes cheaply."""
    pages: Pages = town.app.asgi.state.pages
    if pages.passwords is not CHEAP:
        pages.passwords = CHEAP
        pages.sign_in = SignIn(pages.database, CHEAP, Signer(pages.settings.secret_key))
    return await town.app.database.run(lambda tx: add_user(tx, name, role, _HASH, responder_id=responder))


async def browser_of(town: Town, name: str, role: Role, responder: str | None = None) -> Browser:
    """A browser in which somebody with that role is signed in already."""
    made = await account(town, name, role, responder)
    session = await town.app.database.run(lambda tx: start_session(tx, made.id))
    browser = Browser(town)
    browser.http.cookies.set(town.app.asgi.state.pages.cookies.session, session.cookie)
    return browser
