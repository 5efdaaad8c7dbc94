"""Objects and prefixes in S3, copied to folders and back."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.merged_folders import Results
from headrace.local.sagemaker.shards import Shard
from headrace.s3.addresses import S3Address, S3AddressError
from headrace.s3.answers import NO_SUCH_BUCKET, Refusal
from headrace.s3.heads import find_object

AWS_ERRORS = (BotoCoreError, Boto3Error, ClientError)


def parse_address(uri: str) -> S3Address:
    """The place that s3://bucket/key or one of S3's https addresses names; raises JobDataError for what is none."""
    try:
        return S3Address.parse_uri(uri)
    except S3AddressError as error:
        raise JobDataError(str(error)) from error


def is_missing(error: BaseException) -> bool:
    """Whether S3 answered that there is no such object or bucket."""
    if not isinstance(error, ClientError):
        return False
    refusal = Refusal.of(error.response)
    return refusal.is_missing or refusal.code == NO_SUCH_BUCKET


def object_exists(s3: S3Client, location: S3Address) -> bool:
    """Whether there is an object of exactly this key."""
    return find_etag(s3, location) is not None


def find_etag(s3: S3Client, location: S3Address) -> str | None:
    """What distinguishes an object's content from another's; None when there is no object."""
    found = find_object(s3, location.bucket, location.key)
    return None if found is None else str(found["ETag"])


def list_keys(s3: S3Client, prefix: S3Address) -> Iterator[str]:
    """The keys below a prefix; none when the bucket does not exist."""
    return (key for key, _ in list_etags(s3, prefix))


def list_etags(s3: S3Client, prefix: S3Address) -> Iterator[tuple[str, str]]:
    """The keys below a prefix, each with its object's ETag; none when the bucket does not exist."""
    request: dict[str, Any] = {"Bucket": prefix.bucket, "Prefix": prefix.key}
    while True:
        try:
            page = s3.list_objects_v2(**request)
        except ClientError as error:
            if is_missing(error):
                return
            raise _refuse_download(prefix, error) from error
        yield from ((entry["Key"], entry["ETag"]) for entry in page.get("Contents", []))
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def relative_key(key: str, prefix: str) -> str:
    """A key's path below a prefix's folder; a prefix may name a folder, an object or the start of a name."""
    if prefix and not prefix.endswith("/") and key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def download_prefix(
    s3: S3Client, prefix: S3Address, folder: Path, check_stop: Callable[[], None], shard: Shard | None = None
) -> int:
    """Copies the objects under a prefix, or a part of them, into a folder and returns how many there are in all."""
    keys = list(list_keys(s3, prefix))
    for key in (shard or Shard()).take(keys):
        check_stop()
        target = place_key(relative_key(key, prefix.key), folder)
        if key.endswith("/"):
            make_folder(target)
        else:
            download_object(s3, S3Address(prefix.bucket, key), target)
    return len(keys)


def place_key(name: str, folder: Path) -> Path:
    """Where a key belongs in a folder; raises JobDataError when that is outside of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise JobDataError(
            f'Data download failed: the S3 key "{name}" leads out of the folder. Please rename the object.'
        )
    return folder / path


def make_folder(folder: Path) -> None:
    """Makes a folder for objects; raises JobDataError when an object has its name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise JobDataError(
            f'Data download failed: "{folder.name}" is both an object and a folder of objects in S3. '
            "Please rename one of them."
        ) from error


def download_object(s3: S3Client, location: S3Address, target: Path) -> None:
    """Copies one object to a file; raises JobDataError when there is none."""
    make_folder(target.parent)
    if target.is_dir():
        raise JobDataError(f"Data download failed: {location} is both an object and a folder of objects.")
    body = read_object(s3, location)
    with target.open("wb") as file:
        shutil.copyfileobj(body, file, 1024 * 1024)


def read_object(s3: S3Client, location: S3Address) -> BinaryIO:
    """The content of one object, to be read; raises JobDataError when there is none."""
    try:
        body: BinaryIO = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"]
    except ClientError as error:
        if is_missing(error):
            raise JobDataError(f'Data download failed: there is no S3 object "{location}".') from error
        raise _refuse_download(location, error) from error
    return body


def encrypt_outputs(config: Mapping[str, Any]) -> dict[str, str]:
    """How SageMaker has S3 encrypt the outputs of a job: with the key of their configuration, else with S3's own.

    The bucket's default key does not count:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
    """
    key = config.get("KmsKeyId")
    return {"ServerSideEncryption": "aws:kms", **({"SSEKMSKeyId": key} if key else {})}


def upload_file(s3: S3Client, file: BinaryIO, location: S3Address, encryption: Mapping[str, str] | None = None) -> None:
    """Stores one open file; raises JobDataError when S3 does not take it."""
    try:
        s3.upload_fileobj(file, location.bucket, location.key, ExtraArgs=encryption)
    except AWS_ERRORS as error:
        raise JobDataError(f"Artifact upload failed: {location} could not be written: {_explain(error)}") from error


def upload_folder(
    s3: S3Client, folder: Results, prefix: S3Address, encryption: Mapping[str, str] | None = None
) -> None:
    """Stores every file that a program left in a folder under a prefix."""
    for entry in folder.list_entries():
        if not entry.is_folder:
            with folder.open(entry) as file:
                upload_file(s3, file, prefix.as_folder().join(entry.name), encryption)


def _refuse_download(location: S3Address, error: ClientError) -> JobDataError:
    return JobDataError(f"Data download failed: {location}: {_explain(error)}")


def _explain(error: BaseException) -> str:
    """S3's own reason; boto3's managed uploads have it as the error behind theirs."""
    for told in (error, error.__context__):
        if isinstance(told, ClientError):
            return str(Refusal.of(told.response))
    return str(error)
