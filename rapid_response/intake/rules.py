"""How urgent a report is: rules R01 to R18 and the escalators, evaluated from `triage_rules.yaml`.

Sources: domain.md 3.2 (the rules), design.md 6 (facts decide, urgency never does, unknown never lowers),
domain.md 3.4 (needed by). Pure: the data file is read once, at import, and time is passed in.

How the windows are measured: what has happened is dated back from `received_at`, so that our own queue
never makes a report less urgent; what is expected is counted from `now`, so that waiting makes it more so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import yaml

from rapid_response.core.facts import (
    BOOLEAN_FACTS,
    COMING,
    FACT_NAMES,
    IMPLIED_BY,
    TIME_FACTS,
    VULNERABILITY_FACTS,
    Facts,
    implied,
    is_stale,
)
from rapid_response.core.vocabulary import Category, Channel, Priority
from rapid_response.intake.reading.port import Matter

LONDON = ZoneInfo("Europe/London")
#: E03: a loss or exposure above this raises (domain.md 3.2; a service may set another sum). Pence.
HIGH_LOSS_PENCE = 500_000
#: Help must be there this long before the suspect, the courier or the payment (domain.md 3.4).
HEAD_START = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageCase:
    """What a decision is made from. A victim's age is not in it: age alone changes nothing.

    `facts` are merged already (core.facts.merge, :func:`either`); `answered` names those that a person
    gave. `vulnerability_known`: somebody asked about vulnerability, whatever the answer. Times are aware.
    """

    facts: Facts
    category: Category
    subtype: str
    matter: Matter
    received_at: datetime
    now: datetime
    answered: frozenset[str] = frozenset()
    channel: Channel | None = None
    vulnerability_known: bool = False
    supporter_present: bool = False
    repeat_victim: bool = False
    repeat_address: bool = False
    repeat_suspect: bool = False
    contact_again_24h: bool = False
    loss_pence: int | None = None
    zone: ZoneInfo = LONDON


@dataclass(frozen=True, slots=True)
class Decision:
    """The priority and why. `provisional`: R18, a person decides within ten minutes.

    `from_text_alone`: P4 with nothing answered by a person, so a person looks before it rests.
    `needed_event_at`: the earliest known time at which the suspect, a courier or a payment is due.
    """

    priority: Priority
    rule_id: str
    rules_version: str
    facts_used: tuple[str, ...]
    escalators: tuple[str, ...]
    provisional: bool
    from_text_alone: bool
    needed_event_at: datetime | None


# ---- what a condition sees

#: Expected events: the fact, and the time that belongs to it.
_EXPECTED = (*COMING.items(), ("payment_pending", "payment_due_at"))
_FLAGS = ("supporter_present", "repeat_victim", "repeat_address", "repeat_suspect", "contact_again_24h")
_ATTRIBUTES = ("category", "subtype", "matter", "payment_method")
_TIMES = (*TIME_FACTS, "payment_due_at")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A case as conditions look at it; `paid_at` still to come is the time a payment is due."""

    case: TriageCase
    high_loss_pence: int = HIGH_LOSS_PENCE
    #: The facts with what follows from them.
    known: Facts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", implied(self.case.facts, self.case.now))

    def value(self, name: str) -> bool | None:
        """A fact (None: unknown), or a circumstance of the case."""
        known: bool | None = getattr(self.case if name in _FLAGS else self.known, name)
        return known

    def because(self, name: str) -> frozenset[str]:
        """The names on which a fact rests: itself, and what implies it where nobody said so."""
        is_said = name not in IMPLIED_BY or getattr(self.case.facts, name) is not None
        return frozenset((name,) if is_said else (name, IMPLIED_BY[name]))

    def attribute(self, name: str) -> str | None:
        owner: object = self.case.facts if name == "payment_method" else self.case
        found: str | None = getattr(owner, name)
        return found

    def time(self, name: str) -> datetime | None:
        facts = self.case.facts
        if name in ("paid_at", "payment_due_at"):
            at = facts.paid_at
            is_due = at is not None and at > self.case.now
            return at if is_due == (name == "payment_due_at") else None
        found: datetime | None = getattr(facts, name)
        return found

    def asserts(self, fact: str, at: str) -> bool:
        """True, or unknown with a time; an answered time stands even against a "no"."""
        value = self.value(fact)
        if value is True:
            return True
        source = "paid_at" if at == "payment_due_at" else at
        return self.time(at) is not None and (value is None or source in self.case.answered)

    def expected(self, fact: str, at: str) -> bool:
        """Asserted, and not long past."""
        due = self.time(at)
        return self.asserts(fact, at) and not (due is not None and is_stale(due, self.case.now))

    def age(self, at: datetime) -> timedelta:
        return self.case.received_at - at

    def local_day(self, at: datetime) -> date:
        return at.astimezone(self.case.zone).date()


