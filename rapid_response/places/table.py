"""The offline table of postcodes: which local authority each lies in, and for ours where on the map.

`deploy/data/postcodes.xz` is made by `deploy/data/make_postcodes.py` from the ONS Postcode Directory, and
read here: nothing about a victim's home is asked of anybody. It holds every postcode of the United Kingdom
that the directory gives an authority, terminated ones too; one that it does not hold is simply not known.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

#: The second half of a postcode after its figure: two letters.
LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
UNITS = len(LETTERS) ** 2
BITMAP = UNITS // 8


class TableUnreadable(Exception):
    """The file is not a table of postcodes that this release can read."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the table knows of a postcode: the authority's ONS code; metres on the grid where it has them."""

    authority: str
    authority_name: str | None = None
    easting: int | None = None
    northing: int | None = None


class PostcodeTable:
    """The table, held packed: about a megabyte, and a look-up takes microseconds."""

    def __init__(self, head: dict[str, Any], body: bytes) -> None:
        self.credits: tuple[str, ...] = tuple(head["credits"])
        self.made_from: str = head["made_from"]
        self._authorities: list[str] = head["authorities"]
        self._names: dict[str, str] = head["names"]
        self._sectors = {sector: at for at, sector in enumerate(head["sectors"])}
        self._choices: list[list[int]] = head["choices"]
        parts, at = [], 0
        for length in head["parts"]:
            parts.append(body[at : at + length])
            at += length
        self._bitmaps, self._picks, self._grid = parts
        counts = [self._count(at) for at in range(len(self._sectors))]
        # Only sectors that several authorities share spend a byte a postcode.
        shared = (n if len(c) > 1 else 0 for n, c in zip(counts, self._choices, strict=True))
        self._picks_at = [0, *accumulate(shared)]
        #: For each postcode of these authorities a point: in the order of the postcodes.
        self._gridded = {self._authorities.index(code) for code in head["grid"]}
        self._points: dict[str, int] | None = None

    def __len__(self) -> int:
        return sum(self._count(at) for at in range(len(self._sectors)))

    def find(self, postcode: str) -> Place | None:
        """The place of a whole postcode such as `BR1 3UH`; None for one that is not known."""
        sector, unit = postcode[:-2], _unit(postcode[-2:])
        at = self._sectors.get(sector)
        if at is None or unit is None or not self._bits(at) >> unit & 1:
            return None
        index = self._authority(at, unit)
        code = self._authorities[index]
        easting = northing = None
        if index in self._gridded:
            point = self._point_of(postcode)
            easting = int.from_bytes(self._grid[point : point + 3], "little")
            half = len(self._grid) // 2
            northing = int.from_bytes(self._grid[half + point : half + point + 3], "little")
        return Place(code, self._names.get(code), easting, northing)

    def name_of(self, authority: str) -> str | None:
        """What an authority is called, where the table says so."""
        return self._names.get(authority)

    def of(self, authority: str) -> list[str]:
        """All postcodes of an authority, in order."""
        if authority not in self._authorities:
            return []
        wanted = self._authorities.index(authority)
        return [
            f"{sector}{LETTERS[unit // len(LETTERS)]}{LETTERS[unit % len(LETTERS)]}"
            for sector, at in self._sectors.items()
            if wanted in self._choices[at]
            for unit in _set_bits(self._bits(at))
            if self._authority(at, unit) == wanted
        ]

    def _bits(self, at: int) -> int:
        return int.from_bytes(self._bitmaps[at * BITMAP : (at + 1) * BITMAP], "little")

    def _count(self, at: int) -> int:
        return self._bits(at).bit_count()

    def _authority(self, at: int, unit: int) -> int:
        choices = self._choices[at]
        if len(choices) == 1:
            return choices[0]
        before = (self._bits(at) & ((1 << unit) - 1)).bit_count()
        return choices[self._picks[self._picks_at[at] + before]]

    def _point_of(self, postcode: str) -> int:
        if self._points is None:
            ours = (code for index in sorted(self._gridded) for code in self.of(self._authorities[index]))
            self._points = {code: 3 * n for n, code in enumerate(ours)}
        return self._points[postcode]


def _unit(letters: str) -> int | None:
    if len(letters) != 2 or letters[0] not in LETTERS or letters[1] not in LETTERS:
        return None
    return LETTERS.index(letters[0]) * len(LETTERS) + LETTERS.index(letters[1])


def _set_bits(bits: int) -> list[int]:
    return [unit for unit in range(UNITS) if bits >> unit & 1]


def read_table(path: Path) -> PostcodeTable:
    """The table in that file; raises TableUnreadable."""
    try:
        unpacked = lzma.decompress(path.read_bytes())
        head, _, body = unpacked.partition(b"\n")
        return PostcodeTable(json.loads(head), body)
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise TableUnreadable(f"{path} is no table of postcodes: make it with make_postcodes.py") from error


_IN_CHECKOUT = Path(__file__).parents[2] / "deploy" / "data" / "postcodes.xz"
_INSTALLED = Path(__file__).parents[1] / "_sample" / "postcodes.xz"


@lru_cache(maxsize=1)
def shipped_table() -> PostcodeTable:
    """The table of this release, read once: from the checkout, or from what was installed."""
    return read_table(_IN_CHECKOUT if _IN_CHECKOUT.is_file() else _INSTALLED)
