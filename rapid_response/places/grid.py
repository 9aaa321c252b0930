"""National Grid eastings and northings to latitude and longitude, by the published formula.

Ordnance Survey, “A guide to coordinate systems in Great Britain”, annexes B and C: the inverse Transverse
Mercator projection on the Airy 1830 ellipsoid, then the Helmert transformation to WGS84 (good to about five
metres, a house or two). tests/rules/test_grid.py tries it on the guide's own worked example.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin, sqrt, tan


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """The shape of the Earth that a system reckons with; metres."""

    a: float
    b: float

    @property
    def e2(self) -> float:
        """Eccentricity squared."""
        return 1 - (self.b / self.a) ** 2


AIRY_1830 = Ellipsoid(6377563.396, 6356256.909)
GRS80 = Ellipsoid(6378137.000, 6356752.3141)

# The National Grid's projection (annex A.2 of the guide).
_SCALE = 0.9996012717
_LAT0, _LON0 = radians(49), radians(-2)
_E0, _N0 = 400_000.0, -100_000.0

# OSGB36 to WGS84: the published parameters with their signs turned.
_TX, _TY, _TZ = 446.448, -125.157, 542.060
_S = -20.4894e-6
_RX, _RY, _RZ = (radians(seconds / 3600) for seconds in (0.1502, 0.2470, 0.8421))


def to_osgb36(easting: float, northing: float) -> tuple[float, float]:
    """Latitude and longitude in degrees on the Airy ellipsoid, as old maps have them (annex C.2)."""
    a, b, e2 = AIRY_1830.a, AIRY_1830.b, AIRY_1830.e2
    n = (a - b) / (a + b)
    lat, arc = _LAT0, 0.0
    while True:
        lat += (northing - _N0 - arc) / (a * _SCALE)
        arc = _meridional_arc(b, n, lat)
        if abs(northing - _N0 - arc) < 0.00001:
            break
    nu = a * _SCALE / sqrt(1 - e2 * sin(lat) ** 2)
    rho = a * _SCALE * (1 - e2) * (1 - e2 * sin(lat) ** 2) ** -1.5
    eta2 = nu / rho - 1
    t, sec = tan(lat), 1 / cos(lat)
    vii = t / (2 * rho * nu)
    viii = t / (24 * rho * nu**3) * (5 + 3 * t**2 + eta2 - 9 * t**2 * eta2)
    ix = t / (720 * rho * nu**5) * (61 + 90 * t**2 + 45 * t**4)
    x = sec / nu
    xi = sec / (6 * nu**3) * (nu / rho + 2 * t**2)
    xii = sec / (120 * nu**5) * (5 + 28 * t**2 + 24 * t**4)
    xiia = sec / (5040 * nu**7) * (61 + 662 * t**2 + 1320 * t**4 + 720 * t**6)
    d = easting - _E0
    return (
        degrees(lat - vii * d**2 + viii * d**4 - ix * d**6),
        degrees(_LON0 + x * d - xi * d**3 + xii * d**5 - xiia * d**7),
    )


def _meridional_arc(b: float, n: float, lat: float) -> float:
    less, more = lat - _LAT0, lat + _LAT0
    return (
        b
        * _SCALE
        * (
            (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * sin(less) * cos(more)
            + (15 / 8 * n**2 + 15 / 8 * n**3) * sin(2 * less) * cos(2 * more)
            - 35 / 24 * n**3 * sin(3 * less) * cos(3 * more)
        )
    )


def to_wgs84(easting: float, northing: float) -> tuple[float, float]:
    """Latitude and longitude in degrees, as phones and maps of today have them."""
    lat, lon = (radians(value) for value in to_osgb36(easting, northing))
    return _from_cartesian(*_helmert(*_to_cartesian(lat, lon, AIRY_1830)))


def _to_cartesian(lat: float, lon: float, shape: Ellipsoid) -> tuple[float, float, float]:
    nu = shape.a / sqrt(1 - shape.e2 * sin(lat) ** 2)
    return (nu * cos(lat) * cos(lon), nu * cos(lat) * sin(lon), (1 - shape.e2) * nu * sin(lat))


def _helmert(x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        _TX + (1 + _S) * x - _RZ * y + _RY * z,
        _TY + _RZ * x + (1 + _S) * y - _RX * z,
        _TZ - _RY * x + _RX * y + (1 + _S) * z,
    )


def _from_cartesian(x: float, y: float, z: float) -> tuple[float, float]:
    e2, p = GRS80.e2, hypot(x, y)
    lat = atan2(z, p * (1 - e2))
    for _ in range(10):
        nu = GRS80.a / sqrt(1 - e2 * sin(lat) ** 2)
        lat = atan2(z + e2 * nu * sin(lat), p)
    return degrees(lat), degrees(atan2(y, x))
