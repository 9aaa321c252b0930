"""Signing in and out, and one's own account."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import Connection, select
from sqlmodel import col

from rapid_response.access.accounts import list_users, set_password
from rapid_response.access.passwords import WeakPassword, check_policy
from rapid_response.access.permissions import Permission
from rapid_response.access.sessions import end_session, start_session
from rapid_response.access.sign_in import SignInRefused, Why
from rapid_response.console.form_pages import safe_next
from rapid_response.console.forms.posted import FieldError, Filled
from rapid_response.console.views.accounts import AccountView, SignInView
from rapid_response.console.views.frame import Page
from rapid_response.console.visit_pages import AnyVisit, NotSignedIn, SignedIn, Visit, home_of
from rapid_response.core.vocabulary import Role
from rapid_response.storage.tables import UserRow
from rapid_response.storage.tx import Tx

router = APIRouter(include_in_schema=False)

_FORM = "sign-in"
_STALE = "This page was open for too long. Write your password and send it again."
_WRONG = "This is not your current password. Check it and try again."
_TOO_MANY = "That was wrong too often. Wait five minutes, then try again."


@router.api_route("/sign-in", methods=["GET", "HEAD"])
async def get_sign_in(visit: AnyVisit) -> Response:
    """The way in; who is in already goes on to where they wanted to be."""
    wanted = safe_next(visit.query.text("next"))
    if visit.live is not None:
        return visit.go(wanted or home_of(visit.principal))
    view = SignInView(
        next=wanted,
        signed_out=visit.query.text("signed_out") == "1",
        evaluation_accounts=await _accounts(visit),
    )
    return await visit.page(view, form=_FORM)


@router.post("/sign-in")
async def post_sign_in(visit: AnyVisit) -> Response:
    """Begin a session under a new id, whatever the browser had before."""
    posted, is_ours = await visit.form(_FORM)
    name, wanted = posted.text("name"), safe_next(posted.text("next"))
    if not is_ours:
        return await _refused(visit, name, wanted, _STALE, 422)
    cookies, jar = visit.pages.cookies, visit.request.cookies
    try:
        entered = await visit.pages.sign_in.with_password(
            name,
            (posted.all("password") or ("",))[-1],
            address=visit.address,
            device_cookie=jar.get(cookies.device),
            session_cookie=jar.get(cookies.session),
        )
    except SignInRefused as refused:
        status = 429 if refused.why is Why.THROTTLED else 422
        response = await _refused(visit, name, wanted, str(refused), status)
        if refused.wait is not None:
            response.headers["retry-after"] = str(int(refused.wait.total_seconds()) + 1)
        return response
    response = visit.go(wanted or home_of(entered.principal))
    visit.sign_in_cookies(response, entered.session_cookie, entered.device_cookie)
    return response


async def _refused(visit: Visit, name: str, wanted: str, problem: str, status: int) -> Response:
    view = SignInView(
        next=wanted, name=name[:60], problem=problem, evaluation_accounts=await _accounts(visit)
    )
    visit.live = None  # the form is bound to the cookie, whoever was signed in
    return await visit.page(view, status=status, form=_FORM)


async def _accounts(visit: Visit) -> tuple[tuple[str, Role], ...]:
    """Whom one can sign in as: told in an evaluation, and nowhere else."""
    if not visit.pages.settings.is_evaluation:
        return ()
    accounts = await visit.look(list_users)
    return tuple((a.name, a.role) for a in accounts if a.disabled_at is None)


@router.post("/sign-out")
async def post_sign_out(visit: AnyVisit) -> Response:
    """End this browser's session; harmless twice."""
    if visit.live is not None:
        await visit.posted()
        cookie = visit.request.cookies.get(visit.pages.cookies.session, "")
        await visit.run(lambda tx: end_session(tx, cookie))
    response = visit.go("/sign-in?signed_out=1")
    visit.forget_session(response)
    return response


@router.api_route("/account", methods=["GET", "HEAD"])
async def get_account(visit: SignedIn) -> Response:
    """Who one is to the service."""
    done = "Your password is changed. Other browsers are signed out." if visit.query.text("done") else ""
    return await visit.page(_account(visit, done=done))


@router.post("/account/password")
async def post_password(visit: SignedIn) -> Response:
    """Change the password: asks for the old one, and signs out every other browser."""
    posted = await visit.posted()
    current, new = ((posted.all(name) or ("",))[-1] for name in ("current", "new"))
    fault = await _fault_of(visit, current, new)
    if fault is not None:
        return await visit.page(_account(visit, Filled({}, (fault,))), status=422)
    hashed = await visit.pages.passwords.hashed(new)
    name, user_id = visit.principal.name, visit.principal.id or ""

    def step(tx: Tx) -> str:
        set_password(tx, name, hashed)
        return start_session(tx, user_id).cookie

    response = visit.go(f"{Page.ACCOUNT}?done=password")
    visit.sign_in_cookies(response, await visit.run(step))
    return response


async def _fault_of(visit: Visit, current: str, new: str) -> FieldError | None:
    pages, user_id = visit.pages, visit.principal.id or ""
    if pages.password_tries.take(user_id) is not None:
        return FieldError("current", _TOO_MANY)
    stored = await visit.look(lambda connection: _stored_hash(connection, user_id))
    if stored is None:
        raise NotSignedIn
    if not await pages.passwords.verified(current, stored):
        return FieldError("current", _WRONG)
    pages.password_tries.give_back(user_id)
    try:
        check_policy(new, visit.principal.name)
    except WeakPassword as weak:
        return FieldError("new", str(weak))
    return None


def _stored_hash(connection: Connection, user_id: str) -> str | None:
    found: str | None = connection.execute(
        select(col(UserRow.password_hash)).where(col(UserRow.id) == user_id)
    ).scalar()
    return found


def _account(visit: Visit, filled: Filled | None = None, done: str = "") -> AccountView:
    principal = visit.principal
    assert principal.role is not None  # noqa: S101 - only people have sessions
    return AccountView(
        principal.name,
        principal.role,
        visit.signed_in_at,
        may_change_password=True,
        has_numbers=visit.may(Permission.NUMBERS_OWN) and principal.responder_id is not None,
        filled=filled or Filled(),
        done=done,
    )
