"""Where the whole fault matrix is played: machines that have every task between them, and an endpoint that serves."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3
from botocore import xform_name

from headrace.contract import (
    NOT_RECORDED,
    TRANSFORM_PREFIX,
    TURN_EXECUTION,
    TURN_SINCE,
    TURNS_PREFIX,
    VersionFact,
    captured_prefix,
    default_endpoint_name,
    golden_prefix,
    model_package_group_name,
    transform_prefix,
)
from headrace.local.platform.faults import CloudFaults
from headrace.provenance import PROFILE_FILE
from headrace.recipes import big_mart, images
from tests.deploying import push_container_images, running_with_app
from tests.end_to_end import calling
from tests.end_to_end.conftest import Platform, configure_dev
from tests.end_to_end.inventory import Notices, list_costs, list_jobs
from tests.end_to_end.tiny_programs import GOLDEN, TinyContainerImages
from tests.local_clouds import clients_of
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.stacks.conftest import SWITCHES, set_path
from tests.stacks.synthesis import assemble

ENDPOINT: Final = default_endpoint_name("dev", big_mart.RECIPE.name)
BIG_MART: Final = "BigMart"
# It answers batches.
IMAGES: Final = "Images"
NORMALIZER: Final = "Normalizer"
DRIFT_CHECKS: Final = "DriftChecks"
_OUTPUTS: Final[Mapping[str, str]] = {
    BIG_MART: big_mart.RECIPE.state_machine_output,
    IMAGES: images.RECIPE.state_machine_output,
    NORMALIZER: "NormalizerBulkStateMachineArn",
}
MACHINES: Final = (*_OUTPUTS, DRIFT_CHECKS)
_GROUPS: Final = [model_package_group_name("dev", recipe.name) for recipe in (big_mart.RECIPE, images.RECIPE)]
_SCALING: Final = {
    "min_instances": 1,
    "max_instances": 4,
    # More than the client here asks for: nothing is to be scaled.
    "invocations_per_minute": 1_000_000,
    "schedules": [
        {"at": "cron(0 8 ? * MON-FRI *)", "min_instances": 2, "max_instances": 8},
        {"at": "cron(0 20 ? * MON-FRI *)", "min_instances": 1, "max_instances": 2},
    ],
}
_ENDPOINT_SETTINGS: Final = {
    "golden": {},
    "capture": {},
    "drift": {"schedule": "cron(0 6 ? * MON *)", "retrain": True},
    "keep_versions": 100,
    "hours": {"start": "cron(0 7 * * ? *)", "stop": "cron(0 19 * * ? *)"},
    "metrics_seconds": 10,
    "update": {"wait_seconds": 20},
    "scaling": _SCALING,
}
_GOLDEN_REQUEST: Final = {"id": "one", "content_type": "text/csv", "body": GOLDEN, "expected": "1"}
# The policy that makes a role too small.
_NARROWING: Final = "too-small"
_SCALABLE: Final = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What there is: what costs and belongs to that, jobs by their names, versions, and endpoints that are scaled."""

    costs: frozenset[str]
    jobs: Mapping[str, str]
    versions: frozenset[str]
    scaled: frozenset[str]

    def count_new_costs(self, before: "Inventory") -> Counter[str]:
        """How many of each kind there are more than before."""
        return Counter(one.partition(" ")[0] for one in self.costs - before.costs)

    def list_completed(self, before: "Inventory") -> list[str]:
        """The jobs since that have completed."""
        return sorted(name for name in self.jobs.keys() - before.jobs.keys() if self.jobs[name] == "Completed")


