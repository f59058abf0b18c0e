"""Messages as e-mail, through any SMTP server."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b

from server.message import Severity
from server.outbox import DeliveryError, Parcel

__all__ = ["SmtpServer", "email_of"]

PERMANENT = range(500, 600)
PRIORITIES = {Severity.ERROR: "1 (Highest)", Severity.WARNING: "3 (Normal)", Severity.INFO: "5 (Lowest)"}


@dataclass(frozen=True)
class SmtpServer:
    """Where e-mail is handed over.

    Attributes:
        host, port: the server's.
        security: ``starttls``, ``tls`` (from the first byte on) or ``none``.
        user, password: None for a server that asks for none.
        sender: the address that it comes from.
        patience: seconds that it may take to answer.
    """

    host: str
    port: int = 587
    security: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str = "driftline@localhost"
    patience: float = 30.0

    def send(self, parcel: Parcel, now: datetime) -> str:
        """Hand a message over; the server's answer.

        Raises:
            DeliveryError: it was refused.
            OSError: the server cannot be reached, or went away: it may have taken the message or not.
        """
        mail = email_of(parcel, self.sender, now)
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise DeliveryError(_text(code, said), hopeless=code in PERMANENT) from error
        except smtplib.SMTPResponseException as error:
            # Wrong credentials are mended by somebody, and then the message still has to go.
            hopeless = error.smtp_code in PERMANENT and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise DeliveryError(_text(error.smtp_code, error.smtp_error), hopeless=hopeless) from error
        except smtplib.SMTPServerDisconnected as error:
            raise ConnectionError(str(error)) from error
        except smtplib.SMTPException as error:
            raise DeliveryError(str(error) or type(error).__name__) from error
        return f"accepted by {self.host}"

    def check(self) -> str:
        """Log in and say nothing; the server's greeting. Raises as `send` does."""
        try:
            with self._connected() as server:
                code, said = server.noop()
                return _text(code, said)
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(_text(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPException as error:
            raise DeliveryError(str(error) or type(error).__name__) from error

    @contextmanager
    def _connected(self) -> Generator[smtplib.SMTP]:
        context = ssl.create_default_context()
        if self.security == "tls":
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=self.patience, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.patience)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user is not None:
                server.login(self.user, self.password or "")
            yield server
        finally:
            # What it says to a goodbye changes nothing: a mail that it has taken is not to be sent again.
            with suppress(OSError):
                server.quit()
            server.close()


def email_of(parcel: Parcel, sender: str, now: datetime) -> EmailMessage:
    """The message as an e-mail.

    Its id is the parcel's key, so that a mail that comes twice is one to those who look at ids, and mails of one thread
    are put together.
    """
    message, mail = parcel.message, EmailMessage()
    domain = sender.rpartition("@")[2] or "localhost"
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = Address("driftline", addr_spec=sender)
    mail["To"] = parcel.address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{_digest(parcel.dedupe_key)}@{domain}>"
    if message.thread:
        mail["References"] = f"<{_digest(message.thread)}@{domain}>"
    mail["X-Priority"] = PRIORITIES[message.severity]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
        if message.picture is not None:
            html = mail.get_payload()[1]  # type: ignore[index] - the alternative that was just added
            html.add_related(message.picture, "image", "png", cid="<picture>", filename="picture.png")  # type: ignore[union-attr]
    elif message.picture is not None:
        mail.add_attachment(message.picture, "image", "png", filename="picture.png")
    return mail


def _digest(key: str) -> str:
    return blake2b(key.encode(), digest_size=16).hexdigest()


def _text(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