class Condition(Protocol):
    """One condition of the data file."""

    def used(self, seen: _Seen) -> frozenset[str] | None:
        """The names that make it hold; None where it does not hold."""

    def words(self) -> str:
        """As docs/triage.md prints it."""


_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Always:
    def used(self, seen: _Seen) -> frozenset[str] | None:
        return _NOTHING

    def words(self) -> str:
        return "always"


@dataclass(frozen=True, slots=True)
class _Is:
    name: str
    value: bool

    def used(self, seen: _Seen) -> frozenset[str] | None:
        return seen.because(self.name) if seen.value(self.name) is self.value else None

    def words(self) -> str:
        return f"`{self.name}`" if self.value else f"(`{self.name}` is false)"


@dataclass(frozen=True, slots=True)
class _Known:
    at: str

    def used(self, seen: _Seen) -> frozenset[str] | None:
        return frozenset((self.at,)) if seen.time(self.at) is not None else None

    def words(self) -> str:
        return f"`{self.at}` known"


@dataclass(frozen=True, slots=True)
class _Any:
    parts: tuple[Condition, ...]
    group: str | None = None

    def used(self, seen: _Seen) -> frozenset[str] | None:
        held = [used for part in self.parts if (used := part.used(seen)) is not None]
        return _NOTHING.union(*held) if held else None

    def words(self) -> str:
        return f"any of *{self.group}*" if self.group else _join(self.parts, " or ")


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[Condition, ...]

    def used(self, seen: _Seen) -> frozenset[str] | None:
        held = _NOTHING
        for part in self.parts:
            used = part.used(seen)
            if used is None:
                return None
            held |= used
        return held

    def words(self) -> str:
        return _join(self.parts, " and ")


@dataclass(frozen=True, slots=True)
class _None:
    parts: tuple[Condition, ...]

    def used(self, seen: _Seen) -> frozenset[str] | None:
        return _NOTHING if all(part.used(seen) is None for part in self.parts) else None

    def words(self) -> str:
        if len(self.parts) == 1:
            return f"not {_join(self.parts, '')}"
        return f"none of ({_join(self.parts, ', ')})"


@dataclass(frozen=True, slots=True)
class _Was:
    """Happened no longer ago than `within`; without its time, just now."""

    fact: str
    at: str
    within: timedelta

    def used(self, seen: _Seen) -> frozenset[str] | None:
        if not seen.asserts(self.fact, self.at):
            return None
        at = seen.time(self.at)
        if at is None:
            return frozenset((self.fact,))
        return frozenset((self.fact, self.at)) if seen.age(at) <= self.within else None

    def words(self) -> str:
        return f"`{self.fact}` (`{self.at}` within {_span(self.within)} or unknown)"


@dataclass(frozen=True, slots=True)
class _Due:
    """Expected within a span from now, or by the calendar; without its time, at once."""

    fact: str
    at: str
    within: timedelta | None = None
    by: str | None = None

    def used(self, seen: _Seen) -> frozenset[str] | None:
        if not seen.expected(self.fact, self.at):
            return None
        at = seen.time(self.at)
        if at is None:
            return None if self.by == "later" else frozenset((self.fact,))
        return frozenset((self.fact, self.at)) if self._near(seen, at) else None

    def _near(self, seen: _Seen, at: datetime) -> bool:
        if self.within is not None:
            return at - seen.case.now <= self.within
        is_later = seen.local_day(at) > seen.local_day(seen.case.now)
        return is_later == (self.by == "later")

    def words(self) -> str:
        if self.within is not None:
            return f"`{self.fact}` (`{self.at}` within {_span(self.within)} or unknown)"
        if self.by == "later":
            return f"`{self.fact}` (`{self.at}` after today)"
        return f"`{self.fact}` (`{self.at}` today or unknown)"


#: When a visit or a loss was. Who left days ago did not just leave: that "no" leaves the time standing.
_EVENT_TIMES = ("happened_at", "paid_at", "suspect_left_at")


