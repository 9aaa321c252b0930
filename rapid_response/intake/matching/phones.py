"""Telephone numbers as people write and read them out, in one form."""

from __future__ import annotations

import re

import phonenumbers

from rapid_response.intake.matching.match import Likeness

_PUNCTUATION = re.compile(r"[\s().\-–/]+")
_EXTENSION = re.compile(r"\s*(?:ext\.?|extension|extn\.?|x|#)\s*\d{1,6}\s*$", re.IGNORECASE)
_TRUNK = re.compile(r"(?<=44)\(?0\)?(?=[1-9])")
_BRITISH = re.compile(r"(?:\+44|0044|44|0)([1-35789]\d{9})")
#: Shared by everybody who rings an organisation, and often faked: equal ones say less.
_SHARED = re.compile(r"\+44(?:80|84|87|3|9)")


def normalise_phone(text: str) -> str | None:
    """The number in E.164 without its extension; None where it cannot be one (withheld, a short code)."""
    bare = _EXTENSION.sub("", text.strip())
    digits = _TRUNK.sub("", _PUNCTUATION.sub("", bare.replace("(0)", "")), count=1)
    if british := _BRITISH.fullmatch(digits):
        return f"+44{british[1]}"
    try:
        number = phonenumbers.parse(bare, "GB")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def compare_phones(one: str, other: str) -> Likeness | None:
    """Two normalised numbers of suspects."""
    if one != other:
        return None
    if _SHARED.match(one):
        return Likeness(0.7, "same phone number, of a kind that is often faked")
    return Likeness(0.95, "same phone number")
