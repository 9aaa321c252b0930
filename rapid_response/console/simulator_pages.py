"""Under way."""

from typing import Any

from fastapi import APIRouter

router = APIRouter()


def is_form(scope: Any) -> bool:
    return False
