"""What MiniStack's ECR is taught: to say which container image it does not have."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def install_registry() -> None:
    """Refuse a description of what a repository lacks, as ECR does; MiniStack leaves it out of its answer."""
    ecr: Any = importlib.import_module("ministack.services.ecr")
    ecr._describe_images = _refuse_missing(ecr, ecr._describe_images)


def _refuse_missing(ecr: Any, describe: Callable[..., Any]) -> Callable[..., Any]:
    def run(request: Mapping[str, Any]) -> Any:
        repository = request.get("repositoryName", "")
        wanted = request.get("imageIds") or () if repository in ecr._repositories else ()
        missing = [image for image in wanted if not ecr._find_image(repository, image)]
        if not missing:
            return describe(request)
        message = f"{missing[0]} does not exist within the repository with name '{repository}'"
        return ecr.error_response_json("ImageNotFoundException", message, 400)

    return run
