"""The only place that reaches into MiniStack, the engine of the local cloud, but for its functions for signatures.

MiniStack has no SageMaker, lacks some template types and has no way to plug either in, so these modules add them to the
tables MiniStack routes by. Those are internals: the version is checked here, and
`tests/headrace/local/engine/ministack/` pins every one that is used.
"""

from collections.abc import Mapping

from headrace.local.clock import CLOCK
from headrace.local.engine.alarms.store import Metric
from headrace.local.engine.clients import open_client
from headrace.local.engine.documents import Answers
from headrace.local.engine.lustre import Lustre
from headrace.local.engine.ministack.access import Access, install_access
from headrace.local.engine.ministack.alarms import install_alarms
from headrace.local.engine.ministack.apis import install_apis
from headrace.local.engine.ministack.callers import SageMakerCalls, install_callers
from headrace.local.engine.ministack.cloudformation import (
    install_change_sets,
    install_export_locks,
    install_resources,
)
from headrace.local.engine.ministack.documents import install_documents
from headrace.local.engine.ministack.encryption import install_encryption
from headrace.local.engine.ministack.executions import install_executions
from headrace.local.engine.ministack.expiry import install_expiry
from headrace.local.engine.ministack.faults import install_faults
from headrace.local.engine.ministack.functions import install_functions
from headrace.local.engine.ministack.limits import install_limits
from headrace.local.engine.ministack.lustre import install_lustre
from headrace.local.engine.ministack.object_lambda import install_object_lambda
from headrace.local.engine.ministack.passing import install_passing
from headrace.local.engine.ministack.process import EngineVersionError, check_version, configure, serve
from headrace.local.engine.ministack.quotas import install_quotas
from headrace.local.engine.ministack.registry import install_registry
from headrace.local.engine.ministack.retention import install_retention
from headrace.local.engine.ministack.revisions import install_revisions
from headrace.local.engine.ministack.routing import (
    install_key_of_s3,
    install_names_below_address,
    install_presigned_addresses,
    install_refusals,
    install_requests,
)
from headrace.local.engine.ministack.s3_tasks import install_s3_tasks
from headrace.local.engine.ministack.scaling import install_scaling
from headrace.local.engine.ministack.schedules import install_schedules
from headrace.local.engine.ministack.status_events import SageMakerEvents
from headrace.local.engine.ministack.step_functions import install_execution_rules, install_tasks
from headrace.local.engine.ministack.time_of_cloud import install_time
from headrace.local.engine.ministack.trials import install_trials
from headrace.local.engine.ministack.usage import install_usage
from headrace.local.engine.moving import Mover, Source
from headrace.local.engine.resources import ResourceWatcher
from headrace.local.faults import Faults
from headrace.local.limits import Limits
from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.sagemaker.endpoint_metrics import OF_MACHINES
from headrace.local.usage import Usage
from headrace.quotas import CONCURRENT_EXECUTIONS

__all__ = ["Access", "EngineVersionError", "SageMakerEvents", "check_version", "configure", "install", "serve"]


def install(
    sagemaker: SageMaker,
    watchers: Mapping[str, ResourceWatcher],
    lustre: Lustre,
    answers: Answers,
    port: int,
    access: Access,
    limits: Limits,
    faults: Faults,
    usage: Usage,
) -> Mover:
    """Teach MiniStack, once it is configured, everything that it lacks.

    Args:
        sagemaker: Answers SageMaker's requests and the tasks of state machines.
        watchers: What is called with the resources of a type.
        lustre: Answers FSx's requests.
        answers: What Textract and Comprehend answer.
        port: Where this server listens.
        access: The account's IAM.
        limits: What the account and its Region do not have.
        faults: What goes wrong on purpose.
        usage: Where it is counted what is used.

    Returns:
        What moves the cloud's clock.
    """
    install_time()
    calls = SageMakerCalls(sagemaker, access)
    install_access(access)
    install_requests(calls)
    install_tasks(calls)
    install_apis(calls, access)
    install_s3_tasks()
    install_presigned_addresses()
    install_names_below_address()
    install_refusals()
    executions = install_executions()
    install_trials()
    install_execution_rules()
    install_revisions()
    install_key_of_s3()
    install_retention()
    expiry = install_expiry()
    schedules = install_schedules()
    install_registry()
    install_resources(watchers)
    install_change_sets()
    install_export_locks()
    install_encryption()
    install_functions(port, access, limits.find_quota(CONCURRENT_EXECUTIONS))
    install_object_lambda(access)
    install_passing(access)
    install_callers(access)
    install_limits(limits)
    install_quotas(limits)
    install_faults(faults)
    alarms = install_alarms(lambda: _list_measured(sagemaker))
    alarms.start()
    scaling = install_scaling(sagemaker, alarms, access)
    install_lustre(lustre, access, usage)
    install_documents(answers, open_client("s3"), access)
    install_usage(sagemaker, usage)
    sources: list[Source] = [schedules, alarms, scaling, expiry, executions]
    return Mover(CLOCK, sources, executions.is_starting, before_move=usage.sample)


def _list_measured(sagemaker: SageMaker) -> list[Metric]:
    """What CloudWatch is told because machines of endpoints stand."""
    return [
        Metric.of(OF_MACHINES, "CPUUtilization", {"EndpointName": endpoint, "VariantName": variant})
        for endpoint, variant in sagemaker.list_machines()
    ]
