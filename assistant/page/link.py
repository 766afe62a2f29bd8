"""The link to a running session's page: kept for `unknot page`, shown as text and as a QR code.

Only its owner may read it: whoever has it can stop the massage.
"""

import io
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.paths import state_folder
from audio.errors import UnknotError


@dataclass(frozen=True)
class Link:
    """Where the page is, and which process serves it."""

    url: str
    pid: int


def link_file() -> Path:
    """Where the link is kept while a session serves its page."""
    return state_folder() / "page.json"


def keep_link(link: Link) -> None:
    """Write the link down, for this user only."""
    file = link_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(asdict(link), opened)


def forget_link(link: Link) -> None:
    """Remove the link, unless another session has put its own there."""
    if _kept() == link:
        link_file().unlink(missing_ok=True)


def running_link() -> Link:
    """The link of the session that runs. Raises `UnknotError` when none serves a page."""
    link = _kept()
    if link is None or not _lives(link.pid):
        raise UnknotError("no session serves a page", "start one with: unknot run --page")
    return link


def invitation(link: Link) -> str:
    """The link, and on a terminal its QR code below."""
    text = f"the helper's page, to watch and STOP: {link.url}"
    return f"{text}\n{picture(link)}" if sys.stderr.isatty() else text


def picture(link: Link) -> str:
    """The link as a QR code in characters."""
    import segno

    drawn = io.StringIO()
    segno.make(link.url, error="l").terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue()


def _kept() -> Link | None:
    try:
        return Link(**json.loads(link_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
