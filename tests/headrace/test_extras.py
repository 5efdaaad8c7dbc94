import pytest

from headrace.extras import MissingExtraError, require_extra


def test_lets_pass_what_is_installed() -> None:
    require_extra("click", "data")


def test_says_how_to_install_what_is_missing_from_the_checkout_and_from_its_address() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require_extra("no_such_package", "data")

    assert "pip install '.[data]' in the checkout" in str(caught.value)
    assert "pip install 'headrace[data] @ git+" in str(caught.value)
