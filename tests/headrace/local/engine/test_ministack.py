"""Every part of MiniStack's inside that headrace uses is still there and still works as assumed."""

import asyncio
import contextvars
import importlib
import importlib.metadata
import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace.local.engine.access.calls import CallLog
from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.ministack import (
    EngineVersionError,
    cloudformation,
    process,
    registry,
    routing,
    step_functions,
)
from headrace.local.engine.ministack import functions as lambdas
from headrace.local.engine.ministack.access import Access, install_access, register_owner
from headrace.local.engine.ministack.policies import UnknownConditionError
from headrace.local.engine.resources import (
    EFS_ACCESS_POINT,
    EFS_FILE_SYSTEM,
    FSX_FILE_SYSTEM,
    MISSING_ATTRIBUTES,
    MISSING_TYPES,
    ResourceWatcher,
)
from headrace.local.engine.signatures import Fault, SignatureError
from tests.headrace.local.engine.sent_requests import connect
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def states() -> Any:
    return importlib.import_module("ministack.services.stepfunctions")


@pytest.fixture(scope="module")
def app() -> Any:
    return importlib.import_module("ministack.app")


def test_pins_the_version_that_is_known() -> None:
    assert importlib.metadata.version("ministack") == process.VERSION


def test_refuses_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9.9")

    with pytest.raises(EngineVersionError, match=r"ministack 9\.9\.9 is installed, but headrace needs 1\.5\.33"):
        process.check_version()


def test_routes_requests_by_tables_that_can_be_added_to(app: Any) -> None:
    router = importlib.import_module("ministack.core.router")

    assert not {"sagemaker", "application-autoscaling"} & {*app.SERVICE_REGISTRY, *app.SERVICE_NAME_ALIASES}
    assert set(router.SERVICE_PATTERNS["ecr"]) == {"target_prefixes", "host_patterns", "credential_scope"}


def test_gives_tasks_of_a_json_service_to_its_handler_by_a_table_that_can_be_added_to() -> None:
    states = importlib.import_module("ministack.services.stepfunctions")

    assert "applicationautoscaling" not in {*states._AWS_SDK_SERVICE_MAP, *states._AWS_SDK_ERROR_PREFIX}
    assert states._AWS_SDK_SERVICE_MAP["eventbridge"] == {
        "target_prefix": "AWSEvents",
        "protocol": "json",
        "service_key": "events",
    }
    assert states._AWS_SDK_ERROR_PREFIX["eventbridge"] == "EventBridge"


def test_routes_sagemakers_requests_once_its_pattern_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    router = importlib.import_module("ministack.core.router")
    monkeypatch.setitem(router.SERVICE_PATTERNS, "sagemaker", {"target_prefixes": ["SageMaker."]})
    scope = "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/sagemaker/aws4_request, SignedHeaders=host"

    control = router.detect_service("POST", "/", {"x-amz-target": "SageMaker.ListModels", "authorization": scope}, {})
    runtime = router.detect_service("POST", "/endpoints/x/invocations", {"authorization": scope}, {})

    assert (control, runtime) == ("sagemaker", "sagemaker")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_run_execution", ["exec_arn"]),
        *((name, ["data"]) for name in step_functions.CHECKED_OPERATIONS.values()),
        ("_resolve_state_machine_arn", ["arn"]),
        ("_describe_state_machine_for_execution", ["data"]),
        ("_publish_state_machine_version", ["data"]),
        ("_delete_state_machine_version", ["data"]),
        ("_list_state_machine_versions", ["data"]),
        ("_create_state_machine_alias", ["data"]),
        ("_update_state_machine_alias", ["data"]),
        ("_delete_state_machine_alias", ["data"]),
        ("_list_state_machine_aliases", ["data"]),
        ("_encode_execution_token", ["execution"]),
        ("_ExecutionError", ["error", "cause"]),
        ("_invoke_resource", ["resource", "input_data"]),
        ("_invoke_aws_sdk_integration", ["resource", "input_data"]),
        ("_read_map_items", ["reader", "effective", "ctx"]),
        ("_add_event", ["execution", "event_type", "details"]),
        ("_emit_execution_status_event", ["execution"]),
        ("_finalize_response", ["response"]),
        ("_test_state", ["data"]),
        ("_validate_state_machine_definition", ["data"]),
        ("_prefix_sdk_error", ["service_name", "error_code"]),
        ("_dispatch_aws_sdk_rest_xml", ["service_info", "service_name", "action", "input_data"]),
        ("_sdk_json_param_value", ["value", "shape"]),
        ("_sdk_json_value", ["value", "shape"]),
        ("_api_name_to_sfn_key", ["name"]),
    ],
)
def test_has_the_functions_that_are_wrapped(states: Any, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(states, name)).parameters) == parameters


