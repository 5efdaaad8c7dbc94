"""What an environment uses that others keep: the names of their buckets, keys and registries."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import AfterValidator

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_OTHER_KINDS: Final = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
_KEY: Final = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):"
    r"key/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
)
_REGISTRY: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<prefix>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
)


def _check_bucket(name: str) -> str:
    if not re.fullmatch(_BUCKET, name):
        raise ValueError("not the name of a bucket; give the name alone, such as company-photographs")
    if "." in name:
        raise ValueError("S3's certificate covers no name with dots, and everything here speaks TLS")
    if name.endswith(_OTHER_KINDS):
        raise ValueError("an access point or a bucket of another kind; give the name of a general purpose bucket")
    return name


def _check_key(arn: str) -> str:
    if not _KEY.fullmatch(arn):
        raise ValueError(
            "not the ARN of a key; give it whole, as policies need it, and not that of an alias: "
            "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )
    return arn


def _check_registry(address: str) -> str:
    if not _REGISTRY.fullmatch(address):
        raise ValueError(
            "not an ECR registry followed by a prefix, such as "
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/teams/vision"
        )
    return address


BucketName = Annotated[str, AfterValidator(_check_bucket)]
KeyArn = Annotated[str, AfterValidator(_check_key)]
RegistryAddress = Annotated[str, AfterValidator(_check_registry)]


@dataclass(frozen=True)
class ExistingResource:
    """Something that somebody else keeps, by where it is.

    Args:
        region: Its Region.
        account: The account that has it.
        name: Its name there, or the beginning of it.
    """

    region: str
    account: str
    name: str = ""

    @classmethod
    def of_key(cls, arn: str) -> Self:
        """Where a key is, by its ARN."""
        return cls._read(_KEY, arn)

    @classmethod
    def of_registry(cls, address: str) -> Self:
        """Where repositories are, by the address of their registry and the prefix of their names."""
        return cls._read(_REGISTRY, address)

    @classmethod
    def _read(cls, pattern: re.Pattern[str], text: str) -> Self:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(f"unchecked: {text}")
        parts = found.groupdict()
        return cls(parts["region"], parts["account"], parts.get("prefix", ""))
