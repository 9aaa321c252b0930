"""What a caller hears and does on a TwiML document; pure, and as Twilio follows it.

Only what a hotline and a spoken offer need: Say, Gather, Record, Redirect, Dial, Hangup. Other verbs are
passed over, as a caller would not notice them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

#: `<Gather>` stops at this key unless told otherwise.
_FINISH = "#"
_LONGEST_RECORDING = 3600
#: Never resolves (RFC 2606): a document's addresses are taken relative to it and lose it again.
_HERE = "http://service.invalid"


class NotADocument(ValueError):
    """The answer is no TwiML: the caller hears a canned error and the call ends."""


@dataclass(frozen=True, slots=True)
class Say:
    """Something spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Gather:
    """A question answered with keys; what is spoken inside it comes as Say before it."""

    action: str
    longest: int | None
    reports_silence: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A message is taken."""

    action: str
    longest: int
    transcribe_to: str | None


@dataclass(frozen=True, slots=True)
class Redirect:
    """The document goes on elsewhere."""

    to: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Another phone is rung; in this network nobody answers it."""

    action: str | None


@dataclass(frozen=True, slots=True)
class End:
    """The service hangs up."""


Verb = Say | Gather | Record | Redirect | Dial | End


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask the service what to say next, telling it `fields`; `keys` are still to be pressed."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """A person thinks about which key to press."""


@dataclass(frozen=True, slots=True)
class Speak:
    """A message is left after the tone."""

    record: Record


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call is over."""


Move = Fetch | Wait | Speak | HangUp


def read(document: str, path: str) -> tuple[Verb, ...]:
    """The verbs of the document that was fetched from `path`; raises :class:`NotADocument`."""
    if not document.strip():
        return ()
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own service wrote it
    except ElementTree.ParseError as error:
        raise NotADocument("the answer is not XML") from error
    if root.tag != "Response":
        raise NotADocument("the answer has no Response")
    return tuple(verb for element in root for verb in _verbs(element, path))


def next_move(verbs: tuple[Verb, ...], *, keys: str, attended: bool) -> tuple[str, Move]:
    """What is heard, and what the caller does then.

    Keys are pressed at the questions as they come. Without keys left a person (`attended`) is waited for;
    nobody else presses any, so the silence runs out.
    """
    heard: list[str] = []
    move: Move | None = None
    for verb in verbs:
        if isinstance(verb, Say):
            heard.append(verb.text)
            continue
        move = _reaction(verb, keys, attended=attended)
        if move is not None:
            break
    return "\n".join(heard), move or HangUp()


def _reaction(verb: Verb, keys: str, *, attended: bool) -> Move | None:
    match verb:
        case Gather():
            return _answer(verb, keys, attended=attended)
        case Record():
            return Speak(verb)
        case Redirect(to):
            return Fetch(to, keys=keys)
        case Dial(action):
            return Fetch(action, {"DialCallStatus": "no-answer"}, keys) if action else None
        case End():
            return HangUp()
        case Say():
            return None


def _answer(gather: Gather, keys: str, *, attended: bool) -> Move | None:
    if keys:
        pressed, rest = _split(keys, gather.longest)
        return Fetch(gather.action, {"Digits": pressed}, rest)
    if attended:
        return Wait()
    return Fetch(gather.action, {"Digits": ""}) if gather.reports_silence else None


def _split(keys: str, longest: int | None) -> tuple[str, str]:
    if longest is not None:
        return keys[:longest], keys[longest:]
    pressed, _, rest = keys.partition(_FINISH)
    return pressed, rest


def _verbs(element: ElementTree.Element, path: str) -> Iterator[Verb]:
    match element.tag:
        case "Say":
            yield Say(_words(element))
        case "Gather":
            for nested in element.iter("Say"):
                yield Say(_words(nested))
            count = element.get("numDigits", "")
            yield Gather(
                _resolve(path, element.get("action")),
                int(count) if count.isdigit() else None,
                element.get("actionOnEmptyResult", "").lower() == "true",
            )
        case "Record":
            yield _record(element, path)
        case "Redirect":
            yield Redirect(_resolve(path, (element.text or "").strip()))
        case "Dial":
            action = element.get("action")
            yield Dial(_resolve(path, action) if action else None)
        case "Hangup" | "Reject":
            yield End()


def _record(element: ElementTree.Element, path: str) -> Record:
    longest = element.get("maxLength", "")
    told = element.get("transcribeCallback")
    wanted = told is not None or element.get("transcribe", "").lower() == "true"
    return Record(
        _resolve(path, element.get("action")),
        int(longest) if longest.isdigit() else _LONGEST_RECORDING,
        _resolve(path, told) if wanted else None,
    )


def _words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _resolve(path: str, address: str | None) -> str:
    """Path and query alone, whatever host was named: nothing leaves this process."""
    parts = urlsplit(urljoin(_HERE + path, address or path))
    return parts.path + (f"?{parts.query}" if parts.query else "")
