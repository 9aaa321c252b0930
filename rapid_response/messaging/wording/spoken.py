"""What is said aloud in a call.

A family member or a voicemail may answer: nothing about a job is said before a key proves a person
(delivery.md 11.2), and no detail a text would not hold is said after it.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.messaging.wording.job import (
    JOINT,
    REPEAT,
    SEEN,
    SERVICE,
    Job,
    area_sentence,
    on_scene,
    safe_area,
    safe_situation,
)


def spoken_offer() -> str:
    """What is said when the phone is picked up."""
    return "This is Trading Standards duty dispatch. Press 1 to hear the job."


def spoken_job(job: Job, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The job, after a key; the number digit by digit."""
    parts = [
        f"Job {digits(job.number)}.",
        "Urgent." if job.urgent else "",
        f"{safe_situation(job).capitalize()}.",
        f"{JOINT.capitalize()}." if job.joint else "",
        area_sentence(job).replace(safe_area(job), _spelt(safe_area(job))) + ".",
        on_scene(job, zone, now)[0].strip(),
        "Press 1 to accept, 2 to decline, star to hear it again.",
    ]
    return " ".join(part for part in parts if part)


def spoken_accepted(number: int) -> str:
    """Thanks for a yes."""
    return f"Thank you. Job {digits(number)} is yours. Sign in for the address. Goodbye."


def spoken_declined() -> str:
    """Thanks for a no."""
    return "Thank you. The next person is asked. Goodbye."


def spoken_gone() -> str:
    """The job was closed while the phone rang, or is none that we know."""
    return "This job is not open any more. There is nothing to do. Goodbye."


def spoken_taken() -> str:
    """Somebody else took the job while the phone rang."""
    return "This job has been taken by somebody else. Do not attend. There is nothing to do. Goodbye."


def spoken_yours() -> str:
    """The person who is rung has taken the job meanwhile, by text or on the page."""
    return "You have taken this job already. Sign in for the address. Goodbye."


def spoken_words(text: str) -> str:
    """A text as it is said, after a key: without what can only be texted."""
    said = re.sub(r"\b\d{4,6}\b", lambda found: digits(int(found[0])), text.removeprefix(REPEAT))
    return f"{said} Goodbye."


def spoken_notice(text: str) -> str:
    """A notice as it is texted, made sayable; given only after a key, like a job."""
    said = text.removeprefix(REPEAT).removeprefix(f"{SERVICE}: ").removesuffix(SEEN).strip()
    said = re.sub(r"\b\d{4,6}\b", lambda found: digits(int(found[0])), said)
    said = re.sub(r"\b[A-Z]{1,2}\d[A-Z\d]?(?: \d)?\b", lambda found: _spelt(found[0]), said)
    return f"{said[:1].upper()}{said[1:]} Press 1 to say that you have seen this, star to hear it again."


def spoken_code_first() -> str:
    """What is said when the phone is picked up to which a code goes."""
    return "This is Trading Standards duty dispatch with a code for you. Press 1 to hear it."


def spoken_code(text: str) -> str:
    """The code of a text, digit by digit; given only after a key, so that no voicemail keeps it."""
    found = re.search(r"\b\d{6}\b", text)
    said = ", ".join(found[0]) if found else ""
    return f"Your code is {said}. Enter it under My account, Phone numbers. Press star to hear it again."


def spoken_notice_first() -> str:
    """What is said when a contact picks up, before any key."""
    return "This is Trading Standards duty dispatch with a notice for you. Press 1 to hear it."


def spoken_seen() -> str:
    """Thanks for having seen a notice."""
    return "Thank you. It is noted that you have seen this. Goodbye."


def spoken_check_in() -> str:
    """A lone worker who has not answered a text: one key says that she is safe."""
    return "This is Trading Standards duty dispatch. Are you safe? Press 1 if you are."


def spoken_safe() -> str:
    """Thanks for a sign of life."""
    return "Thank you. It is noted that you are safe. Goodbye."


def spoken_alarm_first() -> str:
    """What is said when somebody picks up who is to act on an alarm."""
    return "This is Trading Standards duty dispatch with an alarm for you. Press 1 to hear it."


def spoken_wrong_key() -> str:
    """That key means nothing here; the prompt follows again."""
    return "Sorry, that key does nothing here."


def spoken_goodbye() -> str:
    """Nobody pressed a key that counts."""
    return "No key was pressed. Goodbye."


def digits(number: int) -> str:
    """A number as a voice reads it: `4, 8, 2, 1`."""
    return ", ".join(str(number))


def _spelt(place: str) -> str:
    """A postcode sector letter by letter; a place name as it is."""
    return " ".join(place.replace(" ", ",")).replace(" ,", ",") if any(c.isdigit() for c in place) else place
