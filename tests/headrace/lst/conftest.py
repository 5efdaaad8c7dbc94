"""A list that tests of editing and of dividing start from."""

from pathlib import Path

import pytest

from headrace.lst import ListRow, hash_path, write_lst
from tests.headrace.lst.lists import PATHS


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """The list of both classes."""
    rows = [ListRow(hash_path(path), int(path.startswith("bee")), path) for path in PATHS]
    write_lst(tmp_path / "all.lst", rows)
    return tmp_path / "all.lst"
