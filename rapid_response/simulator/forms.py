"""The forms of the webhooks, with the fields that the provider sends, blank ones included."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from rapid_response.simulator.tables import Direction, SimCallRow

#: The account that all webhooks of the simulator name.
ACCOUNT_SID = "AC" + "5" * 32
API_VERSION = "2010-04-01"

WEBHOOKS = "/webhooks/twilio"
SMS = f"{WEBHOOKS}/sms"
VOICE = f"{WEBHOOKS}/voice"
TRANSCRIPTION = f"{WEBHOOKS}/voice/transcription"

#: The provider knows places for some numbers; for ours it sends the fields blank.
_PLACES = {
    f"{side}{part}": "GB" if part == "Country" else ""
    for side in ("From", "To")
    for part in ("City", "State", "Zip", "Country")
}
#: Callers without a number; the provider sends the word.
ANONYMOUS = "anonymous"

_WORDS_A_SECOND = 2.5


def sms_status_path(token: str) -> str:
    """Where receipts of the attempt with that token go."""
    return f"{SMS}/status?a={quote(token, safe='')}"


def voice_status_path(token: str) -> str:
    """Where statuses of a call go; an incoming one has no token of ours."""
    return f"{VOICE}/status" + (f"?a={quote(token, safe='')}" if token else "")


def offer_path(token: str) -> str:
    """Where a call that was answered asks what to say."""
    return f"{VOICE}/offer?a={quote(token, safe='')}"


def text_status(
    sid: str,
    from_number: str,
    to_number: str,
    status: str,
    error_code: str = "",
    done: datetime | None = None,
) -> dict[str, str]:
    """A receipt."""
    form = {
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "To": to_number,
        "From": from_number,
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": API_VERSION,
    }
    if error_code:
        form["ErrorCode"] = error_code
    if done is not None:
        form["RawDlrDoneDate"] = done.strftime("%y%m%d%H%M")
    return form


def inbound_text(sid: str, from_number: str, to_number: str, body: str) -> dict[str, str]:
    """A text to our number."""
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "SmsStatus": "received",
        "From": from_number,
        "To": to_number,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": API_VERSION,
        **_PLACES,
    }


def call(row: SimCallRow, status: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What every request about a call carries."""
    return {
        "CallSid": row.sid,
        "CallStatus": status,
        "From": row.from_number,
        "To": row.to_number,
        "Caller": row.from_number,
        "Called": row.to_number,
        "Direction": "inbound" if row.direction is Direction.INBOUND else "outbound-api",
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": API_VERSION,
        **_PLACES,
        **(more or {}),
    }


def recording(sid: str, transcript: str, longest: int) -> dict[str, str]:
    """A message was left. Its address resolves nowhere: there is no sound, and nothing leaves the process."""
    seconds = round(len(transcript.split()) / _WORDS_A_SECOND)
    return {
        "RecordingSid": sid,
        "RecordingUrl": f"https://simulator.invalid/Recordings/{sid}",
        "RecordingDuration": str(min(max(seconds, 1), longest)),
        "Digits": "hangup",
    }


def transcription(sid: str, recording_sid: str, transcript: str) -> dict[str, str]:
    """What the message says; a silent one, or one cut off, cannot be read."""
    return {
        "TranscriptionSid": sid,
        "TranscriptionText": transcript,
        "TranscriptionStatus": "completed" if transcript.strip() else "failed",
        "TranscriptionType": "fast",
        "RecordingSid": recording_sid,
        "RecordingUrl": f"https://simulator.invalid/Recordings/{recording_sid}",
    }
