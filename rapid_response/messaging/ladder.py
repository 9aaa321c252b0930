"""The ladder inside one offer to one person (delivery.md 7): which number, by text or by voice, and when.

Pure. A rung begins at its time, or when the one before it has definitely failed; all end when the job is
taken. Texts come first because they carry the job's number; a voice is independent of the text's path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from rapid_response.core.definition import Responder
from rapid_response.core.states import MessageChannel


class Way(StrEnum):
    """One way to a person; NEXT is none of hers any more: the next person is asked."""

    SMS1 = "sms1"
    SMS2 = "sms2"
    VOICE1 = "voice1"
    VOICE2 = "voice2"
    NEXT = "next"

    @property
    def is_call(self) -> bool:
        """Whether it rings."""
        return self in (Way.VOICE1, Way.VOICE2)


def _times(*seconds: int) -> Mapping[Way, timedelta]:
    return {way: timedelta(seconds=s) for way, s in zip(Way, seconds, strict=False)}


#: From the making of the offer: with somebody at the door, and otherwise.
URGENT, OTHER = _times(0, 60, 90, 150), _times(0, 120, 180, 240)
#: Shorter answer times compress the rungs in proportion to this, but nobody is rung before then.
NOMINAL_ANSWER = timedelta(seconds=300)
EARLIEST_CALL = timedelta(seconds=45)
#: Texts that arrive late let the call come earlier by so much (delivery.md 6.3).
WHEN_SLOW = timedelta(seconds=60)
#: How long a phone is let ring, before another is rung.
RINGS_FOR = timedelta(seconds=25)
#: One call to one person in so long, whatever the number.
CALLS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Address:
    """A number of a person, with what is known against it."""

    way: Way
    number: str
    is_suspect: bool = False
    has_opted_out: bool = False

    @property
    def channel(self) -> MessageChannel:
        return MessageChannel.VOICE if self.way.is_call else MessageChannel.SMS


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: that way, so long after the offer was made."""

    address: Address
    after: timedelta


def addresses(person: Responder) -> tuple[Address, ...]:
    """All ways to a person, in the order of the ladder."""
    numbers = (person.sms, person.second_sms, person.voice, person.second_voice)
    return tuple(Address(way, number) for way, number in zip(Way, numbers, strict=False) if number)


def plan(
    ways: Sequence[Address],
    *,
    urgent: bool,
    answer_within: timedelta | None = None,
    slow: bool = False,
    last: Way = Way.VOICE2,
) -> tuple[Rung, ...]:
    """The rungs, soonest first. The first is always at once; empty only when there is no number at all.

    A number that opted out is passed over where there is another; a suspect one comes last.
    """
    wanted = [a for a in ways if list(Way).index(a.way) <= list(Way).index(last)]
    usable = [a for a in wanted if not a.has_opted_out] or wanted
    good = [a for a in usable if not a.is_suspect] or usable
    if not good:
        return ()
    first = next((a for a in good if not a.way.is_call), good[0])
    table = URGENT if urgent else OTHER
    starts = timedelta() if not first.way.is_call else table[first.way]
    rungs = [Rung(first, timedelta())]
    rungs += [Rung(a, _earlier(table[a.way] - starts, a, slow)) for a in good if a is not first]
    rungs += [Rung(a, table[Way.VOICE2]) for a in usable if a not in good]
    ordered = sorted(rungs, key=lambda rung: rung.after)
    return tuple(_compressed(ordered, answer_within)) if answer_within is not None else tuple(ordered)


def _earlier(after: timedelta, address: Address, slow: bool) -> timedelta:
    if not address.way.is_call:
        return after
    return max(after - WHEN_SLOW, EARLIEST_CALL) if slow else after


def _compressed(rungs: Sequence[Rung], answer_within: timedelta) -> list[Rung]:
    if rungs[-1].after >= answer_within:
        share = min(1.0, answer_within / NOMINAL_ANSWER)
        rungs = [replace(rung, after=_not_too_soon(rung, rung.after * share)) for rung in rungs]
    return [rung for rung in _one_by_one(rungs) if rung.after < answer_within]


def _one_by_one(rungs: Sequence[Rung]) -> list[Rung]:
    """No two calls ring at once: the second must see that the first has rung out."""
    apart: list[Rung] = []
    earliest = timedelta()
    for rung in rungs:
        if rung.address.way.is_call:
            rung = replace(rung, after=max(rung.after, earliest))
            earliest = rung.after + RINGS_FOR
        apart.append(rung)
    return sorted(apart, key=lambda rung: rung.after)


def _not_too_soon(rung: Rung, after: timedelta) -> timedelta:
    return max(after, EARLIEST_CALL) if rung.address.way.is_call and rung.after else after
