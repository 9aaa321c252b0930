"""How pages and files reach the browser: names, caching, headers, size; and what was vendored."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from rapid_response.console.assets import Assets
from rapid_response.console.rendering import Renderer
from rapid_response.console.security import SecurityHeaders
from tests.pages.samples import STATES, frame_of
from tests.pages.town import Town

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "rapid_response" / "console" / "static"
VENDOR = STATIC / "vendor"


def client(https: bool = False) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(SecurityHeaders(Town(), https=https))
    return httpx.AsyncClient(transport=transport, base_url="http://town")


# --- what was vendored ------------------------------------------------------------------------------------


def vendoring() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor_frontend", ROOT / "scripts" / "vendor_frontend.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["vendor/govuk-frontend.min.css", "rapid.css"])
def test_no_typeface_crest_or_picture_of_the_governments(name: str) -> None:
    css = (STATIC / name).read_text(encoding="utf-8")
    for word in ("GDS Transport", "crest", "url(", "@font-face", "@import", "sourceMappingURL"):
        assert word not in css


def test_vendored_files_are_those_that_were_recorded() -> None:
    record = (VENDOR / "VENDORED.md").read_text(encoding="utf-8")
    files = [p for p in VENDOR.iterdir() if p.suffix in (".css", ".js")]
    assert len(files) == 2
    for path in files:
        assert f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`" in record
        assert re.search(rf"\| {re.escape(path.name)} \| govuk-frontend \| 6\.3\.0 \| MIT \|", record)
    assert "Permission is hereby granted" in (VENDOR / "govuk-frontend.LICENCE.txt").read_text(
        encoding="utf-8"
    )


def test_no_host_is_named_in_what_we_wrote() -> None:
    written = [ROOT / "scripts" / "vendor_frontend.py", STATIC / "rapid.css", STATIC / "rapid.js"]
    for path in written:
        assert "http" not in path.read_text(encoding="utf-8").replace("http-equiv", "")


def test_the_stylesheet_is_cleaned_or_refused() -> None:
    module = vendoring()
    css = (
        "@font-face{font-family:GDS Transport;src:url(a)}"
        "p{font:1rem GDS Transport,arial,sans-serif;background:url(crest.svg)}\n"
        "/*# sourceMappingURL=x.map */\n"
    )
    assert module.clean_css(css) == "p{font:1rem arial,sans-serif;background:none}\n"
    with pytest.raises(module.VendoringFailed, match="GDS Transport"):
        module.clean_css("p{font-family:GDS Transport}")


# --- files ------------------------------------------------------------------------------------------------


async def test_files_are_named_by_content_and_kept_for_a_year() -> None:
    url = Assets().url("rapid.css")
    assert re.fullmatch(r"/static/rapid\.[0-9a-f]{12}\.css", url)
    async with client() as http:
        answer = await http.get(url)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.text == (STATIC / "rapid.css").read_text(encoding="utf-8")
        plain = await http.get(url, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == answer.text
        head = await http.head(url)
        assert (head.status_code, head.content) == (200, b"")
        for gone in ("/static/rapid.css", "/static/../security.py", "/static/%2e%2e/security.py", "/static/"):
            assert (await http.get(gone)).status_code == 404
        assert (await http.post(url)).status_code == 404


async def test_files_are_found_where_a_server_cuts_the_path_as_well() -> None:
    transport = httpx.ASGITransport(Assets())
    async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
        assert (await http.get(Assets().url("favicon.svg").removeprefix("/static"))).status_code == 200


def test_a_mistyped_file_is_a_mistake_at_once() -> None:
    with pytest.raises(KeyError):
        Assets().url("rapid.cs")


# --- headers ----------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_pages_are_never_kept_and_run_nothing_foreign() -> None:
    async with client() as http:
        answer = await http.get("/state/incident")
    headers = answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "geolocation=(self)" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce
    assert f'nonce="{nonce[1]}"' in answer.text


async def test_each_page_has_a_nonce_of_its_own() -> None:
    async with client() as http:
        policies = {(await http.get("/report")).headers["content-security-policy"] for _ in range(5)}
    assert len(policies) == 5


async def test_https_is_remembered_and_reports_tell_nobody_where_they_came_from() -> None:
    async with client(https=True) as http:
        answer = await http.get("/report")
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert answer.headers["referrer-policy"] == "no-referrer"


# --- size -------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_responders_first_visit_without_scripts_is_light() -> None:
    """Page and both stylesheets as they travel, for a phone at the edge of the network."""
    styles = sum(
        len(gzip.compress((STATIC / name).read_bytes()))
        for name in ("vendor/govuk-frontend.min.css", "rapid.css")
    )
    pages = [Renderer().page(STATES[n][0], frame_of(n)).encode() for n in STATES if n.startswith("job-")]
    assert max(len(page) for page in pages) < 30_000
    assert styles + max(len(gzip.compress(page)) for page in pages) < 30_000
