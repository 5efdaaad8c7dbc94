from pathlib import Path

import pytest

from headrace import checkout


def test_is_found_where_the_library_lies_in_it() -> None:
    checkout.require_checkout("headrace local run")


def test_says_what_needs_it_when_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkout, "CHECKOUT", tmp_path)

    with pytest.raises(checkout.NoCheckoutError, match=r"^'headrace local run' needs the checkout.*clone"):
        checkout.require_checkout("headrace local run")
