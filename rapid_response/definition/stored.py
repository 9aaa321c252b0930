"""The form in which a service definition is kept in the database, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from rapid_response.definition.faults import DefinitionFaults, Fault, field_name
from rapid_response.definition.messages import model_faults
from rapid_response.definition.schema import ServiceFile


def to_stored(service: ServiceFile) -> dict[str, Any]:
    """Plain JSON values, defaults included: a later release with other defaults changes nothing."""
    return service.model_dump(mode="json")


def from_stored(stored: Mapping[str, Any]) -> ServiceFile:
    """The service that was stored. Raises DefinitionFaults if its keys are not those of this release."""
    try:
        return ServiceFile.model_validate(stored)
    except ValidationError as error:
        raise DefinitionFaults(
            [Fault("(stored)", 0, field_name(path), message) for path, message in model_faults(error)]
        ) from None


def canonical(service: ServiceFile) -> str:
    """One text per meaning: sorted keys, no spaces, canonical durations and times."""
    return json.dumps(to_stored(service), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(service: ServiceFile) -> str:
    """SHA-256 of the canonical form, in hex; equal digests mean that loading would change nothing."""
    return hashlib.sha256(canonical(service).encode()).hexdigest()
