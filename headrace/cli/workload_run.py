"""One run of a workload on a local cloud: its data, its execution, and what comes of asking."""

from dataclasses import replace

from headrace.cli import progress
from headrace.cli.summary import RunSummary
from headrace.contract import ENDPOINT_NAME_INPUT, JOB_NAME_INPUT, TRANSFORMED_OUTPUT, Outcome
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform import pipeline
from headrace.local.platform.deployment import Deployment
from headrace.local.platform.pipeline import ExecutionReport
from headrace.local.platform.site import LocalSite
from headrace.pipeline.executions import name_execution
from headrace.workloads.workload import Answers, Workload


def run_workload(this_run: Workload, cloud: LocalCloud, deployment: Deployment, names: dict[str, str]) -> RunSummary:
    """Bring data to a platform, execute its pipeline and try what that has come to."""
    site = LocalSite(cloud, deployment)
    with progress.step("bring the data"):
        this_run.bring_data(site)
        batch = site.find_batch(this_run.recipe)
        if batch:
            this_run.bring_batch(site, batch)
    arn = pipeline.start_execution(deployment, this_run.recipe, name_execution(), names)
    with progress.step("run the state machine"):
        report = pipeline.follow_execution(arn, progress.note)
    answers = _ask(this_run, site, report)
    return RunSummary(
        workload=this_run.recipe.name,
        data=this_run.data,
        report=report,
        classes=pipeline.read_classes(report),
        predictions=tuple(answers.predictions),
        metrics=answers.metrics,
    )


def _ask(this_run: Workload, site: LocalSite, report: ExecutionReport) -> Answers:
    """Try what an execution has come to."""
    match report.outcome:
        case Outcome.SERVING:
            site = replace(site, job_name=report.output[JOB_NAME_INPUT])
            return this_run.ask_endpoint(site, report.output[ENDPOINT_NAME_INPUT])
        case Outcome.TRANSFORMED:
            batch = site.find_batch(this_run.recipe)
            answered = site.open_folder(report.output[TRANSFORMED_OUTPUT])
            return Answers(this_run.read_batch(batch, answered) if batch else [])
        case _:
            return Answers([])
