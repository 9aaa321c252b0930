"""The settings, the keys, the provider and the address that webhooks come to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from rapid_response.cli.evaluation import kept_in
from rapid_response.cli.examining import Finding, fail, ok, warn
from rapid_response.settings import Settings, SettingsProblem, is_loopback

_ANSWERS_WITHIN_SECONDS = 3.0
#: What the contract names and this release does not do yet, lest anybody lean on it.
_NOT_YET = {
    "oidc_issuer": "single sign-on comes with a later release, and people use the accounts of `users add`",
}


def examine(settings: Settings) -> Iterator[Finding]:
    """What can be said before the database is opened."""
    yield ok("The settings are understood.")
    yield from _keys(settings)
    yield from _provider(settings)
    yield _address(settings)
    if settings.heartbeat_url is None and settings.has_real_provider:
        yield warn(
            "Nobody outside is told when this service stops: set RAPID_RESPONSE_HEARTBEAT_URL to an address "
            "that raises the alarm when it is not called for two minutes."
        )
    yield from _second_reader(settings)
    yield from _mail(settings)
    yield from _evaluation(settings)
    yield from _not_yet(settings)


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key is None and settings.sqlite_path is None:
        try:
            settings.signing_key()
        except SettingsProblem as problem:
            yield fail(str(problem))
    for path in _private_files(settings):
        if path.exists() and path.stat().st_mode & 0o077:
            yield warn(f"Other users of this machine can read {path}: run `chmod 600` on it.")


def _private_files(settings: Settings) -> Iterator[Path]:
    if settings.sqlite_path is not None:
        yield settings.sqlite_path
        yield Path(f"{settings.sqlite_path}.secret")
    yield kept_in(settings)


def _provider(settings: Settings) -> Iterator[Finding]:
    if not settings.has_real_provider:
        yield warn("Messages go to simulated phones: nobody is really texted or rung.")
    if settings.clock_speed > 1:
        yield warn(f"The service's time runs {settings.clock_speed:g} times as fast as real time.")


def _address(settings: Settings) -> Finding:
    """Whether anybody answers where links lead and the provider's webhooks go."""
    said = fail if settings.has_real_provider else warn
    try:
        answer = httpx.get(
            f"{settings.base_url}/health/live",
            timeout=_ANSWERS_WITHIN_SECONDS,
            trust_env=not is_loopback(settings.base_url),
        )
    except httpx.HTTPError as error:
        return said(
            f"Nobody answers at {settings.base_url} ({type(error).__name__}): links and webhooks lead there, "
            "so serve it, or correct RAPID_RESPONSE_BASE_URL."
        )
    if answer.status_code != httpx.codes.OK:
        return said(
            f"{settings.base_url} answers {answer.status_code} where this service would say it lives: "
            "correct RAPID_RESPONSE_BASE_URL."
        )
    return ok(f"This service answers at {settings.base_url}, where links and webhooks lead.")


def _second_reader(settings: Settings) -> Iterator[Finding]:
    """It is not asked here: each question costs the council money, and a made-up one proves little."""
    if settings.second_reader_url is not None:
        host = urlsplit(settings.second_reader_url).hostname
        yield ok(
            f"Reports leave for a second reader at {host}, with the people in them masked, at most "
            f"{settings.second_reader_per_day} times a day."
        )


def _mail(settings: Settings) -> Iterator[Finding]:
    """Nothing is sent from here: whether mail arrives is seen by whoever reads the mailbox."""
    if settings.smtp_host is not None:
        yield ok(f"Notices to the desk go by e-mail, too, by way of {settings.smtp_host}.")
        if settings.smtp_security == "off" and not is_loopback(f"smtp://{settings.smtp_host}"):
            yield warn(
                "RAPID_RESPONSE_SMTP_SECURITY is off: references stand open on the way to the mail server. "
                "Keep it to the council’s own network."
            )


def _evaluation(settings: Settings) -> Iterator[Finding]:
    if is_loopback(settings.base_url):
        return
    if settings.evaluation:
        yield warn(
            f"Evaluation is on at {settings.base_url}: its description of the API is public. "
            "Take RAPID_RESPONSE_EVALUATION out."
        )
    kept = kept_in(settings)
    if kept.exists():
        yield warn(
            f"There are evaluation accounts behind {settings.base_url}, with their passwords in {kept}: "
            "disable them with `rapid-response users disable`, and delete the file."
        )


def _not_yet(settings: Settings) -> Iterator[Finding]:
    for name, why in _NOT_YET.items():
        if getattr(settings, name) is not None:
            yield warn(f"RAPID_RESPONSE_{name.upper()} is not heeded yet: {why}.")
