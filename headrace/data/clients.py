"""One way to S3 for every client here: credentials, region and endpoint as boto3 finds them."""

import os
from datetime import timedelta
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.parsers import ResponseParserFactory
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store

from headrace.data.errors import explaining
from headrace.s3.times import parse_time

WORKERS: Final = 64
# What botocore falls back to as well: S3 answers there for every region.
FALLBACK_REGION: Final = "us-east-1"
# botocore renews temporary credentials while they are good for another ten minutes at least.
_CREDENTIALS_LAST: Final = timedelta(minutes=10)
_RETRY_TIMEOUT: Final = timedelta(minutes=1)
_READ_TIMEOUT: Final = timedelta(minutes=1)
_REQUEST_TIMEOUT: Final = timedelta(hours=1)
_PROBE: Final = "key"


class Connection:
    """S3 as one boto3 session sees it.

    Args:
        session: Where credentials, region and endpoint come from.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._lock = Lock()
        self._clients: dict[str, Any] = {}
        self._find_client = cache(self._make_client_of)
        self._find_store = cache(self._make_store)
        self.client = self._client(session.region_name or os.environ.get("AWS_REGION") or FALLBACK_REGION)

    @property
    def profile(self) -> str | None:
        """The profile of the session, unless it is the default one."""
        name: str = self._session.profile_name
        return None if name == "default" else name

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint, unless it is AWS's own."""
        url: str = self.client.meta.endpoint_url
        host = urlsplit(url).hostname or ""
        return None if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else url

    def client_of(self, bucket: str) -> Any:
        """boto3's client for the region a bucket is in."""
        with self._lock, explaining(f"s3://{bucket}"):
            return self._find_client(bucket)

    def store_of(self, bucket: str) -> S3Store:
        """The client of obstore for a bucket."""
        client = self.client_of(bucket)
        with self._lock, explaining(f"s3://{bucket}"):
            return self._find_store(bucket, client)

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            config = Config(signature_version="s3v4", max_pool_connections=WORKERS)
            self._clients[region] = self._session.client("s3", region_name=region, config=config)
            _read_times_fast(self._clients[region])
        return self._clients[region]

    def _make_client_of(self, bucket: str) -> Any:
        return self.client if self.endpoint_url else self._client(_find_region(self.client, bucket))

    def _presigner(self, client: Any) -> Any:
        if self.endpoint_url:
            return client
        # Presigned addresses are those of S3's global endpoint unless the style is set, whatever the region.
        config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        return self._session.client("s3", region_name=client.meta.region_name, config=config)

    def _make_store(self, bucket: str, client: Any) -> S3Store:
        if self._session.get_credentials() is None:
            raise NoCredentialsError
        return S3Store(
            bucket,
            region=client.meta.region_name,
            endpoint=_find_endpoint(self._presigner(client), bucket),
            virtual_hosted_style_request=True,
            credential_provider=Boto3CredentialProvider(self._session, ttl=_CREDENTIALS_LAST),
            client_options={
                "allow_http": self.endpoint_url is not None,
                "timeout": _REQUEST_TIMEOUT,
                "read_timeout": _READ_TIMEOUT,
            },
            retry_config={"max_retries": 5, "retry_timeout": _RETRY_TIMEOUT},
        )


def connect() -> Connection:
    """The connection of boto3's default session; the same one as long as the AWS environment is the same."""
    environment = frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return _connect(boto3.DEFAULT_SESSION, environment)


@lru_cache(maxsize=4)
def _connect(session: Any, _environment: frozenset[tuple[str, str]]) -> Connection:
    with explaining("S3"):
        return Connection(session or boto3.Session())


def _read_times_fast(client: Any) -> None:
    """Let a client of ours read the times of a listing without dateutil, which takes half of the listing's time."""
    # botocore has a setting for all clients of a session only, and the session may be the caller's.
    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=parse_time)
    client._endpoint._response_parser_factory = factory


def _find_region(client: Any, bucket: str) -> str:
    """The region S3 names in its answer, even where it denies access."""
    try:
        headers = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    return str(headers.get("x-amz-bucket-region", client.meta.region_name))


def _find_endpoint(client: Any, bucket: str) -> str:
    """The address of a bucket by botocore's own rules: path style, dual stack, FIPS, access point aliases."""
    url: str = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": _PROBE})
    return url.partition("?")[0].removesuffix(f"/{_PROBE}")
