"""The registry: groups of versions of models, and the decision whether one may serve."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.local.page.answers import Answer, PageError, redirect
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient, is_unserved
from headrace.local.page.sections.comparison import compare
from headrace.local.page.sections.listings import missing_as

_DECISIONS: Final = {"approve": "Approved", "reject": "Rejected"}
_METRIC: Final = "metric:"
_IDLE_SECONDS: Final = 4.0
_MOST: Final = 100
_LONGEST_REASON: Final = 1_024

Found = Mapping[str, Any]


class Registry:
    """The section of the registry.

    Args:
        clients: Finds the client of a service.
    """

    name: Final = "registry"
    title: Final = "Registry"

    def __init__(self, clients: FindClient) -> None:
        self._clients = clients

    def answer(self, request: Request) -> View | Answer:
        """All groups, two versions of one side by side, or one version, about which a form may decide."""
        match request.segments[1:]:
            case []:
                return self._show_groups()
            case [group, "compare"]:
                return compare(self._clients, group, request.query.get("before", ""), request.query.get("after", ""))
            case [group, version]:
                arn = self._find_version(group, version)
                if request.form:
                    self._decide(arn, request.form.text("decision"), request.form.text("reason"))
                    return redirect(request.link("registry", group, version))
                with missing_as(f"{group} has no version {version!r} any more"):
                    found = self._clients("sagemaker").describe_model_package(ModelPackageName=arn)
                return show_version(group, found, self._list_others(group, version))
        raise PageError(404, "a version has a group and a number")

    def _show_groups(self) -> View:
        sagemaker = self._clients("sagemaker")
        try:
            groups = sagemaker.list_model_package_groups(MaxResults=_MOST)["ModelPackageGroupSummaryList"]
        except ClientError as error:
            if not is_unserved(error):
                raise
            return show_groups(None)
        return show_groups([(group, self._list_versions(group["ModelPackageGroupName"])) for group in groups])

    def _list_versions(self, group: str) -> list[Found]:
        with missing_as(f"there is no model package group {group!r}"):
            answer = self._clients("sagemaker").list_model_packages(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=_MOST
            )
        return list(answer["ModelPackageSummaryList"])

    def _list_others(self, group: str, version: str) -> list[str]:
        """The numbers of the other versions of a group, the latest first."""
        numbers = (str(found.get("ModelPackageVersion", "")) for found in self._list_versions(group))
        return [number for number in numbers if number not in ("", version)]

    def _find_version(self, group: str, version: str) -> str:
        for found in self._list_versions(group):
            if str(found.get("ModelPackageVersion", "")) == version:
                return str(found["ModelPackageArn"])
        raise PageError(404, f"{group} has no version {version!r}")

    def _decide(self, arn: str, decision: str, reason: str) -> None:
        if decision not in _DECISIONS:
            raise PageError(422, f"{decision!r} is neither 'approve' nor 'reject'")
        if len(reason) > _LONGEST_REASON:
            raise PageError(422, f"the reason is longer than {_LONGEST_REASON:,} characters")
        told = {"ApprovalDescription": reason} if reason.strip() else {}
        self._clients("sagemaker").update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=_DECISIONS[decision], **told
        )


def show_groups(groups: Sequence[tuple[Found, Sequence[Found]]] | None) -> View:
    """The groups with their versions; None where the local cloud has no registry."""
    return View("registry.html", "Registry", {"groups": groups}, _IDLE_SECONDS)


def show_version(group: str, found: Found, others: Sequence[str] = ()) -> View:
    """One version.

    Args:
        group: The group's name.
        found: The version's description.
        others: The numbers of the versions that it may be compared with.
    """
    told = found.get("CustomerMetadataProperties", {})
    values = {
        "group": group,
        "version": found,
        "others": others,
        "facts": {name: value for name, value in sorted(told.items()) if not name.startswith(_METRIC)},
        "metrics": {n.removeprefix(_METRIC): value for n, value in sorted(told.items()) if n.startswith(_METRIC)},
        "containers": found.get("InferenceSpecification", {}).get("Containers", ()),
        "description": {key: value for key, value in found.items() if key != "ResponseMetadata"},
    }
    return View("version.html", f"{group} version {found.get('ModelPackageVersion', '')}", values, _IDLE_SECONDS)
