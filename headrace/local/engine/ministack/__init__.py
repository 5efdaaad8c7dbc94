"""The only place that reaches into MiniStack, the engine of the local cloud, but for its functions for signatures.

MiniStack has no SageMaker, lacks some template types and has no way to plug either in, so these modules add them to the
tables MiniStack routes by. Those are internals: the version is checked here, and
`tests/headrace/local/engine/test_ministack.py` pins every one that is used.
"""

from collections.abc import Mapping

from headrace.local.engine.ministack.access import Access, install_access
from headrace.local.engine.ministack.alarms import install_alarms
from headrace.local.engine.ministack.callers import SageMakerCalls, install_callers
from headrace.local.engine.ministack.cloudformation import (
    install_change_sets,
    install_export_locks,
    install_resources,
)
from headrace.local.engine.ministack.encryption import install_encryption
from headrace.local.engine.ministack.executions import install_executions
from headrace.local.engine.ministack.faults import install_faults
from headrace.local.engine.ministack.functions import install_functions
from headrace.local.engine.ministack.limits import install_limits
from headrace.local.engine.ministack.object_lambda import install_object_lambda
from headrace.local.engine.ministack.passing import install_passing
from headrace.local.engine.ministack.process import EngineVersionError, check_version, configure, serve
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
from headrace.local.engine.ministack.status_events import SageMakerEvents
from headrace.local.engine.ministack.step_functions import install_execution_rules, install_tasks
from headrace.local.engine.ministack.trials import install_trials
from headrace.local.engine.resources import ResourceWatcher
from headrace.local.faults import Faults
from headrace.local.limits import CONCURRENT_EXECUTIONS, Limits
from headrace.local.sagemaker.control_plane import SageMaker

__all__ = ["Access", "EngineVersionError", "SageMakerEvents", "check_version", "configure", "install", "serve"]


def install(
    sagemaker: SageMaker,
    watchers: Mapping[str, ResourceWatcher],
    port: int,
    access: Access,
    limits: Limits,
    faults: Faults,
) -> None:
    """Teach MiniStack, once it is configured, everything that it lacks.

    Args:
        sagemaker: Answers SageMaker's requests and the tasks of state machines.
        watchers: What is called with the resources of a type.
        port: Where this server listens.
        access: The account's IAM.
        limits: What the account and its Region do not have.
        faults: What goes wrong on purpose.
    """
    calls = SageMakerCalls(sagemaker, access)
    install_access(access)
    install_requests(calls)
    install_tasks(calls)
    install_s3_tasks()
    install_presigned_addresses()
    install_names_below_address()
    install_refusals()
    install_executions()
    install_trials()
    install_execution_rules()
    install_revisions()
    install_key_of_s3()
    install_retention()
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
    install_faults(faults)
    alarms = install_alarms()
    alarms.start()
    install_scaling(sagemaker, alarms, access)
