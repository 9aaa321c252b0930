"""Faults that lie between keys: a shift of nobody, a ladder that goes down, one phone of two people.

Written on the plain values of the file, not on the models, so that they are found and reported in the
same reading as everything else; values whose own spelling is at fault are passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, TypeVar

from rapid_response.core.definition import KEPT_MONTHS, RungAction
from rapid_response.core.vocabulary import RetentionClass
from rapid_response.definition.durations import months_text, parse_duration, parse_months
from rapid_response.definition.faults import Path, shown
from rapid_response.definition.values import OFFER_TO, RECIPIENTS, Weekday, one_line, parse_share
from rapid_response.definition.wallclock import parse_hours, parse_moment, parse_moment_end

Found = Iterator[tuple[Path, str]]
T = TypeVar("T")


def cross_faults(data: object) -> Found:
    """Where and what, for everything that does not fit together."""
    for check in (
        _repeats,
        _responders,
        _neighbours,
        _wards,
        _names_on_the_rota,
        _dated_shifts,
        _ladder,
        _warnings,
        _coverage,
        _retention,
    ):
        yield from check(data)


# ---------------------------------------------------------------- lists and references


def _repeats(data: object) -> Found:
    plain = [
        ("service", "area", "wards"),
        ("service", "area", "postcode_districts"),
        ("sla", "holidays"),
        ("lone_worker", "then"),
        ("on_call",),
    ]
    rows: list[Path] = [
        (*path, key) for key in ("skills", "wards", "roles") for path, _ in _rows(data, "responders")
    ]
    rows += [(*path, "days") for path, _ in _rows(data, "rota")]
    rows += [(*path, "by") for path, _ in _rows(data, "escalation")]
    for path in (*plain, *rows):
        seen: set[str] = set()
        for here, text in _texts(data, path):
            if text.casefold() in seen:
                yield here, f"{shown(text)} is listed twice. Keep one"
            seen.add(text.casefold())


def _neighbours(data: object) -> Found:
    """Each authority belongs to one service, and our own to none of the neighbours."""
    ids: set[str] = set()
    taken = {text: "ours" for _, text in _texts(data, ("service", "area", "authority"))}
    for path, row in _rows(data, "neighbours"):
        name = row.get("id")
        if isinstance(name, str):
            if name in ids:
                yield (*path, "id"), f"{shown(name)} is the id of another neighbour too. Choose another"
            ids.add(name)
        for here, code in _texts(data, (*path, "authorities")):
            if code in taken:
                yield here, f"{shown(code)} is {taken[code]} already. Keep one"
            taken.setdefault(code, f"listed with {name}")


def _responders(data: object) -> Found:
    ids: set[str] = set()
    owners: dict[str, int] = {}
    for n, (path, row) in enumerate(_rows(data, "responders")):
        name = row.get("id")
        if isinstance(name, str):
            if name in ids:
                yield (*path, "id"), f"{shown(name)} is the id of another responder too. Choose another"
            ids.add(name)
        phones = row.get("phones")
        if not isinstance(phones, dict):
            continue
        yield from _second_numbers((*path, "phones"), phones)
        for key in ("sms", "second_sms", "voice", "second_voice"):
            number = phones.get(key)
            if isinstance(number, str) and owners.setdefault(number, n) != n:
                message = (
                    f"{number} is another responder’s number too. A reply from it could be either’s; keep one"
                )
                yield (*path, "phones", key), message


def _second_numbers(path: Path, phones: dict[str, object]) -> Found:
    if all(phones.get(key) is None for key in ("sms", "voice")):
        yield path, "has no number. Give “sms”, “voice” or both"
    for kind in ("sms", "voice"):
        first, second = phones.get(kind), phones.get(f"second_{kind}")
        if second is not None and first is None:
            yield (*path, f"second_{kind}"), f"is a second number without a first. Call it “{kind}”"
        elif second is not None and second == first:
            yield (*path, f"second_{kind}"), f"is the same as “{kind}”. Take it out"


def _wards(data: object) -> Found:
    known = [_read(one_line, text) or text for _, text in _texts(data, ("service", "area", "wards"))]
    if not known:
        return  # that is the fault, and reported as such
    for path, _ in _rows(data, "responders"):
        for here, ward in _texts(data, (*path, "wards")):
            if _read(one_line, ward) not in known:
                advice = _meant(ward, known, "Add it there, or take it out here")
                yield here, f"{shown(ward)} is not in service.area.wards. {advice}"


def _names_on_the_rota(data: object) -> Found:
    if not isinstance(_at(data, ("responders",)), list):
        return  # that is the fault, and reported as such
    known = [name for _, row in _rows(data, "responders") if isinstance(name := row.get("id"), str)]
    places = [((*path, "responder"), row.get("responder")) for path, row in _rows(data, "rota")]
    places += list(_texts(data, ("on_call",)))
    for path, name in places:
        if isinstance(name, str) and name not in known:
            advice = _meant(name, known, "Add the responder, or take the name out here")
            yield path, f"{shown(name)} is no responder’s id. {advice}"


def _meant(word: str, known: list[str], otherwise: str) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean “{near[0]}”?" if near else otherwise


# ---------------------------------------------------------------- times


def _dated_shifts(data: object) -> Found:
    for path, row in _rows(data, "rota"):
        starts: datetime | None = _read(parse_moment, row.get("from"))
        ends: datetime | None = _read(parse_moment_end, row.get("to"))
        if "days" not in row and starts and ends and ends <= starts:
            yield (*path, "to"), "is not after “from”. A shift past midnight ends on the next date"


def _coverage(data: object) -> Found:
    week = _at(data, ("sla", "coverage"))
    if not isinstance(week, dict):
        return
    if not any(week.get(day.value) for day in Weekday):
        yield ("sla", "coverage"), "has no opening hours. Write at least one day, or “always”"
    for day in Weekday:
        read: list[tuple[tuple[time, time], Path]] = []
        for here, text in _texts(data, ("sla", "coverage", day.value)):
            hours = _read(parse_hours, text)
            if hours:
                read.append((hours, here))
        read.sort()
        for (before, _), (after, here) in pairwise(read):
            if after[0] < before[1]:
                yield here, "overlaps other hours of the day. Write them as one"


def _warnings(data: object) -> Found:
    last = 0.0
    for here, text in _texts(data, ("sla", "warn_at")):
        share = _read(parse_share, text)
        if share is not None and share <= last:
            yield here, f"{text} does not come after {last * 100:g}%. List the shares in rising order"
        last = max(last, share or last)


# ---------------------------------------------------------------- the ladder


def _ladder(data: object) -> Found:
    last = timedelta()
    actions = []
    for path, row in _rows(data, "escalation"):
        after = _read(parse_duration, row.get("after"))
        if after is not None and after < last:
            yield (*path, "after"), "is earlier than the step before it. List the steps in rising order"
        last = max(last, after or last)
        action = next((a for a in RungAction if a == row.get("action")), None)
        actions.append(row.get("action"))
        if action is not None:
            yield from _rung(path, row, action)
    if actions and RungAction.OFFER not in actions:
        yield (
            ("escalation",),
            "offers the job to nobody. Add a step with “action: offer” and “to: best_responder”",
        )


def _rung(path: Path, row: dict[str, object], action: RungAction) -> Found:
    to = row.get("to")
    if to not in RECIPIENTS[action] and any(to in names for names in RECIPIENTS.values()):
        fitting = ", ".join(RECIPIENTS[action])
        yield (*path, "to"), f"{shown(to)} does not fit “{action}”. Write one of: {fitting}"
    if action is RungAction.OFFER:
        if row.get("answer_within") is None:
            yield (*path, "answer_within"), "is missing. Say how long an answer may take, such as PT5M"
        if row.get("by") is not None:
            yield (*path, "by"), "belongs to notices; offers go out by text, then by voice. Take it out"
    elif row.get("answer_within") is not None:
        yield (*path, "answer_within"), f"belongs to offers ({' or '.join(OFFER_TO)}). Take it out"


# ---------------------------------------------------------------- looking about in plain values


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _rows(data: object, key: str) -> Iterator[tuple[Path, dict[str, object]]]:
    rows = _at(data, (key,))
    for n, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            yield (key, n), row


def _texts(data: object, path: Path) -> Iterator[tuple[Path, str]]:
    values = _at(data, path)
    if isinstance(values, str):  # a single entry, where the brackets may be left out
        yield path, values
    for n, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, str):
            yield (*path, n), value


def _read(parse: Callable[[Any], T], value: object) -> T | None:
    try:
        return parse(value)
    except (ValueError, TypeError):
        return None


# ---------------------------------------------------------------- retention

#: For so long a victim, an address or a suspect counts as known before.
_REPEATS_WITHIN_MONTHS = 12


def _retention(data: object) -> Found:
    """What is looked up for a year is kept for a year; what social care knows of, no less than any other."""
    given = data.get("retention") if isinstance(data, dict) else None
    if not isinstance(given, dict):
        return
    kept = {name: _read(parse_months, given.get(name)) for name in ("incident", "safeguarding")}
    incident = kept["incident"] or KEPT_MONTHS[RetentionClass.INCIDENT]
    safeguarding = kept["safeguarding"] or KEPT_MONTHS[RetentionClass.SAFEGUARDING]
    if kept["incident"] and incident < _REPEATS_WITHIN_MONTHS:
        message = "is under a year, for which repeat victims are known. Write at least P1Y"
        yield ("retention", "incident"), message
    if safeguarding < incident:
        name = "safeguarding" if kept["safeguarding"] else "incident"
        least = months_text(incident)
        yield (
            ("retention", name),
            f"keeps what adult social care knows of for less than other incidents. Write at least {least}"
            " for “safeguarding”",
        )
