"""Refuses what could not reach, from its VPC, what it needs: on AWS it would wait for answers that never come."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import Host

_FUNCTION_URL: Final = re.compile(r"https?://(?:[a-z0-9]+\.lambda-url\.|[^/]+/_aws/lambda-url/)")


def check_network(
    host: Host,
    what: str,
    vpc_config: Mapping[str, Any] | None,
    *,
    channels: Iterable[Mapping[str, Any]] = (),
    environment: Mapping[str, str],
) -> None:
    """Raises RequestRefusedError where S3, a file system or a function URL cannot be reached.

    Args:
        host: The machine.
        what: What would run, as a message calls it.
        vpc_config: Its subnets and groups, none where it has its network from SageMaker.
        channels: Its channels.
        environment: Its variables, where it has the URLs of functions from.
    """
    if not vpc_config or not host.networks:
        return
    sources = [channel["DataSource"] for channel in channels]
    mounted = [source["FileSystemDataSource"] for source in sources if "FileSystemDataSource" in source]
    obstacles = host.networks.list_obstacles(
        vpc_config,
        file_systems=sorted({(source["FileSystemId"], source["FileSystemType"]) for source in mounted}),
        urls=sorted({value for value in environment.values() if _FUNCTION_URL.match(value)}),
    )
    if obstacles:
        raise RequestRefusedError(
            f"{what} cannot reach what it needs from its VPC: {'; '.join(obstacles)}. On AWS it would start, wait for "
            "answers that never come, and fail; the local cloud refuses it."
        )
