"""The settings of the notebook instance."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stacks.settings.instance_types import NotebookInstanceType
from stacks.settings.section import NOTHING, Change, Section, Setting


def _check_repository(url: str) -> str:
    if "@" in url.split("/")[2]:
        raise ValueError("a user name or password in it would stand in the template; use repository_secret_arn")
    return url


class NotebookSettings(Section):
    """The notebook instance for people."""

    enabled: Annotated[
        bool,
        Setting(
            "whether there is one",
            cost="its machine while it runs, its volume always",
            change=Change(
                "off removes it with the files on its volume",
                loses=("AWS::SageMaker::CodeRepository", "AWS::SageMaker::NotebookInstance"),
            ),
        ),
    ] = False
    instance_type: Annotated[
        NotebookInstanceType,
        Setting("its machine", cost="by the second while it runs", change=Change("in place; it restarts")),
    ] = "ml.t3.medium"
    volume_gib: Annotated[
        int,
        Field(ge=5, le=16384),
        Setting("its disk", cost="per GB and month, stopped or not", change=Change("grows in place; it restarts")),
    ] = 20
    repository_url: Annotated[
        Annotated[
            str, StringConstraints(pattern=r"^https://[^/]+/.+$", max_length=1024), AfterValidator(_check_repository)
        ]
        | None,
        Setting(
            "a Git repository that it clones when it starts",
            cost=NOTHING,
            change=Change(
                "in place; with a secret, SageMaker's record of the repository is replaced",
                loses=("AWS::SageMaker::CodeRepository",),
            ),
        ),
    ] = None
    repository_secret_arn: Annotated[
        Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:secretsmanager:.+$")] | None,
        Setting(
            "the secret that opens a private repository",
            cost=NOTHING,
            change=Change(
                "in place; null removes SageMaker's record of the repository",
                loses=("AWS::SageMaker::CodeRepository",),
            ),
        ),
    ] = None
    direct_internet: Annotated[
        bool,
        Setting(
            "whether it reaches the internet around the VPC",
            cost=NOTHING,
            change=Change(
                "a new notebook takes its place, without the old one's files",
                loses=("AWS::SageMaker::NotebookInstance",),
            ),
        ),
    ] = True
    idle_minutes: Annotated[
        int,
        Field(ge=10, le=1440),
        Setting(
            "after how many minutes without work it stops itself",
            cost="its machine for as long",
            change=Change("in place; counts from its next start on"),
        ),
    ] = 60

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.repository_secret_arn and not self.repository_url:
            raise ValueError("repository_secret_arn needs the repository_url it opens")
        return self
