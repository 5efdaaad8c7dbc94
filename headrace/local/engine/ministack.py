"""The only place that reaches into MiniStack, the engine of the local cloud, but for its functions for signatures.

MiniStack has no SageMaker, lacks some template types and has no way to plug either in, so this module adds them to the
tables MiniStack routes by. Those are internals: the version is checked here, and
`tests/headrace/local/engine/test_ministack.py` pins every one that is used.
"""

import asyncio
import contextvars
import importlib
import importlib.metadata
import json
import os
import signal
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config

from headrace.errors import HeadraceError
from headrace.local.engine.cloud import ACCOUNT, HOST, REGION
from headrace.local.engine.credentials import AccessKey, make_key
from headrace.local.engine.door import Door
from headrace.local.engine.refusals import find_service, is_silent, refuse_operation, refuse_service
from headrace.local.engine.resources import MISSING_ATTRIBUTES, MISSING_TYPES, Attributes, ResourceType, ResourceWatcher
from headrace.local.engine.signatures import Fault, SentRequest, SignatureError, is_presigned_for_s3
from headrace.local.engine.step_functions import StatesError, check_request
from headrace.local.sagemaker.control_plane import SageMaker
from headrace.local.sagemaker.errors import SageMakerError

VERSION = "1.5.33"

# Waits of a state machine (polling an endpoint, pausing before a retry) take this share of their time.
WAIT_SCALE = 0.02

# How many functions run at the same time; further requests wait.
FUNCTIONS_AT_ONCE = 4
FUNCTION_URL = "AWS::Lambda::Url"

ENCRYPTION = "x-amz-server-side-encryption"
KMS_KEY = f"{ENCRYPTION}-aws-kms-key-id"

# The operations of Step Functions whose requests are checked, and the function of MiniStack that serves each.
CHECKED_OPERATIONS = {
    "StartExecution": "_start_execution",
    "StartSyncExecution": "_start_sync_execution",
    "StopExecution": "_stop_execution",
    "CreateStateMachine": "_create_state_machine",
    "UpdateStateMachine": "_update_state_machine",
    "DeleteStateMachine": "_delete_state_machine",
    "DescribeStateMachine": "_describe_state_machine",
    "DescribeExecution": "_describe_execution",
    "GetExecutionHistory": "_get_execution_history",
    "ListExecutions": "_list_executions",
    "ListStateMachines": "_list_state_machines",
    "CreateActivity": "_create_activity",
    "SendTaskSuccess": "_send_task_success",
    "SendTaskFailure": "_send_task_failure",
    "SendTaskHeartbeat": "_send_task_heartbeat",
}

Provision = Callable[..., tuple[str, Attributes]]

_execution_arn: contextvars.ContextVar[str] = contextvars.ContextVar("execution_arn")


class EngineVersionError(HeadraceError):
    """Another MiniStack is installed than the one whose internals this module knows."""


def configure(port: int) -> None:
    """Set MiniStack up for this process; it reads its environment when it is first imported."""
    os.environ.update(
        BIND_HOST=HOST,
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="localhost",
        MINISTACK_REGION=REGION,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        SFN_WAIT_SCALE=str(WAIT_SCALE),
        LOG_LEVEL="WARNING",
        # Listeners on ports of their own, which nothing here uses.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # No Docker daemon is ever asked, even where one runs.
        DOCKER_HOST="unix:///nonexistent",
    )


def check_version() -> None:
    """Refuse to run on a MiniStack whose internals may differ.

    Raises:
        EngineVersionError: Naming both versions.
    """
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        raise EngineVersionError(f"ministack {found} is installed, but headrace needs {VERSION}: run 'make setup'")


