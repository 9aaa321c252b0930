"""What a load changes, in plain words; responders go by their ids, and no private number is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rapid_response.core.definition import RungAction
from rapid_response.definition.durations import in_words, months_in_words
from rapid_response.definition.schema import (
    Contacts,
    LoneWorker,
    Responder,
    Retention,
    Rung,
    ServiceFile,
    Shift,
    Sla,
    WeekHours,
    WeeklyShift,
)
from rapid_response.definition.values import Weekday
from rapid_response.definition.wallclock import hours_text, moment_text, time_text


def changes(old: ServiceFile | None, new: ServiceFile) -> list[str]:
    """One line for each change, in the order of the file; none when loading it changes nothing."""
    if old is None:
        people, lines, steps = len(new.responders), len(new.rota), len(new.escalation)
        size = f"{people} responders, {lines} rota lines, {steps} escalation steps"
        return [f"new service: {new.service.name} ({size})"]
    said = [*_service(old, new), *_promise(old.sla, new.sla)]
    said += _value("lone_worker", _alone(old.lone_worker), _alone(new.lone_worker))
    said += _number("lone_worker.duress_word", _duress(old.lone_worker), _duress(new.lone_worker))
    said += [*_people(old, new), *_rota(old.rota, new.rota), *_ladder(old.escalation, new.escalation)]
    said += _value("on_call", _listed(old.on_call), _listed(new.on_call))
    said += _contacts(old.contacts, new.contacts)
    said += _neighbours(old, new)
    said += _retention(old.retention, new.retention)
    if not said and old != new:
        said.append("written in another order or another way; it means the same")
    return said


# ---------------------------------------------------------------- by section


def _service(old: ServiceFile, new: ServiceFile) -> Iterator[str]:
    yield from _value("service.name", old.service.name, new.service.name)
    yield from _entries("ward", old.service.area.wards, new.service.area.wards)
    yield from _entries(
        "postcode district", old.service.area.postcode_districts, new.service.area.postcode_districts
    )
    yield from _value("service.hotline", old.service.hotline, new.service.hotline)
    desks = (old.service.desk_rings, new.service.desk_rings)
    yield from _value("service.desk_rings", *(desk or "nobody" for desk in desks))
    tests = (old.service.test_text_at_shift_start, new.service.test_text_at_shift_start)
    yield from _value("service.test_text_at_shift_start", *("on" if on else "off" for on in tests))


def _promise(old: Sla, new: Sla) -> Iterator[str]:
    yield from _value("sla.respond_within", in_words(old.respond_within), in_words(new.respond_within))
    yield from _value("sla.accept_within", in_words(old.accept_within), in_words(new.accept_within))
    yield from _value("sla.warn_at", _shares(old.warn_at), _shares(new.warn_at))
    yield from _value("sla.coverage", _week(old.coverage), _week(new.coverage))
    yield from _entries("holiday", map(str, old.holidays), map(str, new.holidays))
    yield from _value("sla.joint_attendance", old.joint_attendance, new.joint_attendance)


def _people(old: ServiceFile, new: ServiceFile) -> Iterator[str]:
    before = {responder.id: responder for responder in old.responders}
    after = {responder.id: responder for responder in new.responders}
    yield from _entries("responder", before, after)
    for name, responder in after.items():
        if name in before:
            yield from _person(before[name], responder)


def _person(old: Responder, new: Responder) -> Iterator[str]:
    whose = f"responder {new.id}"
    if old.name != new.name:
        yield f"{whose}: name changed"
    for key in ("sms", "second_sms", "voice", "second_voice"):
        yield from _number(f"{whose}: phones.{key}", getattr(old.phones, key), getattr(new.phones, key))
    for key in ("skills", "wards", "roles"):
        yield from _value(
            f"{whose}: {key}", _listed(sorted(getattr(old, key))), _listed(sorted(getattr(new, key)))
        )


def _rota(old: Iterable[Shift], new: Iterable[Shift]) -> Iterator[str]:
    yield from _entries("shift", map(_shift, old), map(_shift, new))


def _ladder(old: tuple[Rung, ...], new: tuple[Rung, ...]) -> Iterator[str]:
    for n in range(max(len(old), len(new))):
        before = _step(old[n]) if n < len(old) else "none"
        after = _step(new[n]) if n < len(new) else "none"
        yield from _value(f"escalation step {n + 1}", before, after)


def _neighbours(old: ServiceFile, new: ServiceFile) -> Iterator[str]:
    before, after = ({n.id: n for n in service.neighbours} for service in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            how = "new" if name not in before else "gone" if name not in after else "changed"
            yield f"neighbour {name}: {how}"


def _retention(old: Retention, new: Retention) -> Iterator[str]:
    for kept in Retention.model_fields:
        before, after = getattr(old, kept), getattr(new, kept)
        words = in_words if kept == "texts" else months_in_words
        yield from _value(f"retention.{kept}", words(before), words(after))


def _contacts(old: Contacts, new: Contacts) -> Iterator[str]:
    for role in Contacts.model_fields:
        yield from _number(f"contacts.{role}", getattr(old, role), getattr(new, role))


# ---------------------------------------------------------------- how a change is put


def _value(field: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        yield f"{field}: {old} -> {new}"


def _number(field: str, old: str | None, new: str | None) -> Iterator[str]:
    """What is private stays out of logs and terminals: only that it changed is said."""
    if old != new:
        yield f"{field}: {'added' if old is None else 'removed' if new is None else 'changed'}"


def _entries(what: str, old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    before, after = Counter(list(old)), Counter(list(new))
    for entry in (after - before).elements():
        yield f"added {what} {entry}"
    for entry in (before - after).elements():
        yield f"removed {what} {entry}"


# ---------------------------------------------------------------- how a value is put


def _listed(entries: Iterable[str]) -> str:
    return ", ".join(entries) or "none"


def _shares(shares: Iterable[float]) -> str:
    return _listed(f"{share * 100:g}%" for share in shares)


def _week(coverage: WeekHours | str) -> str:
    if isinstance(coverage, str):
        return coverage
    hours = ((day, _listed(map(hours_text, coverage.of(day)))) for day in Weekday if coverage.of(day))
    return "; ".join(f"{day} {text}" for day, text in hours)


def _alone(alone: LoneWorker | None) -> str:
    if alone is None:
        return "none"
    return f"check in every {in_words(alone.check_in_every)}, then {_listed(alone.then)}"


def _duress(alone: LoneWorker | None) -> str | None:
    """Compared, and like a private number never said."""
    return alone.duress_word if alone else None


def _shift(shift: Shift) -> str:
    if isinstance(shift, WeeklyShift):
        days = " ".join(day for day in Weekday if day in shift.days)
        return f"{shift.responder} {days} {time_text(shift.starts)}-{time_text(shift.ends)}"
    off = " off" if shift.off else ""
    return f"{shift.responder}{off} {moment_text(shift.starts)} to {moment_text(shift.ends)}"


def _step(rung: Rung) -> str:
    if rung.action is RungAction.NOTIFY:
        return f"after {in_words(rung.after)} tell {rung.to} by {_listed(rung.to_core().by)}"
    answer = in_words(rung.answer_within) if rung.answer_within else "no time"
    return f"after {in_words(rung.after)} offer to {rung.to}, {answer} to answer"