@dataclass(frozen=True)
class Stage:
    """The deployed machines, and what a row of the matrix does with them.

    Args:
        platform: They and their cloud.
        programs: What their jobs and endpoints run.
        notices: What is said of executions.
        versions: Versions of models, by the answers of an endpoint that serves them.
    """

    platform: Platform
    programs: TinyContainerImages
    notices: Notices
    versions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def definitions(self) -> Mapping[str, Mapping[str, Any]]:
        """The deployed definition of each machine."""
        states = self.platform.client("stepfunctions")
        return {
            machine: json.loads(
                states.describe_state_machine(stateMachineArn=self._find_machine(machine))["definition"]
            )
            for machine in MACHINES
        }

    @property
    def faults(self) -> CloudFaults:
        """Those of the cloud."""
        return CloudFaults(self.platform.cloud)

    @property
    def sagemaker(self) -> Any:
        """A client."""
        return self.platform.client("sagemaker")

    @property
    def work_bucket(self) -> str:
        """Where executions leave what they make."""
        return self.platform.deployment.outputs["WorkBucketName"]

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> str:
        """Start an execution; its ARN."""
        started = self.platform.client("stepfunctions").start_execution(
            stateMachineArn=self._find_machine(machine), name=name, input=json.dumps(given)
        )
        return str(started["executionArn"])

    def end_executions(self) -> None:
        """Stop what still runs after a row that has failed, so that the next one does not fail with it."""
        states = self.platform.client("stepfunctions")
        for machine in MACHINES:
            running = states.list_executions(stateMachineArn=self._find_machine(machine), statusFilter="RUNNING")
            for execution in running["executions"]:
                states.stop_execution(executionArn=execution["executionArn"])
                self.notices.find(execution["executionArn"])

    def _find_machine(self, machine: str) -> str:
        if machine in _OUTPUTS:
            return self.platform.deployment.outputs[_OUTPUTS[machine]]
        found = self.platform.client("stepfunctions").list_state_machines()["stateMachines"]
        return next(str(each["stateMachineArn"]) for each in found if machine in each["name"])

    def ask(self) -> str:
        """What the endpoint answers, or that there is none."""
        return calling.ask(self.platform.client("sagemaker-runtime"), ENDPOINT)

    def list_all(self) -> Inventory:
        """What there is now."""
        versions = [
            version["ModelPackageArn"]
            for group in _GROUPS
            for page in self.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
            for version in page["ModelPackageSummaryList"]
        ]
        targets = self.platform.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker"
        )
        return Inventory(
            costs=frozenset(list_costs(self.platform)),
            jobs=list_jobs(self.platform),
            versions=frozenset(versions),
            scaled=frozenset(target["ResourceId"] for target in targets["ScalableTargets"]),
        )

    def choose_version(self) -> tuple[str, str]:
        """What an endpoint answers with a version that does not serve, and that version."""
        serves = self.ask()
        return next((answer, arn) for answer, arn in self.versions.items() if answer not in (serves, IMAGES))

    def find_archive(self) -> str:
        """The archive of the first version's model."""
        version = self.sagemaker.describe_model_package(ModelPackageName=self.versions["first"])
        return str(version["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])

    def find_ended(self) -> str:
        """An execution that has ended."""
        machine = self._find_machine(BIG_MART).replace(":stateMachine:", ":execution:")
        return f"{machine}:first"

    def bring_what_is_compared(self) -> None:
        """A profile of the version that serves, a request of now, and an execution as the same drift has started it."""
        (variant,) = self._describe_config()["ProductionVariants"]
        model = self.sagemaker.describe_model(ModelName=variant["ModelName"])
        arn = model["PrimaryContainer"]["ModelPackageName"]
        facts = self.sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
        record = facts[VersionFact.RECORD].removeprefix(f"s3://{self.work_bucket}/")
        captured = f"{captured_prefix(big_mart.RECIPE.name)}{ENDPOINT}/{variant['VariantName']}"
        for key in (f"{record}{PROFILE_FILE}", f"{captured}/{datetime.now(UTC):%Y/%m/%d/%H}/one.jsonl"):
            self.platform.client("s3").put_object(Bucket=self.work_bucket, Key=key, Body=b"{}")
        self._take_retraining(arn, facts.get(VersionFact.FINGERPRINT, ""))

    def _take_retraining(self, version: str, fingerprint: str) -> None:
        """It has ended at once, because nothing is to be trained in a row of the matrix."""
        states = self.platform.client("stepfunctions")
        data = version if fingerprint in ("", NOT_RECORDED) else fingerprint
        alias = self.platform.deployment.outputs[big_mart.RECIPE.live_alias_output]
        name = f"drift-{hashlib.sha256(data.encode()).hexdigest()[:32]}"
        try:
            started = states.start_execution(stateMachineArn=alias, name=name, input='{"Unknown": true}')
        except states.exceptions.ExecutionAlreadyExists:
            return
        self.platform.wait(started["executionArn"])

    def narrow_role(self, machine: str, state: str) -> None:
        """Deny the role of what a task makes to read what it reads: the batch for a transform job, else anything."""
        states = self.definitions[machine]["States"]
        is_transform = state == "Transform"
        arguments = states["Save Model" if is_transform else state]["Arguments"]
        arn = arguments.get("RoleArn") or arguments["ExecutionRoleArn"]
        objects = f"arn:aws:s3:::*/{TRANSFORM_PREFIX}*" if is_transform else "*"
        denied = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": objects}
        self.platform.client("iam").put_role_policy(
            RoleName=arn.rpartition("/")[2],
            PolicyName=_NARROWING,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]}),
        )

    def widen_roles(self) -> None:
        """Allow all roles again what they are allowed as deployed."""
        iam = self.platform.client("iam")
        for page in iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                if _NARROWING in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                    iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=_NARROWING)

    def take_name(self, machine: str, state: str, execution: str) -> None:
        """Make a copy of what a task makes, under the name that the task of an execution will choose."""
        kind = str(self.definitions[machine]["States"][state]["Resource"]).partition(":create")[2].removesuffix(".sync")
        config = self._describe_config()
        origins = {
            "Model": config["ProductionVariants"][0]["ModelName"],
            "EndpointConfig": config["EndpointConfigName"],
            "TransformJob": IMAGES,
        }
        key, snake = f"{kind}Name", xform_name(kind)
        described = getattr(self.sagemaker, f"describe_{snake}")(**{key: origins.get(kind, "first")})
        members = self.sagemaker.meta.service_model.operation_model(f"Create{kind}").input_shape.members
        name = f"{execution}-rehearsal" if state == "Rehearse" else execution
        request = {member: value for member, value in described.items() if member in members}
        if kind == "TransformJob":
            request["ModelName"] = origins["Model"]
        if kind == "Model":
            # The description says as well what the version consists of.
            version = request["PrimaryContainer"]["ModelPackageName"]
            request["PrimaryContainer"] = {"ModelPackageName": version}
        getattr(self.sagemaker, f"create_{snake}")(**{**request, key: name})
        wait_until(lambda: f"{kind} {name}" not in list_costs(self.platform), "the end of the copy")

    def has_turn(self) -> bool:
        """Whether an execution holds the endpoint's turn."""
        found = self.platform.client("s3").list_objects_v2(Bucket=self.work_bucket, Prefix=TURNS_PREFIX)
        return bool(found["KeyCount"])

    def put_turn(self, execution: str) -> None:
        """Have an execution hold the endpoint's turn."""
        turn = {TURN_EXECUTION: execution, TURN_SINCE: "2026-01-01T00:00:00Z"}
        self.platform.client("s3").put_object(
            Bucket=self.work_bucket, Key=f"{TURNS_PREFIX}{ENDPOINT}", Body=json.dumps(turn).encode()
        )

    def drop_turns(self) -> None:
        """Have no execution hold a turn."""
        s3 = self.platform.client("s3")
        for turn in s3.list_objects_v2(Bucket=self.work_bucket, Prefix=TURNS_PREFIX).get("Contents", []):
            s3.delete_object(Bucket=self.work_bucket, Key=turn["Key"])

    def drop_endpoint(self, name: str) -> None:
        """Delete an endpoint that may be there, and what scales it."""
        scaling = self.platform.client("application-autoscaling")
        for resource in self.list_all().scaled:
            if resource.split("/")[1] == name:
                scaling.deregister_scalable_target(ResourceId=resource, **_SCALABLE)
        if f"endpoint {name}" in list_costs(self.platform):
            self.sagemaker.delete_endpoint(EndpointName=name)
            wait_until(lambda: f"endpoint {name}" not in list_costs(self.platform), "the end of the endpoint")

    def create_endpoint(self, name: str, instance_type: str) -> None:
        """An endpoint with the model and the tags of the one that serves, on machines of some type."""
        serving, config = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT), self._describe_config()
        tags = self.sagemaker.list_tags(ResourceArn=serving["EndpointArn"])["Tags"]
        (variant,) = config["ProductionVariants"]
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-before", ProductionVariants=[{**variant, "InstanceType": instance_type}]
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-before", Tags=tags)
        waiter = self.sagemaker.get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 10 * PATIENCE_SECONDS})

    def _describe_config(self) -> Mapping[str, Any]:
        """The configuration that serves."""
        name = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
        config: Mapping[str, Any] = self.sagemaker.describe_endpoint_config(EndpointConfigName=name)
        return config

    def scale_endpoint(self, name: str) -> None:
        """Register an endpoint for scaling."""
        self.platform.client("application-autoscaling").register_scalable_target(
            ResourceId=f"endpoint/{name}/variant/AllTraffic", MinCapacity=1, MaxCapacity=2, **_SCALABLE
        )

    def drop_what_serves_no_more(self) -> None:
        """Delete models and configurations that no endpoint uses: functions that tidy up look at each of them."""
        config = self._describe_config()
        (variant,) = config["ProductionVariants"]
        for one in list_costs(self.platform):
            kind, _, name = one.partition(" ")
            if kind == "config" and name != config["EndpointConfigName"]:
                self.sagemaker.delete_endpoint_config(EndpointConfigName=name)
            elif kind == "model" and name != variant["ModelName"]:
                self.sagemaker.delete_model(ModelName=name)