def test_looks_functions_up_when_they_are_called(states: Any) -> None:
    source = inspect.getsource(states._start_execution)

    assert "args=(_run_execution, exec_arn)" in source
    table = inspect.getsource(states.handle_request)
    assert all(f'"{name}": {function}' in table for name, function in step_functions.CHECKED_OPERATIONS.items())


def test_publishes_the_start_of_an_execution_by_a_function_that_is_replaced(states: Any) -> None:
    assert "_emit_execution_status_event(_executions[exec_arn])" in inspect.getsource(states._start_execution)


def test_keeps_executions_where_the_interpreter_writes_their_end(states: Any) -> None:
    kept = inspect.getsource(states._start_execution)

    assert all(
        f'"{name}":' in kept for name in ("executionArn", "stateMachineArn", "name", "startDate", "input", "events")
    )
    assert states._SFN_WAIT_SCALE >= 0
    assert '"redriveDate"' in inspect.getsource(states).partition("_TIMESTAMP_RESPONSE_FIELDS")[2][:200]


def test_resolves_the_encryption_of_every_write_in_one_place() -> None:
    s3 = importlib.import_module("ministack.services.s3")

    assert list(inspect.signature(s3._resolve_sse_write_headers).parameters) == ["headers", "bucket_name"]
    assert inspect.getsource(s3).count(" = _resolve_sse_write_headers(") == 4


