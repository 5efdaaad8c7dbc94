"""Which calls meet a fault, how often, and what is said of faults that cannot be."""

from typing import Any

import pytest

from headrace.local.faults import PRESETS, Caller, Effect, Fault, FaultError, Faults, caller, read_fault

CREATE = "sagemaker:CreateTrainingJob"


def hold(**given: Any) -> Faults:
    faults = Faults()
    faults.add(read_fault({"preset": "throttle", "operation": CREATE, **given}))
    return faults


def meet(faults: Faults, name: str = "run-1", operation: str = "CreateTrainingJob") -> bool:
    return faults.take_call("sagemaker", operation, {"TrainingJobName": name}) is not None


def test_meets_as_many_calls_as_it_is_for_after_those_that_are_spared() -> None:
    faults = hold(times=2, skip=1)

    assert [meet(faults) for _ in range(4)] == [False, True, True, False]
    assert not faults.are_waiting


@pytest.mark.parametrize(("resource", "met"), [("run-*", True), ("run-1", True), ("run-2", False), ("*", True)])
def test_meets_calls_that_name_its_resource(resource: str, met: bool) -> None:
    assert meet(hold(resource=resource)) is met


def test_finds_a_name_deep_in_a_request() -> None:
    request = {"Tags": [{"Key": "a", "Value": "deep"}]}

    assert hold(resource="deep").take_call("sagemaker", "CreateTrainingJob", request)


@pytest.mark.parametrize(
    ("given", "calling", "met"),
    [
        ({"state": "Train"}, Caller("run-7", "Train"), True),
        ({"state": "Train"}, Caller("run-7", "Rehearse"), False),
        ({"state": "Train"}, Caller(), False),
        ({"state": "Train", "resource": "run-7"}, Caller("run-7", "Train"), True),
        ({"resource": "run-7"}, Caller("run-8", "Train"), False),
    ],
)
def test_meets_calls_of_a_state_of_an_execution(given: dict[str, Any], calling: Caller, met: bool) -> None:
    faults, token = hold(**given), caller.set(calling)

    assert meet(faults) is met
    caller.reset(token)


def test_shows_those_who_watch_each_fault_as_long_as_they_do() -> None:
    faults, seen = hold(), list[int]()

    with faults.watch(lambda: seen.append(len(faults.list()))):
        faults.add(read_fault({"preset": "denied", "operation": CREATE}))
    faults.add(read_fault({"preset": "denied", "operation": CREATE}))

    assert seen == [1, 2]


@pytest.mark.parametrize("operation", ["s3:PutObject", "lambda:Invoke", "sagemaker:CreateModel", "ec2:DescribeVpcs"])
@pytest.mark.parametrize("preset", [name for name, preset in PRESETS.items() if preset.code and name != "limit"])
def test_knows_the_codes_of_its_own_faults(operation: str, preset: str) -> None:
    code, *_ = read_fault({"preset": preset, "operation": operation}).describe_error()

    if preset not in ("unreached", "timeout"):
        assert read_fault({"preset": preset, "operation": operation, "code": code}).code == code


def test_leaves_other_operations_alone_and_does_not_count_them() -> None:
    faults = hold()

    assert not meet(faults, operation="CreateProcessingJob")
    assert [fault.left for fault in faults.list()] == [1]


def test_leaves_effects_to_those_who_can_bring_them_about() -> None:
    faults = hold(preset="job-fails")

    assert not meet(faults)
    assert faults.take("sagemaker", "CreateTrainingJob", {}, {Effect.FAILS})


def test_forgets_all_and_says_how_many_were_waiting() -> None:
    faults = hold()
    meet(faults)
    faults.add(read_fault({"preset": "denied", "operation": "s3:PutObject"}))

    assert faults.clear() == 1
    assert faults.list() == []


@pytest.mark.parametrize(
    ("operation", "model"),
    [
        ("states:StartExecution", "stepfunctions:StartExecution"),
        ("sfn:StartExecution", "stepfunctions:StartExecution"),
        ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpoint"),
        ("s3:PutObject", "s3:PutObject"),
    ],
)
def test_knows_a_service_by_each_of_its_names(operation: str, model: str) -> None:
    assert read_fault({"preset": "throttle", "operation": operation}).operation == model


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (CREATE, ("ThrottlingException", 400)),
        ("s3:PutObject", ("SlowDown", 503)),
        ("lambda:Invoke", ("TooManyRequestsException", 429)),
    ],
)
def test_calls_an_error_as_the_service_does(operation: str, error: tuple[str, int]) -> None:
    code, _, status = read_fault({"preset": "throttle", "operation": operation}).describe_error()

    assert (code, status) == error


def test_gives_the_error_that_somebody_asks_for() -> None:
    fault = read_fault({"preset": "throttle", "operation": CREATE, "code": "ResourceInUse", "message": "taken"})

    assert fault.describe_error()[:2] == ("ResourceInUse", "taken")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"preset": "throtle"}, "there is no fault 'throtle' (did you mean 'throttle'?); there are: throttle, "),
        ({"operation": "CreateTrainingJob"}, "write SERVICE:OPERATION, as in sagemaker:CreateTrainingJob"),
        ({"operation": "sagemaker:createTrainingJob"}, "(did you mean 'CreateTrainingJob'?)"),
        ({"operation": "sagemaker:CreateTrainingJobs"}, "(did you mean 'CreateTrainingJob'?)"),
        ({"operation": "sagemakr:CreateModel"}, "there is no service 'sagemakr' (did you mean 'sagemaker'?)"),
        ({"times": 0}, "times must be a whole number from 1 to 10000, not 0"),
        ({"skip": "x"}, "skip must be a whole number from 0 to 10000, not 'x'"),
        (
            {"preset": "unhealthy"},
            "the fault 'unhealthy' is for sagemaker:CreateEndpoint, sagemaker:UpdateEndpoint, not for " + CREATE,
        ),
        (
            {"code": "ResourceInuse"},
            f"{CREATE} answers with no error 'ResourceInuse' (did you mean 'ResourceInUse'?); there are: AccessDenied",
        ),
        ({"operation": "s3:PutObject", "code": "NoSuch"}, "there are: AccessDenied, BadDigest, "),
        ({"preset": "job-fails", "code": "X"}, "the fault 'job-fails' has no error of the call"),
    ],
)
def test_says_what_is_wrong_with_a_fault(given: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultError) as error:
        read_fault({"preset": "throttle", "operation": CREATE, **given})

    assert said in str(error.value)


def test_says_of_every_fault_what_goes_wrong() -> None:
    assert all(preset.code or preset.operations for preset in PRESETS.values())
    assert {Fault(preset=name, operation=CREATE).effect for name in PRESETS} == set(Effect)
