"""Container images of ECR's repositories, copied by what they are: the digest of a copy is that of the original.

ECR's own API reads and writes them, so no container engine is needed:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html. What a manifest has in it is described in
https://github.com/opencontainers/image-spec/blob/main/manifest.md.
"""

import base64
import hashlib
import json
import re
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final

from botocore.exceptions import ClientError

from headrace.promotion.errors import PromotionError

_URI: Final = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+):([^:@]+)")
_MANIFESTS: Final = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
_INDEXES: Final = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
# What SageMaker's instances run, as a container image names it.
_PLATFORM: Final = ("linux", "amd64")
_MOST_CONFIG_BYTES: Final = 8 << 20
_MISSING: Final = ("RepositoryNotFoundException", "LayersNotFoundException", "LayerInaccessibleException")
_CHUNK_BYTES: Final = 1 << 20
_ANSWER_SECONDS: Final = 60

OpenUrl = Callable[[str], IO[bytes]]
OpenEcr = Callable[[str], Any]


@dataclass(frozen=True)
class Manifest:
    """What a container image is made of.

    Args:
        digest: Its digest, which names the container image by its content.
        media_type: The manifest's type.
        text: The manifest itself, byte for byte.
    """

    digest: str
    media_type: str
    text: str

    @property
    def config(self) -> Mapping[str, Any]:
        """The descriptor of its configuration."""
        found: Mapping[str, Any] = json.loads(self.text)["config"]
        return found

    @property
    def blobs(self) -> list[Mapping[str, Any]]:
        """The descriptors of its configuration and its layers, each once."""
        found = [self.config, *json.loads(self.text)["layers"]]
        return list({blob["digest"]: blob for blob in found}.values())


