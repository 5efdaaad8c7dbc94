"""Textract, Comprehend and S3 as a test has them: answers made by hand after the API's model, and buckets in memory.

The shapes are those of botocore's models of `textract` (2018-06-27) and `comprehend` (2017-11-27), with members as in
the examples of https://docs.aws.amazon.com/textract/latest/dg/how-it-works-document-layout.html. No document is read.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

PDF = b"%PDF-1.4\n1 0 obj <</Type /Pages /Count 1>> endobj\n2 0 obj <</Type /Page /Parent 1 0 R>> endobj\n"
COMPREHEND: Mapping[str, Mapping[str, Any]] = {
    "DetectDominantLanguage": {
        "Languages": [{"LanguageCode": "de", "Score": 0.01}, {"LanguageCode": "en", "Score": 0.99}]
    },
    "DetectEntities": {
        "Entities": [{"Score": 0.99, "Type": "ORGANIZATION", "Text": "Any Company", "BeginOffset": 0, "EndOffset": 11}]
    },
    "DetectKeyPhrases": {"KeyPhrases": [{"Score": 0.98, "Text": "the invoice", "BeginOffset": 20, "EndOffset": 31}]},
    "DetectSentiment": {
        "Sentiment": "NEUTRAL",
        "SentimentScore": {"Positive": 0.1, "Negative": 0.1, "Neutral": 0.7, "Mixed": 0.1},
    },
    "DetectSyntax": {
        "SyntaxTokens": [
            {
                "TokenId": 1,
                "Text": "invoice",
                "BeginOffset": 24,
                "EndOffset": 31,
                "PartOfSpeech": {"Tag": "NOUN", "Score": 0.97},
            }
        ]
    },
}


def make_blocks(*lines: str) -> list[dict[str, Any]]:
    """The blocks of one page with these lines."""
    ids = [f"line-{number}" for number in range(len(lines))]
    page = {"BlockType": "PAGE", "Id": "page", "Page": 1, "Relationships": [{"Type": "CHILD", "Ids": ids}]}
    return [
        page,
        *(
            {"BlockType": "LINE", "Id": each, "Page": 1, "Confidence": 99.5, "Text": line}
            for each, line in zip(ids, lines, strict=True)
        ),
    ]


def make_answer(blocks: Sequence[Mapping[str, Any]], *, status: str = "SUCCEEDED") -> dict[str, Any]:
    """GetDocumentAnalysis's answer, which Textract also writes into a bucket."""
    return {
        "DocumentMetadata": {"Pages": 1},
        "JobStatus": status,
        "Blocks": list(blocks),
        "AnalyzeDocumentModelVersion": "1.0",
    }


@dataclass
class MemoryS3:
    """As much of S3's client as documents take.

    Attributes:
        objects: The bytes of each object, by its bucket and key.
    """

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def put(self, bucket: str, key: str, content: Any) -> None:
        """Put an object there: bytes as they are, anything else as JSON."""
        self.objects[bucket, key] = content if isinstance(content, bytes) else json.dumps(content).encode()

    def read(self, bucket: str, key: str) -> Any:
        """The JSON in an object."""
        return json.loads(self.objects[bucket, key])

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        content = self.objects[Bucket, Key]
        return {"Body": io.BytesIO(content), "ContentLength": len(content), "VersionId": "1"}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.put(Bucket, Key, Body)
        return {}

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.objects.pop((Bucket, Key), None)
        return {}

    def upload_fileobj(self, source: BinaryIO, bucket: str, key: str) -> None:
        self.put(bucket, key, source.read())

    def list_objects_v2(self, *, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803
        return {"KeyCount": sum(bucket == Bucket and key.startswith(Prefix) for bucket, key in self.objects)}

    def get_paginator(self, _operation: str) -> "MemoryS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        # Pages of two, so that what reads only the first one is found out.
        for at in range(0, len(keys), 2):
            yield {"Contents": [{"Key": key} for key in keys[at : at + 2]]}
        if not keys:
            yield {}
