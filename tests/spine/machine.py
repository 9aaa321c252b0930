"""Random days of a town: whatever people, phones, clocks and machines may do, in whatever order.

What a rule draws never depends on what the town has become (an index is taken modulo what there is), so that
an example can be shrunk and replayed. The same rules drive one town, or two in lock-step: the one on SQLite,
the other on PostgreSQL (I12).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import hypothesis.strategies as st
import yaml
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete, func, select
from sqlmodel import SQLModel

from rapid_response.core.ids import SeededIds
from rapid_response.core.incident import Action, ClockFacts, allowed_actions
from rapid_response.core.states import TaskState
from rapid_response.core.vocabulary import (
    AgeTargeting,
    Category,
    Disposition,
    Link,
    Priority,
    ReferralKind,
    ReferralStep,
    Safeguarding,
)
from rapid_response.simulator.network import NoSuchCall, _take
from rapid_response.simulator.posts import Post
from rapid_response.steps import sending
from rapid_response.storage import log, work
from rapid_response.storage.records import table_of
from rapid_response.storage.tables import AccessRow, ApiKeyRow, IncidentRow, OutcomeRow, ReferralRow, TaskRow
from rapid_response.storage.tx import Tx
from tests import builders
from tests.conftest import NOON
from tests.databases import TestDatabases
from tests.harness import ASHA, BEN, CAT, DEE, DESK, HEAD, LEAD_ON_HATE, LEADER, Town
from tests.spine.invariants import (
    DURESS,
    Picture,
    Row,
    Watch,
    check_board,
    check_log,
    read_all,
    same_end,
    take_picture,
)

T = TypeVar("T")

STRANGER = "+447700900555"
RESPONDERS = ("asha", "ben", "cat", "dee", "zoe")
PHONES = (ASHA, BEN, CAT, DEE)
RESPOND_WITHIN = (timedelta(hours=2), timedelta(hours=1))


# --- a town that can be watched, and used again -----------------------------------------------------------


class RepeatableIds(SeededIds):
    """Ids that begin again with each example."""

    def begin(self, seed: int) -> None:
        super().__init__(seed)


class Driven(Town):
    """A town with what was seen of it. `in_order`: one thing after another, so that a run can be repeated."""

    def __init__(self, url: str, *, in_order: bool) -> None:
        self._repeatable = RepeatableIds(0)
        super().__init__(url, NOON, ids=self._repeatable)
        self._in_order = in_order
        self.watch = Watch(RESPOND_WITHIN)

    async def begin(self, seed: int) -> None:
        """Everything anew, but the process and its key."""
        self.clock.set(NOON)
        self._repeatable.begin(seed)
        self.watch = Watch(RESPOND_WITHIN)
        await self.app.database.run(_forget)
        await self.load(DEFINITIONS[0])

    def _loops(self) -> dict[str, Callable[[], Awaitable[int]]]:
        loops = super()._loops()
        if not self._in_order:
            return loops
        return loops | {
            "ring": self._ring,
            "send": self._send,
            "phones": self._phones,
        }

    async def do_pass(self, loop: str) -> int:
        """One pass of one loop."""
        return await self._loops()[loop]()

    async def _ring(self) -> int:
        due = await self.app.database.run(work.claim_due)
        for entry in due:
            await self.app.worker.ringer.ring(entry)
        return len(due)

    async def _send(self) -> int:
        found = await self.app.database.run(partial(sending.look_for_work, desk=self.app.desk, limit=8))
        for claimed in found.claimed:
            await self.app.worker.sender.send(claimed)
        for unknown in found.unknown:
            await self.app.worker.sender.look_up(unknown)
        for fetching in found.fetching:
            await self.app.worker.sender.fetch(fetching)
        return len(found)

    async def _phones(self) -> int:
        moved, network = 0, self.app.network
        while True:
            claimed, telling = await self.app.database.run(_take_posts, actor="simulator")
            if not claimed:
                return moved
            moved += claimed
            for post in sorted(telling, key=lambda owed: owed.id):
                await network._carry(post, held=False)

    async def picture(self) -> Picture:
        now, since = self.clock.now(), self.watch.seen_until
        return await self.app.database.look(lambda connection: take_picture(connection, now, since))


def _take_posts(tx: Tx) -> tuple[int, list[Post]]:
    return _take(tx, sid=None, ignoring_due_times=True)


def _forget(tx: Tx) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table is not table_of(ApiKeyRow):
            tx.execute(delete(table))
    if not tx.is_sqlite:
        # SQLite numbers anew in an empty table, and a seal has the numbers of views in it.
        views = func.pg_get_serial_sequence(table_of(AccessRow).name, "id")
        tx.execute(select(func.setval(views, 1, False)))


class Towns:
    """Towns that are opened once and used by all examples, in an event loop of their own."""

    def __init__(self, databases: TestDatabases, *kinds: str) -> None:
        self._databases = databases
        self._kinds = kinds
        self._runner = asyncio.Runner()
        self._open: list[tuple[str, Driven]] = []
        self._examples = 0

    def run(self, doing: Awaitable[T]) -> T:
        async def wait() -> T:
            return await doing

        return self._runner.run(wait())

    def begin(self) -> list[Driven]:
        """The towns, empty, for a new example."""
        self._examples += 1
        if not self._open:
            for kind in self._kinds:
                url = self._databases.fresh(kind)
                town = Driven(url, in_order=len(self._kinds) > 1)
                self._open.append((url, town))
                self.run(town.__aenter__())
        for _, town in self._open:
            self.run(town.begin(1))
        return [town for _, town in self._open]

    def close(self) -> None:
        for url, town in self._open:
            self.run(town.__aexit__(None, None, None))
            self._databases.drop(url)
        self._runner.close()


# --- what people may say and do ---------------------------------------------------------------------------


def _definition(**changes: Any) -> str:
    return builders.small_town(**changes)


def _without(key: str, responder: str, *, town: str = builders.SMALL_TOWN) -> Any:
    rows = yaml.safe_load(town)[key]
    return [row for row in rows if responder not in (row, row.get("id"), row.get("responder"))]


_WATCHED = {"check_in_every": "PT20M", "then": ["duty_officer", "team_leader"], "duress_word": DURESS}

_BORDERED = {
    "name": "Small town",
    "area": {"wards": ["Bromley Town", "Hayes & Coney Hall"], "authority": "E09000006"},
    "hotline": "+442079460001",
}
_NEIGHBOURS = [{"id": "lewisham", "name": "Lewisham Trading Standards", "authorities": ["E09000023"]}]
_ELSEWHERE = {"address": "3 Elm Road", "postcode": "SE13 6LG"}

#: The service as it may be loaded anew: as it was, a shorter ladder and one hour, without Asha, with shifts.
DEFINITIONS = (
    # Whose a home is, is known: what comes from elsewhere is handed over.
    _definition(service=_BORDERED, neighbours=_NEIGHBOURS, lone_worker=_WATCHED),
    _definition(
        sla={"respond_within": "PT1H"},
        escalation=[
            {"after": "PT0M", "action": "offer", "to": "best_responder", "answer_within": "PT3M"},
            {"after": "PT20M", "action": "notify", "to": "team_leader", "by": ["sms"]},
        ],
    ),
    _definition(responders=_without("responders", "asha"), rota=_without("rota", "asha")),
    _definition(
        rota=[
            builders.shift("asha", "08:00", "14:00"),
            builders.shift("ben", "13:00", "22:00"),
            builders.shift("dee"),
        ]
    ),
    _definition(sla={"joint_attendance": "hold"}, lone_worker=_WATCHED),
)

Report = Callable[[datetime], dict[str, Any]]
REPORTS: Mapping[str, Report] = {
    "roofers": lambda now: builders.roofers_now(),
    "paid": lambda now: builders.paid_today(),
    "scam": lambda now: builders.scam_paid(),
    "back soon": lambda now: builders.paid_today(
        answers={"suspect_returning": True, "suspect_returning_at": (now + timedelta(minutes=90)).isoformat()}
    ),
    "long ago": lambda now: builders.long_ago(now),
    "old dears": lambda now: builders.paid_today(
        narrative="He said old dears never check, and called at the bungalows for older people only."
    ),
    "unclear": lambda now: builders.unclear(),
    "at risk": lambda now: builders.paid_today(answers={"cognitive_impairment": True}),
    "told only": lambda now: builders.long_ago(now, channel="partner", import_kind="notification"),
    "bank": lambda now: builders.paid_today(referral_source="bank_banking_protocol"),
    "roofers elsewhere": lambda now: builders.roofers_now(location=_ELSEWHERE),
    "long ago elsewhere": lambda now: builders.long_ago(now, location=_ELSEWHERE),
    "kettle": lambda now: builders.kettle(),
    "kettle, asked": lambda now: builders.kettle(
        answers={"suspect_on_premises": False, "paid_within_24h": False, "threat_or_fear": False}
    ),
}

WORDS = (
    "OK {n}",
    "ok",
    "yes",
    "NO {n}",
    "no",
    "GO {n} 20 min",
    "HERE {n}",
    "here",
    "SAFE {n}",
    f"SAFE {{n}} {DURESS}",
    "DONE {n} HELPED",
    "DONE {n} PHONE",
    "DONE {n} ADVICE",
    "DONE {n} POLICE CAD 4471/15JUL",
    "DONE {n} POLICE " + "CAD 1" + "/99" * 90,
    "DONE {n} POLICE",
    "DONE {n} NOTRACE",
    "DONE {n}",
    "done helped",
    "NOBODY {n}",
    "not safe",
    "help",
    "OK {n} there in 15, which door?",
    "not OK {n}",
    "thanks",
    "OK {n} 5922",
    "what job",
    "?",
    "",
    "\N{THUMBS UP SIGN}",
    "STOP",
    "START",
    "x" * 2000,
)
SENDERS = (ASHA, BEN, CAT, DEE, LEADER, HEAD, LEAD_ON_HATE, DESK, STRANGER)

#: What may be put right, at a moment.
_AMENDMENTS: tuple[Report, ...] = (
    lambda now: {"answers": {"suspect_on_premises": True, "refuses_to_leave": True}},
    lambda now: {"answers": {"threat_or_fear": True}},
    lambda now: {"answers": {"paid_within_24h": False, "payment_pending": True}},
    lambda now: {"answers": {"paid_within_24h": False, "suspect_just_left": None}},
    lambda now: {
        "answers": {
            "suspect_returning": True,
            "suspect_returning_at": (now + timedelta(minutes=90)).isoformat(),
        }
    },
    lambda now: {"answers": {"happened_at": (now - timedelta(days=10)).isoformat()}},
    lambda now: {"location": {"address": "14 Elm Road", "postcode": "BR1 3UH"}},
    lambda now: {"location": {"address": "2 High Street", "postcode": "BR2 9AA", "ward": None}},
    lambda now: {"location": _ELSEWHERE},
    lambda now: {"location": {"ward": "Hayes & Coney Hall"}, "victim": {"name": "Joan Whitfield", "age": 84}},
    lambda now: {"caller": {"phone": "+447700900501"}, "safe_contact": {"voice": True}},
)
_OUTCOMES: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"code": "victim_reassured"}],
    [{"code": "money_prevented", "amount_gbp": 3000, "evidence_grade": "B"}, {"code": "trader_left"}],
)
#: What is said with an action; each takes from it what it needs.
_DETAILS = st.fixed_dictionaries(
    {
        "responder": st.sampled_from((None, *RESPONDERS)),
        "priority": st.sampled_from(Priority),
        "category": st.sampled_from(Category),
        "disposition": st.sampled_from(Disposition),
        "outcomes": st.sampled_from(_OUTCOMES),
        "state": st.sampled_from(AgeTargeting),
        "kind": st.sampled_from(
            (ReferralKind.POLICE_HATE_CRIME, ReferralKind.BANK, ReferralKind.ASC_SAFEGUARDING)
        ),
        "safeguarding": st.sampled_from((None, *Safeguarding)),
        "safeguarding_reason": st.sampled_from((None, "She can decide.")),
        "on": st.booleans(),
        "second_person": st.sampled_from((None, "Lena Fox", "Sam Lee")),
        "step": st.sampled_from(ReferralStep),
        "minutes": st.sampled_from((None, 1, 45, 600)),
        "reason": st.sampled_from((None, "travel", "Rang her.")),
        "task": st.integers(0, 5),
        "companion": st.sampled_from((None, None, True)),
        "arranged": st.sampled_from((None, "police")),
        "other": st.integers(0, 7),
        "link_kind": st.sampled_from((*Link, None)),
        "with_other": st.sampled_from((False, False, True)),
        "amendment": st.integers(0, len(_AMENDMENTS) - 1),
    }
)
Details = Mapping[str, Any]
_TAKES: Mapping[Action, tuple[str, ...]] = {
    Action.ACCEPT: ("responder", "reason"),
    Action.DECLINE: ("responder", "reason"),
    Action.ASSIGN: ("responder", "reason", "companion"),
    Action.EN_ROUTE: ("responder",),
    Action.ON_SCENE: ("responder",),
    Action.NO_CONTACT: ("responder",),
    Action.RELEASE: ("responder", "reason", "arranged"),
    Action.RELEASE_COMPANION: ("reason",),
    Action.REMOTE_RESPONSE: ("responder",),
    Action.CLOSE: ("disposition", "outcomes", "safeguarding", "safeguarding_reason"),
    Action.ADD_OUTCOMES: ("outcomes", "reason"),
    Action.CANCEL: ("disposition", "reason"),
    Action.REOPEN: ("reason",),
    Action.RECLASSIFY: ("category", "reason"),
    Action.SET_PRIORITY: ("priority", "reason"),
    Action.TASK_DONE: ("reason",),
    Action.REVIEW_AGE_TARGETING: ("state", "reason"),
    Action.REFER: ("kind",),
    Action.UPDATE_REFERRAL: ("reason",),
    Action.AMEND: ("reason",),
    Action.LINK: ("reason",),
    Action.TRANSFER: ("reason",),
    Action.DECIDE_SAFEGUARDING: ("reason",),
    Action.DISCLOSE: ("kind",),
    Action.LEGAL_HOLD: ("on",),
    Action.MARK_HOAX: ("second_person",),
}
_ALWAYS_SAID: Mapping[Action, dict[str, Any]] = {
    Action.REMOTE_RESPONSE: {"protective_act": "bank_told"},
    Action.POLICE_HANDOVER: {"cad_reference": "CAD 4471"},
    Action.PAUSE: {"reason": "police_requested_hold"},
    Action.SECOND_REVIEW: {"agree": True, "second_reviewer": "Lena Fox"},
    Action.TRANSFER: {"to": "lewisham"},
    Action.TRANSFER_ACKNOWLEDGED: {"by": "Sam Lee"},
    Action.TRANSFER_DECLINED: {"reason": "Not theirs."},
    Action.DISCLOSE: {"to": "Sam Lee", "authority": "Their request."},
    Action.LEGAL_HOLD: {"reason": "The court asks for it."},
    Action.MARK_HOAX: {"reason": "The same laughter as yesterday."},
    Action.NOTE: {"body": "The neighbour saw a white van."},
}
#: What is cancelled had no response, so it cannot have ended by one.
_HELPED = (
    Disposition.RESOLVED_ATTENDED,
    Disposition.RESOLVED_REMOTE,
    Disposition.ADVICE_ONLY,
    Disposition.HANDED_TO_POLICE,
)
_INDEX = st.integers(0, 7)
_KINDS = st.lists(st.sampled_from(sorted(REPORTS)), min_size=1, max_size=3)


# --- the machine ------------------------------------------------------------------------------------------


class RandomDays(RuleBasedStateMachine):
    """One history of one town, or of two in lock-step."""

    def __init__(self, towns: Towns) -> None:
        super().__init__()
        self._towns = towns
        self.towns: list[Driven] = []
        self._settled = False
        self._restarts = 0
        self._keys: list[dict[str, Any]] = []
        self._sids: list[str] = []

    # helpers

    def everywhere(self, do: Callable[[Driven], Awaitable[T]]) -> T:
        """Do it in each town; each must answer the same."""
        answers = [self._towns.run(do(town)) for town in self.towns]
        assert all(answer == answers[0] for answer in answers), f"I12 {answers}"
        self._settled = False
        return answers[0]

    @property
    def last(self) -> Picture:
        """What the first town looked like."""
        return self.towns[0].watch.last

    def incident(self, index: int) -> Row | None:
        """One of the incidents there are, in the order of their coming; None while there is none."""
        incidents = sorted(self.last.of(IncidentRow), key=lambda row: (row["recorded_at"], row["reference"]))
        return incidents[index % len(incidents)] if incidents else None

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any, bool]:
        """Status, JSON, and whether it is said to be a replay. Nothing may answer 5xx."""

        async def do(town: Driven) -> tuple[int, Any, bool]:
            answer = await town.post(path, body, headers=headers)
            assert answer.status_code < 500, f"{path} answered {answer.status_code}: {answer.text}"
            return answer.status_code, answer.json(), "idempotent-replayed" in answer.headers

        return self.everywhere(do)

    def settle(self) -> None:
        async def do(town: Driven) -> None:
            await town.settle()

        self.everywhere(do)
        self._settled = True

    def advance(self, seconds: float) -> None:
        for town in self.towns:
            town.clock.advance(timedelta(seconds=seconds))
        self._settled = False

    def changed_nothing(self, before: Picture) -> None:
        """After a refusal all is as it was."""

        async def do(town: Driven) -> None:
            after = await town.picture()
            mine = before if town is self.towns[0] else town.watch.last
            assert after.rows == mine.rows, "a refusal changed something"

        self.everywhere(do)

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(REPORTS)), min_size=1, max_size=3), settles=st.booleans()
    )
    def begin(self, kinds: Sequence[str], settles: bool) -> None:
        """Each day begins with a report or more: without one, little can happen."""
        self.towns = self._towns.begin()
        self.look()
        for kind in kinds:
            self.report(kind=kind, minutes=0, back_entry=False, with_key=False, settles=settles)
            self.look()

    # reports

    @rule(
        kind=st.sampled_from(sorted(REPORTS)),
        minutes=st.sampled_from((0, 0, 0, 3, -20, -110, -180, -1500)),
        back_entry=st.sampled_from((False, False, False, True)),
        with_key=st.booleans(),
        settles=st.booleans(),
    )
    def report(self, kind: str, minutes: int, back_entry: bool, with_key: bool, settles: bool) -> None:
        now = self.towns[0].clock.now()
        body = REPORTS[kind](now)
        if minutes:
            body["received_at"] = (now + timedelta(minutes=minutes)).isoformat()
        if back_entry:
            body["back_entry"] = True
        headers = {"Idempotency-Key": f"key {len(self._keys)}"} if with_key else {}
        status, answer, _ = self.post("/api/v1/reports", body, **headers)
        assert status == 201, answer
        note(f"{kind} is {answer['reference']}, {answer['priority']} by {answer['rule_id']}")
        for town in self.towns:
            known = town.watch.told if answer["status"] == "information_only" else town.watch.acknowledged
            assert answer["reference"] not in known
            known.add(answer["reference"])
        if with_key:
            self._keys.append({"body": body, "answer": answer})
        if settles:
            self.settle()

    @rule(index=_INDEX, same=st.booleans())
    def report_again(self, index: int, same: bool) -> None:
        if not self._keys:
            return
        number = index % len(self._keys)
        first = self._keys[number]
        body = first["body"] if same else {**first["body"], "narrative": "Something else."}
        before = self.last
        status, answer, replayed = self.post("/api/v1/reports", body, **{"Idempotency-Key": f"key {number}"})
        if same:
            assert (status, answer, replayed) == (201, first["answer"], True)
        else:
            assert status == 422
        self.changed_nothing(before)

    @rule(here=st.booleans(), hangs_up=st.sampled_from((None, None, "menu", "voicemail")))
    def voicemail(self, here: bool, hangs_up: Any) -> None:
        words = "There is a man at my door, he will not leave." if here else "My gas bill seems rather high."

        async def do(town: Driven) -> str:
            return await town.app.network.call_hotline(
                STRANGER, words, keys="1" if here else "", hang_up_after=hangs_up
            )

        self._sids.append(self.everywhere(do))
        for town in self.towns:
            if hangs_up != "menu":
                town.watch.voicemails += 1
            elif here:
                town.watch.in_need += 1

    # phones

    @rule(
        sender=st.sampled_from(SENDERS),
        words=st.sampled_from(WORDS),
        index=_INDEX,
        old=st.booleans(),
        settles=st.booleans(),
    )
    def text(self, sender: str, words: str, index: int, old: bool, settles: bool) -> None:
        body = words.format(n=self._number(index, old=old))

        async def do(town: Driven) -> str:
            return await town.app.network.reply(sender, body)

        sid = self.everywhere(do)
        self._sids.append(sid)
        for town in self.towns:
            town.watch.texts.add(sid)
        if settles:
            self.settle()

    @rule(words=st.sampled_from(WORDS[:18]), index=_INDEX, settles=st.booleans())
    def text_from_who_is_asked(self, words: str, index: int, settles: bool) -> None:
        """The person whose turn it is: the owner, or who was asked last."""
        incident = self.incident(index)
        if incident is None:
            return
        offers = [o for o in self.last.rows["OfferRow"] if o["incident_id"] == incident["id"]]
        asked = max(offers, key=lambda o: o["made_at"])["responder_id"] if offers else "asha"
        who = incident["owner"] or asked
        sender = {"asha": ASHA, "ben": BEN, "cat": CAT, "dee": DEE}[who]
        self.text(sender=sender, words=words, index=index, old=False, settles=settles)

    def _number(self, index: int, *, old: bool) -> int:
        """The job's number; an old one was of an episode before."""
        incident = self.incident(index)
        if incident is None:
            return 4821
        numbers = self.towns[0].watch.lives[incident["id"]].job_numbers
        return numbers[0] if old and numbers else incident["job_number"] or 4821

    @rule(index=_INDEX)
    def redeliver(self, index: int) -> None:
        """The provider posts again whatever it has posted about a text or a call."""
        if not self._sids:
            return
        sid = self._sids[index % len(self._sids)]

        async def do(town: Driven) -> tuple[int, ...]:
            return await town.app.network.redeliver(sid)

        assert all(status < 300 for status in self.everywhere(do))

    @rule(
        number=st.sampled_from((ASHA, BEN, DEE, LEADER, HEAD)),
        keys=st.sampled_from(("11", "12", "1", "", "9", "99")),
    )
    def answer_call(self, number: str, keys: str) -> None:
        async def do(town: Driven) -> str:
            try:
                await town.app.network.answer_call(number, keys, voicemail=keys == "9")
            except NoSuchCall:
                return "no call"
            return "answered"

        self.everywhere(do)

    @rule(number=st.sampled_from((ASHA, BEN, None)), off=st.booleans())
    def fault(self, number: str | None, off: bool) -> None:
        """A phone goes off or on; or the whole network."""

        async def do(town: Driven) -> None:
            if number is None:
                await town.app.network.set_faults(outage=off)
            else:
                await town.app.network.set_faults(number, phone_off=off)

        self.everywhere(do)

    # the desk

    @rule(index=_INDEX, action=st.sampled_from(Action), details=_DETAILS, settles=st.booleans())
    def act(self, index: int, action: Action, details: Details, settles: bool) -> None:
        """Any action on any incident, whether the state allows it or not."""
        incident = self.incident(index)
        if incident is not None:
            self._act(incident, action, details)
        if settles:
            self.settle()

    @rule(index=_INDEX, choice=st.integers(0, 21), details=_DETAILS, settles=st.booleans())
    def act_as_allowed(self, index: int, choice: int, details: Details, settles: bool) -> None:
        """Something that the state allows."""
        incident = self.incident(index)
        if incident is not None:
            allowed = _allowed(incident)
            self._act(incident, allowed[choice % len(allowed)], details)
        if settles:
            self.settle()

    def _act(self, incident: Row, action: Action, details: Details) -> None:
        said = {name: details[name] for name in _TAKES.get(action, ()) if details[name] is not None}
        body = {**said, **_ALWAYS_SAID.get(action, {}), **self._known_only_now(incident, action, details)}
        before = self.last
        path = f"/api/v1/incidents/{incident['reference']}/actions/{action.value}"
        status, answer, _ = self.post(path, body)
        note(f"{action} {body} on {incident['reference']} ({incident['status']}): {status}")
        if status == 200:
            assert action in _allowed(incident), f"{action} was done while {incident['status']}"
            for town in self.towns:
                recorded = town.watch.outcomes[incident["reference"]]
                recorded.update(outcome["code"] for outcome in body.get("outcomes", ()))
                if body.get("corrects"):
                    (was,) = [row for row in before.of(OutcomeRow) if row["id"] == body["corrects"]]
                    recorded[was["code"]] -= 1
                town.watch.joins(*_joined(incident, action, body))
            return
        assert status in (403, 409, 422), answer
        if action not in _allowed(incident) and _is_whole(action, body):
            assert status == 409, answer
            assert answer["allowed_actions"] == [a.value for a in _allowed(incident)]
        self.changed_nothing(before)

    def _known_only_now(self, incident: Row, action: Action, details: Details) -> dict[str, Any]:
        if action is Action.PAUSE and details["minutes"] is not None:
            until = self.towns[0].clock.now() + timedelta(minutes=details["minutes"])
            return {"until": until.isoformat()}
        if action is Action.ADD_OUTCOMES and details["with_other"]:
            mine = [row for row in self.last.of(OutcomeRow) if row["incident_id"] == incident["id"]]
            put_right = {row["corrects"] for row in mine}
            hold = sorted(row["id"] for row in mine if row["id"] not in put_right)
            return {"corrects": hold[details["other"] % len(hold)] if hold else "none"}
        if action is Action.TASK_DONE:
            owed = [
                task["id"]
                for task in self.last.of(TaskRow)
                if task["incident_id"] == incident["id"] and task["state"] is TaskState.OPEN
            ]
            return {"task": owed[details["task"] % len(owed)] if owed else "none"}
        if action is Action.UPDATE_REFERRAL:
            sent = [r["id"] for r in self.last.of(ReferralRow) if r["incident_id"] == incident["id"]]
            which = sent[details["task"] % len(sent)] if sent else "none"
            return {"referral": which, "state": details["step"]}
        if action is Action.DECIDE_SAFEGUARDING:
            return {"decision": details["safeguarding"] or Safeguarding.REFERRED}
        if action is Action.AMEND:
            return _AMENDMENTS[details["amendment"]](self.towns[0].clock.now())
        if action is Action.LINK or (action is Action.REOPEN and details["with_other"]):
            other = self.incident(details["other"])
            said = {"reference": other["reference"] if other else "RR-0000000"}
            if action is Action.REOPEN:
                return said
            kind = details["link_kind"]
            return said | ({"dismiss": True} if kind is None else {"kind": kind})
        return {}

    @rule(index=_INDEX, other=_INDEX, settles=st.booleans())
    def join(self, index: int, other: int, settles: bool) -> None:
        """One incident was another told again; whichever of the two was first."""
        one, two = self.incident(index), self.incident(other)
        if one is not None and two is not None and one["id"] != two["id"]:
            body = {"kind": Link.DUPLICATE_OF, "reference": two["reference"]}
            before = self.last
            status, answer, _ = self.post(f"/api/v1/incidents/{one['reference']}/actions/link", body)
            note(f"{one['reference']} ({one['status']}) joins {two['reference']} ({two['status']}): {status}")
            if status == 200:
                for town in self.towns:
                    town.watch.joins(one["reference"], two["reference"])
            else:
                assert status in (409, 422), answer
                self.changed_nothing(before)
        if settles:
            self.settle()

    @rule(
        responder=st.sampled_from(RESPONDERS),
        state=st.sampled_from(("off", "on")),
        minutes=st.sampled_from((None, 10, 300)),
        held_jobs=st.sampled_from(("release", "keep")),
        begins=st.sampled_from((None, None, 5, 120)),
        swap_with=st.sampled_from((None, None, *RESPONDERS)),
    )
    def availability(
        self,
        responder: str,
        state: str,
        minutes: int | None,
        held_jobs: str,
        begins: int | None,
        swap_with: str | None,
    ) -> None:
        """Off, on, planned, swapped; what cannot be is refused and changes nothing."""
        now = self.towns[0].clock.now()
        body: dict[str, Any] = {"state": state, "held_jobs": held_jobs}
        if minutes is not None:
            body["until"] = (now + timedelta(minutes=(begins or 0) + minutes)).isoformat()
        if begins is not None:
            body["from"] = (now + timedelta(minutes=begins)).isoformat()
        if swap_with is not None:
            body["swap_with"] = swap_with
        before = self.last
        status, answer, _ = self.post(f"/api/v1/responders/{responder}/availability", body)
        assert status in (200, 404) or (status == 422 and swap_with is not None), answer
        if status != 200:
            self.changed_nothing(before)

    @rule(definition=st.sampled_from(DEFINITIONS))
    def load(self, definition: str) -> None:
        async def do(town: Driven) -> None:
            await town.load(definition)

        self.everywhere(do)

    # time

    @rule(
        seconds=st.sampled_from((1, 29, 61, 301, 601, 1200, 3601, 7200, 7201, 14400, 90000)),
        settles=st.booleans(),
    )
    def time_jumps(self, seconds: int, settles: bool) -> None:
        """The clock jumps; with `settles` False, what fell due stays undone for now."""
        self.advance(seconds)
        if settles:
            self.settle()

    @rule(minutes=st.sampled_from((1, 6, 16)))
    def time_passes(self, minutes: int) -> None:
        """Each thing happens at its moment."""

        async def do(town: Driven) -> None:
            await town.pass_time(minutes=minutes)

        self.everywhere(do)
        self._settled = True

    # machines

    @rule()
    def settle_all(self) -> None:
        self.settle()

    @rule(loops=st.lists(st.sampled_from(("ring", "send", "deliver", "phones")), min_size=1, max_size=4))
    def some_passes(self, loops: Sequence[str]) -> None:
        """Only some of the worker's loops come to do something, in any order."""

        async def do(town: Driven) -> list[int]:
            return [await town.do_pass(loop) for loop in loops]

        self.everywhere(do)

    @rule()
    def restart(self) -> None:
        """Stopped at any moment, and started again on what is in the database."""
        self._restarts += 1
        if self._restarts > 1:
            return

        async def do(town: Driven) -> None:
            await town.restart()

        self.everywhere(do)

    @rule(how=st.sampled_from(("ring", "deliver", "before sending", "after sending", "told late")))
    def crash(self, how: str) -> None:
        """A node dies with work in its hands; `told late`: it was only slow, and others took over."""

        async def do(town: Driven) -> None:
            database, desk, worker = town.app.database, town.app.desk, town.app.worker
            if how == "ring":
                await database.run(work.claim_due)
            elif how == "deliver":
                await database.run(work.claim_deliveries)
            else:
                found = await database.run(partial(sending.look_for_work, desk=desk, limit=8))
                for claimed in found.claimed:
                    if how == "before sending":
                        continue
                    outcome = await worker.sender.hand_over(claimed)
                    if how == "told late":
                        town.clock.advance(timedelta(seconds=27))
                        await town.settle()
                        await database.run(
                            partial(sending.record_answer, desk=desk, claimed=claimed, outcome=outcome)
                        )

        self.everywhere(do)

    @rule()
    def seal(self) -> None:
        async def do(town: Driven) -> None:
            await town.app.database.run(log.seal)

        self.everywhere(do)

    # what must hold

    @invariant()
    def look(self) -> None:
        for town in self.towns:
            town.watch.look(self._towns.run(town.picture()), is_settled=self._settled)

    def teardown(self) -> None:
        failing = sys.exc_info()[0] is not None
        if self.towns and not failing:
            self._finish()
        self.towns = []

    def _finish(self) -> None:
        """Leases run out, everything due is done; then the books must balance."""
        self.advance(61)
        self.settle()
        self.look()
        for town in self.towns:
            town.watch.nobody_who_rang_off_is_forgotten(self._towns.run(town.picture()))
            self._towns.run(_close_the_books(town))
        first, *others = [self._towns.run(town.app.database.look(read_all)) for town in self.towns]
        for other in others:
            same_end(first, other)


