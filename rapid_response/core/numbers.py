"""What an E.164 number is, as far as its digits say."""

from __future__ import annotations

import re

#: 070 is personal numbering and 076 paging, except 07624 (Isle of Man mobiles): texts to those go nowhere or
#: cost a premium (delivery.md 2.4).
UK_MOBILE_PATTERN = r"^\+447([1-57-9][0-9]{8}|624[0-9]{6})$"
_UK_MOBILE = re.compile(UK_MOBILE_PATTERN)


def is_uk_mobile(number: str) -> bool:
    """Whether an E.164 number can take our texts."""
    return _UK_MOBILE.fullmatch(number) is not None


def masked(number: str) -> str:
    """The number as records may show it: its last three digits."""
    return f"…{number[-3:]}"
