"""From weighed sums to labels: what kind of matter, when, whether targeting shows, and which strand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapid_response.core.vocabulary import Category, HateStrand, Urgency
from rapid_response.intake.reading.findings import Findings
from rapid_response.intake.reading.knowledge import Knowledge
from rapid_response.intake.reading.port import Matter
from rapid_response.intake.reading.weighing import chance, matter_shares, time_shares

_MATTER_CERTAIN = 0.6
#: Words after which nothing is called nothing: somebody is asked to come.
_PLEA = "plea_for_somebody"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The labels, their scores, and the features that led to each."""

    category: Category
    subtype: str
    urgency: Urgency
    matter: Matter
    times: Mapping[str, float]
    scores: Mapping[str, float]
    age_kinds: list[str]
    age_features: list[str]
    vulnerable: bool
    vulnerability_features: list[str]
    strand: HateStrand | None
    strand_features: list[str]
    speaking_for_category: str
    speaking_for_urgency: str
    time_unsure: bool


def decide(findings: Findings, knowledge: Knowledge, sums: Mapping[str, float]) -> Verdicts:
    """All labels of one report."""
    kinds, times = matter_shares(sums), time_shares(sums)
    act_now = times["in_progress"] + times["imminent"] >= knowledge.thresholds["act_now"]
    category, speaking = _category(kinds)
    dangerous = (times["in_progress"] + times["imminent"]) * (1 - kinds["no_crime"]) >= knowledge.thresholds[
        "danger"
    ]
    no_crime = category is Category.OTHER and kinds["no_crime"] >= kinds["other_crime"] and not dangerous
    if category is Category.OTHER and dangerous:
        category, speaking = _likeliest_crime(kinds)
    urgency = Urgency.NONE if no_crime else _urgency(times, act_now or dangerous)
    age_features = _speaking(findings, knowledge, "age")
    age_kinds = (
        _age_kinds(age_features, knowledge) if chance(sums["age"]) >= knowledge.thresholds["age"] else []
    )
    vulnerability_features = _speaking(findings, knowledge, "vulnerability")
    vulnerable = (
        bool(vulnerability_features)
        and chance(sums["vulnerability"]) >= knowledge.thresholds["vulnerability"]
    )
    strand, strand_features = _strand(findings, knowledge)
    if urgency is Urgency.NONE:
        age_kinds, vulnerable = [], False
    return Verdicts(
        category=category,
        subtype=_subtype(findings, knowledge, category),
        urgency=urgency,
        matter=_matter(findings, knowledge, kinds, dangerous),
        times=times,
        scores=_scores(kinds, times, sums, strand),
        age_kinds=age_kinds,
        age_features=age_features if age_kinds else [],
        vulnerable=vulnerable,
        vulnerability_features=vulnerability_features if vulnerable else [],
        strand=strand,
        strand_features=strand_features,
        speaking_for_category=speaking,
        speaking_for_urgency="no_crime" if urgency is Urgency.NONE else urgency.value,
        time_unsure=max(times.values()) < _MATTER_CERTAIN,
    )


def _category(kinds: Mapping[str, float]) -> tuple[Category, str]:
    other = kinds["other_crime"] + kinds["no_crime"]
    if other >= max(kinds["doorstep"], kinds["scam"]):
        return Category.OTHER, "other_crime" if kinds["other_crime"] > kinds["no_crime"] else "no_crime"
    if kinds["doorstep"] >= kinds["scam"]:
        return Category.DOORSTEP_CRIME, "doorstep"
    return Category.SCAM, "scam"


def _likeliest_crime(kinds: Mapping[str, float]) -> tuple[Category, str]:
    """Where danger may be near, what is likeliest among crimes, however calm it also sounds."""
    crime = max(("doorstep", "scam", "other_crime"), key=lambda kind: kinds[kind])
    category = {"doorstep": Category.DOORSTEP_CRIME, "scam": Category.SCAM}.get(crime, Category.OTHER)
    return category, crime


def _urgency(times: Mapping[str, float], act_now: bool) -> Urgency:
    """The likeliest time; danger is believed sooner than calm."""
    if act_now:
        return Urgency.IN_PROGRESS if times["in_progress"] >= times["imminent"] else Urgency.IMMINENT
    return Urgency.RECENT if times["recent"] >= times["historic"] else Urgency.HISTORIC


def _matter(findings: Findings, knowledge: Knowledge, kinds: Mapping[str, float], dangerous: bool) -> Matter:
    """No crime only for a reason that stands in the text; where nothing is sure, unclear."""
    if kinds["no_crime"] >= _MATTER_CERTAIN and not dangerous:
        is_reasoned = not knowledge.reasons["no_crime"].isdisjoint(findings.spans)
        return Matter.NOT_CRIME if is_reasoned and not findings.has(_PLEA) else Matter.UNCLEAR
    crime = max(kinds["doorstep"], kinds["scam"], kinds["other_crime"])
    return (
        Matter.CRIME
        if dangerous or (crime >= 0.5 and 1 - kinds["no_crime"] >= _MATTER_CERTAIN)
        else Matter.UNCLEAR
    )


def _speaking(findings: Findings, knowledge: Knowledge, flag: str) -> list[str]:
    """Features with a reason of their own for the flag (a person's age alone is none)."""
    allowed = knowledge.reasons[flag]
    return [name for name in findings.spans if name in allowed]


def _age_kinds(features: list[str], knowledge: Knowledge) -> list[str]:
    kinds = dict.fromkeys(knowledge.age_kinds[name] for name in features)
    return list(kinds)


def _strand(findings: Findings, knowledge: Knowledge) -> tuple[HateStrand | None, list[str]]:
    """The statutory strand that the hostile words speak of most."""
    counts: dict[str, int] = {}
    features: dict[str, list[str]] = {}
    for name, strand in knowledge.strands.items():
        if findings.has(name):
            counts[strand] = counts.get(strand, 0) + len(findings.spans[name])
            features.setdefault(strand, []).append(name)
    if not counts:
        return None, []
    strand = max(counts, key=lambda which: counts[which])
    return HateStrand(strand), features[strand]


def _subtype(findings: Findings, knowledge: Knowledge, category: Category) -> str:
    votes: dict[str, float] = {}
    for name in findings.spans:
        named = knowledge.subtypes.get(name)
        if named is None:
            continue
        for subtype, weight in named.items():
            if knowledge.subtype_categories.get(subtype) == category.value:
                votes[subtype] = votes.get(subtype, 0.0) + weight
    if not votes:
        return {"doorstep_crime": "other_doorstep", "scam": "other_scam", "other": "unclear"}[category.value]
    return max(votes, key=lambda which: votes[which])


def _scores(
    kinds: Mapping[str, float],
    times: Mapping[str, float],
    sums: Mapping[str, float],
    strand: HateStrand | None,
) -> dict[str, float]:
    crime = 1 - kinds["no_crime"]
    scores = {
        "doorstep_crime": kinds["doorstep"],
        "scam": kinds["scam"],
        "other": kinds["other_crime"] + kinds["no_crime"],
        "not_a_crime": kinds["no_crime"],
        **{name: share * crime for name, share in times.items()},
        "none": kinds["no_crime"],
        "age_targeted": chance(sums["age"]),
        "other_vulnerability_targeted": chance(sums["vulnerability"]),
    }
    if strand is not None:
        scores["hate_strand"] = 1.0
    return {name: round(score, 4) for name, score in scores.items()}
