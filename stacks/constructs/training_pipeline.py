"""The state machine from raw rows to a live endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from containers.preprocessing import contract as preprocessing
from containers.training import contract as training
from millrace import contract
from millrace.channels import S3Channel
from millrace.contract import Container
from stacks.asl import Catch, Choice, Fail, Finish, Pass, Retry, Rule, State, Wait, jsonata, render_definition
from stacks.constructs import execution_names
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.image_repository import ImageRepository
from stacks.constructs.sagemaker_tasks import SageMakerTask, SageMakerTasks, name_for_attempt
from stacks.nag import acknowledge, wildcard_in_account, wildcard_resource
from stacks.settings import Settings

FAILED = "Failed"
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack")
POLL_SECONDS = 30
VARIANT_NAME = "AllTraffic"

_ANY_NAME = (
    "An execution's input names what it makes, so the names are not known beforehand; "
    "what runs is limited by passing only this pipeline's own roles, and only to SageMaker."
)
NAMED_BY_INPUT = dict.fromkeys(
    ["processing-job/*", "training-job/*", "model/*", "endpoint-config/*", "endpoint/*"], _ANY_NAME
)

# What the processing job leaves below an execution's prefix in the work bucket, and where the container writes it.
TRAIN_OUTPUT, TEST_OUTPUT, ENCODING_OUTPUT = "train", "test", "encoding"
OUTPUT_FOLDERS = {
    TRAIN_OUTPUT: preprocessing.TRAIN_FOLDER,
    TEST_OUTPUT: preprocessing.TEST_FOLDER,
    ENCODING_OUTPUT: preprocessing.ENCODING_FOLDER,
}


@dataclass(frozen=True, kw_only=True)
class PipelineResources:
    """What the pipeline reads from, writes to and runs."""

    raw: s3.IBucket
    work: s3.IBucket
    repositories: Mapping[Container, ImageRepository]


class TrainingPipeline(Construct):
    """Preprocess, train, save the model, and create or update the endpoint; done when the endpoint serves it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, resources: PipelineResources, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._resources = resources
        self._settings = settings
        self._tasks = SageMakerTasks(scope=self, on_failure=FAILED)
        self._statements: list[iam.PolicyStatement] = []

        self.roles = self._create_roles()
        self.state_machine = self._create_state_machine()

    def _create_roles(self) -> dict[Container, ExecutionRole]:
        kinds = {
            Container.PREPROCESSING: "ProcessingJobs",
            Container.TRAINING: "TrainingJobs",
            Container.INFERENCE: "Endpoints",
        }
        roles = {
            container: ExecutionRole(
                self,
                f"{container.capitalize()}Role",
                kind=kind,
                repository=self._resources.repositories[container],
            )
            for container, kind in kinds.items()
        }
        raw, work, executions = self._resources.raw, self._resources.work, contract.EXECUTIONS_PREFIX
        roles[Container.PREPROCESSING].allow_reading(raw, contract.RAW_PREFIX)
        roles[Container.PREPROCESSING].allow_writing(work, executions)
        roles[Container.TRAINING].allow_reading(work, executions)
        roles[Container.TRAINING].allow_writing(work, executions)
        roles[Container.INFERENCE].allow_reading(work, executions)
        return roles

    def _create_state_machine(self) -> sfn.StateMachine:
        role = iam.Role(self, "WorkflowRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        definition = render_definition(
            self._chain(),
            start_at="Name Resources",
            comment="From raw rows to a live endpoint",
            timeout_seconds=self._settings.pipeline.timeout_hours * 3600,
        )
        state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(definition)),
            role=role,
            logs=sfn.LogOptions(
                destination=self._create_log_group(), level=sfn.LogLevel.ALL, include_execution_data=True
            ),
            tracing_enabled=True,
        )
        for statement in self._statements:
            role.add_to_policy(statement)
        acknowledge(
            role,
            {
                wildcard_resource("*"): "X-Ray and the delivery of state machine logs know no resources; "
                "CDK grants exactly the actions Step Functions documents for them.",
                **{wildcard_in_account("sagemaker", resource): reason for resource, reason in NAMED_BY_INPUT.items()},
            },
        )
        return state_machine

    def _create_log_group(self) -> logs.LogGroup:
        log_group = logs.LogGroup(
            self,
            "Logs",
            # Step Functions needs this prefix once the account's log resource policy is full:
            # https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
            log_group_name=f"/aws/vendedlogs/states/millrace-{self._settings.environment}",
            removal_policy=RemovalPolicy.RETAIN if self._settings.retain_data else RemovalPolicy.DESTROY,
        )
        # The typed property takes an enumeration of jsii's; the setting has been checked against the same list.
        log_group.node.default_child.add_property_override(  # type: ignore[union-attr]
            "RetentionInDays", self._settings.pipeline.log_retention_days
        )
        return log_group

    def _chain(self) -> dict[str, State]:
        return {
            "Name Resources": self._name_resources(next_state="Check Names"),
            "Check Names": self._check_names(next_state="Preprocess"),
            "Preprocess": self._preprocess("Preprocess", next_state="Train"),
            "Train": self._train("Train", next_state="Save Model"),
            "Save Model": self._save_model("Save Model", next_state="Create Endpoint Config"),
            "Create Endpoint Config": self._create_endpoint_config(
                "Create Endpoint Config", next_state="Look For Endpoint"
            ),
            "Look For Endpoint": self._look_for_endpoint(found="Endpoint Found", not_found="No Endpoint Found"),
            "No Endpoint Found": self._tell_missing_from_error(missing="Create Endpoint"),
            "Endpoint Found": self._choose_update(update="Update Endpoint", wait="Wait For Earlier Change"),
            "Wait For Earlier Change": Wait(seconds=POLL_SECONDS, next="Look For Endpoint"),
            "Create Endpoint": self._create_endpoint("Create Endpoint", next_state="Wait For Endpoint"),
            "Update Endpoint": self._update_endpoint("Update Endpoint", next_state="Wait For Endpoint"),
            "Wait For Endpoint": Wait(seconds=POLL_SECONDS, next="Describe Endpoint"),
            "Describe Endpoint": self._describe_endpoint("Describe Endpoint", next_state="Endpoint In Service"),
            "Endpoint In Service": self._decide_outcome(done="Done", wait="Wait For Endpoint"),
            "Done": self._report(),
            FAILED: Fail(error=jsonata("$failure.Error"), cause=jsonata("$failure.Cause")),
        }

    def _name_resources(self, *, next_state: str) -> Pass:
        given = {
            variable: jsonata(execution_names.given_or_derived(key)) for variable, key in execution_names.INPUTS.items()
        }
        return Pass(assign={**given, "execution": jsonata(execution_names.name_from_execution())}, next=next_state)

    def _check_names(self, *, next_state: str) -> Choice:
        rules = tuple(
            Rule(
                condition=execution_names.is_invalid(f"${variable}"),
                next=FAILED,
                assign=_failure(
                    "InvalidName",
                    f"'{key}: SageMaker does not allow the name \"' & ${variable} & '\"; "
                    f"allowed: {execution_names.NAME_RULE}'",
                ),
            )
            for variable, key in execution_names.INPUTS.items()
        )
        return Choice(rules=rules, default=next_state)

    def _preprocess(self, name: str, *, next_state: str) -> State:
        settings = self._settings.preprocessing
        arguments = {
            "ProcessingJobName": jsonata(name_for_attempt("$job_name")),
            "RoleArn": self.roles[Container.PREPROCESSING].role_arn,
            "AppSpecification": {
                "ImageUri": self._resources.repositories[Container.PREPROCESSING].image_uri,
                "ContainerArguments": [
                    preprocessing.SPLIT_RATIO_ARGUMENT,
                    str(settings.train_test_split_ratio),
                    preprocessing.SEED_ARGUMENT,
                    str(settings.seed),
                ],
            },
            "ProcessingInputs": [
                {
                    "InputName": "raw",
                    "S3Input": {
                        "S3Uri": f"s3://{self._resources.raw.bucket_name}/{contract.RAW_PREFIX}",
                        "LocalPath": _container_path(preprocessing.INPUT_FOLDER),
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": output,
                        "S3Output": {
                            "S3Uri": self._execution_uri(output),
                            "LocalPath": _container_path(folder),
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for output, folder in OUTPUT_FOLDERS.items()
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": settings.instance_type,
                    "VolumeSizeInGB": settings.volume_gib,
                }
            },
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        }
        role = self.roles[Container.PREPROCESSING]
        return self._allowed(
            self._tasks.run_processing_job(name, arguments, role=role, next_state=next_state, assign={})
        )

    def _train(self, name: str, *, next_state: str) -> State:
        settings = self._settings.training
        channels = [
            S3Channel(name=training.TRAIN_CHANNEL, uri=self._execution_uri(TRAIN_OUTPUT), content_type="text/csv"),
            S3Channel(name=training.VALIDATION_CHANNEL, uri=self._execution_uri(TEST_OUTPUT), content_type="text/csv"),
            S3Channel(
                name=training.ENCODING_CHANNEL,
                uri=self._execution_uri(ENCODING_OUTPUT),
                content_type="application/json",
            ),
        ]
        arguments = {
            "TrainingJobName": jsonata(name_for_attempt("$job_name")),
            "RoleArn": self.roles[Container.TRAINING].role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self._resources.repositories[Container.TRAINING].image_uri,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": metric, "Regex": regex} for metric, regex in training.METRICS.items()],
            },
            "HyperParameters": {key: str(value) for key, value in settings.hyperparameters.items()},
            "InputDataConfig": [channel.render() for channel in channels],
            "OutputDataConfig": {"S3OutputPath": self._execution_uri("model")},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": settings.instance_type,
                "VolumeSizeInGB": settings.volume_gib,
            },
            "EnableNetworkIsolation": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        }
        assign = {
            "model_data": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts"),
            "metrics": jsonata(
                "$exists($states.result.FinalMetricDataList) "
                "? $states.result.FinalMetricDataList{MetricName: Value} : {}"
            ),
        }
        role = self.roles[Container.TRAINING]
        return self._allowed(
            self._tasks.run_training_job(name, arguments, role=role, next_state=next_state, assign=assign)
        )

    def _save_model(self, name: str, *, next_state: str) -> State:
        role = self.roles[Container.INFERENCE]
        arguments = {
            "ModelName": jsonata("$model_name"),
            "ExecutionRoleArn": role.role_arn,
            "PrimaryContainer": {
                "Image": self._resources.repositories[Container.INFERENCE].image_uri,
                "ModelDataUrl": jsonata("$model_data"),
            },
            "EnableNetworkIsolation": True,
        }
        return self._allowed(self._tasks.create_model(name, arguments, role=role, next_state=next_state))

    def _create_endpoint_config(self, name: str, *, next_state: str) -> State:
        arguments = {
            "EndpointConfigName": jsonata("$execution"),
            "ProductionVariants": [
                {
                    "VariantName": VARIANT_NAME,
                    "ModelName": jsonata("$model_name"),
                    "InstanceType": self._settings.endpoint.instance_type,
                    "InitialInstanceCount": self._settings.endpoint.instance_count,
                    "InitialVariantWeight": 1,
                }
            ],
        }
        return self._allowed(self._tasks.create_endpoint_config(name, arguments, next_state=next_state))

    def _look_for_endpoint(self, *, found: str, not_found: str) -> State:
        missing = Catch(
            errors=("States.TaskFailed",),
            assign={"lookup_error": jsonata("$states.errorOutput.Cause")},
            next=not_found,
        )
        return self._allowed(
            self._tasks.describe_endpoint(jsonata("$endpoint_name"), next_state=found, catch=(missing,))
        )

    def _tell_missing_from_error(self, *, missing: str) -> Choice:
        """The message decides: how Step Functions spells the error of a missing endpoint is not documented."""
        assign = _failure("LookForEndpointFailed", "'Look For Endpoint: ' & $lookup_error")
        unexpected = Rule(
            condition="$not($contains($lookup_error, 'Could not find endpoint'))", next=FAILED, assign=assign
        )
        return Choice(rules=(unexpected,), default=missing)

    def _choose_update(self, *, update: str, wait: str) -> Choice:
        gone_wrong = Rule(
            condition="$endpoint.Status != 'InService'",
            next=FAILED,
            assign=_failure(
                "EndpointUnusable",
                "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & "
                "': delete it, or give another EndpointName. ' & $endpoint.FailureReason",
            ),
        )
        return Choice(rules=(Rule(condition=_is_in_progress(), next=wait), gone_wrong), default=update)

    def _create_endpoint(self, name: str, *, next_state: str) -> State:
        return self._allowed(self._tasks.create_endpoint(name, _endpoint_arguments(), next_state=next_state))

    def _update_endpoint(self, name: str, *, next_state: str) -> State:
        return self._allowed(self._tasks.update_endpoint(name, _endpoint_arguments(), next_state=next_state))

    def _describe_endpoint(self, name: str, *, next_state: str) -> State:
        again = Retry(errors=("States.TaskFailed",), interval_seconds=5, max_attempts=3)
        task = self._tasks.describe_endpoint(
            jsonata("$endpoint_name"), next_state=next_state, retry=(again,), catch=(self._tasks.keep_failure(name),)
        )
        return self._allowed(task)

    def _decide_outcome(self, *, done: str, wait: str) -> Choice:
        """InService alone is not enough: after a rolled-back update the old configuration is in service again."""
        in_service = Rule(condition="$endpoint.Status = 'InService' and $endpoint.ConfigName = $execution", next=done)
        rolled_back = Rule(
            condition="$endpoint.Status = 'InService'",
            next=FAILED,
            assign=_failure(
                "EndpointRolledBack",
                "'endpoint ' & $endpoint_name & ' serves ' & $endpoint.ConfigName & "
                "' again: the update was rolled back. ' & $endpoint.FailureReason",
            ),
        )
        in_progress = Rule(condition=_is_in_progress(), next=wait)
        failed = Rule(
            condition="true",
            next=FAILED,
            assign=_failure(
                "EndpointFailed",
                "'endpoint ' & $endpoint_name & ' is ' & $endpoint.Status & ': ' & $endpoint.FailureReason",
            ),
        )
        return Choice(rules=(in_service, rolled_back, in_progress, failed), default=FAILED)

    def _report(self) -> Finish:
        return Finish(
            output={
                contract.JOB_NAME_INPUT: jsonata("$job_name"),
                contract.MODEL_NAME_INPUT: jsonata("$model_name"),
                contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
                "EndpointConfigName": jsonata("$execution"),
                "ModelDataUrl": jsonata("$model_data"),
                "Metrics": jsonata("$metrics"),
            }
        )

    def _allowed(self, task: SageMakerTask) -> State:
        self._statements.extend(task.statements)
        return task.state

    def _execution_uri(self, name: str) -> str:
        return jsonata(
            f"'s3://{self._resources.work.bucket_name}/{contract.EXECUTIONS_PREFIX}' & $execution & '/{name}'"
        )


def _endpoint_arguments() -> dict[str, Any]:
    return {"EndpointName": jsonata("$endpoint_name"), "EndpointConfigName": jsonata("$execution")}


def _is_in_progress() -> str:
    states = ", ".join(f"'{status}'" for status in IN_PROGRESS)
    return f"$endpoint.Status in [{states}]"


def _failure(error: str, cause: str) -> dict[str, Any]:
    return {"failure": {"Error": error, "Cause": jsonata(cause)}}


def _container_path(folder: str) -> str:
    return f"{preprocessing.ML_ROOT}/{folder}"
