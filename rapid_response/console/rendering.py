"""Turns a view into a page. The engine escapes all text; nothing from data is ever marked safe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    PrefixLoader,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context
from markupsafe import Markup, escape

from rapid_response.console import timeline, words
from rapid_response.console.assets import Assets
from rapid_response.console.forms.actions import ACTION_FORMS, CORRECTION_FORM, POLICE_REFERENCE
from rapid_response.console.forms.correcting import AMEND_LABELS, outcome_field
from rapid_response.console.forms.handler import HANDLER_LABELS, local_minute
from rapid_response.console.forms.markers import MARKER_LINES
from rapid_response.console.forms.posted import OUTCOME_ROWS, FieldError, Filled, field_id
from rapid_response.console.forms.privacy import VEHICLE_LABELS, WORDS_LABEL
from rapid_response.console.forms.public import (
    CALLER_ROLES,
    NOW_WORDS,
    PAID_WORDS,
    PUBLIC_LABELS,
    PUBLIC_ROLES,
)
from rapid_response.console.forms.responder import CANNOT_GO_WORDS, FINISH_LABELS
from rapid_response.console.moments import at_words, clock_time, full_words, moment_words
from rapid_response.console.views.case_parts import EvidenceSpan
from rapid_response.console.views.frame import PAGE_WORDS, Frame, Site, View
from rapid_response.core.facts import BOOLEAN_FACTS, TIME_FACTS, Facts
from rapid_response.core.incident import OPEN_STATUSES, Action, Status
from rapid_response.core.vocabulary import Category
from rapid_response.messaging.numbers import phone_words

#: What templates say of forms.
_FORMS = SimpleNamespace(
    ACTION_FORMS=ACTION_FORMS,
    AMEND_LABELS=AMEND_LABELS,
    CALLER_ROLES=CALLER_ROLES,
    CORRECTION_FORM=CORRECTION_FORM,
    FINISH_LABELS=FINISH_LABELS,
    FieldError=FieldError,
    Filled=Filled,
    HANDLER_LABELS=HANDLER_LABELS,
    MARKER_LINES=MARKER_LINES,
    OUTCOME_ROWS=OUTCOME_ROWS,
    POLICE_REFERENCE=POLICE_REFERENCE,
    PUBLIC_LABELS=PUBLIC_LABELS,
    PUBLIC_ROLES=PUBLIC_ROLES,
    VEHICLE_LABELS=VEHICLE_LABELS,
    WORDS_LABEL=WORDS_LABEL,
    outcome_field=outcome_field,
)


class Renderer:
    """Holds the templates, compiled once; :meth:`page` may be called from any thread."""

    def __init__(self, assets: Assets | None = None) -> None:
        self._assets = assets or Assets()
        self._environment = _environment(self._assets)

    def page(self, view: View, frame: Frame) -> str:
        """The whole page, as HTML."""
        template = self._environment.get_template(view.template)
        return template.render(view=view, frame=frame, site=frame.site, cspNonce=frame.nonce)


def _environment(assets: Assets) -> Environment:
    # Not StrictUndefined: GOV.UK's macros test for parameters that are not there.
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("rapid_response.console"),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=select_autoescape(),
        auto_reload=False,  # they change with a release, not while it serves
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "plain": words.plain,
            "when": _when,
            "at": _at,
            "in_full": _in_full,
            "clock_time": _clock_time,
            "local_minute": _local_minute,
            "pounds": timeline.pounds,
            "phone": phone_words,
            "tel": _tel,
            "marked": marked,
            "highlights": highlights,
            "field_id": field_id,
            "options": _options,
            "facts_known": _facts_known,
            "lines": _lines,
        }
    )
    environment.globals.update(
        {
            "asset": assets.url,
            "words": words,
            "forms": _FORMS,
            "Action": Action,
            "category_choices": words.choices(Category),
            "choices_of": {enum.__name__: words.choices(enum) for enum in words.ENUM_WORDS},
            "open_status_choices": [(s, words.plain(s)) for s in OPEN_STATUSES if s is not Status.RECEIVED],
            "words_of_now": list(NOW_WORDS.items()),
            "words_of_pages": PAGE_WORDS,
            "words_of_paid": list(PAID_WORDS.items()),
            "cannot_go": list(CANNOT_GO_WORDS.items()),
            "fact_names": BOOLEAN_FACTS,
        }
    )
    return environment


# --- times ------------------------------------------------------------------------------------------------


def _site(context: Context) -> Site:
    site = context["site"]
    assert isinstance(site, Site)  # noqa: S101 - `page` puts it there
    return site


def _time_element(site: Site, moment: datetime, shown: str) -> Markup:
    local = moment.astimezone(site.zone).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{}</time>').format(local, shown)


@pass_context
def _when(context: Context, moment: datetime) -> Markup:
    """`2:14pm, 6 minutes ago`."""
    site = _site(context)
    return _time_element(site, moment, moment_words(moment, site.now, site.zone))


@pass_context
def _at(context: Context, moment: datetime) -> Markup:
    """`2:14pm`, with the day where it is another."""
    site = _site(context)
    return _time_element(site, moment, at_words(moment, site.now, site.zone))


@pass_context
def _in_full(context: Context, moment: datetime) -> Markup:
    """`Friday 27 November 2026, 3:11am GMT`, for paper and for sheets that others are given."""
    site = _site(context)
    return _time_element(site, moment, full_words(moment, site.zone))


@pass_context
def _clock_time(context: Context, moment: datetime) -> str:
    return clock_time(moment, _site(context).zone)


@pass_context
def _local_minute(context: Context, moment: datetime) -> str:
    """As a `datetime-local` field wants it."""
    return local_minute(moment.astimezone(_site(context).zone)).isoformat(timespec="minutes")


# --- words ------------------------------------------------------------------------------------------------


def _tel(number: str) -> str:
    """The address that rings a number."""
    return "tel:" + "".join(c for c in number if c.isdigit() or c == "+")


def _lines(text: str) -> Markup:
    """Text with its line breaks."""
    return Markup("<br>").join(text.splitlines())


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of a narrative and everything that rests on it."""

    start: int
    end: int
    whys: tuple[tuple[str, str], ...]


