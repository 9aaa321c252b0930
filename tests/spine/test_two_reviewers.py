"""Whatever reviewers do, and in whatever order: one person alone never rules out what the victim says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from rapid_response.access.accounts import add_user
from rapid_response.core.incident import Action, NotAllowed
from rapid_response.core.vocabulary import AgeTargeting, HateStrand, Role
from rapid_response.hatecrime.rules import is_own_perception
from rapid_response.steps.actions import act
from rapid_response.steps.case import find
from rapid_response.steps.commands import COMMANDS
from rapid_response.steps.desk import Who
from rapid_response.steps.errors import Refusal
from rapid_response.storage.tables import EventRow, ResponderRow
from rapid_response.storage.tx import Tx
from tests.builders import long_ago
from tests.conftest import NOON
from tests.databases import TestDatabases
from tests.harness import Town

#: Account, role, and whose: Dee has two, one of them under another name.
ACCOUNTS = (
    ("dee", Role.DUTY_OFFICER, "dee"),
    ("d.okoro", Role.TEAM_LEADER, "dee"),
    ("hal", Role.HATE_CRIME_LEAD, None),
    ("lena", Role.HEAD_OF_SERVICE, None),
)
WORDS = (
    "He picked my mother because she is old: he called only at the bungalows for older people and skipped "
    "the young families. She paid 200 pounds.",
    "He said old dears round here never check, and he only called at the bungalows for older people.",
    "A man sold my mother a mattress at the door, the week before last.",
)


class Office:
    """One town on SQLite and the accounts in it, used by all examples."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.town = Town(url, NOON)
        self.run(self.town.__aenter__())
        self.people = self.run(self.town.app.database.run(_accounts))

    def run(self, doing: Any) -> Any:
        async def wait() -> Any:
            return await doing

        return self._runner.run(wait())

    def close(self) -> None:
        self.run(self.town.__aexit__(None, None, None))
        self._runner.close()

    def report(self, words: str) -> str:
        body = long_ago(self.town.clock.now(), narrative=words)
        answer = self.run(self.town.post("/api/v1/reports", body))
        return str(answer.json()["reference"])

    def tries(self, reference: str, who: Who, action: Action, said: dict[str, Any]) -> None:
        """As a page does it; what is refused changes nothing, and that is as good."""
        step = partial(
            act,
            desk=self.town.app.desk,
            reference=reference,
            action=action,
            command=COMMANDS[action].model_validate(said),
            who=who,
        )
        with suppress(Refusal, NotAllowed):
            self.run(self.town.app.database.run(step, actor=who.actor))

    def stands(self, reference: str) -> tuple[AgeTargeting, bool, list[tuple[str, str, dict[str, Any]]]]:
        """Its state, whether the victim says so, and its events as (type, actor, data)."""
        return self.run(self.town.app.database.run(partial(_stands, reference=reference)))  # type: ignore[no-any-return]


def _accounts(tx: Tx) -> dict[str, Who]:
    assert tx.get(ResponderRow, "dee") is not None
    made = {}
    for name, role, responder in ACCOUNTS:
        user = add_user(tx, name, role, "no password", responder_id=responder)
        made[name] = Who(f"user:{user.id}", "page", responder=responder, role=role)
    return made


def _stands(tx: Tx, reference: str) -> tuple[AgeTargeting, bool, list[tuple[str, str, dict[str, Any]]]]:
    incident = find(tx, reference)
    events = tx.all(select(EventRow).where(col(EventRow.stream) == incident.id).order_by(col(EventRow.seq)))
    is_own = is_own_perception(incident.victims_own_perception, incident.age_kinds)
    return incident.age_state, is_own, [(e.type, e.actor, json.loads(e.data)) for e in events]


@pytest.fixture(scope="module")
def office(databases: TestDatabases) -> Iterator[Office]:
    url = databases.fresh("sqlite")
    made = Office(url)
    yield made
    made.close()
    databases.drop(url)


_REASON = st.sampled_from((None, "Seen to.", "He calls at every house."))
_REVIEWS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(AgeTargeting),
        "reason": _REASON,
        "victims_own_perception": st.booleans(),
        "statutory_strands": st.lists(st.sampled_from(HateStrand), max_size=1),
        "other_vulnerability": st.booleans(),
        "second_reviewer": st.sampled_from((None, "lena", "Hal Novak")),
    },
)
#: Most often what leads to an end: ruling out, and agreeing to it.
_RULING_OUT = st.fixed_dictionaries({"state": st.just(AgeTargeting.RULED_OUT), "reason": _REASON})
_OPINIONS = st.fixed_dictionaries({"agree": st.booleans(), "reason": _REASON})
_TRIES = st.tuples(
    st.sampled_from([name for name, _, _ in ACCOUNTS]),
    st.one_of(
        st.tuples(st.just(Action.REVIEW_AGE_TARGETING), st.one_of(_REVIEWS, _RULING_OUT)),
        st.tuples(st.just(Action.SECOND_REVIEW), _OPINIONS),
    ),
)
_OWNERS = {name: responder or name for name, _, responder in ACCOUNTS}


@pytest.mark.long
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=st.sampled_from(WORDS), tries=st.lists(_TRIES, min_size=1, max_size=9))
def test_one_person_alone_never_rules_out_what_the_victim_says(
    office: Office, words: str, tries: Sequence[tuple[str, tuple[Action, dict[str, Any]]]]
) -> None:
    reference = office.report(words)
    persons = {who.actor: _OWNERS[name] for name, who in office.people.items()}
    for name, (action, said) in tries:
        if action is Action.REVIEW_AGE_TARGETING and not _says_something(said):
            continue
        office.tries(reference, office.people[name], action, said)
        state, is_own, events = office.stands(reference)
        if state is AgeTargeting.RULED_OUT and is_own:
            proposed = [actor for type_, actor, _ in events if type_ == "review_proposed"]
            (*_, (confirmer, outcome)) = [
                (actor, data["outcome"])
                for type_, actor, data in events
                if type_ == "review_proposal_settled"
            ]
            assert outcome == "confirmed"
            assert persons[proposed[-1]] != persons[confirmer]


def _says_something(said: dict[str, Any]) -> bool:
    given_ = (said.get("state"), said.get("statutory_strands"), said.get("other_vulnerability"))
    return any(value is not None for value in given_) or bool(said.get("victims_own_perception"))