@dataclass(frozen=True, slots=True)
class _LastEvent:
    """How long ago the newest known visit or loss was; `of` without any known time counts as just now."""

    within: timedelta | None = None
    over: timedelta | None = None
    of: tuple[str, ...] = ()

    def used(self, seen: _Seen) -> frozenset[str] | None:
        times = {name: at for name in _EVENT_TIMES if (at := seen.time(name)) is not None}
        if not times:
            return frozenset(name for name in self.of if seen.value(name) is True) or None
        newest = max(times, key=lambda name: times[name])
        age = seen.age(times[newest])
        if self.within is not None and age > self.within:
            return None
        if self.over is not None and age <= self.over:
            return None
        return frozenset((newest,))

    def words(self) -> str:
        if self.over is not None:
            return f"last visit or loss more than {_span(self.over)} ago"
        within = f"last visit or loss within {_span(self.within or timedelta())}"
        return f"{within} ({' or '.join(f'`{name}`' for name in self.of)} without a time counts)"


@dataclass(frozen=True, slots=True)
class _NotVulnerable:
    """Somebody asked, and none of the vulnerability facts holds: unknown is not the same as no."""

    def used(self, seen: _Seen) -> frozenset[str] | None:
        answers = [seen.value(name) for name in VULNERABILITY_FACTS]
        asked = seen.case.vulnerability_known or False in answers
        return _NOTHING if asked and True not in answers else None

    def words(self) -> str:
        return "vulnerability asked about and ruled out"


@dataclass(frozen=True, slots=True)
class _HighLoss:
    def used(self, seen: _Seen) -> frozenset[str] | None:
        sums = [p for p in (seen.case.loss_pence, seen.case.facts.amount_pence) if p is not None]
        return frozenset(("amount",)) if sums and max(sums) > seen.high_loss_pence else None

    def words(self) -> str:
        return f"loss or exposure over £{HIGH_LOSS_PENCE // 100:,} (the service may set another sum)"


@dataclass(frozen=True, slots=True)
class _OneOf:
    attribute: str
    values: frozenset[str]

    def used(self, seen: _Seen) -> frozenset[str] | None:
        return frozenset((self.attribute,)) if seen.attribute(self.attribute) in self.values else None

    def words(self) -> str:
        return f"{self.attribute.replace('_', ' ')} {'/'.join(f'`{v}`' for v in sorted(self.values))}"


def _join(parts: Sequence[Condition], word: str) -> str:
    inner = [f"({p.words()})" if isinstance(p, (_Any, _All)) and _many(p) else p.words() for p in parts]
    return word.join(inner)


def _many(condition: _Any | _All) -> bool:
    return len(condition.parts) > 1 and not (isinstance(condition, _Any) and condition.group)


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes % 60 or minutes == 60 else f"{minutes // 60} h"


# ---- reading the data file


