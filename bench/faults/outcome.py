"""What a run showed, and which promises it broke."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.faults.site import Deadline, Site
from bench.tables import table

#: An alarm is promised within a minute.
ALARM_WITHIN = 60.0
#: A deadline that is seen so long after its time is late; looks are a quarter of a second apart.
LATE = 5.0
#: What fell due while nothing could be done is done so soon after it can.
CAUGHT_UP_WITHIN = 60.0
#: Of the town of the campaign: second offer, notice, warning, not accepted, the end of its time.
_PER_REPORT = 5


@dataclass
class Outcome:
    """One fault on one database: figures in the order in which they are shown, and what was broken."""

    fault: str
    database: str
    figures: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def show(self, name: str, value: object) -> None:
        """One figure."""
        self.figures[name] = _shown(value)

    def promise(self, holds: bool, otherwise: str) -> None:
        """What must be so."""
        if not holds:
            self.broken.append(otherwise)

    def within(self, name: str, seconds: float | None, most: float) -> None:
        """A figure in seconds that must be there, and not be more."""
        self.show(name, "never" if seconds is None else seconds)
        self.promise(
            seconds is not None and seconds <= most, f"{name}: {self.figures[name]}, at most {most:g}"
        )

    def count_reports(self, site: Site, began: float, lifted: float) -> None:
        """Reports before, meanwhile and after."""
        spans = {"before": (0.0, began), "meanwhile": (began, lifted), "after": (lifted, float("inf"))}
        for name, (since, until) in spans.items():
            taken = len(site.answered(201, since, until))
            others = [one for one in site.sent if one.status != 201 and since <= one.at < until]
            self.show(f"reports {name}: acknowledged / refused", f"{taken} / {len(others)}")

    def count_deadlines(self, site: Site, down: tuple[float, float] | None = None) -> None:
        """How many rang, how late the latest was, how many never did; `down`: when nothing could ring."""
        late = [rang - due for due, rang in _fair(site, down) if rang is not None]
        missed = [due for due, rang in _fair(site, down) if rang is None]
        self.show("deadlines that rang", len(late))
        if down is not None:
            held_up = [one for one in site.deadlines.values() if _was_held_up(one, down)]
            self.show("of them due while nothing could ring", len(held_up))
            self.within("and done so long after it could, s", max(late, default=0.0), CAUGHT_UP_WITHIN)
        else:
            self.show("of them earlier than promised", sum(one < -1.0 for one in late))
            self.within("the latest, s after its time", max(late, default=0.0), LATE)
        self.show("deadlines missed", len(missed))
        self.promise(not missed, f"{len(missed)} deadlines were missed")
        expected = _PER_REPORT * len(site.acknowledged)
        self.promise(
            len(site.deadlines) >= expected,
            f"{expected} deadlines were to be, {len(site.deadlines)} were seen",
        )


def _fair(site: Site, down: tuple[float, float] | None) -> list[tuple[float, float | None]]:
    """Each deadline by when it could first be kept, and when it was seen to be."""

    def could(one: Deadline) -> float:
        return down[1] if down is not None and _was_held_up(one, down) else one.due

    return [(could(one), one.rang) for one in site.deadlines.values()]


def _was_held_up(one: Deadline, down: tuple[float, float]) -> bool:
    """Whether it fell due while nothing could ring, or so shortly before that it had not yet."""
    return down[0] - LATE <= one.due + one.or_later and one.due < down[1]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items())) or "none"
    return f"{value}"


def tables(outcomes: list[Outcome]) -> str:
    """One table for those that show the same figures: figures down, faults across."""
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(tuple(one.figures), []).append(one)
    made = []
    for names, group in groups.items():
        rows = [["", *(f"{one.fault}, {one.database}" for one in group)]]
        rows += [[name, *(one.figures[name] for one in group)] for name in names]
        rows.append(["promises broken", *(f"{len(one.broken)}" for one in group)])
        made.append(table(rows))
    return "\n\n".join(made)
