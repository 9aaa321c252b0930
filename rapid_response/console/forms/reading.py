"""Reading a form field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from rapid_response.console.forms.posted import LINE_LIMIT, NO, YES, FieldError, Filled, Parsed, Posted
from rapid_response.console.when import NotATime, Side, read_when
from rapid_response.console.words import field_words
from rapid_response.messaging.numbers import normalise_number

#: Two clocks, and the minute that somebody types, are never quite the same.
FUTURE_TOLERANCE = timedelta(minutes=5)


NO_LABELS: Mapping[str, str] = {}


def label_of(path: str, labels: Mapping[str, str] = NO_LABELS) -> str:
    """A field as its form calls it, quoted: in a list of faults nothing else says which one it is."""
    return f"“{labels.get(path) or field_words(path)}”"


def too_long(path: str, limit: int, labels: Mapping[str, str] = NO_LABELS) -> str:
    """What to say of a field with too much in it."""
    return f"{label_of(path, labels)}: make this {limit:,} characters or fewer"


class Reading:
    """Collects a body and its errors; each method reads one field.

    `labels` are the form's own words for its fields, where they differ from those of a case.
    """

    def __init__(
        self,
        posted: Posted,
        now: datetime | None = None,
        zone: ZoneInfo | None = None,
        labels: Mapping[str, str] = NO_LABELS,
    ) -> None:
        self.posted, self.now, self.zone, self.labels = posted, now, zone, labels
        self.body: dict[str, Any] = {}
        self.errors: list[FieldError] = []

    def put(self, path: str, value: object) -> None:
        """Set a value by its dotted path."""
        *parents, last = path.split(".")
        level = self.body
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value

    def fail(self, name: str, message: str) -> None:
        self.errors.append(FieldError(name, message))

    def text(self, path: str, missing: str | None = None, limit: int = LINE_LIMIT) -> None:
        """A text; `missing` is what to say when it must not be empty."""
        value = self.posted.text(path)
        if len(value) > limit:
            self.fail(path, f"{too_long(path, limit, self.labels)}. It has {len(value):,}")
        elif value:
            self.put(path, value)
        elif missing is not None:
            self.fail(path, missing)

    def yes_no(self, path: str) -> None:
        """Yes, no, or (as by default) not known, which is left out."""
        value = self.posted.text(path)
        if value in (YES, NO):
            self.put(path, value == YES)

    def choice(self, path: str, enum: type[StrEnum], missing: str | None = None) -> None:
        value = self.posted.text(path)
        if value in {member.value for member in enum}:
            self.put(path, value)
        elif value or missing is not None:
            self.fail(path, missing or "Choose one of the list")

    def phone(self, path: str) -> None:
        """A phone number, which somebody may be waiting to be rung on: whole, with its area code."""
        value = self.posted.text(path)
        if not value:
            return
        if (number := normalise_number(value)) is None:
            like = "It should look like 020 7946 0018 or 07700 900123, without words or an extension"
            self.fail(path, f"{label_of(path, self.labels)}: check the phone number. {like}")
        else:
            self.put(path, number)

    def number(self, path: str, low: int, high: int, wrong: str) -> None:
        value = self.posted.text(path)
        if not value:
            return
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            self.put(path, int(value))
        else:
            self.fail(path, wrong)

    def when(self, path: str, side: Side) -> None:
        value = self.posted.text(path)
        if not value:
            return
        if self.now is None or self.zone is None:
            raise ValueError("a form with times is read with the time and the zone")
        try:
            moment = read_when(value, now=self.now, zone=self.zone, side=side)
        except (NotATime, OverflowError) as problem:
            said = str(problem)
            self.fail(path, f"{label_of(path, self.labels)}: {said[:1].lower()}{said[1:]}")
            return
        if side is Side.PAST and moment > self.now + FUTURE_TOLERANCE:
            label = label_of(path, self.labels)
            self.fail(path, f"{label}: this time is still to come. Check it: write when it was")
        else:
            self.put(path, moment.isoformat())

    def pounds(self, path: str) -> None:
        value = self.posted.text(path)
        if not value:
            return
        try:
            self.put(path, read_pounds(value))
        except ValueError as problem:
            self.fail(path, str(problem))

    def done(self, **extra: Any) -> Parsed:
        return Parsed(self.body, Filled(self.posted.values, tuple(self.errors)), labels=self.labels, **extra)


def read_pounds(text: str) -> int | float:
    """Pounds as typed: `£1,200.50`, `4k`; a whole sum stays a whole number."""
    words = text.strip().lower().replace("£", "").replace(",", "").replace(" ", "").removesuffix("pounds")
    factor = 1
    if words.endswith("k"):
        words, factor = words[:-1], 1000
    try:
        amount = Decimal(words) * factor
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10_000_000 or amount != round(amount, 2):
        raise ValueError("Write the sum in pounds, like 450 or 1,200.50")
    return int(amount) if amount == int(amount) else float(amount)
