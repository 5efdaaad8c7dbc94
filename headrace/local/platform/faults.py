"""Faults of a running local cloud, told through its door with its owner's key."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from headrace.local.engine.cloud import REGION, CloudError, LocalCloud
from headrace.local.faults import PATH, describe_fault, read_fault

_SECONDS: Final = 30
_SIGNED_FOR: Final = "headrace"


@dataclass(frozen=True)
class CloudFaults:
    """The faults of a cloud.

    Args:
        cloud: A local cloud that runs.
    """

    cloud: LocalCloud

    def add(self, preset: str, operation: str, **options: Any) -> dict[str, Any]:
        """Have calls meet a fault; the fault.

        Args:
            preset: What goes wrong, a key of `headrace.local.faults.PRESETS`.
            operation: Which calls: `sagemaker:CreateTrainingJob`.
            options: `resource`, `times`, `skip`, `code`, `message`, as `headrace.local.faults.Fault` has them.

        Raises:
            FaultError: If there is no such fault or operation.
        """
        fault = describe_fault(read_fault({"preset": preset, "operation": operation, **options}))
        added: dict[str, Any] = self._ask("POST", fault)["fault"]
        return added

    def list(self) -> list[dict[str, Any]]:
        """Those that were added, with how many calls each will still meet."""
        found: list[dict[str, Any]] = self._ask("GET")["faults"]
        return found

    def clear(self) -> int:
        """Forget all; how many would still have met a call."""
        return int(self._ask("DELETE")["cleared"])

    def _ask(self, method: str, sent: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(sent).encode() if sent else b""
        address = f"{self.cloud.endpoint_url}{PATH}"
        key = self.cloud.key
        signed = AWSRequest(method, address, data=body)
        SigV4Auth(Credentials(key.key_id, key.secret), _SIGNED_FOR, REGION).add_auth(signed)
        request = urllib.request.Request(address, body or None, dict(signed.headers), method=method)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise CloudError(self._explain(error)) from error
        except OSError as error:
            raise CloudError(f"the local cloud does not answer: {error}") from error

    def _explain(self, error: urllib.error.HTTPError) -> str:
        if error.code == HTTPStatus.NOT_FOUND:
            return "the local cloud that runs is older than this command; stop it with 'headrace local down'"
        return f"the local cloud refused the request: {error.read().decode(errors='replace')}"
