"""Keys that sign requests to the local cloud, and the file that the owner's is kept in."""

import json
import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_FILE: Final = "credentials.json"
# Access key ids are written in base 32; secrets here leave out what a shell could take for something else.
_ID_LETTERS: Final = string.ascii_uppercase + "234567"
_SECRET_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """What a request is signed with.

    Args:
        key_id: Names the key in a request.
        secret: Never leaves its holder.
        session_token: What requests with a temporary key carry besides.
    """

    key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def make_key(prefix: str = "AKIA") -> AccessKey:
    """A new random key, shaped like one of AWS; a temporary one has the prefix ASIA and a token."""
    return AccessKey(
        key_id=prefix + _choose(_ID_LETTERS, 16),
        secret=_choose(_SECRET_LETTERS, 40),
        session_token=_choose(_SECRET_LETTERS, 120) if prefix == "ASIA" else None,
    )


def renew_owner_key(root: Path) -> AccessKey:
    """Make the key of a local cloud's owner and keep it where only the owner can read it."""
    key = make_key()
    new = root / f"{_FILE}.new"
    new.unlink(missing_ok=True)
    # Not `whole_file`: private from its first moment, not only once its mode is changed.
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"key_id": key.key_id, "secret": key.secret}, file)
    new.replace(root / _FILE)
    return key


def read_owner_key(root: Path) -> AccessKey:
    """The key of the owner of the local cloud that runs on a root."""
    kept = json.loads((root / _FILE).read_text())
    return AccessKey(key_id=kept["key_id"], secret=kept["secret"])


def _choose(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
