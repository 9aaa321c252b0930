"""What the cookies are called. All of them HttpOnly, SameSite=Lax, Path=/ and without Domain."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names, and the Secure flag. A browser takes `__Host-…` neither from a sibling domain nor over http."""

    session: str
    form: str
    device: str
    secure: bool


def cookies_for(base_url: str) -> Cookies:
    """The cookies of a service at that address; plain names on http, where browsers refuse the prefix."""
    secure = urlsplit(base_url).scheme.lower() == "https"
    prefix = "__Host-" if secure else ""
    return Cookies(f"{prefix}rr", f"{prefix}rr-form", f"{prefix}rr-device", secure)


def origin_of(base_url: str) -> str:
    """The address as a browser spells it in `Origin`: lower case, no path, no default port."""
    parts = urlsplit(base_url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{parts.port}"
