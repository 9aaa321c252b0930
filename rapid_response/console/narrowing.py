"""The filters in a list's address. What narrows nothing is said: nobody takes the whole for a part of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from rapid_response.console.forms.posted import Posted

T = TypeVar("T", bound=str)

_NO_FILTER = "The address asks for something that is no filter of this list: it narrows nothing here"


class Narrowing:
    """Reads the filters of an address one by one; `names` are all that the list knows, with their words."""

    def __init__(self, query: Posted, names: Mapping[str, str], beside: Collection[str] = ()) -> None:
        self.query, self.names = query, names
        self.problems: list[str] = []
        if query.values.keys() - names.keys() - {*beside}:
            self.problems.append(_NO_FILTER)

    def one_of(self, name: str, values: Iterable[T]) -> T | None:
        """What a filter is set to; None where it is not set, or to nothing that can be chosen."""
        asked = {text for value in self.query.all(name) if (text := value.strip())}
        chosen = next((value for value in values if value in asked), None)
        if len(asked) > 1:
            self.problems.append(f"{self.names[name]}: choose one at a time. The list is not narrowed by it")
            return None
        if asked and chosen is None:
            self.problems.append(
                f"{self.names[name]}: what the address asks for cannot be chosen here. "
                "The list is not narrowed by it"
            )
        return chosen
