"""What a passage mentions: concepts with where, whether denied, and whether as someone's quoted words."""

from __future__ import annotations

from typing import NamedTuple

from rapid_response.intake.reading.knowledge import Knowledge
from rapid_response.intake.reading.passage import AGE, Passage, WordClasses

#: How far before a mention a "not" or "never" still speaks of it.
_DENIAL_REACH = 4
#: How far a "she said" carries without quotation marks.
_SPEECH_REACH = 14


class Mention(NamedTuple):
    """One concept at one place; words `start` to `end` (one past) of the passage."""

    concept: int
    start: int
    end: int
    denied: bool
    spoken: bool


def spoken_words(passage: Passage, knowledge: Knowledge) -> list[bool]:
    """For each word, whether it is told as what somebody other than the teller said."""
    says, tellers = knowledge.classes["says"], knowledge.classes["tellers"]
    spoken = list(passage.quoted)
    reach, begins, sentence = 0, 0, -1
    for at, word in enumerate(passage.words):
        if passage.sentences[at] != sentence:
            sentence, reach = passage.sentences[at], 0
        if reach and at >= begins:
            spoken[at] = True
            reach -= 1
        if word in says and not _told_by_victim(passage, at, tellers):
            reach, begins = _SPEECH_REACH, _behind_addressee(passage, at, knowledge.classes)
    return spoken


def _behind_addressee(passage: Passage, at: int, classes: WordClasses) -> int:
    """Where what was said begins, behind the verb and whoever it was said to.

    In "asked the old lady for £500" her age is the teller's word, not the offender's.
    """
    words, (_, finish) = passage.words, passage.sentence_bounds(at)
    behind = at + 2
    has_addressee = behind < finish and words[at + 1] in classes["before_a_person"]
    if words[at] not in classes["says_to"] or not has_addressee:
        return at + 1
    while behind < finish and (words[behind] in classes["of_age"] or passage.kinds[behind] == AGE):
        behind += 1
    is_person = behind < finish and (words[behind] in classes["kin"] or words[behind] in classes["they"])
    return behind + 1 if is_person else at + 1


def _told_by_victim(passage: Passage, at: int, tellers: frozenset[str]) -> bool:
    begin, _ = passage.sentence_bounds(at)
    return any(word in tellers for word in passage.words[max(begin, at - 2) : at])


def find_mentions(passage: Passage, knowledge: Knowledge) -> list[Mention]:
    """Every concept found, in the order of the text; overlapping finds of one concept count once."""
    spoken = spoken_words(passage, knowledge)
    deniers, breaks = knowledge.classes["deniers"], knowledge.classes["denial_breaks"]
    denials = [word in deniers for word in passage.words]
    seen: dict[int, int] = {}
    mentions: list[Mention] = []
    deniable = knowledge.deniable
    some_denial = any(denials)
    for (concept, own_denial), start, end in knowledge.index.find(passage):
        if seen.get(concept, -1) >= start:
            continue
        seen[concept] = end - 1
        denied = (
            some_denial
            and not own_denial
            and deniable[concept]
            and _denied(passage, denials, breaks, start, end)
        )
        mentions.append(Mention(concept, start, end, denied, spoken[start] or spoken[end - 1]))
    return mentions


def _denied(passage: Passage, denials: list[bool], breaks: frozenset[str], start: int, end: int) -> bool:
    begin, _ = passage.sentence_bounds(start)
    clause = passage.clauses[start]
    for at in range(start - 1, max(begin, start - _DENIAL_REACH) - 1, -1):
        if passage.clauses[at] != clause or passage.words[at] in breaks:
            return False
        if denials[at]:
            return True
    # "The courier NEVER came": a denial inside what was found.
    return any(denials[start + 1 : end])
