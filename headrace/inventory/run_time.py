"""What executions, jobs and people have made outside of the stacks, found by roles, tags and names."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from headrace import contract, regions
from headrace.absence import forgiving_absence
from headrace.inventory.classifiers import read_classifiers
from headrace.inventory.endpoint_logs import ENDPOINT_LOGS, LOG_GROUP, is_of_stack
from headrace.inventory.items import Item, Maker
from headrace.inventory.jobs import JOB_KINDS, JobKind
from headrace.recipes import list_recipes

ROLE: Final = "AWS::IAM::Role"
MODEL_PACKAGE_GROUP: Final = "AWS::SageMaker::ModelPackageGroup"
ENDPOINT: Final = "AWS::SageMaker::Endpoint"
ENDPOINT_CONFIG: Final = "AWS::SageMaker::EndpointConfig"
MODEL: Final = "AWS::SageMaker::Model"
ALARM: Final = "AWS::CloudWatch::Alarm"
SCALABLE_TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
FILE_SYSTEM: Final = "AWS::FSx::FileSystem"
_ENVIRONMENT_TAG: Final = "environment"
_PROJECT_TAG: Final = "project"
_UNFINISHED: Final = ("InProgress", "Stopping")


def read_run_time(
    session: Any, environment: str, stacks: Sequence[Item], endpoints: Collection[str] = ()
) -> list[Item]:
    """What stands of an environment outside of its stacks: endpoints and what they are made of, and jobs that run.

    What belongs to it is made under a role of its stacks, has its tags, or serves what does; an endpoint also by the
    name that the stacks give it, unless it serves somebody else's model. Where the tags of an endpoint or a
    configuration say that it is another environment's or project's, it is, whatever it serves.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        environment: Which environment.
        stacks: What `read_stacks` has found; without them, tags and names must do.
        endpoints: The names that outputs of the stacks give endpoints, besides the usual ones.
    """
    return list(_RunTime(session, environment, stacks, endpoints).find())


class _RunTime:
    def __init__(self, session: Any, environment: str, stacks: Sequence[Item], endpoints: Collection[str]) -> None:
        self._sagemaker = session.client("sagemaker")
        self._session = session
        self._environment = environment
        self._roles = {item.name for item in stacks if item.kind == ROLE}
        self._groups = [item.name for item in stacks if item.kind == MODEL_PACKAGE_GROUP]
        usual = {contract.default_endpoint_name(environment, recipe.name) for recipe in list_recipes()}
        self._named = usual | {*endpoints}
        usual_projects = {contract.default_tags(environment)[_PROJECT_TAG]}
        self._projects = {item.tags[_PROJECT_TAG] for item in stacks if _PROJECT_TAG in item.tags} or usual_projects

    def find(self) -> Iterator[Item]:
        models = self._describe_all("model")
        configs = self._describe_all("endpoint_config")
        ours = {name for name, model in models.items() if self._owns(model, model.get("ModelArn"))}
        served = {
            name: {variant.get("ModelName") for variant in config["ProductionVariants"]}
            for name, config in configs.items()
        }
        our_configs = {
            name
            for name, config in configs.items()
            if self._says_ours(config["EndpointConfigArn"], otherwise=bool(served[name] & ours))
        }
        others = {name for name, serves in served.items() if serves & (models.keys() - ours)}
        yield from self._find_endpoints(configs, our_configs, others - our_configs)
        for name in sorted(our_configs):
            yield self._item(ENDPOINT_CONFIG, name, configs[name])
        for name in sorted(ours):
            yield self._item(MODEL, name, models[name])
        yield from self._find_versions()
        for kind in JOB_KINDS:
            yield from self._find_jobs(kind)
        yield from self._find_file_systems()
        yield from read_classifiers(self._session, self._environment, self._has_tags)

    def _find_endpoints(
        self, configs: Mapping[str, Mapping[str, Any]], ours: set[str], others: set[str]
    ) -> Iterator[Item]:
        endpoints = self._describe_all("endpoint")
        found = [name for name, endpoint in endpoints.items() if self._owns_endpoint(name, endpoint, ours, others)]
        for name in found:
            variants = _merge_variants(configs.get(endpoints[name].get("EndpointConfigName", ""), {}), endpoints[name])
            tags = self._read_tags(endpoints[name].get("EndpointArn", ""))
            yield self._item(ENDPOINT, name, {**endpoints[name], "ProductionVariants": variants}, tags)
            yield from self._find_scaling(name, tags)
        # An endpoint's logs stay when it goes; those of one that stands and is somebody else's are theirs.
        for name in sorted({*found, *self._named - endpoints.keys()}):
            yield from self._find_logs(f"{ENDPOINT_LOGS}{name}")

    def _owns_endpoint(self, name: str, endpoint: Mapping[str, Any], ours: set[str], others: set[str]) -> bool:
        """By its tags; where they do not say, by what it serves, and where that is gone, by its name."""
        config = endpoint.get("EndpointConfigName")
        by_others = config in ours if config in ours or config in others else name in self._named
        return self._says_ours(endpoint.get("EndpointArn", ""), otherwise=by_others)

    def _find_scaling(self, endpoint: str, tags: Sequence[Mapping[str, str]]) -> Iterator[Item]:
        """What Application Auto Scaling watches an endpoint with."""
        pages = self._session.client("application-autoscaling").get_paginator("describe_scalable_targets")
        for page in pages.paginate(ServiceNamespace="sagemaker"):
            for target in page["ScalableTargets"]:
                if target["ResourceId"].split("/")[1] == endpoint:
                    yield self._item(SCALABLE_TARGET, target["ResourceId"], target, tags)
        prefix = f"TargetTracking-endpoint/{endpoint}/"
        pages = self._session.client("cloudwatch").get_paginator("describe_alarms")
        for page in pages.paginate(AlarmNamePrefix=prefix):
            for alarm in page["MetricAlarms"]:
                yield self._item(ALARM, alarm["AlarmName"], alarm, tags)

    def _find_logs(self, name: str) -> Iterator[Item]:
        """A log group, unless a stack owns it."""
        logs = self._session.client("logs")
        for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name and not is_of_stack(logs, name):
                yield self._item(LOG_GROUP, name, group)

    def _find_versions(self) -> Iterator[Item]:
        for group in self._groups:
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
            for page in pages:
                for version in page["ModelPackageSummaryList"]:
                    yield self._item("AWS::SageMaker::ModelPackage", version["ModelPackageArn"], version)

    def _find_jobs(self, kind: JobKind) -> Iterator[Item]:
        """The jobs that have not ended: the others cost nothing any more."""
        word = kind.word.replace(" ", "_")
        describe = getattr(self._sagemaker, f"describe_{word}")
        for status in _UNFINISHED:
            for page in self._sagemaker.get_paginator(f"list_{word}s").paginate(StatusEquals=status):
                for summary in page[f"{kind.entity}Summaries"]:
                    found = describe(**{kind.name: summary[kind.name]})
                    if self._owns(found, found.get(f"{kind.entity}Arn")):
                        properties = {**found, **_find_machines(kind, found), "Status": status}
                        yield self._item(kind.type, summary[kind.name], properties)

    def _find_file_systems(self) -> Iterator[Item]:
        """Those of executions that are not being deleted; a Region without FSx has none."""
        fsx = self._session.client("fsx")
        region = fsx.meta.region_name
        if region in regions.list_regions() and regions.lacks_type(region, FILE_SYSTEM):
            return
        for page in fsx.get_paginator("describe_file_systems").paginate():
            for system in page["FileSystems"]:
                if system["Lifecycle"] != "DELETING" and self._has_tags(system.get("Tags", ())):
                    yield self._item(FILE_SYSTEM, system["FileSystemId"], system)

    def _owns(self, described: Mapping[str, Any], arn: str | None) -> bool:
        role = described.get("ExecutionRoleArn") or described.get("RoleArn") or ""
        return role.rpartition("/")[2] in self._roles or (arn is not None and self._says_ours(arn))

    def _says_ours(self, arn: str, *, otherwise: bool = False) -> bool:
        """What the tags say; otherwise where they do not say whose it is."""
        tags = self._read_tags(arn)
        if self._has_tags(tags):
            return True
        return otherwise and not self._is_of_others(tags)

    def _read_tags(self, arn: str) -> Sequence[Mapping[str, str]]:
        """Those of something in SageMaker; what is deleted meanwhile has none."""
        tags: list[Mapping[str, str]] = []
        with forgiving_absence():
            tags += self._sagemaker.list_tags(ResourceArn=arn)["Tags"]
        return tags

    def _has_tags(self, given: Sequence[Mapping[str, str]]) -> bool:
        keys = {tag["Key"] for tag in given}
        return {_ENVIRONMENT_TAG, contract.EXECUTION_TAG} <= keys and not self._is_of_others(given)

    def _is_of_others(self, given: Iterable[Mapping[str, str]]) -> bool:
        """Whether tags name another environment, or another project than the stacks have."""
        tags = {tag["Key"]: tag["Value"] for tag in given}
        is_other = tags.get(_ENVIRONMENT_TAG, self._environment) != self._environment
        return is_other or (_PROJECT_TAG in tags and tags[_PROJECT_TAG] not in self._projects)

    def _describe_all(self, word: str) -> dict[str, dict[str, Any]]:
        """The descriptions of all resources of a type, by name."""
        key = _name_key(word)
        describe = getattr(self._sagemaker, f"describe_{word}")
        pages = self._sagemaker.get_paginator(f"list_{word}s").paginate()
        described: dict[str, dict[str, Any]] = {}
        for name in [found[key] for page in pages for found in page[f"{key.removesuffix('Name')}s"]]:
            # What is deleted meanwhile is not there.
            with forgiving_absence():
                described[name] = describe(**{key: name})
        return described

    def _item(
        self, kind: str, name: str, properties: Mapping[str, Any], tags: Sequence[Mapping[str, str]] = ()
    ) -> Item:
        named = {tag["Key"]: tag["Value"] for tag in tags}
        return Item(kind=kind, name=name, maker=Maker.RUN, properties=properties, tags=named)


def _merge_variants(config: Mapping[str, Any], endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an endpoint's configuration asks for, with how many instances there are now."""
    current = {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", [])}
    return [{**current.get(each["VariantName"], {}), **each} for each in config.get("ProductionVariants", [])]


def _find_machines(kind: JobKind, described: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        found = kind.find_machines(described)
    except KeyError:
        return {}
    return {key: found[key] for key in ("InstanceType", "InstanceCount") if key in found}


def _name_key(word: str) -> str:
    return f"{word.title().replace('_', '')}Name"
