"""What every step of the desk needs beside its transaction: given once, by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from rapid_response.access.signing import Signer
from rapid_response.core.vocabulary import Role
from rapid_response.intake.reading.port import Reader


@dataclass(frozen=True, slots=True)
class Desk:
    """How this installation is set up. `base_url` and `sms_links` shape texts; its secret is never shown."""

    zone: ZoneInfo
    reader: Reader
    base_url: str
    #: Signs what is handed over to another service.
    signer: Signer = field(repr=False)
    sms_links: bool = False
    provider: str = "simulator"
    #: The pace of texts, and beyond how many a day somebody is alarmed.
    texts_per_second: float = 1.0
    texts_a_day: int = 1000
    #: What we send from: nothing is ever sent there.
    our_numbers: tuple[str, ...] = ()
    #: postcodes.io may be asked for what the offline table does not know.
    asks_online: bool = False
    #: The desk has a mailbox that notices go to as well.
    mails: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: for the record (`source`: api, page, sms, voice, desk) and for what she may."""

    actor: str
    source: str
    may_lower: bool = False
    may_explain_breaches: bool = False
    responder: str | None = None
    role: Role | None = None
    #: When it was said, where that is known to be earlier than now.
    said_at: datetime | None = None


SYSTEM = Who("system", "system")
