"""The schema: one class a table, ending in `Row`.

Rows are typed records. Steps write them with Core statements through :class:`~rapid_response.storage.tx.Tx`;
nothing here validates (SQLModel does not validate tables), so input is checked at the edge. Names, numbers,
addresses and narratives live only in the tables of `cases`, `places` and `matching`, where they can be
redacted; events, agenda and tallies hold ids, codes, times and numbers.

Where an index holds only a few rows of many, SQLite takes it for a query that says so in the same words,
values included: such a query takes its words (`IS_…`) from here.
"""

from rapid_response.storage.tables.accounts import (
    AccessRow,
    ApiKeyRow,
    IdempotencyRow,
    SessionRow,
    UserRow,
    ViewReasonRow,
)
from rapid_response.storage.tables.agenda import AgendaRow, DeliveryRow, TallyRow
from rapid_response.storage.tables.cases import (
    IS_PARKED,
    IS_UNDECIDED,
    IS_UNSENT,
    RANG_OFF,
    CallRow,
    CorrectionRow,
    InboundMessageRow,
    IncidentRow,
    MailRow,
    NoteRow,
    NotificationRow,
    ReportRow,
)
from rapid_response.storage.tables.log import ChainRow, EventRow, SealedHeadRow, SealRow
from rapid_response.storage.tables.matching import IdentifierRow, SuggestedLinkRow
from rapid_response.storage.tables.messages import (
    IS_READY,
    AttemptRow,
    LineRow,
    MessageRow,
    ProviderEventRow,
    WatermarkRow,
)
from rapid_response.storage.tables.places import (
    PlaceLookupRow,
    PostcodeWardRow,
    RiskMarkerKeyRow,
    RiskMarkerRow,
)
from rapid_response.storage.tables.response import (
    IS_LIVE,
    IS_UNANSWERED,
    AlarmRow,
    DisclosureRow,
    JobNumberRow,
    NoticeRow,
    OfferRow,
    OutcomeRow,
    ReferralRow,
    TaskRow,
    TransferRow,
    VisitRow,
)
from rapid_response.storage.tables.row import Row
from rapid_response.storage.tables.second import SecondReaderDayRow, SecondReadingRow, SuggestionRow
from rapid_response.storage.tables.service import (
    AvailabilityRow,
    ClockFaultRow,
    ClockMarkRow,
    DefinitionRow,
    DutyRow,
    EndpointRow,
    HoldRow,
    NodeRow,
    NumberProofRow,
    ResponderRow,
)

__all__ = [
    "IS_LIVE",
    "IS_PARKED",
    "IS_READY",
    "IS_UNANSWERED",
    "IS_UNDECIDED",
    "IS_UNSENT",
    "RANG_OFF",
    "AccessRow",
    "AgendaRow",
    "AlarmRow",
    "ApiKeyRow",
    "AttemptRow",
    "AvailabilityRow",
    "CallRow",
    "ChainRow",
    "ClockFaultRow",
    "ClockMarkRow",
    "CorrectionRow",
    "DefinitionRow",
    "DeliveryRow",
    "DisclosureRow",
    "DutyRow",
    "EndpointRow",
    "EventRow",
    "HoldRow",
    "IdempotencyRow",
    "IdentifierRow",
    "InboundMessageRow",
    "IncidentRow",
    "JobNumberRow",
    "LineRow",
    "MailRow",
    "MessageRow",
    "NodeRow",
    "NoteRow",
    "NoticeRow",
    "NotificationRow",
    "NumberProofRow",
    "OfferRow",
    "OutcomeRow",
    "PlaceLookupRow",
    "PostcodeWardRow",
    "ProviderEventRow",
    "ReferralRow",
    "ReportRow",
    "ResponderRow",
    "RiskMarkerKeyRow",
    "RiskMarkerRow",
    "Row",
    "SealRow",
    "SealedHeadRow",
    "SecondReaderDayRow",
    "SecondReadingRow",
    "SessionRow",
    "SuggestedLinkRow",
    "SuggestionRow",
    "TallyRow",
    "TaskRow",
    "TransferRow",
    "UserRow",
    "ViewReasonRow",
    "VisitRow",
    "WatermarkRow",
]
