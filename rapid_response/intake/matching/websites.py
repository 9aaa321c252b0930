"""Web addresses: the part that tells one site from another."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rapid_response.intake.matching.match import Likeness
from rapid_response.intake.matching.words import words

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")


def normalise_website(text: str) -> str | None:
    """The registered name in lower-case ASCII (`xn--…` where it is not English letters); None for no site.

    On hosts that many share, the page's name is kept with it; a site that suspects only borrow is None.
    """
    said = re.sub(r"\s+dot\s+", ".", text.strip().lower()).replace(" ", "")
    if not said or "@" in said:
        return None
    try:
        parts = urlsplit(said if "://" in said else f"//{said}")
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
    except (UnicodeError, ValueError):
        return None
    if not _HOST.fullmatch(host) or host.replace(".", "").isdigit():
        return None
    return _telling(host, parts.path)


def _telling(host: str, path: str) -> str | None:
    known = words()
    for prefix in ("www.", "m.", "mobile.", "en-gb."):
        host = host.removeprefix(prefix)
    if host in known.shared_hosts:
        page = re.sub(r"[^a-z0-9_-]", "", path.strip("/").split("/")[0])
        return f"{host}/{page}"[:200] if page else None
    site = registered(host)
    if site in known.borrowed_hosts or host in known.borrowed_hosts:
        return None
    return (host if site in known.hosting else site)[:200]


def registered(host: str) -> str:
    """The name that somebody registered: `apexroofs.co.uk` of `shop.apexroofs.co.uk`."""
    labels = host.split(".")
    keep = 3 if len(labels) > 2 and labels[-1] == "uk" and labels[-2] in words().second_levels else 2
    return ".".join(labels[-keep:])


def site_name(website: str) -> str:
    """The name before the first dot, squeezed, to be held against a company's."""
    label = website.split("/")[-1] if "/" in website else website.split(".")[0]
    return label.replace("-", "").replace("_", "")


def compare_websites(one: str, other: str) -> Likeness | None:
    """Two normalised sites."""
    if one == other:
        return Likeness(0.95, "same website")
    if site_name(one) == site_name(other) and len(site_name(one)) >= 8:
        return Likeness(0.7, "websites of the same name")
    return None


def compare_with_company(website: str, company: str) -> Likeness | None:
    """A site named after the company, as `apexroofing.co.uk` is after Apex Roofing."""
    name = company.replace(" ", "")
    if len(name) >= 6 and site_name(website) in (name, f"{name}ltd", f"{name}uk"):
        return Likeness(0.78, "website has the company's name")
    return None
