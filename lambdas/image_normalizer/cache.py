"""Pictures that have been made before, in the work bucket."""

import hashlib
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from .contract import CACHE_PREFIX, REDIRECT_SECONDS
from .options import Options
from .originals import Original

# Part of every name: a new number leaves pictures of earlier code unused.
GENERATION: Final = 1

# Without the permission to list the bucket, which this function has no use for, a missing object is a refused one.
_MISSING: Final = frozenset({"AccessDenied", "NoSuchKey"})


class CacheError(Exception):
    """The cache cannot be read or written at the moment."""


def name_picture(original: Original, options: Options) -> str:
    """The key of a picture: the same image, version and options have the same one."""
    text = f"{GENERATION}\n{original.name}\n{options!r}"
    return f"{CACHE_PREFIX}{hashlib.sha256(text.encode()).hexdigest()}.{options.output_format}"


class PictureCache:
    """Pictures by their names."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def get(self, name: str) -> bytes | None:
        """A picture, if it is there.

        Raises:
            CacheError: If S3 cannot tell.
        """
        try:
            return bytes(self._s3.get_object(Bucket=self._bucket, Key=name)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise CacheError(str(error)) from error
        except BotoCoreError as error:
            raise CacheError(str(error)) from error

    def put(self, name: str, body: bytes, media_type: str) -> None:
        """Keep a picture.

        Raises:
            CacheError: If S3 does not take it.
        """
        try:
            self._s3.put_object(Bucket=self._bucket, Key=name, Body=body, ContentType=media_type)
        except (ClientError, BotoCoreError) as error:
            raise CacheError(str(error)) from error

    def sign_url(self, name: str) -> str:
        """An address under which anybody can read a picture for some minutes."""
        request = {"Bucket": self._bucket, "Key": name}
        return str(self._s3.generate_presigned_url("get_object", Params=request, ExpiresIn=REDIRECT_SECONDS))