def test_dispatches_optimized_integrations_by_prefix(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(states._SERVICE_DISPATCH, "arn:aws:states:::sagemaker:", lambda resource, _: resource)
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"

    assert states._invoke_resource(resource, {}) == resource


def test_spells_sdk_errors_as_told(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(states._AWS_SDK_ERROR_PREFIX, "sagemaker", "SageMaker")
    monkeypatch.setitem(
        states._AWS_SDK_ERROR_CODE_OVERRIDES, "sagemaker", {"ValidationException": "SageMakerException"}
    )

    assert states._prefix_sdk_error("sagemaker", "ValidationException") == "SageMaker.SageMakerException"


def test_binds_loopback_and_opens_no_other_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)

    process.configure(4711, evaluates_iam=True)

    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["GATEWAY_PORT"] == "4711"
    assert environment["AUTH"] == "true"
    assert (environment["IOT_MTLS_ENABLED"], environment["SFTP_ENABLED"]) == ("0", "0")


@pytest.fixture
def provisioners(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MiniStack's provisioners with tables that a test may change."""
    module: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    monkeypatch.setattr(module, "_RESOURCE_HANDLERS", dict(module._RESOURCE_HANDLERS))
    monkeypatch.setattr(module, "_REPLACING_PROPERTIES", dict(module._REPLACING_PROPERTIES))
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    monkeypatch.setattr(stacks, "_runs_on_worker_thread", stacks._runs_on_worker_thread)
    return module


class Events:
    """A watcher that notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []
        self.watcher = ResourceWatcher(
            create=lambda resource_id, _: self.seen.append(("create", resource_id)),
            update=lambda resource_id, _: self.seen.append(("update", resource_id)),
            delete=lambda resource_id: self.seen.append(("delete", resource_id)),
        )


def test_lacks_the_types_that_are_added(provisioners: Any) -> None:
    assert not {missing.name for missing in MISSING_TYPES} & set(provisioners._RESOURCE_HANDLERS)


def test_lacks_the_attributes_that_are_added(provisioners: Any) -> None:
    properties = {"VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.0.0/24"}
    for name, describe in MISSING_ATTRIBUTES.items():
        resource_id, attributes = provisioners._provision_resource(name, "Some", properties, "stack")
        added = describe(resource_id, properties)
        provisioners._delete_resource(name, resource_id, properties)

        assert set(added) - set(attributes), name


@pytest.mark.parametrize("name", [*MISSING_ATTRIBUTES, EFS_FILE_SYSTEM, EFS_ACCESS_POINT])
def test_calls_the_handlers_that_are_wrapped_with_these_arguments(provisioners: Any, name: str) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[name]
    parameters = {action: list(inspect.signature(handlers[action]).parameters) for action in ("create", "update")}

    assert parameters["create"] == ["logical_id", "props", "stack_name"]
    assert parameters["update"] == ["physical_id", "old_props", "new_props", "stack_name", "logical_id"]
    assert list(inspect.signature(handlers["delete"]).parameters) == ["physical_id", "props"]
    assert "delete_with_logical_id" not in handlers


def test_updates_the_logging_of_a_state_machine_as_the_api_spells_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    machine = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    properties = {"DefinitionString": json.dumps(machine), "RoleArn": "arn:aws:iam::000000000000:role/any"}
    group = {"CloudWatchLogsLogGroup": {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:any:*"}}

    arn, _ = handlers["create"]("Machine", properties, "stack")
    handlers["update"](
        arn, properties, {**properties, "LoggingConfiguration": {"Destinations": [group]}}, "stack", "Machine"
    )

    (destination,) = provisioners._sfn._state_machines[arn]["loggingConfiguration"]["destinations"]
    assert list(destination) == ["cloudWatchLogsLogGroup"]


def test_looks_handlers_and_threads_up_when_they_are_needed(provisioners: Any) -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")

    assert "_RESOURCE_HANDLERS.get(resource_type)" in inspect.getsource(provisioners._provision_resource)
    assert list(inspect.signature(stacks._runs_on_worker_thread).parameters) == ["resource_type"]
    assert "if _runs_on_worker_thread(resource_type)" in inspect.getsource(stacks)


def test_provisions_an_added_type(provisioners: Any) -> None:
    cloudformation.install_resources({})

    resource_id, attributes = provisioners._provision_resource("AWS::EC2::FlowLog", "Log", {}, "stack")

    assert attributes == {"Id": resource_id}


def test_keeps_an_added_resource_when_a_property_changes_that_allows_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    old, new = {"SubnetId": "subnet-1"}, {"SubnetId": "subnet-1", "Tags": []}

    updated = provisioners._update_resource("AWS::EC2::NatGateway", "nat-1", old, new, "stack", "Nat", {})

    assert updated == ("nat-1", {"NatGatewayId": "nat-1"})


def test_replaces_an_added_resource_when_a_property_changes_that_needs_it(provisioners: Any) -> None:
    cloudformation.install_resources({})
    old, new = {"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}

    resource_id, _ = provisioners._update_resource("AWS::EC2::NatGateway", "nat-1", old, new, "stack", "Nat", {})

    assert resource_id != "nat-1"


def test_adds_attributes_to_those_of_the_engine(provisioners: Any) -> None:
    cloudformation.install_resources({})

    vpc_id, attributes = provisioners._provision_resource("AWS::EC2::VPC", "Vpc", {"CidrBlock": "10.1.0.0/16"}, "s")

    assert attributes["CidrBlock"] == "10.1.0.0/16"
    assert attributes["VpcId"] == vpc_id
    assert attributes["DefaultNetworkAcl"].startswith("acl-")


@pytest.mark.parametrize("name", [EFS_FILE_SYSTEM, FSX_FILE_SYSTEM])
def test_tells_a_watcher_of_a_resource_from_its_beginning_to_its_end(provisioners: Any, name: str) -> None:
    events = Events()
    cloudformation.install_resources({name: events.watcher})

    resource_id, attributes = provisioners._provision_resource(name, "Files", {}, "stack")
    provisioners._update_resource(name, resource_id, {}, {"Note": "changed"}, "stack", "Files", attributes)
    provisioners._delete_resource(name, resource_id, {})

    assert events.seen == [("create", resource_id), ("update", resource_id), ("delete", resource_id)]


def test_lets_watchers_work_outside_of_the_loop_that_answers_requests(provisioners: Any) -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    cloudformation.install_resources({EFS_FILE_SYSTEM: Events().watcher})

    assert stacks._runs_on_worker_thread(EFS_FILE_SYSTEM)
    assert stacks._runs_on_worker_thread("Custom::Anything")
    assert not stacks._runs_on_worker_thread("AWS::S3::Bucket")


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """MiniStack's Lambda with functions that a test may replace."""
    module: Any = importlib.import_module("ministack.services.lambda_svc")
    for name in ("_build_function_url_event", "_execute_function", "execution_credentials"):
        monkeypatch.setattr(module, name, getattr(module, name))
    runtime = importlib.import_module("ministack.core.lambda_runtime")
    monkeypatch.setattr(runtime, "execution_credentials", runtime.execution_credentials)
    object_lambda = importlib.import_module("ministack.services.s3_object_lambda")
    monkeypatch.setattr(object_lambda, "handle_request", object_lambda.handle_request)
    return module


def test_resolves_the_outputs_of_a_stack_in_one_place() -> None:
    stacks = importlib.import_module("ministack.services.cloudformation.stacks")
    handlers = importlib.import_module("ministack.services.cloudformation.handlers")

    assert list(inspect.signature(stacks._resolve_stack_outputs).parameters)[-2:] == ["stack_name", "stack_id"]
    assert "_resolve_stack_outputs(" in inspect.getsource(stacks._deploy_stack_async)
    assert list(inspect.signature(handlers._imported_export_names).parameters) == ["stack", "stack_name"]


def test_looks_up_who_makes_a_change_set_when_one_is_asked_for() -> None:
    formation = importlib.import_module("ministack.services.cloudformation")
    handlers = importlib.import_module("ministack.services.cloudformation.handlers")
    made = inspect.getsource(handlers._ACTION_HANDLERS["CreateChangeSet"])

    assert formation._ACTION_HANDLERS is handlers._ACTION_HANDLERS
    assert "_change_sets[cs_id] = change_set" in made
    assert '_cs_status, _cs_exec = "FAILED", "UNAVAILABLE"' in made


def test_calls_the_functions_of_lambda_that_are_wrapped(functions: Any) -> None:
    object_lambda = importlib.import_module("ministack.services.s3_object_lambda")

    assert "_build_function_url_event(" in inspect.getsource(functions.handle_function_url_request)
    assert "_execute_function, func" in inspect.getsource(functions._execute_function_with_config_scope)
    assert "lambda_svc._execute_function, func_record, event" in inspect.getsource(object_lambda._invoke)
    assert list(inspect.signature(object_lambda.handle_request).parameters)[-2:] == ["query_params", "url"]


def test_leads_function_urls_to_its_own_port(provisioners: Any, functions: Any, app: Any) -> None:
    given = {"FunctionUrl": f"https://{'a' * 32}.lambda-url.us-east-1.on.aws/", "FunctionArn": "arn"}
    create = provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL]
    assert set(create) == {"create", "update", "delete"}
    provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL] = {**create, "create": lambda *_: ("name", given)}

    lambdas.install_functions(4711, Access(None))
    _, attributes = provisioners._RESOURCE_HANDLERS[lambdas.FUNCTION_URL]["create"]("Url", {}, "stack")

    path = f"/_aws/lambda-url/{'a' * 32}/"
    assert attributes == {"FunctionUrl": f"http://127.0.0.1:4711{path}", "FunctionArn": "arn"}
    assert app._parse_lambda_url("127.0.0.1:4711", f"{path}images/a.jpg") == ("a" * 32, "/images/a.jpg")