class RulesFileError(ValueError):
    """The data file says something the engine does not know."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SPAN = re.compile(r"(\d+) (min|h)")


def _a_span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise RulesFileError(f"“{text}” is not a span like “30 min” or “72 h”.")
    number = int(found[1])
    return timedelta(minutes=number) if found[2] == "min" else timedelta(hours=number)


def _one_of(name: str, known: Iterable[str]) -> str:
    if name not in known:
        raise RulesFileError(f"“{name}” is not known here.")
    return name


@dataclass(frozen=True, slots=True)
class _Parser:
    """Turns the data of a condition into a :class:`Condition`; what it does not know, it refuses."""

    groups: Mapping[str, Sequence[Any]]

    def condition(self, spec: object) -> Condition:
        if spec == "always":
            return _Always()
        if isinstance(spec, str):
            if spec in self.groups:
                return _Any(self.parts(self.groups[spec]), group=spec)
            return _Is(_one_of(spec, (*BOOLEAN_FACTS, *_FLAGS)), True)
        if not isinstance(spec, dict) or not spec:
            raise RulesFileError(f"“{spec}” is not a condition.")
        readers: dict[str, Callable[[dict[str, Any]], Condition]] = {
            "any": lambda s: _Any(self.parts(s["any"])),
            "all": lambda s: _All(self.parts(s["all"])),
            "none": lambda s: _None(self.parts(s["none"])),
            "false": lambda s: _Is(_one_of(s["false"], BOOLEAN_FACTS), False),
            "known": lambda s: _Known(_one_of(s["known"], _TIMES)),
            "was": _was,
            "due": _due,
            "last_event": lambda s: _last_event(s["last_event"]),
            "vulnerability": lambda s: _the_only(_NotVulnerable(), s["vulnerability"], "ruled_out"),
            "loss": lambda s: _the_only(_HighLoss(), s["loss"], "high"),
        }
        readers |= dict.fromkeys(_ATTRIBUTES, _attribute)
        # YAML reads a bare `false:` as the truth value; it means the word here.
        named = {str(key).lower(): value for key, value in spec.items()}
        return readers[_one_of(next(iter(named)), readers)](named)

    def parts(self, specs: Sequence[Any]) -> tuple[Condition, ...]:
        return tuple(self.condition(spec) for spec in specs)


def _was(spec: dict[str, Any]) -> Condition:
    fact, at = _one_of(spec["was"], BOOLEAN_FACTS), _one_of(spec["at"], _TIMES)
    return _Was(fact, at, _a_span(spec["within"]))


def _due(spec: dict[str, Any]) -> Condition:
    fact, at = _one_of(spec["due"], BOOLEAN_FACTS), _one_of(spec["at"], _TIMES)
    if "within" in spec:
        return _Due(fact, at, within=_a_span(spec["within"]))
    return _Due(fact, at, by=_one_of(spec["by"], ("today", "later")))


def _last_event(spec: dict[str, Any]) -> Condition:
    spans = {name: _a_span(spec[name]) for name in ("within", "over") if name in spec}
    return _LastEvent(**spans, of=tuple(_one_of(name, BOOLEAN_FACTS) for name in spec.get("of", ())))


def _the_only(condition: Condition, said: str, known: str) -> Condition:
    _one_of(said, (known,))
    return condition


def _attribute(spec: dict[str, Any]) -> Condition:
    ((name, values),) = spec.items()
    return _OneOf(name, frozenset(values))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; R16 has two rows, one a priority. `service` says what the desk does."""

    id: str
    title: str
    priority: Priority
    when: Condition
    service: str
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Escalator:
    """A circumstance that raises by one step."""

    id: str
    title: str
    when: Condition


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """A line of first advice and when it is given; `covert` lines are safe while the suspect listens."""

    key: str
    when: Condition
    covert: bool


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The whole data file, checked."""

    version: str
    groups: Mapping[str, tuple[Condition, ...]]
    ordinary_trade: frozenset[str]
    rules: tuple[Rule, ...]
    escalators: tuple[Escalator, ...]
    escalates: Condition
    advice: tuple[AdviceLine, ...]
    script: Mapping[str, str]


def read_rulebook(text: str) -> Rulebook:
    """The rulebook of a data file's text; raises :class:`RulesFileError` for what it does not know."""
    # libyaml's loader where it is there: ten times as fast, and this runs at every start.
    data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    parser = _Parser(data["groups"])
    rules = tuple(
        Rule(
            id=row["id"],
            title=row["title"],
            priority=Priority(row["priority"]),
            when=parser.condition(row["when"]),
            service=row["service"],
            provisional=row.get("provisional", False),
        )
        for row in data["rules"]
    )
    if not isinstance(rules[-1].when, _Always):
        raise RulesFileError("The last rule must hold always, so that no report is left without a priority.")
    escalators = data["escalators"]
    return Rulebook(
        version=data["version"],
        groups={name: parser.parts(parts) for name, parts in data["groups"].items()},
        ordinary_trade=frozenset(_one_of(n, (*BOOLEAN_FACTS, *TIME_FACTS)) for n in data["ordinary_trade"]),
        rules=rules,
        escalators=tuple(
            Escalator(row["id"], row["title"], parser.condition(row["when"])) for row in escalators["list"]
        ),
        escalates=parser.condition(escalators["applies_when"]),
        advice=tuple(
            AdviceLine(
                _one_of(row["key"], data["script"]), parser.condition(row["when"]), row.get("covert", False)
            )
            for row in data["advice"]
        ),
        script=data["script"],
    )


RULEBOOK = read_rulebook(Path(__file__).with_name("triage_rules.yaml").read_text(encoding="utf-8"))


# ---- deciding


def decide(
    case: TriageCase, *, high_loss_pence: int = HIGH_LOSS_PENCE, rulebook: Rulebook = RULEBOOK
) -> Decision:
    """The priority of a case, and all that it rests on. The first rule that holds decides."""
    seen = _Seen(replace(case, facts=_that_count(case, rulebook)), high_loss_pence)
    rule, used = next((r, used) for r in rulebook.rules if (used := r.when.used(seen)) is not None)
    raised_by: list[str] = []
    if rulebook.escalates.used(seen) is not None:
        for escalator in rulebook.escalators:
            if (why := escalator.when.used(seen)) is not None:
                raised_by.append(escalator.id)
                used |= why
    priority = _one_step_up(rule.priority) if raised_by else rule.priority
    return Decision(
        priority=priority,
        rule_id=rule.id,
        rules_version=rulebook.version,
        facts_used=tuple(sorted(used)),
        escalators=tuple(raised_by),
        provisional=rule.provisional,
        from_text_alone=priority is Priority.P4 and not case.answered,
        needed_event_at=_next_event(seen),
    )


