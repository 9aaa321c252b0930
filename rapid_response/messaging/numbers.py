"""Phone numbers as people write them, into E.164 as the rest of the product keeps them.

*Possible* is enough: Ofcom's numbers for drama, which tests and demonstrations use, are never *valid*.
"""

from __future__ import annotations

import phonenumbers

from rapid_response.core.numbers import is_uk_mobile as is_uk_mobile

_BRITISH = 44


def normalise_number(text: str) -> str | None:
    """The number in E.164, read as a UK one where no country is given; None where it cannot be one.

    Sender names, short codes, `anonymous` and the like are None: nobody can be recognised by them. So is what
    has letters in it: as the keys of a telephone they would be a number that nobody meant, and an extension
    is not dialled.
    """
    written = text.strip().removeprefix("tel:")
    if any(letter.isalpha() for letter in written):
        return None
    try:
        number = phonenumbers.parse(written, "GB")
    except phonenumbers.NumberParseException:
        return None
    # Stricter than is_possible_number, which also passes numbers that lack their area code.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    # British numbers of seven digits are a few public services' (0800 1111), or lack theirs as well.
    is_short = number.country_code == _BRITISH and (number.national_number or 0) < 10**8
    if is_short and not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_words(number: str) -> str:
    """`020 7946 0018`, as a person says it; what is no number stays as it is."""
    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return number
    british = parsed.country_code == _BRITISH
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL if british else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style)
