"""What the hotline says: slow, short, and silence is a valid answer (delivery.md 11.1)."""

from __future__ import annotations

from collections.abc import Sequence

#: The key that says: a trader or caller is at my door now.
SOMEBODY_IS_HERE = "1"

DANGER: Sequence[str] = ("If somebody is at your door now, or you are in danger, hang up and dial 9 9 9.",)
GREETING: Sequence[str] = (
    "You have reached the council's scam and doorstep crime hotline.",
    *DANGER,
    "If somebody is with you now and you want us to come, press 1. Otherwise just stay on the line.",
)
BEFORE_TONE: Sequence[str] = (
    "Please tell us after the tone what has happened, where you are, and if it is safe to ring you back.",
    "You can hang up when you have finished.",
)
PLEASE_HOLD: Sequence[str] = ("Please hold on for a moment.",)
THANKS: Sequence[str] = ("Thank you. We have your message and are acting on it now.",)
#: What a report says of a voicemail whose words are not known yet.
NO_WORDS_YET = (
    "A voicemail was left. Its words are not known yet: listen to it, or ring back if that is safe."
)
