"""Phone numbers in E.164. *Possible* is enough: Ofcom's numbers for drama are never *valid*."""

from __future__ import annotations

import re

import phonenumbers

from rapid_response.core.numbers import UK_MOBILE_PATTERN, is_uk_mobile
from rapid_response.definition.faults import shown

PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$"
MOBILE_PATTERN = UK_MOBILE_PATTERN

_DRAMA = re.compile(
    r"\+44(?:7700900\d{3}|2079460\d{3}|1632960\d{3}|3069990\d{3}|8081570\d{3}|9098790\d{3}"
    r"|(?:113|114|115|116|117|118|121|131|141|151|161)4960\d{3}|1914980\d{3}|2890180\d{3}|2896496\d{3}|2920180\d{3})"
)


def parse_phone(value: object) -> str:
    """An E.164 number as it was written; ValueError says how to write it."""
    if not isinstance(value, str) or not re.fullmatch(PHONE_PATTERN, value):
        raise ValueError(
            f"{shown(value)} is not an international phone number. Write it with its country code and "
            f"without spaces, such as {_suggestion(value)}"
        )
    if not _is_possible(value):
        raise ValueError(f"{value} has too few or too many digits for a phone number. Check it")
    return value


def parse_mobile(value: object) -> str:
    """As :func:`parse_phone`, and able to take texts: a UK mobile, not 070 (personal) or 076 (pagers)."""
    number = parse_phone(value)
    if not number.startswith("+447") or (number.startswith(("+4470", "+4476")) and not is_uk_mobile(number)):
        raise ValueError(f"{number} cannot take texts. Write a mobile number, +447…, or move it to “voice”")
    if not is_uk_mobile(number):
        raise ValueError(f"{number} has too few or too many digits for a UK mobile number. Check it")
    return number


def is_reserved_for_drama(number: str) -> bool:
    """Whether Ofcom keeps the number for films and samples, so that nobody can be reached by it."""
    return _DRAMA.fullmatch(number) is not None


def _is_possible(value: str) -> bool:
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return False
    # Stricter than is_possible_number, which also passes numbers that lack their area code.
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def _suggestion(value: object) -> str:
    try:
        number = phonenumbers.parse(value if isinstance(value, str) else "", "GB")
    except phonenumbers.NumberParseException:
        return "+447700900101"
    if not phonenumbers.is_possible_number(number):
        return "+447700900101"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
