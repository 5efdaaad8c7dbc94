"""What training jobs and processing jobs are to the API."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.jobs import Job
from headrace.local.sagemaker.kind import Handler, ResourceKind
from headrace.local.sagemaker.networking import check_network

J = TypeVar("J", bound=Job)


class JobKind(ResourceKind[J]):
    """A kind whose resources come to an end by themselves, can be stopped, and can be forgotten after their end."""

    job: type[J]
    listed_ending: ClassVar[str] = "Summaries"
    is_listed_newest_first: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """A kind's name and log are those of its jobs."""
        cls.name, cls.log = cls.job.kind, cls.job.log
        super().__init_subclass__()

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Stop and Delete, besides those that every kind has."""
        return {**super().operations, f"Stop{self.name}": self.stop, f"Delete{self.name}": self.delete}

    def make(self, request: Mapping[str, Any]) -> J:
        """The job that a request asks for."""
        image_uri = self.job.check(request)
        return self.job(request, self._host, self._host.find_container_image(image_uri))

    def check_start(self, resource: J) -> None:
        """Raises SageMaker's refusal where the account may not have the instances, or the network leads nowhere."""
        others = (job for job in self.resources() if not job.is_terminal and job.usage == resource.usage)
        self._host.check_quota(resource.usage, resource.instances, [job.instances for job in others])
        check_network(
            self._host,
            f"The {self.noun}",
            resource.vpc_config,
            channels=resource.request.get("InputDataConfig", ()),
            environment=resource.request.get("Environment", {}),
        )

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Stop: returns while the job is still stopping."""
        job = self.find_requested(request)
        if not job.stop():
            raise RequestRefusedError(f"The request was rejected because the {self.noun} is in status {job.status}.")
        return {}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete: forgets a job that has ended, whose name is free then."""
        job = self._catalog.find(request[f"{self.name}Name"])
        if not job:
            raise SageMakerError("ResourceNotFound", "Requested resource not found.")
        if not job.is_terminal:
            raise SageMakerError(
                "ResourceInUse",
                f"The request was rejected because the {self.noun} is in status {job.status}. Only a {self.noun} in a "
                "terminal state can be deleted.",
            )
        self._catalog.remove(job.name)
        return {}

    def describe_taken(self, resource: J) -> SageMakerError:
        """What SageMaker answers when the name of a new job is taken."""
        return SageMakerError(
            "ResourceInUse",
            f"{self.noun.capitalize()} names must be unique within an AWS account and region, and a {self.noun} with "
            f"this name already exists ({resource.arn})",
        )

    def describe_missing(self, name: str) -> SageMakerError:  # noqa: ARG002 (SageMaker does not say which)
        """What SageMaker answers when no job has a name."""
        return RequestRefusedError("Requested resource not found.")