def install_sagemaker(sagemaker: SageMaker) -> None:
    """Teach MiniStack to route SageMaker's requests and Step Functions' SageMaker tasks to this control plane."""
    app = importlib.import_module("ministack.app")
    router = importlib.import_module("ministack.core.router")
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    app.SERVICE_HANDLERS["sagemaker"] = _request_handler(sagemaker)
    # Both the control plane and the runtime sign as "sagemaker".
    router.SERVICE_PATTERNS["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"sagemaker\."],
        "credential_scope": "sagemaker",
    }
    states._AWS_SDK_SERVICE_MAP["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    states._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
    states._AWS_SDK_ERROR_CODE_OVERRIDES["sagemaker"] = {"ValidationException": "SageMakerException"}
    tasks = SageMakerTasks(sagemaker, states)
    states._SERVICE_DISPATCH["arn:aws:states:::sagemaker:"] = tasks.run
    states._run_execution = _remember_execution(states._run_execution)
    states._stop_execution = tasks.stopping_jobs(states._stop_execution)


def install_execution_rules() -> None:
    """Teach MiniStack's Step Functions to refuse what AWS refuses, and to answer a repeated request as AWS does."""
    states: Any = importlib.import_module("ministack.services.stepfunctions")

    states._start_execution = _answer_again(states, states._start_execution)
    states._stop_execution = _leave_ended(states, states._stop_execution)
    for operation, function in CHECKED_OPERATIONS.items():
        setattr(states, function, _check_first(states, operation, getattr(states, function)))


def install_presigned_addresses() -> None:
    """Teach MiniStack that an address presigned for S3 leads to S3, whatever its bearer sends to it."""
    app: Any = importlib.import_module("ministack.app")
    app.detect_service = _keep_to_s3(app.detect_service)


def install_refusals() -> None:
    """Teach MiniStack to say, in the caller's protocol, which service or operation it does not serve."""
    app: Any = importlib.import_module("ministack.app")
    app._dispatch_service_request = _refuse_unserved(app, app._dispatch_service_request)


def install_key_of_s3() -> None:
    """Teach MiniStack's S3 the key that AWS encrypts with when a request asks for KMS and names no key."""
    s3: Any = importlib.import_module("ministack.services.s3")
    s3._resolve_sse_write_headers = _name_key_of_s3(s3._resolve_sse_write_headers)


def install_resources(watchers: Mapping[str, ResourceWatcher]) -> None:
    """Teach MiniStack's CloudFormation the types and attributes it lacks.

    Args:
        watchers: Who is told of the resources of a type.
    """
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    stacks: Any = importlib.import_module("ministack.services.cloudformation.stacks")
    handlers = provisioners._RESOURCE_HANDLERS

    for missing in MISSING_TYPES:
        handlers[missing.name] = _build_handlers(missing)
        provisioners._REPLACING_PROPERTIES[missing.name] = missing.replacing
    for name, describe in MISSING_ATTRIBUTES.items():
        handlers[name] = _describe_further(handlers[name], describe)
    for name, watcher in watchers.items():
        handlers[name] = _watch(handlers[name], watcher)
    # Everything else is provisioned on the loop that answers S3 and would wait for itself.
    stacks._runs_on_worker_thread = _run_on_thread_too(watchers, stacks._runs_on_worker_thread)


def install_change_sets() -> None:
    """Teach MiniStack that new outputs of a stack are a change of it, as on AWS, where no resource changes."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.handlers")
    actions = handlers._ACTION_HANDLERS
    actions["CreateChangeSet"] = _take_new_outputs(actions["CreateChangeSet"])


def install_functions(port: int) -> None:
    """Teach MiniStack function URLs that lead here, events as complete as AWS's, and to bear a crowd."""
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    handlers = provisioners._RESOURCE_HANDLERS

    handlers[FUNCTION_URL] = _lead_here(handlers[FUNCTION_URL], port)
    functions._build_function_url_event = _keep_path_encoded(functions._build_function_url_event)
    object_lambda.handle_request = _keep_query(object_lambda.handle_request)
    functions._execute_function = _take_turns(functions._execute_function, threading.Semaphore(FUNCTIONS_AT_ONCE))
    sessions = FunctionSessions()
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions.execution_credentials = runtime.execution_credentials = sessions.give


async def serve(port: int, *, owner: AccessKey, close: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then close while requests are still answered: what closes still logs.

    Args:
        port: Where to listen.
        owner: A key that requests may be signed with; the others are those that MiniStack gives out.
        close: Ends what runs.
    """
    app = importlib.import_module("ministack.app")
    door = Door(app.app, port=port, find_key=lambda key_id: owner if key_id == owner.key_id else find_key(key_id))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)

    async def stopped() -> None:
        await stop.wait()
        await asyncio.to_thread(close)

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    await serve_asgi(door, config, shutdown_trigger=stopped)  # type: ignore[arg-type]


def find_key(key_id: str) -> AccessKey | None:
    """A key that MiniStack gave out, an IAM user's or a temporary one.

    Raises:
        SignatureError: If it has expired.
    """
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    responses: Any = importlib.import_module("ministack.core.responses")
    # To MiniStack, `test` and the number of any account are keys of its administrator.
    if evaluator.is_root_access_key(key_id):
        return None
    account = responses._account_from_sts_session(key_id) or evaluator.find_iam_access_key_account(key_id)
    found = evaluator.resolve_credential(key_id, account)
    if isinstance(found, evaluator.ResolvedCredential):
        return AccessKey(key_id=key_id, secret=found.secret_access_key, session_token=found.session_token)
    if found.code == "ExpiredTokenException":
        raise SignatureError(Fault.EXPIRED_TOKEN, found.message)
    return None


class FunctionSessions:
    """The temporary keys that functions call with, one for each function and role.

    MiniStack would give them the number of the account, which opens nothing here.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], AccessKey] = {}

    def give(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The credentials in the environment of a function."""
        function, role = config["FunctionArn"], config.get("Role", "")
        key = self._keys.setdefault((function, role), make_key("ASIA"))
        self._register(key, function, role.rpartition("/")[2])
        return {
            "AWS_ACCESS_KEY_ID": key.key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.session_token or "",
        }

    def _register(self, key: AccessKey, function: str, role: str) -> None:
        sts: Any = importlib.import_module("ministack.services.sts")
        account, name = function.split(":")[4], function.split(":")[6]
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": key.secret,
            "SessionToken": key.session_token,
        }
        sts.register_session(key.key_id, session)


class SageMakerTasks:
    """Step Functions' optimized integration: `sagemaker:ACTION`, and `sagemaker:ACTION.sync` for jobs."""

    def __init__(self, sagemaker: SageMaker, states: Any) -> None:
        self._sagemaker = sagemaker
        self._states = states
        self._job_of_execution: dict[str, tuple[str, str]] = {}

    def run(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Run one task on the thread of its execution."""
        action, _, pattern = resource.split(":sagemaker:")[1].partition(".")
        operation = action[0].upper() + action[1:]
        kind = operation.removeprefix("Create")
        if pattern == "sync" and f"Stop{kind}" not in self._sagemaker.operations:
            raise self._states._ExecutionError("States.Runtime", f"{resource}: only a job's end can be waited for")
        try:
            result = self._sagemaker.call(operation, arguments)
        except SageMakerError as error:
            raise self._states._ExecutionError(_name_task_error(error.code), error.message) from None
        if pattern == "sync":
            result = self._wait_for_job(kind, arguments[f"{kind}Name"])
        return json.loads(_to_state_json(result))

    def stopping_jobs(self, stop_execution: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        """StopExecution as on AWS: it stops the job that the execution waits for."""

        def stop(request: dict[str, Any]) -> Any:
            answer = stop_execution(request)
            if job := self._job_of_execution.get(request.get("executionArn", "")):
                kind, name = job
                # It may have ended between the two lines above.
                with suppress(SageMakerError):
                    self._sagemaker.call(f"Stop{kind}", {f"{kind}Name": name})
            return answer

        return stop

    def _wait_for_job(self, kind: str, name: str) -> dict[str, Any]:
        execution = _execution_arn.get()
        self._job_of_execution[execution] = (kind, name)
        try:
            job = self._sagemaker.wait(kind, name)
        finally:
            del self._job_of_execution[execution]
        if self._states._executions[execution]["status"] != "RUNNING":
            # Ends the execution's thread; any other exception would turn ABORTED into FAILED.
            raise SystemExit
        if job[f"{kind}Status"] != "Completed":
            raise self._states._ExecutionError("States.TaskFailed", _to_state_json(job))
        return job


def _check_first(states: Any, operation: str, serve: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    def run(request: dict[str, Any]) -> Any:
        try:
            check_request(operation, request)
        except StatesError as error:
            return states.error_response_json(error.code, error.message, 400)
        return serve(request)

    return run


def _answer_again(states: Any, start: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    """StartExecution is idempotent: a running execution's name and input get its answer once more."""

    def run(request: dict[str, Any]) -> Any:
        machine = states._resolve_state_machine_arn(request["stateMachineArn"].partition("#")[0])
        arn = f"{str(machine).replace(':stateMachine:', ':execution:')}:{request.get('name')}"
        running = states._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == request.get("input", "{}"):
            return states.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return start(request)

    return run


def _leave_ended(states: Any, stop: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    """StopExecution takes an execution that has ended already, and leaves it as it is."""

    def run(request: dict[str, Any]) -> Any:
        execution = states._executions.get(request["executionArn"])
        if execution and execution["status"] != "RUNNING":
            return states.json_response({"stopDate": execution["stopDate"]})
        return stop(request)

    return run


def _keep_to_s3(detect: Callable[..., str]) -> Callable[..., str]:
    """Without this, an `Action` that the signature does not cover makes a request to IAM of an address of S3."""

    def run(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]]) -> str:
        request = SentRequest(method=method, path=path, query=query, headers=headers)
        return "s3" if is_presigned_for_s3(request) else detect(method, path, headers, query)

    return run


def _refuse_unserved(app: Any, dispatch: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    async def run(method: str, path: str, headers: dict[str, str], body: bytes, query: Any, request_id: str) -> Any:
        request = SentRequest(method=method, path=path, query=query, headers=dict(headers))
        service = app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))
        signed_for = find_service(request)
        # MiniStack takes what it does not know for S3; older signatures name no service.
        is_taken_for_s3 = service == "s3" and signed_for and not signed_for.startswith("s3")
        if service not in app.SERVICE_HANDLERS or is_taken_for_s3:
            return refuse_service(request, app.SERVICE_HANDLERS)
        answer = await dispatch(method, path, headers, body, query, request_id)
        if is_silent(request, answer):
            return refuse_operation(request, f"{service} of the local cloud gave no reason: {answer[2]!r}")
        return answer

    return run


