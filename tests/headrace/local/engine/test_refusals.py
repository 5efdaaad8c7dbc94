"""Errors as stock clients read them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from headrace.local.engine.refusals import (
    WireFormat,
    find_service,
    find_wire_format,
    is_silent,
    refuse_operation,
    refuse_service,
    refuse_signature,
    write_error,
)
from headrace.local.engine.signatures import Fault
from tests.headrace.local.engine.sent_requests import ENDPOINT, connect, make_request, read_answer, take

IN_JSON = [
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "InvalidSignatureException",
]
# A service for each wire_format, and the codes of AWS for no key, an unknown key, a wrong signature and a skewed clock.
CODES = {
    ("s3", "list_buckets"): ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"],
    ("sts", "get_caller_identity"): [
        "MissingAuthenticationToken",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "SignatureDoesNotMatch",
    ],
    ("ec2", "describe_vpcs"): ["AuthFailure", "AuthFailure", "AuthFailure", "AuthFailure"],
    ("route53", "list_hosted_zones"): [
        "MissingAuthenticationToken",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "SignatureDoesNotMatch",
    ],
    ("sagemaker", "list_models"): IN_JSON,
    ("stepfunctions", "list_state_machines"): IN_JSON,
    ("lambda", "list_functions"): IN_JSON,
    ("cloudwatch", "list_metrics"): IN_JSON,
}
FAULTS = [Fault.MISSING, Fault.UNKNOWN_KEY, Fault.WRONG_SIGNATURE, Fault.SKEWED_CLOCK]


def read_error(client: Any, operation: str, answer: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        read_answer(client, operation, answer)
    error: dict[str, Any] = refused.value.response["Error"]
    return error


@pytest.mark.parametrize("call", CODES, ids=str)
def test_names_each_fault_as_the_service_would(call: tuple[str, str]) -> None:
    service, operation = call
    client = connect(service)
    request = take(client, operation)

    errors = [read_error(client, operation, refuse_signature(request, fault, "because.")) for fault in FAULTS]

    assert [error["Code"] for error in errors] == CODES[call]
    assert all("because" in error["Message"] for error in errors)


@pytest.mark.parametrize("fault", Fault)
def test_has_a_word_for_every_fault(fault: Fault) -> None:
    client = connect("s3")

    assert read_error(client, "list_buckets", refuse_signature(take(client, "list_buckets"), fault, "because"))["Code"]


def test_says_where_the_key_comes_from() -> None:
    client = connect("sagemaker")

    answer = refuse_signature(take(client, "list_models"), Fault.UNKNOWN_KEY, "Unknown.")

    assert read_error(client, "list_models", answer)["Message"].endswith('take it with eval "$(headrace local up)"')


@pytest.mark.parametrize("wire_format", WireFormat)
def test_writes_any_text_into_an_error(wire_format: WireFormat) -> None:
    status, headers, body = write_error(wire_format, "Code", "<&é\"'" + "x" * 300, 400)

    assert (status, headers["x-amzn-requestid"] in body.decode(errors="replace")) == (
        400,
        wire_format in (WireFormat.S3, WireFormat.XML, WireFormat.QUERY, WireFormat.EC2),
    )


def test_answers_a_browser_or_curl_in_xml_as_s3_would() -> None:
    request = make_request("GET", f"{ENDPOINT}/")

    assert (find_service(request), find_wire_format(request)) == ("", WireFormat.S3)


def test_answers_an_unsigned_function_url_in_json() -> None:
    assert find_wire_format(make_request("GET", f"{ENDPOINT}/_aws/lambda-url/a/")) == WireFormat.REST_JSON


def test_tells_the_service_of_a_presigned_address() -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})

    assert find_service(make_request("GET", url)) == "s3"


SERVED = ["s3", "iam"]
# One of each wire_format, and those that ML platforms ask for.
UNSERVED: list[tuple[str, str, dict[str, Any]]] = [
    ("fsx", "describe_file_systems", {}),
    ("ce", "list_cost_allocation_tags", {}),
    ("support", "describe_services", {}),
    ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "sagemaker"}),
    ("comprehend", "list_topics_detection_jobs", {}),
    ("textract", "list_adapters", {}),
    ("sagemaker-geospatial", "list_earth_observation_jobs", {}),
    ("redshift", "describe_clusters", {}),
    ("fis", "list_experiments", {}),
    ("globalaccelerator", "list_accelerators", {}),
    ("arc-region-switch", "list_plans", {}),
]


@pytest.mark.parametrize(("service", "operation", "parameters"), UNSERVED)
def test_tells_a_client_which_service_is_not_served(service: str, operation: str, parameters: dict[str, Any]) -> None:
    client = connect(service)
    request = take(client, operation, **parameters)

    with pytest.raises(ClientError) as refused:
        read_answer(client, operation, refuse_service(request, SERVED), **parameters)

    error = refused.value.response["Error"]
    signed_for = client.meta.service_model.signing_name
    assert error["Message"] == f"The local cloud does not serve {signed_for}. It serves: iam, s3."
    assert error["Code"] in ("InvalidAction", "UnknownOperationException")


@pytest.mark.parametrize(
    ("status", "body", "silent"),
    [
        (400, b'{"error": "Unsupported service: fsx"}', True),
        (400, b"{}", True),
        (500, b'{"message": ""}', True),
        (400, b'{"__type": "X", "Message": "because"}', False),
        (404, b"<Error><Code>NoSuchKey</Code></Error>", False),
        (404, b"", False),
        (200, b"{}", False),
    ],
)
def test_knows_an_error_without_a_reason(status: int, body: bytes, silent: bool) -> None:
    request = take(connect("sagemaker"), "list_models")

    assert is_silent(request, (status, {}, body)) == silent


def test_answers_in_cbor_who_asks_in_it() -> None:
    request = make_request("POST", f"{ENDPOINT}/service/S/operation/O", {"smithy-protocol": "rpc-v2-cbor"})

    status, headers, body = refuse_operation(request, "because <é>" + "x" * 300)

    parsed = create_parser("smithy-rpc-v2-cbor").parse({"status_code": status, "headers": headers, "body": body}, None)
    assert parsed["Error"]["Message"] == "because <é>" + "x" * 300
    assert not is_silent(request, (status, headers, body))
    assert is_silent(request, (500, {}, b'{"message": "because"}'))
