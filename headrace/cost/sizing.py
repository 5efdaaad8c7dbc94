"""Where a machine was too large for what it did: advice from the most that was used of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headrace.cost.machine_sizes import SIZES, MachineSize, find_next_smaller
from headrace.errors import HeadraceError
from headrace.inventory import PriceList
from headrace.inventory.prices import INSTANCE

CPU: Final = "CPUUtilization"
MEMORY: Final = "MemoryUtilization"
GPU: Final = "GPUUtilization"
GPU_MEMORY: Final = "GPUMemoryUtilization"
DISK: Final = "DiskUtilization"
# SageMaker's metrics, with what people call that.
METRICS: Final = {CPU: "CPU", MEMORY: "memory", GPU: "GPU", GPU_MEMORY: "GPU memory", DISK: "disk"}
# What is usual for right-sizing: a machine that never used more than this is a candidate.
LITTLE: Final = 0.4
# A smaller machine keeps a fifth free: one value a minute does not show what is shorter, and data grow.
MOST: Final = 0.8


@dataclass(frozen=True)
class Machine:
    """Machines that are paid for.

    Args:
        name: The job, or the endpoint and its variant.
        kind: What that is, such as `training job`.
        instance_type: Their type.
        hours: For how many hours they are paid, all of them together,
        per: and in what time: an `execution` or a `month`.
        unit: What their measurements are counted in.
        least: How many of these say enough.
    """

    name: str
    kind: str
    instance_type: str
    hours: float
    per: str
    unit: str
    least: int


@dataclass(frozen=True)
class Measured:
    """What CloudWatch knows of machines.

    Args:
        count: How many measurements there are, of the machine that has the fewest.
        peaks: The largest value of each metric on any machine, in SageMaker's percent: those of processors and GPUs go
            up to 100 for each of them. Metrics without values are left out.
        fault: Why nothing could be read; empty where it could.
    """

    count: int = 0
    peaks: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Advice:
    """What is to be said of machines.

    Args:
        machine: The machines.
        measurements: How many there are.
        used: The most that was used of a machine, as shares of it, by what people call the part.
        says: Whether a smaller one would do, and why not.
        smaller: Its type; none where there is no advice.
        used_of_smaller: The same use as shares of it.
        saving_usd: US dollars that it saves in the machine's time.
    """

    machine: Machine
    measurements: int
    used: Mapping[str, float]
    says: str
    smaller: str | None = None
    used_of_smaller: Mapping[str, float] = field(default_factory=dict)
    saving_usd: float | None = None


class _NoAdviceError(HeadraceError):
    """Why a smaller machine is not advised."""


def advise(machine: Machine, measured: Measured, prices: PriceList) -> Advice:
    """Whether a smaller machine would have done, and what that saves."""
    size = SIZES.get(machine.instance_type)
    used = _find_shares(measured.peaks, size, size) if size else {}
    try:
        _check_measured(machine, measured, used)
        smaller = _choose_smaller(machine.instance_type)
        shares = _find_shares(measured.peaks, SIZES[machine.instance_type], SIZES[smaller])
        _check_fit(machine.instance_type, smaller, shares)
        each = prices.each(f"{INSTANCE}{machine.instance_type}") - prices.each(f"{INSTANCE}{smaller}")
    except HeadraceError as reason:
        return Advice(machine, measured.count, used, str(reason))
    saving = each * machine.hours
    says = f"{smaller} would do: {show_shares(shares)}; saves {saving:,.4f} USD each {machine.per}"
    if SIZES[smaller].has_own_disk:
        says += f"; look at its disk, which may be smaller, too: {show_shares(_find_disk(used)) or 'not measured'}"
    return Advice(machine, measured.count, used, says, smaller, shares, saving)


def show_shares(shares: Mapping[str, float]) -> str:
    """Shares of a machine for people: `12 % of CPU, 9 % of memory`."""
    return ", ".join(f"{100 * share:.0f} % of {part}" for part, share in shares.items())


def _find_shares(peaks: Mapping[str, float], measured_on: MachineSize, size: MachineSize) -> dict[str, float]:
    """The use of a machine as shares of one that may have another size, as far as that is known."""
    scales = {
        CPU: 1 / size.processors,
        MEMORY: measured_on.memory_gib / size.memory_gib,
        **({GPU: 1 / size.gpus, GPU_MEMORY: 1 / size.gpus} if size.gpus else {}),
        **({DISK: 1.0} if size is measured_on or not size.has_own_disk else {}),
    }
    return {METRICS[metric]: peaks[metric] / 100 * scale for metric, scale in scales.items() if metric in peaks}


def _find_disk(used: Mapping[str, float]) -> dict[str, float]:
    return {part: share for part, share in used.items() if part == METRICS[DISK]}


def _check_measured(machine: Machine, measured: Measured, used: Mapping[str, float]) -> None:
    if measured.fault:
        raise _NoAdviceError(f"its metrics cannot be read: {measured.fault}")
    if machine.instance_type not in SIZES:
        raise _NoAdviceError(f"the size of {machine.instance_type} is not known")
    if measured.count < machine.least:
        raise _NoAdviceError(f"too few measurements: {measured.count} {machine.unit}, and {machine.least} would do")
    for metric in (CPU, MEMORY):
        part = METRICS[metric]
        if part not in used:
            raise _NoAdviceError(f"CloudWatch has no {metric} of it")
        if used[part] >= LITTLE:
            raise _NoAdviceError(f"not too large: {show_shares({part: used[part]})}")


def _choose_smaller(instance_type: str) -> str:
    if smaller := find_next_smaller(instance_type):
        return smaller
    raise _NoAdviceError(f"no smaller type of the family of {instance_type} is known")


def _check_fit(instance_type: str, smaller: str, shares: Mapping[str, float]) -> None:
    """Whether a smaller machine would hold it; GPUs matter where it has fewer of them."""
    metrics = (CPU, MEMORY) if SIZES[smaller].gpus == SIZES[instance_type].gpus else (CPU, MEMORY, GPU, GPU_MEMORY)
    for part in (METRICS[metric] for metric in metrics):
        if part not in shares:
            raise _NoAdviceError(f"{smaller} has fewer GPUs, and CloudWatch has no measurements of {part}")
        if shares[part] > MOST:
            raise _NoAdviceError(f"{smaller} would be too small: {show_shares({part: shares[part]})}")
