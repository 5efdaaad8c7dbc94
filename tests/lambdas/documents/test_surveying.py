"""The survey lists what can be read and what cannot, and takes into its memory only what Textract would take."""

import io
from typing import Any

from headrace.documents.contract import MOST_BYTES, MOST_IMAGE_BYTES
from lambdas.documents.store import Store
from lambdas.documents.surveying import Limits, survey
from tests.document_services import PDF, MemoryS3

LIMITS = Limits(documents=10, pages=10, page_usd=0.01)
KILOBYTE = 1024


class HugeBody(io.BytesIO):
    """The beginning of a document that is too large to be read whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size <= KILOBYTE
        return super().read(size)


class HugeS3(MemoryS3):
    """Says of some objects that they are larger than what it holds of them."""

    def __init__(self, **sizes: int) -> None:
        super().__init__()
        self._sizes = sizes

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        found = super().get_object(Bucket=Bucket, Key=Key)
        if size := self._sizes.get(Key.rpartition("/")[2]):
            found |= {"ContentLength": size, "Body": HugeBody(found["Body"].read())}
        return found


def test_refuses_a_document_that_is_too_large_without_reading_it_and_goes_on_with_the_others() -> None:
    s3 = HugeS3(huge=MOST_BYTES + 1, photograph=MOST_IMAGE_BYTES + 1)
    s3.put("raw", "documents/huge", PDF)
    s3.put("raw", "documents/photograph", b"\xff\xd8\xff\xe0")
    s3.put("raw", "documents/small", PDF)

    told = survey(Store(s3, raw="raw", work="work"), LIMITS, "documents/", "run-1", "2026-01-01")

    assert (told["Documents"], told["Refused"]) == (1, 2)
    refused = s3.read("work", "documents/run-1/refused.json")
    assert [(each["Key"], each["VersionId"], each["Reason"]) for each in refused] == [
        ("documents/huge", "1", "the document has 500 MiB, and Textract reads 500; make it smaller"),
        ("documents/photograph", "1", "the document has 10 MiB, and Textract reads 10; make it smaller"),
    ]


def test_reads_the_whole_of_a_document_that_is_longer_than_its_beginning() -> None:
    s3 = MemoryS3()
    s3.put("raw", "documents/a.pdf", PDF + bytes(5000) + b"<</Type /Page>>")

    assert survey(Store(s3, raw="raw", work="work"), LIMITS, "documents/", "run-1", "2026-01-01")["Pages"] == 2