def highlights(narrative: str, evidence: Iterable[EvidenceSpan]) -> list[Highlight]:
    """The evidence in the order of the text; what overlaps is one stretch with several reasons."""
    found: list[Highlight] = []
    for span in sorted(evidence, key=lambda s: (s.start, s.end)):
        if not 0 <= span.start < span.end <= len(narrative):
            continue
        why = (span.label, span.why)
        if found and span.start < found[-1].end:
            last = found.pop()
            whys = last.whys if why in last.whys else (*last.whys, why)
            found.append(Highlight(last.start, max(last.end, span.end), whys))
        else:
            found.append(Highlight(span.start, span.end, (why,)))
    return found


def marked(narrative: str, evidence: Iterable[EvidenceSpan]) -> Markup:
    """The narrative with its evidence in `<mark>`, numbered as the list of reasons is."""
    parts: list[Markup] = []
    reached = 0
    for number, stretch in enumerate(highlights(narrative, evidence), start=1):
        parts.append(escape(narrative[reached : stretch.start]))
        parts.append(_MARK.format(narrative[stretch.start : stretch.end], number))
        reached = stretch.end
    parts.append(escape(narrative[reached:]))
    return Markup("").join(parts)


_MARK = Markup('<mark class="rr-mark">{}<sup class="rr-mark__number" aria-hidden="true">{}</sup></mark>')


# --- lists for the templates ------------------------------------------------------------------------------


def _options(
    pairs: Iterable[tuple[str, str]], chosen: str = "", empty: str | None = None
) -> list[dict[str, Any]]:
    """(value, words) pairs as a GOV.UK component takes them; `empty` adds a first line without a value."""
    first = [{"value": "", "text": empty}] if empty is not None else []
    return first + [{"value": value, "text": text, "selected": value == chosen} for value, text in pairs]


def _facts_known(facts: Facts) -> list[tuple[str, object]]:
    """The facts that are known, as (question, answer); times and sums stay what they are."""
    known: list[tuple[str, object]] = []
    for name in BOOLEAN_FACTS:
        value = getattr(facts, name)
        if value is not None:
            known.append((words.QUESTIONS[name], "Yes" if value else "No"))
    for name in TIME_FACTS:
        moment = getattr(facts, name)
        if moment is not None:
            known.append((words.QUESTIONS[name], moment))
    if facts.amount_pence is not None:
        known.append(("How much money?", timeline.pounds(facts.amount_pence)))
    if facts.payment_method is not None:
        known.append(("How was it, or is it to be, paid?", words.plain(facts.payment_method)))
    return known
