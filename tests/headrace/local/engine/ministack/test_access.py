"""What headrace uses of the engine's IAM is still there and still works as assumed."""

import contextvars
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from headrace.local.calls import CallLog
from headrace.local.engine.cloud import ACCOUNT
from headrace.local.engine.credentials import AccessKey
from headrace.local.engine.ministack.access import Access, install_access, register_owner
from headrace.local.engine.ministack.policies import UnknownConditionError


def test_resolves_the_encryption_of_every_write_in_one_place() -> None:
    s3 = importlib.import_module("ministack.services.s3")

    assert list(inspect.signature(s3._resolve_sse_write_headers).parameters) == ["headers", "bucket_name"]
    assert inspect.getsource(s3).count(" = _resolve_sse_write_headers(") == 4


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
