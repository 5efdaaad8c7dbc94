"""Made-up demand, and jobs over it."""

from collections.abc import Mapping
from pathlib import Path

from containers.forecasting.preprocessing.__main__ import main as preprocess
from containers.shared.job.outputs import Outputs
from headrace.workloads import demand

HORIZON = "28"


def write_demand(root: Path, seed: int = 3, *, items: int = 3) -> Path:
    """Put made-up demand where the preprocessing job looks for it."""
    path = root / "processing/input/demand.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    demand.write_csv(path, seed, stores=1, items=items)
    return path


def prepare(root: Path) -> Mapping[str, Path]:
    """The channels of a training job over the demand under the root."""
    assert preprocess(["--prediction-length", HORIZON], root, Outputs()) == 0
    return {name: root / "processing" / name for name in ("train", "test")}
