"""When a smaller machine is advised, and when that is not, with the reason."""

import pytest
from botocore.session import get_session

from headrace.cost.machine_sizes import SIZES, find_next_smaller
from headrace.cost.sizing import Advice, Machine, Measured, advise
from headrace.inventory import PriceList, usual_prices
from headrace.inventory.prices import INSTANCE


def job(instance_type: str) -> Machine:
    return Machine("run", "training job", instance_type, 10, "execution", "minutes", 5)


def advise_after(instance_type: str, count: int = 60, /, **peaks: float) -> Advice:
    measured = Measured(count, {f"{name}Utilization": value for name, value in peaks.items()})
    return advise(job(instance_type), measured, usual_prices())


def test_advises_the_next_smaller_type_with_what_it_saves() -> None:
    # 120 % of four processors, and 30 % of 16 GiB.
    advice = advise_after("ml.m5.xlarge", CPU=120, Memory=30, Disk=55)

    assert advice.used == {"CPU": 0.3, "memory": 0.3, "disk": 0.55}
    assert advice.smaller == "ml.m5.large"
    assert advice.used_of_smaller == {"CPU": 0.6, "memory": 0.6, "disk": 0.55}
    # Ten hours at 0.23 and at 0.115.
    assert advice.saving_usd == pytest.approx(1.15)
    assert advice.says == (
        "ml.m5.large would do: 60 % of CPU, 60 % of memory, 55 % of disk; saves 1.1500 USD each execution"
    )


@pytest.mark.parametrize(
    ("instance_type", "peaks", "reason"),
    [
        ("ml.m5.xlarge", {"CPU": 160, "Memory": 1}, "not too large: 40 % of CPU"),
        ("ml.m5.xlarge", {"CPU": 4, "Memory": 40}, "not too large: 40 % of memory"),
        ("ml.m5.xlarge", {"CPU": 4}, "CloudWatch has no MemoryUtilization of it"),
        ("ml.m5.large", {"CPU": 4, "Memory": 4}, "no smaller type of the family of ml.m5.large is known"),
        # From 36 processors to eight, and from four GPUs to one.
        ("ml.c5.9xlarge", {"CPU": 1000, "Memory": 4}, "ml.c5.2xlarge would be too small: 125 % of CPU"),
        ("ml.c5.9xlarge", {"CPU": 4, "Memory": 20}, "ml.c5.2xlarge would be too small: 90 % of memory"),
        (
            "ml.g5.12xlarge",
            {"CPU": 9, "Memory": 9, "GPU": 81, "GPUMemory": 4},
            "ml.g5.2xlarge would be too small: 81 % of GPU",
        ),
        (
            "ml.g5.12xlarge",
            {"CPU": 9, "Memory": 9, "GPU": 8},
            "ml.g5.2xlarge has fewer GPUs, and CloudWatch has no measurements of GPU memory",
        ),
        ("ml.m9.xlarge", {"CPU": 4, "Memory": 4}, "the size of ml.m9.xlarge is not known"),
    ],
)
def test_says_why_no_smaller_machine_is_advised(instance_type: str, peaks: dict[str, float], reason: str) -> None:
    advice = advise_after(instance_type, **peaks)

    assert (advice.says, advice.smaller, advice.saving_usd) == (reason, None, None)


def test_says_that_there_are_too_few_measurements() -> None:
    assert advise_after("ml.m5.xlarge", 4, CPU=4, Memory=4).says == "too few measurements: 4 minutes, and 5 would do"
    assert advise_after("ml.m5.xlarge", 5, CPU=4, Memory=4).smaller == "ml.m5.large"


def test_looks_at_the_gpu_where_a_smaller_machine_has_fewer() -> None:
    # A g4dn.2xlarge has the same GPU, which may be as busy as it is.
    advice = advise_after("ml.g4dn.4xlarge", CPU=80, Memory=10, GPU=99, GPUMemory=90)

    assert advice.smaller == "ml.g4dn.2xlarge"
    assert advice.used_of_smaller == {"CPU": 0.1, "memory": 0.2, "GPU": 0.99, "GPU memory": 0.9}


@pytest.mark.parametrize(("peaks", "disk"), [({}, "not measured"), ({"Disk": 70.0}, "70 % of disk")])
def test_points_to_a_disk_that_comes_with_the_machine(peaks: dict[str, float], disk: str) -> None:
    advice = advise_after("ml.g4dn.4xlarge", CPU=8, Memory=1, **peaks)

    assert advice.says.endswith(f"; look at its disk, which may be smaller, too: {disk}")


def test_says_why_metrics_cannot_be_read() -> None:
    advice = advise(job("ml.m5.xlarge"), Measured(fault="AccessDenied"), usual_prices())

    assert advice.says == "its metrics cannot be read: AccessDenied"


def test_advises_no_type_whose_price_is_not_known_in_a_region() -> None:
    usual = usual_prices()
    prices = PriceList("eu-west-1", usual.checked, {f"{INSTANCE}ml.m5.xlarge": usual.find(f"{INSTANCE}ml.m5.xlarge")})

    advice = advise(job("ml.m5.xlarge"), Measured(60, {"CPUUtilization": 4, "MemoryUtilization": 4}), prices)

    assert advice.says == "no price of ml.m5.large in eu-west-1 is known"


def test_knows_the_size_of_every_machine_that_has_a_price() -> None:
    assert {f"{INSTANCE}{name}" for name in SIZES} == {
        name for name in usual_prices().prices if name.startswith(INSTANCE)
    }


def test_a_smaller_type_is_cheaper_and_may_be_used_for_the_same() -> None:
    model, prices = get_session().get_service_model("sagemaker"), usual_prices()
    uses = [
        set(model.shape_for(f"{use}InstanceType").enum)
        for use in ("Processing", "Training", "Transform", "ProductionVariant")
    ]

    for name in SIZES:
        if smaller := find_next_smaller(name):
            assert prices.each(f"{INSTANCE}{smaller}") < prices.each(f"{INSTANCE}{name}")
            assert all(smaller in use for use in uses if name in use), name
