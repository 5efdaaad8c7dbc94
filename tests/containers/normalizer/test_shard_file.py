import errno
import io
from typing import Any

import numpy as np
import pytest

from containers.normalizer.failures import BulkJobError
from containers.normalizer.shard_file import ShardFile


def test_ends_when_the_disk_is_full() -> None:
    class FullDisk(io.BytesIO):
        def write(self, _content: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    full: Any = FullDisk()

    with pytest.raises(BulkJobError, match="No space left on device; use a larger volume"):
        ShardFile(full, (2, 2, 1)).put(0, np.zeros((2, 2), np.uint8))