def make_context() -> dict[str, Any]:
    """The settings, by which every task of the state machines is in one of those that are deployed."""
    context = configure_dev(endpoint=_ENDPOINT_SETTINGS)
    for path, value in {**SWITCHES["fsx-per-run"], "images.deploy": "batch"}.items():
        set_path(context["environments"]["dev"], path, value)
    return context


@contextmanager
def set_stage(root: Path) -> Iterator[Stage]:
    """A cloud with everything on it, and two versions of which the second serves; `clients_of` leads to it."""
    with running_with_app(root / "cloud", assemble(make_context())) as cloud, clients_of(cloud):
        programs = TinyContainerImages(root / "programs")
        platform = Platform(cloud, push_container_images(cloud, "dev", programs))
        stage = Stage(platform, programs, Notices(platform, "every-fault"))
        _switch_schedules_off(platform)
        _bring_data(platform)
        for machine, name in ((BIG_MART, "first"), (BIG_MART, "second"), (IMAGES, IMAGES)):
            end = platform.wait(stage.start(machine, name, {}))
            assert end["status"] == "SUCCEEDED", end.get("cause")
            stage.versions[name] = json.loads(end["output"])["ModelPackageArn"]
        yield stage
        stage.notices.close()


def _switch_schedules_off(platform: Platform) -> None:
    scheduler = platform.client("scheduler")
    for one in scheduler.list_schedules()["Schedules"]:
        found = scheduler.get_schedule(Name=one["Name"])
        kept = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
        scheduler.update_schedule(**kept, State="DISABLED")


def _bring_data(platform: Platform) -> None:
    s3: Any = boto3.client("s3")
    for key, body in {
        f"{big_mart.RECIPE.raw_prefix}rows.csv": "1\n",
        f"{golden_prefix(big_mart.RECIPE.name)}requests.jsonl": json.dumps(_GOLDEN_REQUEST),
        f"{images.RECIPE.raw_prefix}lists/train/train.lst": "1\t0\ta.jpg\n",
        f"{images.RECIPE.raw_prefix}lists/validation/validation.lst": "1\t0\ta.jpg\n",
        f"{transform_prefix(images.RECIPE.name)}a.jpg": "1",
        "images/photographs/a.jpg": "1",
    }.items():
        s3.put_object(Bucket=platform.deployment.raw_bucket, Key=key, Body=body.encode())
