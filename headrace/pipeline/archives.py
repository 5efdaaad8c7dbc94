"""Which archive a version was made of, as it is noted on the version."""

import re
from collections.abc import Mapping
from typing import Any, Final

# As CustomerMetadataProperties take them.
_REFUSED: Final = re.compile(r"[^A-Za-z0-9 _.:/=+@-]")
_LONGEST: Final = 256


def stamp_archive(found: Mapping[str, Any]) -> str:
    """What S3 says of an archive: its ETag and, in a bucket with versions, the ID of its version.

    The state machine writes the same (`stacks/pipeline/archives.py`).

    Args:
        found: HeadObject's answer.

    Example:
        >>> stamp_archive({"ETag": '"0a1b-2"', "VersionId": "a/b+c"})
        '0a1b-2 a/b+c'
    """
    version = found.get("VersionId", "null")
    stamp = found["ETag"].strip('"') + ("" if version in ("", "null") else f" {version}")
    return _REFUSED.sub("_", stamp)[:_LONGEST]
