"""A town whose carrier can be told to behave badly."""

from __future__ import annotations

import pytest

from tests.delivery.carrier import Carrier, between
from tests.harness import Town


@pytest.fixture
def carrier(town: Town) -> Carrier:
    """The carrier of this test's town."""
    return between(town)
