import pytest

from headrace.container_images import list_modules
from headrace.recipes import normalizer

CONTAINER = normalizer.BULK


@pytest.mark.parametrize("module", [name for name in list_modules(CONTAINER) if not name.startswith("headrace/s3/")])
def test_carries_modules_that_know_nothing_of_aws(module: str) -> None:
    text = list_modules(CONTAINER)[module].read_text()

    assert not {"boto3", "botocore", "urllib3"} & set(text.replace(".", " ").split())