def test_gives_functions_the_path_as_it_was_sent(provisioners: Any, functions: Any) -> None:
    lambdas.install_functions(4711, Access(None))

    event = functions._build_function_url_event("id", "0", "us-east-1", "GET", "/a b%41", {}, b"", {})

    assert event["rawPath"] == "/a%20b%2541"


def test_tells_object_lambda_the_query_of_an_alias(provisioners: Any, functions: Any, monkeypatch: Any) -> None:
    object_lambda: Any = importlib.import_module("ministack.services.s3_object_lambda")
    seen: list[str] = []

    async def handle(*arguments: Any) -> None:
        seen.append(arguments[-1])

    monkeypatch.setattr(object_lambda, "handle_request", handle)
    lambdas.install_functions(4711, Access(None))

    asyncio.run(object_lambda.handle_request({}, "us-east-1", "GET", "a", {}, b"", {"width": ["8"]}, "/alias/a"))

    assert seen == ["/alias/a?width=8"]


def test_finds_the_keys_that_the_engine_gives_out() -> None:
    iam, sts = (importlib.import_module(f"ministack.services.{name}") for name in ("iam", "sts"))
    account = ACCOUNT
    record = {"Status": "Active", "SecretAccessKey": "secret", "UserName": "user"}
    session = {"Arn": f"arn:aws:sts::{account}:assumed-role/r/s", "SecretAccessKey": "other", "SessionToken": "token"}
    iam._access_keys["AKIAUSERS"] = record
    iam._access_keys["AKIAIDLE"] = {**record, "Status": "Inactive"}
    sts.register_session("ASIASESSION", session)

    found = [process.find_key(name) for name in ("AKIAUSERS", "ASIASESSION", "AKIAIDLE", "AKIANOBODYS")]

    assert found == [
        AccessKey(key_id="AKIAUSERS", secret="secret"),
        AccessKey(key_id="ASIASESSION", secret="other", session_token="token"),
        None,
        None,
    ]