def is_news(
    decision: Decision, priority: Priority, rule_id: str, before: Decision | None, *, by_person: str
) -> bool:
    """Whether a decision made anew changes a case that stands at `priority` by `rule_id`: never downwards.

    What a person has decided is overtaken only by what was not known then: the rules must say more than they
    said `before` of the same case. At the same priority another rule may end the review of an unclear case.
    """
    if decision.provisional or decision.priority.rank > priority.rank:
        return False
    if decision.priority is priority:
        return rule_id not in (by_person, decision.rule_id)
    return rule_id != by_person or before is None or decision.priority.rank < before.priority.rank


def holds(condition: Condition, case: TriageCase) -> bool:
    """Whether a condition of the rulebook holds for a case."""
    return condition.used(_Seen(case)) is not None


def _that_count(case: TriageCase, rulebook: Rulebook) -> Facts:
    """Without what every honest purchase has, where the text is no crime and no person said otherwise."""
    if case.matter is not Matter.NOT_CRIME:
        return case.facts
    return replace(case.facts, **dict.fromkeys(rulebook.ordinary_trade - case.answered))


def _one_step_up(priority: Priority) -> Priority:
    """One step more urgent, P1 at most; P0 stays."""
    return priority if priority.rank <= 1 else Priority(f"P{priority.rank - 1}")


def _next_event(seen: _Seen) -> datetime | None:
    times = (seen.time(at) for fact, at in _EXPECTED if seen.expected(fact, at))
    return min((at for at in times if at is not None), default=None)


def needed_by(due_at: datetime, facts: Facts, received_at: datetime) -> datetime:
    """When help must be there: `due_at`, or 15 minutes before the earliest event known to be coming.

    Never before `received_at`. Domain.md 3.4: two hours are useless if he returns in ninety minutes.
    """
    case = TriageCase(
        facts=facts,
        category=Category.OTHER,
        subtype="",
        matter=Matter.UNCLEAR,
        received_at=received_at,
        now=received_at,
    )
    event_at = _next_event(_Seen(case))
    if event_at is None:
        return due_at
    return max(received_at, min(due_at, event_at - HEAD_START))


#: Of two times, the more urgent holds: of what is to come, the sooner; of what has been, the later.
_SOONEST = frozenset(("courier_expected_at", "suspect_returning_at"))


def either(one: Facts, other: Facts) -> Facts:
    """Two sources of equal standing, OR-ed (design.md 6): two reports, two readings.

    True if one says so; false only where neither says true; the more urgent time; the larger amount.
    """
    merged: dict[str, Any] = {}
    for name in FACT_NAMES:
        values = [v for v in (getattr(one, name), getattr(other, name)) if v is not None]
        if not values:
            continue
        if name == "safe_to_talk":
            merged[name] = all(values)  # here "no" is the danger
        elif name in _SOONEST:
            merged[name] = min(values)
        elif name == "payment_method":
            merged[name] = values[0]
        else:
            merged[name] = max(values)
    return Facts(**merged)


def rows_of(rule_id: str, rulebook: Rulebook = RULEBOOK) -> tuple[Rule, ...]:
    """The rows of one rule, for whoever explains a decision; empty for an unknown id."""
    return tuple(rule for rule in rulebook.rules if rule.id == rule_id)


# ---- the rules as a table


def as_markdown(rulebook: Rulebook = RULEBOOK) -> str:
    """The rules, escalators and groups as the tables of docs/triage.md."""
    lines = [f"Rules version {rulebook.version}.", "", "| rule | title | holds when | priority | service |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    for rule in rulebook.rules:
        priority = f"{rule.priority} provisional" if rule.provisional else str(rule.priority)
        lines.append(f"| {rule.id} | {rule.title} | {rule.when.words()} | {priority} | {rule.service} |")
    lines += ["", f"Escalators, where {rulebook.escalates.words()}:", ""]
    lines += ["| escalator | title | holds when |", "| --- | --- | --- |"]
    lines += [f"| {e.id} | {e.title} | {e.when.words()} |" for e in rulebook.escalators]
    lines += ["", "| group | any of |", "| --- | --- |"]
    lines += [f"| *{name}* | {', '.join(p.words() for p in ps)} |" for name, ps in rulebook.groups.items()]
    trade = ", ".join(f"`{name}`" for name in sorted(rulebook.ordinary_trade))
    lines += ["", f"Counted only when answered, where the text is read as no crime: {trade}."]
    return "\n".join(lines)
