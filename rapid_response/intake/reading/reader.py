"""The reader of reports: fold, cut into words, find concepts, weigh them, and say which words decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.core.facts import Facts
from rapid_response.core.vocabulary import Category, Channel, Urgency
from rapid_response.intake.reading.ages import mark_ages
from rapid_response.intake.reading.amounts import mark_sums
from rapid_response.intake.reading.evidence import Exhibits
from rapid_response.intake.reading.exposure import Exposure, money_at_risk
from rapid_response.intake.reading.findings import Findings, find
from rapid_response.intake.reading.folding import fold
from rapid_response.intake.reading.knowledge import Knowledge, shipped_knowledge
from rapid_response.intake.reading.port import Matter, Reading
from rapid_response.intake.reading.proposing import Proposal, propose
from rapid_response.intake.reading.verdicts import Verdicts, decide
from rapid_response.intake.reading.weighing import add_up
from rapid_response.intake.reading.words import cut


class LexiconReader:
    """Implements `Reader` with the knowledge files; pure, so one may be shared by every thread."""

    def __init__(self, knowledge: Knowledge | None = None) -> None:
        self._given = knowledge

    @property
    def knowledge(self) -> Knowledge:
        """Loaded at the first reading, so that importing the product stays quick."""
        return self._given if self._given is not None else shipped_knowledge()

    def findings(self, text: str) -> Findings:
        """What the text says, before anything is weighed (also what training learns from)."""
        knowledge = self.knowledge
        passage = cut(fold(text), knowledge.spelling)
        mark_ages(passage, knowledge.classes)
        mark_sums(passage, knowledge.classes)
        return find(passage, knowledge)

    def read(self, text: str, *, channel: Channel | None, received_at: datetime, zone: ZoneInfo) -> Reading:
        """Reads one report; never raises, whatever the text."""
        knowledge = self.knowledge
        findings = self.findings(text)
        weigh, share = knowledge.columns.__getitem__, findings.share
        sums = add_up(map(weigh, findings.spans), map(weigh, findings.words), share, knowledge.bias_column)
        verdicts = decide(findings, knowledge, sums)
        exposure = None
        if verdicts.urgency is not Urgency.NONE:
            exposure = money_at_risk(findings.passage, knowledge)
        proposal = propose(
            findings,
            knowledge,
            verdicts.category,
            verdicts.times,
            verdicts.urgency,
            exposure,
            received_at,
            zone,
        )
        exhibits = Exhibits(text, findings, knowledge)
        _exhibit(exhibits, findings, verdicts, exposure, proposal)
        return Reading(
            category=verdicts.category,
            subtype=verdicts.subtype,
            urgency=verdicts.urgency,
            matter=verdicts.matter,
            age_targeted=bool(verdicts.age_kinds),
            age_kinds=tuple(verdicts.age_kinds),
            other_vulnerability_targeted=verdicts.vulnerable,
            hate_strand=verdicts.strand,
            money_at_risk_pence=exposure.pence if exposure else None,
            facts=proposal.facts,
            scores=verdicts.scores,
            evidence=tuple(exhibits.found),
            model_version=knowledge.version,
            question=_question(verdicts, proposal.facts, knowledge.questions),
            suggested=_suggested(verdicts.scores),
        )


def _exhibit(
    exhibits: Exhibits, findings: Findings, verdicts: Verdicts, exposure: Exposure | None, proposal: Proposal
) -> None:
    """Lays out the words behind every label that was given."""
    if not exhibits.show_strongest("category", verdicts.speaking_for_category):
        exhibits.show_something(
            "category", "Nothing here points to crime at the door or deception at a distance."
        )
    if not exhibits.show_strongest("urgency", verdicts.speaking_for_urgency):
        exhibits.show_something("urgency", "No time is named, so this follows from the report as a whole.")
    for label, names in (
        ("age_targeted", verdicts.age_features),
        ("other_vulnerability_targeted", verdicts.vulnerability_features),
        ("hate_strand", verdicts.strand_features),
    ):
        exhibits.show_all(label, names)
    if exposure is not None:
        for at in exposure.words:
            exhibits.show("money_at_risk_gbp", at, at + 1, "A sum lost or still asked for.")
    for fact, spans in proposal.spans.items():
        for start, end in spans:
            exhibits.show(fact, start, end, proposal.whys[fact])


def _suggested(scores: Mapping[str, float]) -> tuple[tuple[Category, float], ...]:
    ranked = sorted(((scores[category.value], category) for category in Category), reverse=True)
    return tuple((category, score) for score, category in ranked)


def _question(verdicts: Verdicts, facts: Facts, questions: Mapping[str, str]) -> str | None:
    """One question where something decisive is unclear; the most dangerous doubt first."""
    scores = verdicts.scores
    unsure_door = min(scores["doorstep_crime"], scores["scam"]) >= 0.3
    doubts = (
        ("matter", verdicts.matter is Matter.UNCLEAR),
        ("present", 0.25 <= scores["in_progress"] <= 0.6 and verdicts.urgency is not Urgency.NONE),
        ("return_time", facts.suspect_returning is True and facts.suspect_returning_at is None),
        ("door_or_distance", unsure_door),
        ("when", verdicts.urgency in (Urgency.RECENT, Urgency.HISTORIC) and verdicts.time_unsure),
        ("targeting", 0.3 <= scores["age_targeted"] <= 0.7),
    )
    return next((questions[name] for name, holds in doubts if holds), None)
