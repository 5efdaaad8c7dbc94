"""Objects and prefixes in S3, copied to folders and back."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import SplitResult, unquote, urlsplit

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from headrace.local.sagemaker.errors import DataError
from headrace.local.sagemaker.host import S3Client
from headrace.local.sagemaker.left_files import LeftFolder
from headrace.s3.answers import NO_SUCH_BUCKET, Refusal
from headrace.s3.heads import hear_reason

AWS_ERRORS = (BotoCoreError, Boto3Error, ClientError)
PATH_STYLE_HOST = re.compile(r"s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")
BUCKET_STYLE_HOST = re.compile(r"(?P<bucket>[^/]+)\.s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?")


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key, or a prefix of keys, in it."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Location":
        """The place that s3://bucket/key or one of S3's https addresses names."""
        parts = split_address(uri)
        path = unquote(parts.path) if parts.scheme == "https" else uri.removeprefix("s3://").partition("/")[2]
        if parts.scheme == "s3" and parts.netloc:
            return cls(parts.netloc, path)
        if parts.scheme == "https" and PATH_STYLE_HOST.fullmatch(parts.netloc):
            bucket, _, key = path.lstrip("/").partition("/")
            return cls(bucket, key)
        named = BUCKET_STYLE_HOST.fullmatch(parts.netloc) if parts.scheme == "https" else None
        if named:
            return cls(named["bucket"], path.removeprefix("/"))
        raise DataError(f'"{uri}" is not an address in S3; write it as s3://bucket/key')

    def join(self, name: str) -> "S3Location":
        """A key below this one."""
        return S3Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def split_address(uri: str) -> SplitResult:
    """An address's parts; raises DataError for what is none."""
    try:
        return urlsplit(uri.replace("#", "%23").replace("?", "%3F") if uri.startswith("s3://") else uri)
    except ValueError as error:
        raise DataError(f'"{uri}" is not an address in S3 ({error}); write it as s3://bucket/key') from error


def is_missing(error: BaseException) -> bool:
    """Whether S3 answered that there is no such object or bucket."""
    if not isinstance(error, ClientError):
        return False
    refusal = Refusal.of(error.response)
    return refusal.is_missing or refusal.code == NO_SUCH_BUCKET


def object_exists(s3: S3Client, location: S3Location) -> bool:
    """Whether there is an object of exactly this key."""
    return find_etag(s3, location) is not None


def find_etag(s3: S3Client, location: S3Location) -> str | None:
    """What distinguishes an object's content from another's; None when there is no object."""
    try:
        return str(s3.head_object(Bucket=location.bucket, Key=location.key)["ETag"])
    except ClientError as error:
        if is_missing(error):
            return None
        raise hear_reason(s3, error, location.bucket, location.key) from error


def list_keys(s3: S3Client, prefix: S3Location) -> Iterator[str]:
    """The keys below a prefix; none when the bucket does not exist."""
    return (key for key, _ in list_etags(s3, prefix))


def list_etags(s3: S3Client, prefix: S3Location) -> Iterator[tuple[str, str]]:
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


def download_prefix(s3: S3Client, prefix: S3Location, folder: Path, check_stop: Callable[[], None]) -> int:
    """Copies every object under a prefix into a folder and returns how many there were."""
    count = 0
    for key in list_keys(s3, prefix):
        check_stop()
        target = place_key(relative_key(key, prefix.key), folder)
        count += 1
        if key.endswith("/"):
            make_folder(target)
        else:
            download_object(s3, S3Location(prefix.bucket, key), target)
    return count


def place_key(name: str, folder: Path) -> Path:
    """Where a key belongs in a folder; raises DataError when that is outside of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise DataError(f'Data download failed: the S3 key "{name}" leads out of the folder. Please rename the object.')
    return folder / path


def make_folder(folder: Path) -> None:
    """Makes a folder for objects; raises DataError when an object has its name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(
            f'Data download failed: "{folder.name}" is both an object and a folder of objects in S3. '
            "Please rename one of them."
        ) from error


def download_object(s3: S3Client, location: S3Location, target: Path) -> None:
    """Copies one object to a file; raises DataError when there is none."""
    make_folder(target.parent)
    if target.is_dir():
        raise DataError(f"Data download failed: {location} is both an object and a folder of objects.")
    try:
        answer = s3.get_object(Bucket=location.bucket, Key=location.key)
        with target.open("wb") as file:
            shutil.copyfileobj(answer["Body"], file, 1024 * 1024)
    except ClientError as error:
        if is_missing(error):
            raise DataError(f'Data download failed: there is no S3 object "{location}".') from error
        raise _refuse_download(location, error) from error


def upload_file(s3: S3Client, file: BinaryIO, location: S3Location) -> None:
    """Stores one open file; raises DataError when S3 does not take it."""
    try:
        s3.upload_fileobj(file, location.bucket, location.key)
    except AWS_ERRORS as error:
        raise DataError(f"Artifact upload failed: {location} could not be written: {_explain(error)}") from error


def upload_folder(s3: S3Client, folder: LeftFolder, prefix: S3Location) -> None:
    """Stores every file that a program left in a folder under a prefix."""
    for entry in folder.list_entries():
        if not entry.is_folder:
            with folder.open(entry) as file:
                upload_file(s3, file, prefix.join(entry.name))


def _refuse_download(location: S3Location, error: ClientError) -> DataError:
    return DataError(f"Data download failed: {location}: {_explain(error)}")


def _explain(error: BaseException) -> str:
    """S3's own reason; boto3's managed uploads have it as the error behind theirs."""
    for told in (error, error.__context__):
        if isinstance(told, ClientError):
            return str(Refusal.of(told.response))
    return str(error)
