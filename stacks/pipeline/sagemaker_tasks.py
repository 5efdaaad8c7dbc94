"""Tasks of a state machine that call SageMaker, each with exactly the permissions it needs.

Raw states rather than CDK's task classes: those cannot express processing jobs or waiting for an endpoint, and grant
more than they use (docs/decisions/0002-raw-states.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from headrace import contract
from stacks.nag import wildcard_in_account
from stacks.pipeline import quota
from stacks.pipeline.asl import CALL_SECONDS, Catch, Retry, State, Task, in_milliseconds, jsonata
from stacks.pipeline.endpoint_permissions import EndpointPermissions
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.permission import Permission, allow_endpoint_key, allow_passing
from stacks.pipeline.registry import ModelRegistry

# Everything of SageMaker's errors that the API does not model arrives under the first name, and under the second one
# from the integration of its SDK: throttling, a role that is too new to be taken, and mistakes that no retry mends.
BUSY: Final = Retry(
    errors=(
        "SageMaker.AmazonSageMakerException",
        "SageMaker.SageMakerException",
        "SageMaker.ThrottlingException",
        "SageMaker.SdkClientException",
    ),
    interval_seconds=5,
    max_attempts=4,
)
# The same without what may be a mistake.
THROTTLED: Final = Retry(
    errors=("SageMaker.ThrottlingException", "SageMaker.SdkClientException"), interval_seconds=5, max_attempts=4
)
# How long a job may take besides the time that its program has: to find a machine, to fetch and to store.
_AROUND_JOB_SECONDS: Final = 3600

_ANY_NAME = (
    "An execution's input names what it makes, so the names are not known beforehand; "
    "what runs is limited by passing only this state machine's own roles, and only to SageMaker."
)
_ANY_VERSION = "SageMaker numbers the versions of a model package group; the group's own name limits which are meant."
_PENDING = "$states.result.PendingDeploymentSummary.EndpointConfigName"
_MACHINES = "$states.result.ProductionVariants[0].DesiredInstanceCount"

# The stages of all variants, of what serves as of what is to serve.
_STAGES = (
    "[$states.result.ProductionVariants.VariantStatus.Status, "
    "$states.result.PendingDeploymentSummary.ProductionVariants.VariantStatus.Status]"
)


class EndpointChange(StrEnum):
    """What can be done to an endpoint, as Step Functions calls it."""

    CREATE = "createEndpoint"
    UPDATE = "updateEndpoint"


@dataclass(frozen=True, kw_only=True)
class SageMakerTasks:
    """Builds tasks for the state machine of one stack; each leads to the failure state when it has failed for good.

    Args:
        scope: Any construct of the stack; gives the ARNs their partition, region and account.
        tags: The tags of everything that the tasks make.
        endpoint: The endpoint of the settings, if the tasks change one.
    """

    scope: Construct
    tags: Mapping[str, str]
    endpoint: str = ""

    def run_processing_job(
        self, name: str, arguments: Mapping[str, Any], *, role: iam.IRole, next_state: str, assign: Mapping[str, Any]
    ) -> Mapping[str, State]:
        """Run a processing job to its end."""
        return self._run_job(name, "ProcessingJob", arguments, role=role, next_state=next_state, assign=assign)

    def run_training_job(
        self, name: str, arguments: Mapping[str, Any], *, role: iam.IRole, next_state: str, assign: Mapping[str, Any]
    ) -> Mapping[str, State]:
        """Run a training job to its end."""
        return self._run_job(name, "TrainingJob", arguments, role=role, next_state=next_state, assign=assign)

    def run_transform_job(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        max_runtime_seconds: int,
        next_state: str,
        assign: Mapping[str, Any],
    ) -> Mapping[str, State]:
        """Run a transform job to its end.

        It has the role of its model, which creating that has passed, and no time limit but its task's.
        """
        return self._run_job(
            name,
            "TransformJob",
            arguments,
            role=None,
            max_runtime_seconds=max_runtime_seconds,
            next_state=next_state,
            assign=assign,
        )

    def create_model(
        self, name: str, arguments: Mapping[str, Any], *, role: iam.IRole, next_state: str, assign: Mapping[str, Any]
    ) -> Task:
        """Register a model."""
        permissions = [self._allow(["CreateModel", "AddTags"], "model/*"), allow_passing(role)]
        return self._task(name, "createModel", arguments, next_state=next_state, permissions=permissions, assign=assign)

    def create_endpoint_config(
        self, name: str, arguments: Mapping[str, Any], *, next_state: str, assign: Mapping[str, Any]
    ) -> Task:
        """Create an endpoint configuration."""
        permissions = [self._allow(["CreateEndpointConfig", "AddTags"], "endpoint-config/*")]
        return self._task(
            name, "createEndpointConfig", arguments, next_state=next_state, permissions=permissions, assign=assign
        )

    def change_endpoint(
        self,
        change: EndpointChange,
        arguments: Mapping[str, Any],
        *,
        key: kms.IKey | None,
        next_state: str,
        assign: Mapping[str, Any],
        catch: tuple[Catch, ...],
    ) -> Task:
        """Create an endpoint, whose volumes have this key, or give it another configuration.

        It does not wait until that serves; what is updated serves as before meanwhile. It retries only what cannot have
        changed anything: the endpoint may be another's by then, so look again.
        """
        is_new = change is EndpointChange.CREATE
        return Task(
            resource=_optimized(change.value),
            arguments=self.tag(arguments) if is_new else arguments,
            timeout_seconds=CALL_SECONDS,
            assign=assign,
            retry=(THROTTLED,),
            catch=catch,
            next=next_state,
            permissions=(
                *(self._endpoints.allow_creating() if is_new else self._endpoints.allow_updating()),
                *(allow_endpoint_key(key) if key else ()),
            ),
        )

    def describe_endpoint(
        self,
        endpoint_name: str,
        *,
        next_state: str,
        retry: tuple[Retry, ...] = (THROTTLED,),
        catch: tuple[Catch, ...],
        sees_baking: bool = False,
        counts_machines: bool = False,
        dates: bool = False,
    ) -> Task:
        """Look at an endpoint and keep what was seen in `$endpoint`.

        On demand, that is also whether alarms are watched now, its machines, and when it was made, in milliseconds.
        """
        return Task(
            resource=_sdk("describeEndpoint"),
            arguments={"EndpointName": endpoint_name},
            timeout_seconds=CALL_SECONDS,
            assign={
                "endpoint": {
                    "Status": jsonata("$states.result.EndpointStatus"),
                    "ConfigName": jsonata("$states.result.EndpointConfigName"),
                    "FailureReason": jsonata(
                        "$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"
                    ),
                    "Pending": jsonata(f"$exists({_PENDING}) ? {_PENDING} : ''"),
                    **({"IsBaking": jsonata(f"'Baking' in {_STAGES}")} if sees_baking else {}),
                    **({"Machines": jsonata(f"$exists({_MACHINES}) ? {_MACHINES} : 0")} if counts_machines else {}),
                    **({"MadeAt": jsonata(in_milliseconds("$states.result.CreationTime"))} if dates else {}),
                }
            },
            next=next_state,
            retry=retry,
            catch=catch,
            permissions=(self._endpoints.allow_looking(),),
        )

    def describe_endpoint_config(
        self, config_name: str, *, next_state: str, assign: Mapping[str, Any], catch: Catch
    ) -> Task:
        """Look at an endpoint configuration."""
        return self._look("EndpointConfig", config_name, next_state=next_state, assign=assign, catch=catch)

    def describe_model(self, model_name: str, *, next_state: str, assign: Mapping[str, Any], catch: Catch) -> Task:
        """Look at a model."""
        return self._look("Model", model_name, next_state=next_state, assign=assign, catch=catch)

    def create_model_package(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        registry: ModelRegistry,
        next_state: str,
        assign: Mapping[str, Any],
    ) -> Task:
        """Make a version in a model package group; it has the group's tags and can have none of its own."""
        arn, limits = self._format_arn(f"model-package-group/{registry.group}"), registry.limits
        group = iam.PolicyStatement(actions=["sagemaker:CreateModelPackage"], resources=[arn], conditions=limits)
        return Task(
            resource=_sdk("createModelPackage"),
            arguments=arguments,
            timeout_seconds=CALL_SECONDS,
            assign=assign,
            retry=(BUSY,),
            catch=(keep_failure(name),),
            next=next_state,
            permissions=(Permission(statement=group), self._allow_versions(registry, "CreateModelPackage", limits)),
        )

    def describe_model_package(
        self,
        name: str,
        arn: str,
        *,
        registry: ModelRegistry,
        next_state: str,
        assign: Mapping[str, Any],
        catch: tuple[Catch, ...] = (),
    ) -> Task:
        """Look at a version; without a catch, not being able to is a failure."""
        return Task(
            resource=_sdk("describeModelPackage"),
            arguments={"ModelPackageName": arn},
            timeout_seconds=CALL_SECONDS,
            assign=assign,
            retry=(THROTTLED if catch else BUSY,),
            catch=catch or (keep_failure(name),),
            next=next_state,
            permissions=(self._allow_versions(registry, "DescribeModelPackage"),),
        )

    def update_facts(
        self, arn: str, facts: str, *, without: str, registry: ModelRegistry, next_state: str, catch: Catch
    ) -> Task:
        """Add facts, given as JSONata, to those of a version, and remove some by their keys. It may not approve one."""
        return Task(
            resource=_sdk("updateModelPackage"),
            timeout_seconds=CALL_SECONDS,
            arguments={
                "ModelPackageArn": arn,
                "CustomerMetadataProperties": facts,
                "CustomerMetadataPropertiesToRemove": without,
            },
            retry=(BUSY,),
            catch=(catch,),
            next=next_state,
            permissions=(
                self._allow_versions(
                    registry, "UpdateModelPackage", {"Null": {"sagemaker:ModelApprovalStatus": "true"}}
                ),
            ),
        )

    def _run_job(
        self,
        name: str,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        role: iam.IRole | None,
        max_runtime_seconds: int | None = None,
        next_state: str,
        assign: Mapping[str, Any],
    ) -> Mapping[str, State]:
        resource = {
            "ProcessingJob": "processing-job/*",
            "TrainingJob": "training-job/*",
            "TransformJob": "transform-job/*",
        }[kind]
        task = self._task(
            name,
            f"create{kind}.sync",
            arguments,
            next_state=next_state,
            timeout_seconds=_AROUND_JOB_SECONDS + (max_runtime_seconds or _find_limit(arguments)),
            # The next job's refusals are counted anew.
            assign={**assign, **quota.VARIABLES},
            catch=(quota.catch_refusal(name),),
            permissions=[
                self._allow([f"Create{kind}", f"Describe{kind}", f"Stop{kind}", "AddTags", "ListTags"], resource),
                self._allow_job_events(kind),
                *([allow_passing(role)] if role else []),
            ],
        )
        return {name: task, **quota.wait_for_instances(name, again=name)}

    def _look(self, kind: str, name: str, *, next_state: str, assign: Mapping[str, Any], catch: Catch) -> Task:
        resource = {"EndpointConfig": "endpoint-config/*", "Model": "model/*"}[kind]
        return Task(
            resource=_sdk(f"describe{kind}"),
            arguments={f"{kind}Name": name},
            timeout_seconds=CALL_SECONDS,
            assign=assign,
            next=next_state,
            retry=(BUSY,),
            catch=(catch,),
            permissions=(self._allow([f"Describe{kind}"], resource),),
        )

    def _task(
        self,
        name: str,
        action: str,
        arguments: Mapping[str, Any],
        *,
        next_state: str,
        permissions: Iterable[Permission],
        timeout_seconds: int = CALL_SECONDS,
        assign: Mapping[str, Any] | None = None,
        catch: tuple[Catch, ...] = (),
    ) -> Task:
        return Task(
            resource=_optimized(action),
            arguments=self.tag(arguments),
            timeout_seconds=timeout_seconds,
            assign=assign or {},
            retry=(BUSY,),
            catch=(*catch, keep_failure(name)),
            next=next_state,
            permissions=tuple(permissions),
        )

    @property
    def _endpoints(self) -> EndpointPermissions:
        return EndpointPermissions(self.scope, self.tags, self.endpoint)

    def tag(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The tags of everything, and the execution that makes it, by which it is cleaned up."""
        tags = {**self.tags, contract.EXECUTION_TAG: jsonata("$execution")}
        return {**arguments, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _allow(self, actions: list[str], *resources: str) -> Permission:
        arns = [self._format_arn(resource) for resource in resources]
        return Permission(
            statement=iam.PolicyStatement(actions=[f"sagemaker:{action}" for action in actions], resources=arns),
            findings={wildcard_in_account("sagemaker", resource): _ANY_NAME for resource in resources},
        )

    def _allow_versions(
        self, registry: ModelRegistry, action: str, conditions: Mapping[str, Any] | None = None
    ) -> Permission:
        versions = f"model-package/{registry.group}/*"
        return Permission(
            statement=iam.PolicyStatement(
                actions=[f"sagemaker:{action}"], resources=[self._format_arn(versions)], conditions=conditions or {}
            ),
            findings={wildcard_in_account("sagemaker", versions): _ANY_VERSION},
        )

    def _format_arn(self, resource: str) -> str:
        kind, _, name = resource.partition("/")
        return Stack.of(self.scope).format_arn(service="sagemaker", resource=kind, resource_name=name)

    def _allow_job_events(self, kind: str) -> Permission:
        """Step Functions learns of a job's end through its own rule, which it makes and keeps."""
        rule = Stack.of(self.scope).format_arn(
            service="events", resource="rule", resource_name=f"StepFunctionsGetEventsForSageMaker{kind}sRule"
        )
        actions = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
        return Permission(statement=iam.PolicyStatement(actions=actions, resources=[rule]))


def _find_limit(arguments: Mapping[str, Any]) -> int:
    """How long a job may take; what runs on spot instances has a limit that counts its waiting, too."""
    return int(max(arguments["StoppingCondition"].values()))


def _optimized(action: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::sagemaker:{action}"


def _sdk(action: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:{action}"
