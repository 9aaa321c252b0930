"""From the text of a YAML file to a checked :class:`ServiceFile`, or to all that is wrong with it."""

from __future__ import annotations

from pathlib import Path as FilePath

from pydantic import ValidationError

from rapid_response.definition.checks import cross_faults
from rapid_response.definition.faults import DefinitionFaults, Fault, Path, field_name
from rapid_response.definition.messages import model_faults
from rapid_response.definition.schema import ServiceFile
from rapid_response.definition.source import MAX_BYTES, Source, Unreadable, read_yaml


def read(path: FilePath) -> ServiceFile:
    """As :func:`parse`, from a file, whose name the faults carry as given. Raises DefinitionFaults."""
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # one more than is allowed is enough to be refused
    except OSError as error:
        raise DefinitionFaults(
            [
                Fault(
                    name,
                    1,
                    "",
                    f"The file cannot be read ({error.strerror}). Check its name and its permissions",
                )
            ]
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if len(content) <= MAX_BYTES:
            raise DefinitionFaults(
                [Fault(name, line, "", "This is not UTF-8 text. Save the file as UTF-8")]
            ) from None
        text = content.decode("utf-8", "replace")
    return parse(text, name)


def parse(text: str, filename: str) -> ServiceFile:
    """The service that the text defines. Raises DefinitionFaults with every fault, its line and its field."""
    try:
        source = read_yaml(text)
    except Unreadable as error:
        raise DefinitionFaults([Fault(filename, error.line, "", str(error))]) from None
    if not isinstance(source.data, dict):
        message = (
            "The file must be a group of keys: service, sla, responders and so on. See deploy/bromley.yaml"
        )
        raise DefinitionFaults([Fault(filename, source.line_of(()), "", message)])
    service, faults = _validated(source)
    faults = [*faults, *cross_faults(source.data)]
    placed = [Fault(filename, source.line_of(path), field_name(path), message) for path, message in faults]
    placed += [Fault(filename, line, field_name(path), message) for path, line, message in source.faults]
    if placed or service is None:
        raise DefinitionFaults(list(dict.fromkeys(placed)))
    return service


def _validated(source: Source) -> tuple[ServiceFile | None, list[tuple[Path, str]]]:
    try:
        return ServiceFile.model_validate(source.data), []
    except ValidationError as error:
        return None, list(model_faults(error))
