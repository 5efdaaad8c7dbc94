"""The photographs that were not normalized, on disk until the job's end: it may be all of them."""

import json
from threading import Lock
from typing import IO, Final

from .normalized_images import Photograph

_SHOWN_CHARACTERS: Final = 200


class FailureLog:
    """One line of JSON for each photograph that was not normalized; all threads may write.

    A sample: `{"bucket":"raw","key":"images/a.jpg","code":"NotAPhotograph","reason":"the first bytes are …"}`.

    Args:
        file: Where the lines go.
    """

    SHOWN: Final = 3
    """How many are shown where there is no room for all."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.first: list[str] = []
        self.lines: set[int] = set()
        self._lock = Lock()

    def write(self, photograph: Photograph, code: str, reason: str) -> None:
        """Note a photograph and why it was not normalized."""
        entry = {"bucket": photograph.place.bucket, "key": photograph.place.key, "code": code, "reason": reason}
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self.file.write(f"{text}\n".encode(errors="backslashreplace"))
            self.lines.add(photograph.line)
            if len(self.first) < self.SHOWN:
                self.first.append(f"{photograph.place.key}: {code}: {reason}"[:_SHOWN_CHARACTERS])
