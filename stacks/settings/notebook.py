"""The settings of the notebook instance."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from stacks.settings.jobs import InstanceType
from stacks.settings.section import Section


class NotebookSettings(Section):
    """The notebook instance for people."""

    enabled: bool
    instance_type: InstanceType
    volume_gib: Annotated[int, Field(ge=5, le=16384)]
    repository_url: Annotated[str, StringConstraints(pattern=r"^https://[^/]+/.+$", max_length=1024)] | None = None
    repository_secret_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:secretsmanager:.+$")] | None = None
    direct_internet: bool
    idle_minutes: Annotated[int, Field(ge=10, le=1440)]

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.repository_secret_arn and not self.repository_url:
            raise ValueError("repository_secret_arn needs the repository_url it opens")
        return self