@dataclass(frozen=True)
class Repository:
    """A repository.

    Args:
        uri: Its address.
        account: The account that it is in.
        name: Its name.
        ecr: The client of its Region.
        open_url: Opens what ECR says where a layer is.
    """

    uri: str
    account: str
    name: str
    ecr: Any = field(repr=False, compare=False)
    open_url: OpenUrl = field(repr=False, compare=False, default=lambda url: _open(url))

    def find(self, *, tag: str | None = None, digest: str | None = None) -> Manifest | None:
        """A container image by its tag or its digest; None if there is none.

        Raises:
            PromotionError: If there is an index of several, which SageMaker refuses, or no such repository.
        """
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
        with self._saying_what_is_missing():
            answer = self.ecr.batch_get_image(
                **self._place, imageIds=[wanted], acceptedMediaTypes=[*_MANIFESTS, *_INDEXES]
            )
        for image in answer["images"]:
            text, media_type = image["imageManifest"], image["imageManifestMediaType"]
            if media_type in _INDEXES:
                raise PromotionError(f"{self.uri}:{tag or digest} is an index of several container images")
            if hash_text(text) != image["imageId"]["imageDigest"]:
                raise PromotionError(f"{self.uri}:{tag or digest} has a manifest that is not what its digest names")
            return Manifest(image["imageId"]["imageDigest"], media_type, text)
        return None

    def read_config(self, manifest: Manifest) -> Mapping[str, Any]:
        """What a container image says of itself, its platform included."""
        with self._open_blob(manifest.config) as file:
            found: Mapping[str, Any] = json.loads(file.read(_MOST_CONFIG_BYTES))
        return found

    def copy_from(self, source: "Repository", manifest: Manifest, tag: str) -> None:
        """Copy a container image from another repository, under a tag that then never moves.

        Raises:
            PromotionError: If what is there at the end is another one.
        """
        for blob in self._list_missing(manifest.blobs):
            with source._open_blob(blob) as file:
                self._write_blob(blob["digest"], file)
        with suppress(self.ecr.exceptions.ImageAlreadyExistsException):
            self.ecr.put_image(
                **self._place,
                imageTag=tag,
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.media_type,
                imageDigest=manifest.digest,
            )
        found = self.find(tag=tag)
        if found is None or found.digest != manifest.digest:
            raise PromotionError(f"{self.uri}:{tag} is {found.digest if found else 'not there'}, not {manifest.digest}")

    @property
    def _place(self) -> dict[str, str]:
        return {"registryId": self.account, "repositoryName": self.name}

    def _list_missing(self, blobs: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for blob in blobs:
            answer = self.ecr.batch_check_layer_availability(**self._place, layerDigests=[blob["digest"]])
            if not any(layer["layerAvailability"] == "AVAILABLE" for layer in answer["layers"]):
                yield blob

    @contextmanager
    def _open_blob(self, blob: Mapping[str, Any]) -> Iterator[IO[bytes]]:
        """A temporary file with a blob, which is what its digest names.

        Raises:
            PromotionError: If it is not.
        """
        digest, known = blob["digest"], hashlib.sha256()
        with tempfile.TemporaryFile() as file:
            for chunk in self._read_blob(blob):
                known.update(chunk)
                file.write(chunk)
            if f"sha256:{known.hexdigest()}" != digest:
                raise PromotionError(f"{self.uri} has a layer {digest} that is not what its digest names")
            file.seek(0)
            yield file

    def _read_blob(self, blob: Mapping[str, Any]) -> Iterator[bytes]:
        # A descriptor may carry what it describes.
        if "data" in blob:
            yield base64.b64decode(blob["data"])
            return
        with self._saying_what_is_missing():
            url = self.ecr.get_download_url_for_layer(**self._place, layerDigest=blob["digest"])["downloadUrl"]
        try:
            with self.open_url(url) as answer:
                while chunk := answer.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise PromotionError(f"{self.uri}: layer {blob['digest']} cannot be read: {error}") from error

    def _write_blob(self, digest: str, file: IO[bytes]) -> None:
        begun = self.ecr.initiate_layer_upload(**self._place)
        upload, first = begun["uploadId"], 0
        while part := file.read(begun["partSize"]):
            last = first + len(part) - 1
            self.ecr.upload_layer_part(
                **self._place, uploadId=upload, partFirstByte=first, partLastByte=last, layerPartBlob=part
            )
            first = last + 1
        # Another command may have written it meanwhile.
        with suppress(self.ecr.exceptions.LayerAlreadyExistsException):
            self.ecr.complete_layer_upload(**self._place, uploadId=upload, layerDigests=[digest])

    @contextmanager
    def _saying_what_is_missing(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            raise PromotionError(f"{self.uri}: {error.response['Error']['Message']}") from None


def parse_uri(uri: str, open_ecr: OpenEcr) -> tuple[Repository, str]:
    """The repository and the tag of a container image.

    Args:
        uri: Where the container image is.
        open_ecr: Opens the client of a Region.

    Raises:
        PromotionError: If it is in no repository of ECR, or has no tag.
    """
    named = _URI.fullmatch(uri)
    if not named:
        raise PromotionError(f"{uri} has no tag in a repository of ECR, so it cannot be copied")
    account, region, name, tag = named.groups()
    return Repository(uri.rpartition(":")[0], account, name, open_ecr(region)), tag


def check_platform(repository: Repository, manifest: Manifest) -> None:
    """See that a container image runs on SageMaker's instances.

    Raises:
        PromotionError: If it is of another system or architecture.
    """
    config = repository.read_config(manifest)
    platform = (config.get("os"), config.get("architecture"))
    if platform != _PLATFORM:
        raise PromotionError(
            f"{repository.uri}@{manifest.digest} is for {'/'.join(map(str, platform))}, and SageMaker's instances run "
            f"{'/'.join(_PLATFORM)}"
        )


def hash_text(text: str) -> str:
    """The digest of a manifest."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _open(url: str) -> IO[bytes]:
    if not url.startswith("https://"):
        raise OSError(f"{url.partition('?')[0]} is not an address of HTTPS")
    answer: IO[bytes] = urllib.request.urlopen(url, timeout=_ANSWER_SECONDS)  # noqa: S310
    return answer
