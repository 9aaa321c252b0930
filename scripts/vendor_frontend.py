"""Makes console/static/vendor again from the exact npm release; run by a developer, never at set-up.

A council may use GOV.UK's components, but not its typeface, crown or crest: the rules that name them are
edited out, so that nothing on a page asks for a file that we do not serve.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

NAME, VERSION = "govuk-frontend", "6.3.0"  # pairs with govuk-frontend-jinja 4.1.0: change both or neither
TARBALL_SHA512 = "cXIQxm5PHCsbic47GXZrVBZhAeeshTLRL6ZBKilLsR6rMCjJuWb7Fruq0VUNMBJFlJk/srsRj/q8d5bM9cgKoA=="
LICENCE_FILE = "govuk-frontend.LICENCE.txt"  # the npm package ships none, so the text is kept by hand

VENDOR = Path(__file__).resolve().parent.parent / "rapid_response" / "console" / "static" / "vendor"

FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
URL = re.compile(r"url\([^)]*\)")
SOURCE_MAP = re.compile(r"\s*(/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)\s*$")


class VendoringFailed(Exception):
    """The release is not what this script was written for."""


def clean_css(css: str) -> str:
    """The stylesheet without GOV.UK's typeface, without images, and without its source map."""
    css = SOURCE_MAP.sub("", css)
    css = FONT_FACE.sub("", css)
    css = css.replace("GDS Transport,arial,sans-serif", "arial,sans-serif")
    css = URL.sub("none", css)
    for leftover in ("GDS Transport", "crest", "url("):
        if leftover in css:
            raise VendoringFailed(f"{leftover!r} is still in the stylesheet of {NAME} {VERSION}.")
    return css + "\n"


def clean_js(js: str) -> str:
    """The script without its source map, which is not served."""
    return SOURCE_MAP.sub("", js) + "\n"


def download(folder: Path) -> tarfile.TarFile:
    """The release, checked against the digest that was reviewed."""
    command = ["npm", "pack", f"{NAME}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - no input in it
    tarball = folder / f"{NAME}-{VERSION}.tgz"
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != TARBALL_SHA512:
        raise VendoringFailed(f"{NAME} {VERSION} is not the release that was reviewed: sha512 {digest}.")
    return tarfile.open(tarball)


def member(release: tarfile.TarFile, path: str) -> str:
    """One file of the release, as text."""
    found = release.extractfile(f"package/dist/govuk/{path}")
    if found is None:
        raise VendoringFailed(f"{NAME} {VERSION} holds no {path}.")
    return found.read().decode("utf-8")


def record(files: list[Path]) -> str:
    """VENDORED.md: what is here, under which licence, and how to tell that it was not changed."""
    rows = "\n".join(
        f"| {path.name} | {NAME} | {VERSION} | MIT | `{hashlib.sha256(path.read_bytes()).hexdigest()}` |"
        for path in files
    )
    return f"""# Vendored files

Made by `scripts/vendor_frontend.py`; never edit them by hand. The stylesheet differs from the release in
four ways: both `@font-face` rules are gone, `GDS Transport` is not named any more, every `url(…)` is
`none`, and there is no source map.

| file | package | version | licence | sha256 |
| --- | --- | --- | --- | --- |
{rows}

The licence text is in `{LICENCE_FILE}`.
"""


def main() -> int:
    """Write the vendored files; 1 when the release is not the expected one."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    css, js = VENDOR / "govuk-frontend.min.css", VENDOR / "govuk-frontend.min.js"
    try:
        with tempfile.TemporaryDirectory() as folder, download(Path(folder)) as release:
            css.write_text(clean_css(member(release, css.name)), encoding="utf-8")
            js.write_text(clean_js(member(release, js.name)), encoding="utf-8")
    except (VendoringFailed, subprocess.CalledProcessError, OSError) as problem:
        sys.stderr.write(f"Nothing was vendored: {problem}\n")
        return 1
    (VENDOR / "VENDORED.md").write_text(record([css, js]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
