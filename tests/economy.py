"""What hundreds of services in one process need not each do again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from fastapi.dependencies import models
from sqlalchemy import Engine, create_engine, make_url

from rapid_response.storage import engines

#: Objects made before the youngest of them are looked at; Python's own 700 is for small programs.
_YOUNG = 20_000


@contextmanager
def one_compiler_of_statements() -> Iterator[None]:
    """Engines of one driver share what they compiled: a new service would spend half its time on it."""
    kept: dict[str, Any] = {}

    def make(url: str, **more: Any) -> Engine:
        made: Any = create_engine(url, **more)
        driver = make_url(url).drivername
        first = kept.get(driver)
        if first is None or not hasattr(first.dialect, "default_isolation_level"):
            # One that never reached its server knows nothing of it: the next one is asked.
            kept[driver] = made
            return made  # type: ignore[no-any-return]
        made.dialect = first.dialect
        made._compiled_cache = first._compiled_cache
        return made  # type: ignore[no-any-return]

    with patch.object(engines, "create_engine", make):
        yield


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is imported stays; the rest is looked through less often."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def forget_routes() -> None:
    """FastAPI remembers the routes of every service that this process ever made, and by them all it held."""
    for name in dir(models):
        getattr(getattr(models, name), "cache_clear", lambda: None)()
