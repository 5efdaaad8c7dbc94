"""The state machine from data to a live endpoint."""

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from headrace import contract
from headrace.recipes import Recipe
from stacks.constructs.expiring_log_group import ExpiringLogGroup
from stacks.constructs.state_machine import FAILED, FAILURE, StateMachine, assign_failure, name_log_group
from stacks.nag import acknowledge, wildcard_in_account
from stacks.pipeline import names
from stacks.pipeline.asl import Choice, Finish, Pass, Rule, State, jsonata, render_definition
from stacks.pipeline.execution_input import refuse_other_inputs
from stacks.pipeline.jobs import Endpoint, PreprocessingJob, TrainingJob, execution_uri
from stacks.pipeline.sagemaker_tasks import SageMakerTask, SageMakerTasks, name_for_attempt
from stacks.pipeline.steps import serve
from stacks.pipeline.steps.serve import EndpointSteps
from stacks.settings.environment import Settings

_ANY_NAME = (
    "An execution's input names what it makes, so the names are not known beforehand; "
    "what runs is limited by passing only this pipeline's own roles, and only to SageMaker."
)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What one pipeline runs, and where it leaves what it makes."""

    workload: Recipe
    work: s3.IBucket
    preprocessing: PreprocessingJob | None = None
    training: TrainingJob
    endpoint: Endpoint


class TrainingPipeline(Construct):
    """Preprocess where the workload needs it, train, save the model, and create or update the endpoint.

    An execution is done when the endpoint serves the new model, or a newer one of an execution that ran beside it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, parts: Parts, settings: Settings, key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        self._parts = parts
        self._settings = settings
        self._tasks = SageMakerTasks(scope=self, on_failure=FAILED)
        self._endpoint_steps = EndpointSteps(tasks=self._tasks, allow=self._allowed)
        self._statements: list[iam.PolicyStatement] = []

        self.state_machine = self._create_state_machine(key)

    def _create_state_machine(self, key: kms.IKey | None) -> sfn.StateMachine:
        definition = render_definition(
            self._chain(),
            start_at="Name Resources",
            comment=f"{self._parts.workload}: from data to a live endpoint",
            timeout_seconds=self._settings.pipeline.timeout_hours * 3600,
        )
        log_group = ExpiringLogGroup(
            self,
            "Logs",
            days=self._settings.pipeline.log_retention_days,
            key=key,
            retain_data=self._settings.retain_data,
            log_group_name=name_log_group(self._settings.environment, self._parts.workload.name),
        )
        state_machine = StateMachine(
            self, "StateMachine", definition=definition, statements=self._statements, log_group=log_group
        )
        self._acknowledge_wildcards(state_machine.role)
        return state_machine

    def _acknowledge_wildcards(self, role: iam.IRole) -> None:
        kinds = ["training-job/*", "model/*", "endpoint-config/*", "endpoint/*"]
        if self._parts.preprocessing:
            kinds.append("processing-job/*")
        acknowledge(role, {wildcard_in_account("sagemaker", kind): _ANY_NAME for kind in kinds})

    def _chain(self) -> dict[str, State]:
        return {
            "Name Resources": self._name_resources(next_state="Check Names"),
            **self._begin(next_state="Train"),
            "Train": self._train("Train", next_state="Save Model"),
            "Save Model": self._save_model("Save Model", next_state="Create Endpoint Config"),
            "Create Endpoint Config": self._create_endpoint_config("Create Endpoint Config", next_state=serve.FIRST),
            **self._endpoint_steps.states(next_state="Serving"),
            "Serving": _choose_report(newest="Done", superseded="Superseded"),
            "Done": self._report(),
            "Superseded": self._report(SupersededBy=jsonata("$serving")),
            FAILED: FAILURE,
        }

    def _begin(self, *, next_state: str) -> dict[str, State]:
        if self._parts.preprocessing is None:
            return {"Check Names": self._check_names(next_state=next_state)}
        return {
            "Check Names": self._check_names(next_state="Preprocess"),
            "Preprocess": self._preprocess("Preprocess", self._parts.preprocessing, next_state=next_state),
        }

    def _name_resources(self, *, next_state: str) -> Pass:
        given = {variable: jsonata(names.given_or_derived(key)) for variable, key in names.INPUTS.items()}
        given["endpoint_name"] = jsonata(names.given_or(contract.ENDPOINT_NAME_INPUT, f"'{self._parts.endpoint.name}'"))
        return Pass(
            assign={
                "request": jsonata("$states.input"),
                **given,
                "execution": jsonata(names.name_from_execution()),
                **self._endpoint_steps.variables,
            },
            next=next_state,
        )

    def _check_names(self, *, next_state: str) -> Choice:
        example = f'{{}} or {{"{contract.JOB_NAME_INPUT}": "sales-7"}}'
        invalid = tuple(
            Rule(
                condition=names.is_invalid(f"${variable}"),
                next=FAILED,
                assign=assign_failure(
                    "InvalidName",
                    f"'{key}: SageMaker does not allow the name \"' & $string(${variable}) & '\"; "
                    f"allowed: {names.NAME_RULE}'",
                ),
            )
            for variable, key in names.INPUTS.items()
        )
        others = refuse_other_inputs(names.INPUTS.values(), example=example)
        return Choice(rules=(*others, *invalid), default=next_state)

    def _preprocess(self, name: str, job: PreprocessingJob, *, next_state: str) -> State:
        output_uris = {output: execution_uri(self._parts.work, output) for output in job.output_paths}
        arguments = job.render(jsonata(name_for_attempt("$job_name")), output_uris)
        return self._allowed(
            self._tasks.run_processing_job(name, arguments, role=job.role, next_state=next_state, assign={})
        )

    def _train(self, name: str, *, next_state: str) -> State:
        job = self._parts.training
        arguments = job.render(jsonata(name_for_attempt("$job_name")), execution_uri(self._parts.work, "model"))
        assign = {
            "model_data": jsonata("$states.result.ModelArtifacts.S3ModelArtifacts"),
            "metrics": jsonata(
                "$exists($states.result.FinalMetricDataList) "
                "? $states.result.FinalMetricDataList{MetricName: Value} : {}"
            ),
        }
        return self._allowed(
            self._tasks.run_training_job(name, arguments, role=job.role, next_state=next_state, assign=assign)
        )

    def _save_model(self, name: str, *, next_state: str) -> State:
        endpoint = self._parts.endpoint
        arguments = endpoint.render_model(jsonata("$model_name"), jsonata("$model_data"))
        return self._allowed(self._tasks.create_model(name, arguments, role=endpoint.role, next_state=next_state))

    def _create_endpoint_config(self, name: str, *, next_state: str) -> State:
        arguments = self._parts.endpoint.render_config(jsonata("$execution"), jsonata("$model_name"))
        return self._allowed(self._tasks.create_endpoint_config(name, arguments, next_state=next_state))

    def _report(self, **also: str) -> Finish:
        return Finish(
            output={
                contract.JOB_NAME_INPUT: jsonata("$job_name"),
                contract.MODEL_NAME_INPUT: jsonata("$model_name"),
                contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
                "EndpointConfigName": jsonata("$execution"),
                "ModelDataUrl": jsonata("$model_data"),
                "Metrics": jsonata("$metrics"),
                **also,
            }
        )

    def _allowed(self, task: SageMakerTask) -> State:
        self._statements.extend(task.statements)
        return task.state


def _choose_report(*, newest: str, superseded: str) -> Choice:
    """A later execution's configuration in service is a good end, too: nothing is left to do."""
    return Choice(rules=(Rule(condition="$serving != $execution", next=superseded),), default=newest)
