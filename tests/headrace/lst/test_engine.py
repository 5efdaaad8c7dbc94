import pytest

from headrace.lst.engine import open_engine


def test_takes_an_interrupted_query_for_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt), open_engine():
        raise RuntimeError("Query interrupted")


def test_passes_other_errors_on() -> None:
    with pytest.raises(RuntimeError, match="of somebody else"), open_engine():
        raise RuntimeError("of somebody else")
