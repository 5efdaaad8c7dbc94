"""A bucket of images and jobs over it."""

import pytest

from tests.containers.normalizer.fake_s3 import FakeS3
from tests.headrace.normalizer.made_images import make_jpeg


@pytest.fixture
def s3() -> FakeS3:
    """Seven images and two other objects below `images/`, uploaded an hour ago."""
    s3 = FakeS3()
    for number in range(7):
        s3.put(f"images/{number}.jpg", make_jpeg(60 + number, 40))
    s3.put("images/", b"")
    s3.put("images/notes.txt", b"seven images")
    s3.put("images/list", b"")
    s3.wait(hours=1)
    return s3
