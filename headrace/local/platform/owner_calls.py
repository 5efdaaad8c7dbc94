"""Commands of its owner to a running local cloud, through its door."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from headrace.local.engine.cloud import REGION, CloudError, LocalCloud

_SECONDS: Final = 30
_SIGNED_FOR: Final = "headrace"


def call_as_owner(cloud: LocalCloud, method: str, path: str, sent: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a cloud answers to its owner.

    Args:
        cloud: A local cloud that runs.
        method: The method,
        path: and the path of one of its own addresses.
        sent: What is sent, as JSON.

    Raises:
        CloudError: If it does not answer, or refuses.
    """
    body = json.dumps(sent).encode() if sent else b""
    address = f"{cloud.endpoint_url}{path}"
    signed = AWSRequest(method, address, data=body)
    SigV4Auth(Credentials(cloud.key.key_id, cloud.key.secret), _SIGNED_FOR, REGION).add_auth(signed)
    request = urllib.request.Request(address, body or None, dict(signed.headers), method=method)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise CloudError(_explain(error)) from error
    except OSError as error:
        raise CloudError(f"the local cloud does not answer: {error}") from error


def _explain(error: urllib.error.HTTPError) -> str:
    if error.code == HTTPStatus.NOT_FOUND:
        return "the local cloud that runs is older than this command; stop it with 'headrace local down'"
    return f"the local cloud refused the request: {error.read().decode(errors='replace')}"
