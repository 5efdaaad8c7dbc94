"""The images without a picture, on disk until the job's end: there may be as many as there are images."""

import json
from threading import Lock
from typing import IO, Final

from .pictures import Image

_SHOWN: Final = 3
_SHOWN_CHARACTERS: Final = 200


class FailureLog:
    """One line of JSON for each image without a picture; all threads may write.

    A sample: `{"bucket":"raw","key":"images/a.jpg","code":"NotAnImage","reason":"the first bytes are …"}`.

    Args:
        file: Where the lines go.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.first: list[str] = []
        self.lines: set[int] = set()
        self._lock = Lock()

    def write(self, image: Image, code: str, reason: str) -> None:
        """Note an image and why it has no picture."""
        entry = {"bucket": image.place.bucket, "key": image.place.key, "code": code, "reason": reason}
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self.file.write(f"{text}\n".encode(errors="backslashreplace"))
            self.lines.add(image.line)
            if len(self.first) < _SHOWN:
                self.first.append(f"{image.place.key}: {code}: {reason}"[:_SHOWN_CHARACTERS])
