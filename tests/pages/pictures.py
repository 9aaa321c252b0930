"""Pictures for the documentation: `python -m tests.pages.pictures` writes them to tests/pages/out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.pages.town import Town, serving

OUT = Path(__file__).parent / "out"
DESK, HAND = (1280, 860), (390, 780)

PICTURES = {
    "report-start": HAND,
    "report-form-here": HAND,
    "job-offered": HAND,
    "console": DESK,
    "console-sent-p0": DESK,
    "board": DESK,
    "incident": DESK,
    "simulator": DESK,
}


def main() -> None:
    """One picture a page, as much as a screen shows."""
    OUT.mkdir(exist_ok=True)
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with serving(Town()) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        for name, (width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
            page.goto(f"{base}/state/{name}")
            page.screenshot(path=OUT / f"{name}.png", animations="disabled", caret="hide")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
