"""Reading NumPy's arrays out of a file of a model, without anything that could run."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.shared.serving.model_files import ModelError


def read_arrays(path: Path, content: bytes, names: Sequence[str], dtype: type[Any]) -> list[NDArray[Any]]:
    """Some arrays of a file's bytes, as numbers of a type.

    Raises:
        ModelError: If it is not such a file, or one of the arrays is missing.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return [arrays[name].astype(dtype) for name in names]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not a weights file: {error}; train again with this release") from error
