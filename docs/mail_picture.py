"""Makes docs/images/mail.png: the e-mail that people really get of the flights sample, as a telephone shows it.

python docs/pictures.py mail

Asks for a Chromium on the PATH (Debian: apt-get install chromium).
"""

import base64
import shutil
import subprocess
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from PIL import Image, ImageChops

KINDS = ("text/html", "image/png")
WIDTH, HEIGHT, MARGIN, COLOURS = 480, 1600, 32, 64
SETTINGS = """
smtp: {{host: 127.0.0.1, port: {port}, security: none}}
link: https://grafana.example.com/d/drift?var-monitor={{monitor}}&to={{time}}
"""


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


def mail_of(run: Callable[[str], object], folder: Path) -> EmailMessage:
    """What is mailed by a command that is told where its settings are."""
    box, port = Mailbox(), 8725
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings = folder / "server.yaml"
        settings.write_text(SETTINGS.format(port=port))
        run(f"--notify --settings {settings}")
    finally:
        controller.stop()
    return box.mails[0]


def draw_mail(mail: EmailMessage, path: Path, folder: Path) -> None:
    """Let a browser show the mail, and keep what it shows."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("mail.png needs a Chromium on the PATH (Debian: apt-get install chromium)")
    page, shot = folder / "mail.html", folder / "mail.png"
    page.write_text(page_of(mail), encoding="utf-8")
    look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2"]
    size = f"--window-size={WIDTH + 2 * MARGIN},{HEIGHT}"
    subprocess.run([browser, *look, size, f"--screenshot={shot}", page.as_uri()], check=True, capture_output=True)
    picture = Image.open(shot).convert("RGB")
    blank = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    box = ImageChops.difference(picture, blank).getbbox() or (0, 0, *picture.size)
    kept = picture.crop((0, 0, picture.width, box[3] + MARGIN))
    kept.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def page_of(mail: EmailMessage) -> str:
    """The mail's page with its picture in it, and its subject above."""
    html, picture = (next(part for part in mail.walk() if part.get_content_type() == kind) for kind in KINDS)
    inline = f"data:image/png;base64,{base64.b64encode(picture.get_content()).decode()}"
    subject = f"<h2 style='margin:0 0 8px;font-size:19px'>{mail['Subject']}</h2>"
    return html.get_content().replace("cid:picture", inline).replace("<body>", f"<body>{subject}", 1)