async def _close_the_books(town: Driven) -> None:
    await town.app.database.run(log.seal)
    await town.app.database.look(check_log)
    months = ("2026-06", "2026-07", "2026-08", "2026-09")
    assert await town.metric("open_without_next_step") == 0, "I2 the metric says otherwise"
    check_board(town.watch, [await town.board(month) for month in months])


def _joined(incident: Row, action: Action, body: Mapping[str, Any]) -> tuple[str, str]:
    """Which incident an action joined to which; to itself where it joined nothing."""
    mine, other = incident["reference"], body.get("reference", incident["reference"])
    if action is Action.LINK and body.get("kind") == Link.DUPLICATE_OF:
        return mine, other
    return (other, mine) if action is Action.REOPEN else (mine, mine)


def _is_whole(action: Action, body: Mapping[str, Any]) -> bool:
    """Whether a body can be read, so that only the state can speak against it."""
    if action is Action.CANCEL:
        return body.get("disposition") not in _HELPED
    needs = {
        Action.ACCEPT: "responder",
        Action.DECLINE: "responder",
        Action.ASSIGN: "responder",
        Action.ADD_OUTCOMES: "outcomes",
        Action.ANSWER_SECOND_READING: "suggestion",
    }
    return action not in needs or bool(body.get(needs[action]))


def _allowed(incident: Row) -> tuple[Action, ...]:
    facts = ClockFacts(
        incident["clock_state"],
        incident["stopped_at"] is not None,
        incident["is_held"],
        incident["review_proposed_by"] is not None,
        has_companion=incident["companion"] is not None,
        is_handed_over=incident["is_handed_over"],
    )
    return allowed_actions(incident["status"], facts)
