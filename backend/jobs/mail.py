"""One mail by SMTP. `SMTP_URL` says where:

    smtp://user:password@mail.example:587     encrypted as soon as the server offers it; a password never goes in plain
    smtps://user:password@mail.example:465    encrypted from the first byte
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from backend.errors import RetryLater, SyncError, UserError
from backend.settings import Secret

TIMEOUT_SECONDS = 15.0


def send(address: Secret, sender: str, to: Sequence[str], subject: str, text: str) -> None:
    """Raises RetryLater where the server cannot be reached, UserError where it refuses the mail."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(to), " ".join(subject.split())
    mail["Date"], mail["Message-ID"], mail["Auto-Submitted"] = formatdate(), make_msgid(), "auto-generated"
    mail.set_content(text)
    try:
        _send(address, mail)
    except SyncError:
        raise
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
        raise UserError(f"The mail server refused the mail ({type(error).__name__}).",
                        cure="Check SMTP_URL, SMTP_FROM and who the mail goes to.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise RetryLater("The mail server cannot be reached, or broke off.", cure="It is tried again by itself."
                         ) from error


def _send(address: Secret, mail: EmailMessage) -> None:
    parts = urlsplit(address.reveal())
    safe = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname or "", parts.port or 465, timeout=TIMEOUT_SECONDS,
                                                context=safe)
    else:
        server = smtplib.SMTP(parts.hostname or "", parts.port or 587, timeout=TIMEOUT_SECONDS)
    with server:
        encrypted = parts.scheme == "smtps"
        server.ehlo()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=safe)
            server.ehlo()
            encrypted = True
        if parts.username:
            if not encrypted:
                raise UserError("The mail server offers no encryption, so it is not told the password.",
                                cure="Use smtps://, or a server with STARTTLS.")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)
