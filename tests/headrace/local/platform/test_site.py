"""Where a run finds what it brings data to."""

from types import SimpleNamespace
from typing import Any

import pytest

from headrace.local.platform.site import LocalSite
from headrace.workloads.delivery import Place, Prefix


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://raw/resnet/lists/", Prefix("raw", "resnet/lists/")),
        ("s3://work/sets/one/", None),
        ("{% $earlier_model %}", None),
    ],
)
def test_brings_data_to_the_raw_bucket_alone(monkeypatch: pytest.MonkeyPatch, uri: str, place: Place | None) -> None:
    monkeypatch.setattr(LocalSite, "raw_bucket", "raw")
    nothing: Any = SimpleNamespace()

    assert LocalSite(nothing, nothing).find_place({"S3DataSource": {"S3Uri": uri}}) == place
