"""Signing in, and one's own account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rapid_response.console.forms.posted import Filled
from rapid_response.console.views.frame import View
from rapid_response.core.vocabulary import Role


@dataclass(frozen=True, slots=True)
class SignInView(View):
    """`GET /sign-in?next=…`; posts `name`, `password`, `next` to `/sign-in`."""

    template: ClassVar[str] = "sign_in.html"
    #: A path of this site, already checked.
    next: str = ""
    name: str = ""
    #: One sentence that does not say which of the two was wrong.
    problem: str = ""
    signed_out: bool = False
    #: (name, role) of the accounts of an evaluation, or empty.
    evaluation_accounts: tuple[tuple[str, Role], ...] = ()


@dataclass(frozen=True, slots=True)
class AccountView(View):
    """`GET /account`; its forms post to `/account/password` (when shown) and `/sign-out`."""

    template: ClassVar[str] = "account.html"
    name: str
    role: Role
    signed_in_at: datetime | None = None
    may_change_password: bool = False
    #: Whether they have phone numbers of their own to confirm.
    has_numbers: bool = False
    filled: Filled = field(default_factory=Filled)
    done: str = ""
