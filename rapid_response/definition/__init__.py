"""One borough's service as a YAML file: read, checked, compared, stored, written back."""

from rapid_response.definition.changes import changes
from rapid_response.definition.export import export
from rapid_response.definition.faults import DefinitionFaults, Fault
from rapid_response.definition.load import parse, read
from rapid_response.definition.problems import Finding, Weight, findings, problems
from rapid_response.definition.schema import ServiceFile
from rapid_response.definition.stored import digest, from_stored, to_stored

__all__ = [
    "DefinitionFaults",
    "Fault",
    "Finding",
    "ServiceFile",
    "Weight",
    "changes",
    "digest",
    "export",
    "findings",
    "from_stored",
    "parse",
    "problems",
    "read",
    "to_stored",
]
