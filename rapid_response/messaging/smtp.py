"""Mail by SMTP, by the standard library, in a thread of its own: a mail server that hangs holds nobody up."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from enum import StrEnum

from rapid_response.core.clock import Clock
from rapid_response.messaging.mail import Mail, MailFailed

#: For each single step of the conversation, and for all of it.
STEP_SECONDS, ALL_SECONDS = 10.0, 30.0


class Security(StrEnum):
    """How the conversation is kept from others."""

    STARTTLS = "starttls"
    TLS = "tls"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Account:
    """Where mail is handed in, and between whom."""

    host: str
    port: int
    security: Security
    sender: str
    to: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class SmtpMailer:
    """Hands in one mail at a time. Certificates are checked; a password never goes over an open line."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account, self._clock = account, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")

    async def send(self, mail: Mail) -> None:
        """Hand one over. Raises :class:`MailFailed`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ALL_SECONDS):
                await loop.run_in_executor(self._thread, self._hand_in, self.message(mail))
        except TimeoutError:
            # Whatever still hangs ends by its own time-outs; the next mail has a thread of its own.
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
            raise MailFailed("timeout") from None

    def message(self, mail: Mail) -> EmailMessage:
        """As it goes out: plain text, marked as made by a machine, so that no holiday notice answers it."""
        message = EmailMessage()
        message["From"], message["To"] = self._account.sender, self._account.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(self._clock.real())
        domain = parseaddr(self._account.sender)[1].rpartition("@")[2]
        message["Message-ID"] = f"<{mail.key}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.body)
        return message

    def _hand_in(self, message: EmailMessage) -> None:
        account = self._account
        try:
            server = self._connected()
            try:
                if account.security is Security.STARTTLS:
                    server.starttls(context=ssl.create_default_context())
                if account.username is not None:
                    server.login(account.username, account.password or "")
                server.send_message(message)
            finally:
                # What was taken is taken, however the server says good-bye.
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except smtplib.SMTPResponseException as error:
            raise MailFailed(f"refused_{error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise MailFailed(f"recipient_refused_{codes[0]}") from None
        except smtplib.SMTPException as error:
            raise MailFailed(type(error).__name__) from None
        except ssl.SSLError:
            raise MailFailed("certificate") from None
        except (OSError, ValueError):
            raise MailFailed("unreachable") from None

    def _connected(self) -> smtplib.SMTP:
        account = self._account
        if account.security is Security.TLS:
            return smtplib.SMTP_SSL(
                account.host, account.port, timeout=STEP_SECONDS, context=ssl.create_default_context()
            )
        return smtplib.SMTP(account.host, account.port, timeout=STEP_SECONDS)

    async def close(self) -> None:
        """Let go of its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
