"""placeholder"""

from dataclasses import dataclass
from typing import Any
from fastapi import FastAPI, Request


@dataclass
class PageSettings:
    base_url: str
    secret_key: str
    previous_key: str | None
    is_evaluation: bool
    clock_speed: float


def add_pages(app: FastAPI, settings: PageSettings, network: Any) -> None: ...
def is_page(request: Request) -> bool:
    return False


async def failed(request: Request, error: Exception) -> Any: ...
