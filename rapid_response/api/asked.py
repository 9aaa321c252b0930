"""What an address may ask for, as people type it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from rapid_response.intake.report_in import Instant


def _with_its_plus(moment: Any) -> Any:
    """In an address that was not encoded, the plus before an offset reads as a space."""
    return moment.replace(" ", "+") if isinstance(moment, str) and "T" in moment else moment


Moment = Annotated[Instant, BeforeValidator(_with_its_plus)]


class Asked(BaseModel):
    """Base of what is asked after the question mark. What is not known is refused, lest it seem to work."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, asked: dict[str, Any]) -> dict[str, Any]:
        """`status=` narrows nothing."""
        return {name: value for name, value in asked.items() if value != ""}
