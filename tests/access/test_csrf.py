"""Only our own pages may post: forged forms are refused, honest ones are never lost to a small thing."""

from datetime import UTC, datetime, timedelta

import pytest

from rapid_response.access.cookies import cookies_for, origin_of
from rapid_response.access.csrf import FORM_OPEN_FOR, CsrfRefused, FormTokens, check_csrf
from rapid_response.access.signing import Signer
from rapid_response.core.ids import SeededIds
from tests.cases import each

OURS = "https://rapid.bromley.example"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FORM = "report"


@pytest.fixture
def forms() -> FormTokens:
    return FormTokens(Signer("a key"), SeededIds(1))


@each(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": OURS},
        # A page sent with `no-referrer` posts with Origin: null; the browser's own word counts for more.
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": OURS},
        {"origin": OURS.upper()},
        {},
    ],
)
def test_our_own_page(headers: dict[str, str]) -> None:
    check_csrf("token", "token", headers, origin=OURS)


@each(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "https://other.bromley.example"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "cross-site", "origin": OURS},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": OURS + ".evil.example"},
        {"origin": OURS.replace("https", "http")},
        {"origin": OURS + ":8443"},
    ],
)
def test_another_page_is_refused_even_with_the_right_token(headers: dict[str, str]) -> None:
    with pytest.raises(CsrfRefused, match="load the page again"):
        check_csrf("token", "token", headers, origin=OURS)


@each(
    ("session", "posted"),
    [("token", None), ("token", ""), ("token", "other"), ("token", "é"), (None, None), ("", ""), (None, "x")],
)
def test_a_form_without_the_sessions_token_is_refused(session: str | None, posted: str | None) -> None:
    with pytest.raises(CsrfRefused):
        check_csrf(session, posted, {"sec-fetch-site": "same-origin"}, origin=OURS)


def test_a_form_before_sign_in(forms: FormTokens) -> None:
    nonce = forms.nonce(None)
    token = forms.token(nonce, FORM, NOW)
    made_at = forms.check(nonce, token, FORM, {}, origin=OURS, real=NOW + timedelta(minutes=3))
    assert made_at == NOW


def test_a_form_left_open_over_night_can_be_sent(forms: FormTokens) -> None:
    nonce = forms.nonce(None)
    token = forms.token(nonce, FORM, NOW)
    forms.check(nonce, token, FORM, {}, origin=OURS, real=NOW + FORM_OPEN_FOR)
    with pytest.raises(CsrfRefused):
        forms.check(nonce, token, FORM, {}, origin=OURS, real=NOW + FORM_OPEN_FOR + timedelta(seconds=1))


def test_a_second_tab_keeps_the_first_ones_form_good(forms: FormTokens) -> None:
    nonce = forms.nonce(None)
    first = forms.token(nonce, FORM, NOW)
    assert forms.nonce(nonce) == nonce
    forms.check(forms.nonce(nonce), first, FORM, {}, origin=OURS, real=NOW)


@pytest.mark.parametrize("cookie", ["", "x" * 129, "é", None])
def test_a_cookie_that_is_no_nonce_is_replaced(forms: FormTokens, cookie: str | None) -> None:
    assert forms.nonce(cookie) != cookie


def test_forged_forms_before_sign_in(forms: FormTokens) -> None:
    nonce, others = forms.nonce(None), forms.nonce(None)
    token = forms.token(nonce, FORM, NOW)
    made, signature = token.split(".")
    tries = [
        (None, token),
        ("", token),
        (others, token),
        (nonce, None),
        (nonce, ""),
        (nonce, "."),
        (nonce, f"{int(made) + 60}.{signature}"),
        (nonce, f"99999999999999999999.{signature}"),
        (nonce, f"{made}.{'0' * 64}"),
        (nonce, f"{made}.\ud800"),
        (nonce, FormTokens(Signer("another key"), SeededIds(1)).token(nonce, FORM, NOW)),
        (nonce, forms.token(nonce, "sign_in", NOW)),
    ]
    for cookie, posted in tries:
        with pytest.raises(CsrfRefused):
            forms.check(cookie, posted, FORM, {}, origin=OURS, real=NOW)
    with pytest.raises(CsrfRefused):
        forms.check(nonce, token, FORM, {"sec-fetch-site": "cross-site"}, origin=OURS, real=NOW)


def test_forms_outlive_a_change_of_the_key(forms: FormTokens) -> None:
    nonce = forms.nonce(None)
    token = forms.token(nonce, FORM, NOW)
    changed = FormTokens(Signer("a new key", previous="a key"), SeededIds(1))
    changed.check(nonce, token, FORM, {}, origin=OURS, real=NOW)
    with pytest.raises(CsrfRefused):
        FormTokens(Signer("a new key"), SeededIds(1)).check(nonce, token, FORM, {}, origin=OURS, real=NOW)


def test_a_signature_is_good_for_its_purpose_and_its_parts() -> None:
    signer = Signer("a key")
    signature = signer.sign("form", "ab", "c")
    assert signer.holds(signature, "form", "ab", "c")
    assert not signer.holds(signature, "form", "a", "bc")
    assert not signer.holds(signature, "device", "ab", "c")


@each(("key", "previous"), [("", None), ("a key", "")])
def test_no_key_is_no_key(key: str, previous: str | None) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Signer(key, previous)


def test_cookie_names() -> None:
    secure, plain = cookies_for("https://rapid.bromley.example"), cookies_for("http://127.0.0.1:8000")
    assert (secure.session, secure.secure) == ("__Host-rr", True)
    assert (plain.session, plain.secure) == ("rr", False)
    assert len({secure.session, secure.form, secure.device, plain.session, plain.form, plain.device}) == 6


@each(
    ("base_url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://Rapid.Bromley.example/", "https://rapid.bromley.example"),
        ("https://rapid.bromley.example:443/app", "https://rapid.bromley.example"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_our_address_as_a_browser_spells_it(base_url: str, origin: str) -> None:
    assert origin_of(base_url) == origin
