"""The buckets: private, encrypted, tiered, logged, and kept in production."""

from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.stacks.conftest import template_of

DATA_BUCKETS = ("Raw", "Work")


@pytest.fixture(scope="module")
def template() -> Template:
    return template_of("Storage")


def find_buckets(template: Template) -> dict[str, Any]:
    return {name[:-8]: bucket for name, bucket in template.find_resources("AWS::S3::Bucket").items()}


def test_makes_three_buckets(template: Template) -> None:
    assert set(find_buckets(template)) == {"AccessLogs", "Raw", "Work"}


def test_blocks_every_kind_of_public_access(template: Template) -> None:
    template.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            }
        },
    )


def test_encrypts_every_bucket(template: Template) -> None:
    template.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            }
        },
    )


def test_keeps_versions_of_every_object(template: Template) -> None:
    template.all_resources_properties("AWS::S3::Bucket", {"VersioningConfiguration": {"Status": "Enabled"}})


@pytest.mark.parametrize(
    "condition", [{"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": 1.2}}]
)
def test_refuses_every_request_without_current_tls(template: Template, condition: dict[str, Any]) -> None:
    template.all_resources_properties(
        "AWS::S3::BucketPolicy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {"Action": "s3:*", "Effect": "Deny", "Principal": {"AWS": "*"}, "Condition": condition}
                            )
                        ]
                    )
                }
            )
        },
    )
    template.resource_count_is("AWS::S3::BucketPolicy", 3)


@pytest.mark.parametrize("bucket", DATA_BUCKETS)
def test_moves_objects_to_intelligent_tiering_as_soon_as_s3_can(template: Template, bucket: str) -> None:
    rule, *_ = find_buckets(template)[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert "Prefix" not in rule
    assert rule["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]


@pytest.mark.parametrize("bucket", DATA_BUCKETS)
def test_never_archives_objects_that_training_reads(template: Template, bucket: str) -> None:
    assert "IntelligentTieringConfigurations" not in find_buckets(template)[bucket]["Properties"]


def test_expires_unfinished_uploads_and_old_versions(template: Template) -> None:
    for bucket in find_buckets(template).values():
        rule, *_ = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


@pytest.mark.parametrize("bucket", DATA_BUCKETS)
def test_logs_access_to_the_log_bucket(template: Template, bucket: str) -> None:
    logging = find_buckets(template)[bucket]["Properties"]["LoggingConfiguration"]

    assert logging["DestinationBucketName"]["Ref"].startswith("AccessLogs")
    assert logging["LogFilePrefix"] == f"{bucket.lower()}/"


def test_expires_what_is_of_use_for_a_while_alone(template: Template) -> None:
    _, *rules = find_buckets(template)["Work"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules} == {
        "normalized/": 7,
        "checkpoints/": 7,
        "captured/": 90,
    }


def test_expires_access_logs(template: Template) -> None:
    (rule,) = find_buckets(template)["AccessLogs"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert rule["ExpirationInDays"] == 30