def test_knows_an_expired_key() -> None:
    sts = importlib.import_module("ministack.services.sts")
    session = {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", "SecretAccessKey": "s", "Expiration": 1.0}
    sts._sessions["ASIAEXPIRED"] = session

    with pytest.raises(SignatureError) as refused:
        process.find_key("ASIAEXPIRED")

    assert refused.value.fault == Fault.EXPIRED_TOKEN


@pytest.mark.parametrize("name", ["test", "123456789012", ""])
def test_gives_nobody_the_keys_that_are_the_engines_administrators(name: str) -> None:
    assert process.find_key(name) is None


def test_gives_functions_a_key_of_their_own_that_is_known(provisioners: Any, functions: Any) -> None:
    lambdas.install_functions(4711, Access(None))
    config = {
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
        "Role": "arn:aws:iam::0:role/r",
    }

    given = functions.execution_credentials(config)

    assert given == functions.execution_credentials(config)
    assert given != functions.execution_credentials({**config, "Role": "arn:aws:iam::0:role/other"})
    assert process.find_key(given["AWS_ACCESS_KEY_ID"]) == AccessKey(
        key_id=given["AWS_ACCESS_KEY_ID"],
        secret=given["AWS_SECRET_ACCESS_KEY"],
        session_token=given["AWS_SESSION_TOKEN"],
    )


def test_calls_the_function_of_credentials_that_is_replaced(functions: Any) -> None:
    runtime = importlib.import_module("ministack.core.lambda_runtime")

    assert "update(execution_credentials(self.config))" in inspect.getsource(runtime)
    assert inspect.getsource(functions).count("update(execution_credentials(config))") == 3


def test_lets_only_so_many_functions_run_at_once(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, full = 0, 0, threading.Barrier(lambdas.FUNCTIONS_AT_ONCE)

    def execute(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        full.wait(PATIENCE_SECONDS)
        running -= 1

    monkeypatch.setattr(functions, "_execute_function", execute)
    lambdas.install_functions(4711, Access(None))

    with ThreadPoolExecutor(4 * lambdas.FUNCTIONS_AT_ONCE) as threads:
        list(threads.map(functions._execute_function, range(2 * lambdas.FUNCTIONS_AT_ONCE)))

    assert most == lambdas.FUNCTIONS_AT_ONCE


def test_turns_away_what_the_accounts_quota_has_no_place_for(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait for their turn here would run on AWS, so they take a place, too."""
    quota = 2 * lambdas.FUNCTIONS_AT_ONCE
    turned_away = threading.Event()

    def execute(_: int) -> dict[str, Any]:
        turned_away.wait(PATIENCE_SECONDS)
        return {}

    def run(number: int) -> Any:
        answer = functions._execute_function(number)
        if answer:
            turned_away.set()
        return answer

    monkeypatch.setattr(functions, "_execute_function", execute)
    lambdas.install_functions(4711, Access(None), quota)
    with ThreadPoolExecutor(quota + 1) as threads:
        answers = list(threads.map(run, range(quota + 1)))

    (refusal,) = (answer for answer in answers if answer)
    assert refusal["throttle"]
    assert refusal["body"]["__type"] == "TooManyRequestsException"
    assert refusal["body"]["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert run(0) == {}


def test_runs_no_function_where_the_quota_is_0(
    provisioners: Any, functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "_execute_function", lambda _: {})
    lambdas.install_functions(4711, Access(None), 0)

    assert functions._execute_function(0)["throttle"]


def test_throttles_as_the_engine_does(functions: Any) -> None:
    assert functions._throttle_response("Reason", "message").keys() >= {"throttle", "body", "error"}


def test_takes_a_name_before_the_address_as_one_before_localhost(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_extract_s3_vhost_bucket", app._extract_s3_vhost_bucket)
    monkeypatch.setattr(app, "_MINISTACK_HOST", "localhost")
    routing.install_names_below_address()

    assert app._extract_s3_vhost_bucket("training-000000000000.127.0.0.1:4566") == "training-000000000000"
    assert app._extract_s3_vhost_bucket("raw.localhost:4566") == "raw"
    assert app._extract_s3_vhost_bucket("127.0.0.1:4566") is None


def call_engine(app: Any, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    answer: tuple[int, dict[str, str], bytes] = asyncio.run(
        app._dispatch_service_request("POST", "/", headers, body, {}, "id")
    )
    return answer


@pytest.mark.slow
def test_says_which_service_is_not_served(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_dispatch_service_request", app._dispatch_service_request)
    routing.install_refusals()
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/fsx/aws4_request, SignedHeaders=a"}

    status, _, body = call_engine(app, {**signed, "x-amz-target": "AWSSimbaAPIService_v20180301.DescribeFileSystems"})

    assert status == 400
    assert json.loads(body)["message"].startswith("The local cloud does not serve fsx. It serves: account, acm,")


def test_tells_the_service_of_a_request_in_one_place(app: Any) -> None:
    assert list(inspect.signature(app.detect_service).parameters) == ["method", "path", "headers", "query_params"]
    assert "detect_service" in app._dispatch_service_request.__code__.co_names
    assert app.detect_service("POST", "/raw/a", {}, {"Action": ["CreateUser"], "uploads": [""]}) == "iam"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_leads_an_address_presigned_for_s3_to_s3_whatever_is_sent_to_it(
    app: Any, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(app, "detect_service", app.detect_service)
    routing.install_presigned_addresses()
    upload = {"Bucket": "raw", "Key": "a"}
    url = connect("s3", signature_version=version).generate_presigned_url("create_multipart_upload", upload)
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)

    assert app.detect_service("POST", "/raw/a", {}, {"Action": ["CreateUser"], **query}) == "s3"
    assert app.detect_service("POST", "/", {}, {"Action": ["CreateUser"]}) == "iam"


def test_gives_a_reason_where_the_engine_gives_none(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> tuple[int, dict[str, str], bytes]:
        return 400, {}, b'{"error": "no"}'

    monkeypatch.setattr(app, "_dispatch_service_request", silent)
    routing.install_refusals()
    target = {"x-amz-target": "AWSStepFunctions.Unknown"}

    _, _, body = call_engine(app, target)

    assert json.loads(body)["message"] == """states of the local cloud gave no reason: b'{"error": "no"}'"""


def test_says_which_container_image_ecr_does_not_have(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ecr = importlib.import_module("ministack.services.ecr")
    monkeypatch.setattr(ecr, "_describe_images", ecr._describe_images)
    registry.install_registry()

    def ask(operation: str, **request: Any) -> tuple[int, str]:
        target = {"x-amz-target": f"AmazonEC2ContainerRegistry_V20150921.{operation}"}
        status, _, body = call_engine(app, target, json.dumps(request).encode())
        return status, json.loads(body).get("__type", "")

    repository = {"repositoryName": "training"}
    image = {**repository, "imageIds": [{"imageTag": "1"}]}
    assert ask("DescribeImages", **image) == (400, "RepositoryNotFoundException")
    assert ask("CreateRepository", **repository)[0] == 200
    assert ask("DescribeImages", **image) == (400, "ImageNotFoundException")
    assert ask("PutImage", **repository, imageTag="1", imageManifest="{}")[0] == 200
    assert ask("DescribeImages", **image) == (200, "")
    assert ask("DescribeImages", **repository) == (200, "")


# The functions by which policies are evaluated.
DECIDING = [
    ("core.iam_evaluator", "_conditions_met", ["conditions", "ctx"]),
    ("core.iam_evaluator", "_evaluate_single_condition", ["operator", "actual", "expected_values"]),
    ("core.iam_evaluator", "_first_match", ["ctx", "stmts", "effect"]),
    ("core.iam_evaluator", "_resolve_condition_key", ["key", "ctx"]),
    ("core.iam_evaluator", "evaluate_resource_policy", ["doc", "ctx", "service", "named_only", "direct_only"]),
    ("core.iam_evaluator", "evaluate_trust_policy", ["trust_doc", "caller_arn", "ctx"]),
    ("core.iam_evaluator", "fnmatch_iam", ["value", "pattern"]),
    ("core.iam_evaluator", "fnmatch_iam_cs", ["value", "pattern"]),
    ("core.iam_evaluator", "parse_policy_document", ["doc"]),
    ("core.iam_evaluator", "_principal_matches", ["principal", "caller_arn"]),
]


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [
        *DECIDING,
        (
            "core.iam_evaluator",
            "enforce",
            ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
        ),
        ("core.iam_evaluator", "authenticate", ["access_key_id", "account_id"]),
        ("core.iam_evaluator", "resolve_credential", ["access_key_id", "account_id", "session_token"]),
        ("core.iam_evaluator", "is_root_access_key", ["access_key_id"]),
        ("core.iam_evaluator", "pin_request_origin", ["source_ip", "secure_transport"]),
        ("core.iam_evaluator", "AuthError", ["code", "message", "details"]),
        (
            "core.iam_evaluator",
            "EvalResult",
            ["decision", "principal_arn", "matched_sid", "reason", "resource_policy_arn"],
        ),
        (
            "core.iam_actions",
            "extract_iam_action",
            ["service", "method", "path", "headers", "body", "query_params"],
        ),
        (
            "core.iam_actions",
            "extract_resource_arn",
            ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"],
        ),
        ("core.iam_actions", "logs_service_context", ["action", "body", "resource_arn", "region", "account_id"]),
        ("core.iam_actions", "request_tag_context", ["service", "iam_action", "body", "params"]),
        ("core.iam_actions", "s3_service_context", ["iam_action", "query_params", "path", "headers"]),
        ("core.iam_actions", "_query_param", ["query_params", "key"]),
        ("services.s3", "object_tags_for_condition", ["bucket_name", "key", "query_params"]),
        ("core.iam_actions", "_load_botocore_model", ["botocore_service"]),
        ("core.iam_actions", "_s3_source_object", ["headers"]),
        ("services.kms", "_resolve_key", ["key_id_or_arn"]),
        (
            "core.iam_actions",
            "identity_denial_message",
            ["action", "principal_arn", "resource", "explicit_deny"],
        ),
        (
            "core.iam_actions",
            "access_denied_response",
            [
                "service",
                "action",
                "principal_arn",
                "request_id",
                "error_code",
                "message",
                "headers",
                "resource_arn",
                "explicit_deny",
                "resource_policy_arn",
            ],
        ),
        (
            "app",
            "call_service_handler_sync",
            ["handler", "method", "path", "headers", "body", "query_params", "timeout"],
        ),
        ("services.stepfunctions", "_invoke_resource", ["resource", "input_data"]),
        ("services.stepfunctions", "_test_state", ["data"]),
        ("services.stepfunctions", "_read_map_items", ["reader", "effective", "ctx"]),
        ("services.stepfunctions", "_s3_object_text", ["bucket", "key"]),
        ("services.stepfunctions", "_resolve_params_obj", ["template", "data", "ctx"]),
        ("services.cloudformation.provisioners", "_sfn_definition", ["props"]),
        ("services.eventbridge", "_put_events", ["data", "allow_aws_source"]),
        ("services.eventbridge", "_invoke_target", ["target", "event", "rule", "view"]),
        ("services.sts", "register_session", ["access_key", "session"]),
        ("services.s3", "resolve_object_lambda_alias", ["alias"]),
        ("services.s3", "object_lambda_arn", ["name", "account_id", "region"]),
        ("services.s3", "_bucket_default_sse_headers", ["bucket_name"]),
        ("services.s3", "_put_bucket_encryption", ["name", "body"]),
        ("services.s3", "_delete_bucket_encryption", ["name"]),
        (
            "services.s3_object_lambda",
            "_presign",
            ["method", "endpoint", "path", "query", "credential", "region", "session_token"],
        ),
        ("services.s3_object_lambda", "_operation", ["method", "key", "query_params"]),
        ("services.s3_object_lambda", "_transformation", ["record", "operation"]),
        ("core.iam_actions", "s3_access_point_resources", ["resource_arn"]),
        ("app", "pin_signed_request", ["method", "raw_path", "query_params", "raw_headers", "handshake"]),
    ],
)
def test_has_the_functions_that_decide(module: str, name: str, parameters: list[str]) -> None:
    found = getattr(importlib.import_module(f"ministack.{module}"), name)

    assert list(inspect.signature(found).parameters) == parameters


def test_decides_by_functions_that_are_looked_up_for_each_request(app: Any) -> None:
    dispatch = inspect.getsource(app._dispatch_service_request)

    assert "from ministack.core.iam_actions import (" in dispatch
    assert "from ministack.core.iam_evaluator import AuthError, enforce" in dispatch
    assert "from ministack.core.iam_evaluator import AuthError, enforce" in inspect.getsource(app._enforce_data_plane)


@pytest.mark.parametrize(
    ("service", "store"), [("s3", "_multipart_uploads"), ("s3", "_object_versions"), ("kms", "_aliases")]
)
def test_keeps_what_decisions_ask_for_by_known_names(service: str, store: str) -> None:
    kept = getattr(importlib.import_module(f"ministack.services.{service}"), store)

    assert callable(kept.get)
    assert callable(kept.items)


def test_knows_root_in_two_modules_alone(app: Any) -> None:
    folder = Path(app.__file__).parent
    knowing = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*.py")
        if "is_root_access_key" in file.read_text(encoding="utf-8")
    }

    assert knowing == {"core/iam_evaluator.py", "services/sts.py"}


@pytest.fixture
def evaluator(monkeypatch: pytest.MonkeyPatch, app: Any, tmp_path: Path) -> Any:
    """MiniStack's IAM with what headrace teaches it, for a test."""
    module: Any = importlib.import_module("ministack.core.iam_evaluator")
    for owner, names in (
        (
            module,
            ["is_root_access_key", "_request_origin", "authenticate", "enforce", *(name for _, name, _ in DECIDING)],
        ),
        (importlib.import_module("ministack.services.sts"), ["is_root_access_key"]),
        (
            importlib.import_module("ministack.core.iam_actions"),
            [
                "extract_iam_action",
                "extract_resource_arn",
                "logs_service_context",
                "request_tag_context",
                "s3_service_context",
                "access_denied_response",
            ],
        ),
        (app, ["pin_request_origin"]),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(module, "_CONDITION_OPS", dict(module._CONDITION_OPS))
    monkeypatch.setattr(module, "_RESOURCE_POLICY_LOOKUPS", dict(module._RESOURCE_POLICY_LOOKUPS))
    install_access(Access(CallLog(tmp_path)))
    return module


def test_takes_no_key_for_root(evaluator: Any) -> None:
    owner = AccessKey(key_id="AKIAOWNER", secret="s")
    register_owner(owner)

    assert not [key for key in ("", "test", ACCOUNT, owner.key_id) if evaluator.is_root_access_key(key)]
    assert evaluator.resolve_principal(owner.key_id, ACCOUNT).type == "User"
    assert isinstance(evaluator.resolve_principal("test", ACCOUNT), evaluator.AuthError)
    assert evaluator.enforce(owner.key_id, "s3:ListAllMyBuckets", "s3", "us-east-1") is None


def test_refuses_the_key_of_a_session_that_is_over(evaluator: Any) -> None:
    sts: Any = importlib.import_module("ministack.services.sts")
    session = {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ml/one", "SecretAccessKey": "s", "UserId": "ml:one"}
    sts.register_session("ASIAOVER", {**session, "Expiration": 1.0})

    assert evaluator.enforce("ASIAOVER", "sts:GetCallerIdentity", "sts", "us-east-1").code == "ExpiredTokenException"


def test_takes_loopback_for_tls(evaluator: Any, app: Any) -> None:
    def describe() -> bool:
        context = evaluator.EvalContext("a", "User", ACCOUNT, "s3:GetObject", "*", "us-east-1")
        return bool(context.secure_transport)

    app.pin_request_origin("127.0.0.1", False)

    assert describe()
    assert contextvars.Context().run(describe)


def test_refuses_operators_that_it_does_not_know(evaluator: Any) -> None:
    with pytest.raises(UnknownConditionError, match="ForAnyValue:StringNearly"):
        evaluator._evaluate_single_condition("ForAnyValue:StringNearly", "a", ["a"])
    assert evaluator._evaluate_single_condition("ForAnyValue:StringLikeIfExists", "a", ["*"])
    assert evaluator._evaluate_single_condition("Null", None, ["true"])


def test_decides_about_streams_of_logs(evaluator: Any) -> None:
    assert evaluator
    actions: Any = importlib.import_module("ministack.core.iam_actions")

    def name(verb: str, **given: str) -> str:
        headers = {"x-amz-target": f"Logs_20140328.{verb}"}
        request: tuple[Any, ...] = ("logs", "POST", "/", headers, json.dumps(given).encode(), {})
        return str(actions.extract_resource_arn(*request, "us-east-1", ACCOUNT))

    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/a/b"
    assert name("PutLogEvents", logGroupName="/a/b", logStreamName="c") == f"{group}:log-stream:c"
    assert name("CreateLogGroup", logGroupName="/a/b") == f"{group}:log-stream:"
    assert name("DescribeLogGroups") == "*"
    assert name("TagResource", resourceArn=group) == group


@pytest.mark.parametrize(
    ("service", "path", "expected"),
    [("s3", "/bucket/key", "s3:GetObject"), ("unheard-of", "/", "unheard-of:UnknownAction"), ("sagemaker", "/", None)],
)
def test_names_what_it_does_not_know(evaluator: Any, service: str, path: str, expected: str | None) -> None:
    assert evaluator
    actions = importlib.import_module("ministack.core.iam_actions")

    assert actions.extract_iam_action(service, "GET", path, {}, b"", {}) == expected