def _name_key_of_s3(resolve: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    responses: Any = importlib.import_module("ministack.core.responses")

    def run(headers: dict[str, str], bucket: str) -> tuple[Any, Any]:
        account, region = responses.get_account_id(), responses.get_region()
        key = f"arn:aws:kms:{region}:{account}:key/{uuid.uuid5(uuid.NAMESPACE_URL, f'{account}/{region}/aws/s3')}"
        given = {**headers, KMS_KEY: headers.get(KMS_KEY) or key} if headers.get(ENCRYPTION) == "aws:kms" else headers
        stored, refusal = resolve(given, bucket)
        if stored and stored.get(ENCRYPTION) == "aws:kms":
            stored = {**stored, KMS_KEY: stored.get(KMS_KEY) or key}
        return stored, refusal

    return run


def _take_new_outputs(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    formation: Any = importlib.import_module("ministack.services.cloudformation")

    def run(parameters: dict[str, Any]) -> Any:
        known = set(formation._change_sets)
        answer = create(parameters)
        for made in (formation._change_sets[name] for name in set(formation._change_sets) - known):
            current = formation._stacks[made["StackName"]]["_template"]
            is_empty = made["ChangeSetType"] == "UPDATE" and made["Status"] == "FAILED" and not made["Changes"]
            if is_empty and made["_template"].get("Outputs") != current.get("Outputs"):
                made |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        return answer

    return run


def _build_handlers(missing: ResourceType) -> dict[str, Any]:
    """What MiniStack calls for a type; it replaces a resource itself where its table says so."""

    def create(logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, Attributes]:
        resource_id = missing.identify(logical_id, properties)
        return resource_id, missing.describe(resource_id, properties)

    def update(
        resource_id: str, _old: dict[str, Any], properties: dict[str, Any], _stack: str
    ) -> tuple[str, Attributes]:
        return resource_id, missing.describe(resource_id, properties)

    def delete(_resource_id: str, _properties: dict[str, Any]) -> None:
        """Nothing is left of a resource that was only an identifier."""

    return {"create": create, "update": update, "delete": delete}


def _describe_further(
    handlers: dict[str, Any], describe: Callable[[str, dict[str, Any]], Attributes]
) -> dict[str, Any]:
    def complete(provision: Provision, properties_at: int) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            resource_id, attributes = provision(*arguments)
            return resource_id, {**describe(resource_id, arguments[properties_at]), **attributes}

        return run

    return {**handlers, "create": complete(handlers["create"], 1), "update": complete(handlers["update"], 2)}


def _watch(handlers: dict[str, Any], watcher: ResourceWatcher) -> dict[str, Any]:
    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, Attributes]:
        resource_id, attributes = handlers["create"](logical_id, properties, stack)
        watcher.create(resource_id, properties)
        return resource_id, attributes

    def update(
        resource_id: str, old: dict[str, Any], properties: dict[str, Any], *stack: str
    ) -> tuple[str, Attributes]:
        updated: tuple[str, Attributes] = handlers["update"](resource_id, old, properties, *stack)
        watcher.update(resource_id, properties)
        return updated

    def delete(resource_id: str, properties: dict[str, Any]) -> None:
        handlers["delete"](resource_id, properties)
        watcher.delete(resource_id)

    return {**handlers, "create": create, "update": update, "delete": delete}


def _lead_here(handlers: dict[str, Any], port: int) -> dict[str, Any]:
    """The name in MiniStack's own function URLs is not known outside it; a path of this server means the same."""

    def lead_here(provision: Provision) -> Provision:
        def run(*arguments: Any) -> tuple[str, Attributes]:
            resource_id, attributes = provision(*arguments)
            url_id = urlsplit(attributes["FunctionUrl"]).netloc.partition(".")[0]
            return resource_id, {**attributes, "FunctionUrl": f"http://{HOST}:{port}/_aws/lambda-url/{url_id}/"}

        return run

    return {**handlers, "create": lead_here(handlers["create"]), "update": lead_here(handlers["update"])}


def _keep_path_encoded(build_event: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """On AWS, a function URL's event has the path as it was sent: https://github.com/hotsock/voker/pull/8."""

    def build(*arguments: Any, **options: Any) -> dict[str, Any]:
        event = build_event(*arguments, **options)
        return {**event, "rawPath": quote(event["rawPath"])}

    return build


def _keep_query(handle: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """On AWS, an Object Lambda event has the caller's whole address; MiniStack leaves out an alias's query."""

    async def handle_with_query(*arguments: Any) -> Any:
        *others, query, url = arguments
        told = url if "?" in url or not query else f"{url}?{urlencode(query, doseq=True)}"
        return await handle(*others, query, told)

    return handle_with_query


def _take_turns(execute: Callable[..., Any], turns: threading.Semaphore) -> Callable[..., Any]:
    """A process per waiting request would take the machine's memory; AWS has room for a thousand at once."""

    def run(*arguments: Any) -> Any:
        with turns:
            return execute(*arguments)

    return run


def _run_on_thread_too(
    types: Mapping[str, ResourceWatcher], is_told_to: Callable[[str], bool]
) -> Callable[[str], bool]:
    return lambda resource_type: resource_type in types or is_told_to(resource_type)


def _request_handler(sagemaker: SageMaker) -> Callable[..., Coroutine[Any, Any, tuple[int, dict[str, str], bytes]]]:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes | str, _query: object
    ) -> tuple[int, dict[str, str], bytes]:
        raw = body.encode() if isinstance(body, str) else body
        return await asyncio.to_thread(sagemaker.handle_http, method, path, headers, raw)

    return handle


def _remember_execution(run: Callable[[str], None]) -> Callable[[str], None]:
    def run_remembering(execution_arn: str) -> None:
        _execution_arn.set(execution_arn)
        run(execution_arn)

    return run_remembering


def _name_task_error(code: str) -> str:
    """How Step Functions names an error of the API: the modelled ones by name, all others alike."""
    modelled = {"ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound"}
    return f"SageMaker.{code}Exception" if code in modelled else "SageMaker.AmazonSageMakerException"


def _to_state_json(result: object) -> str:
    return json.dumps(result, default=_to_epoch_milliseconds)


def _to_epoch_milliseconds(value: object) -> int:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    raise TypeError(f"cannot put {value!r} into a state")
