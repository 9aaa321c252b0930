"""What a caller is told when the home is not in our area, or the service is closed: the truth, and who helps.

Words for whoever reads them out, or reads them on the public form. 999 and 159 hold everywhere and always.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.core.definition import Neighbour
from rapid_response.core.vocabulary import Area
from rapid_response.messaging.numbers import phone_words

_DANGER = "If anybody is in danger, or a suspect is there or coming, ring 999 now. It works everywhere."
_MONEY = "If money has gone by bank or card, ring 159, or the number on the card, at once."


def out_of_area(neighbour: Neighbour | None, authority_name: str | None) -> tuple[str, ...]:
    """The home lies elsewhere: whose it is, and that we pass it on ourselves."""
    whose = neighbour.name if neighbour else authority_name
    place = f"in the area of {whose}" if whose else "in another council’s area"
    said = [
        f"The address is {place}, so their officers come, not ours.",
        "We have written down what you said, and we pass it on to them ourselves. We do not send you away.",
    ]
    if neighbour and neighbour.phone:
        said.append(f"You can also ring {neighbour.name} yourself: {phone_words(neighbour.phone)}.")
    elif not neighbour:
        said.append("You can also ring the Citizens Advice consumer service: 0808 223 1133.")
    return (*said, _DANGER, _MONEY)


def out_of_hours(opens_at: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """Nobody of ours comes before the service opens: when that is, and who helps until then."""
    local = opens_at.astimezone(zone)
    at = f"{local:%A} {local.day} {local:%B} at {local:%H:%M}"
    return (
        f"The service is closed now. It opens on {at}: nobody of ours comes before that. "
        "Then the most urgent reports come first.",
        _DANGER,
        _MONEY,
    )


def place_not_known(did_you_mean: Sequence[str]) -> tuple[str, ...]:
    """The postcode is not one that we know: perhaps it was meant otherwise. It stops nothing."""
    return tuple(f"Did you mean {postcode}?" for postcode in did_you_mean[:2])


def to_say(
    area: Area,
    *,
    neighbour: Neighbour | None,
    authority_name: str | None,
    opens_at: datetime | None,
    zone: ZoneInfo,
    suggestions: Sequence[str] = (),
) -> tuple[str, ...]:
    """All that is to be said of place and time, once each; nothing where the case takes its usual way."""
    said: tuple[str, ...] = place_not_known(suggestions)
    if area is Area.OUTSIDE:
        said += out_of_area(neighbour, authority_name)
    elif opens_at is not None:
        said += out_of_hours(opens_at, zone)
    return tuple(dict.fromkeys(said))
