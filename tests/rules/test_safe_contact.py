"""How people may be reached, and who may be told what: pure, and never the laxer of two."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from rapid_response.core.safe_contact import MEANS, MayBeTold, may_be_told, reach, strictest
from tests.cases import each

SAID: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {way: st.booleans() for way in MEANS},
        optional={"note": st.sampled_from(["before 3pm", "ask for Jean", ""])},
    ),
)


@given(SAID, st.lists(SAID, max_size=4))
def test_a_way_is_open_only_where_it_was_opened_and_nobody_closed_it(
    own: dict[str, object], linked: list[dict[str, object]]
) -> None:
    reached = reach(own, linked)
    for way in MEANS:
        closed = any(said and said[way] is not True for said in linked)
        assert reached[way] is (own.get(way) is True and not closed)


@given(SAID, SAID)
def test_joined_is_never_laxer_than_either_that_spoke(
    one: dict[str, object], other: dict[str, object]
) -> None:
    joined = strictest(one, other)
    assert joined == {**strictest(other, one), **({"note": joined["note"]} if "note" in joined else {})}
    for said in (one, other):
        if said:
            assert all(said[way] is True for way in MEANS if joined[way])


@given(SAID)
def test_joined_with_silence_stays_what_it_was(said: dict[str, object]) -> None:
    joined = strictest(said, {})
    assert all(joined[way] is bool(said.get(way, False)) for way in MEANS)
    assert strictest(joined, joined) == joined


def test_notes_are_kept_side_by_side() -> None:
    joined = strictest(
        {"voice": True, "note": "ask for Jean"},
        {"voice": True, "note": "before 3pm"},
        {"note": "ask for Jean"},
    )
    assert joined["note"] == "ask for Jean\nbefore 3pm"
    assert joined["voice"] is False


@each(
    ("role", "may"),
    [
        ("self", MayBeTold.OWN_CASE),
        ("Victim", MayBeTold.OWN_CASE),
        ("daughter", MayBeTold.RECEIPT_ONLY),
        ("family", MayBeTold.RECEIPT_ONLY),
        ("neighbour", MayBeTold.RECEIPT_ONLY),
        ("", MayBeTold.RECEIPT_ONLY),
        (None, MayBeTold.RECEIPT_ONLY),
        ("self-employed plumber", MayBeTold.RECEIPT_ONLY),
        ("police", MayBeTold.VERIFY_FIRST),
        ("bank", MayBeTold.VERIFY_FIRST),
        ("Adult social care", MayBeTold.VERIFY_FIRST),
    ],
)
def test_who_may_be_told_what(role: str | None, may: MayBeTold) -> None:
    assert may_be_told(role) is may
