import subprocess
import sys
from pathlib import Path

import pytest

from containers.big_mart.preprocessing import profiling, schema
from containers.big_mart.preprocessing.profiling import draw_rows
from containers.big_mart.preprocessing.reading import find_files
from headrace.drift.comparison import compare, decide
from headrace.drift.contract import Verdict
from headrace.drift.profiles import Profile, make_profile
from tests.conftest import PROJECT
from tests.containers.job_roots import make_sales, write_sales

REQUEST = [column for column in schema.REQUIRED if column != schema.TARGET]


def profile_rows(folder: Path, columns: list[str], rows: int) -> Profile:
    return make_profile(columns, (row for path in find_files(folder) for row in draw_rows(path, columns, rows)))


@pytest.mark.parametrize("kind", ["Dairy", "Dairy, fresh", "Dairy\x1f", "Dairy \N{MULTIPLICATION SIGN} 2"])
def test_is_what_the_command_makes_of_the_same_rows(tmp_path: Path, kind: str) -> None:
    sales = make_sales(60)
    sales[45] |= {"Item_Type": kind}
    folder = write_sales(tmp_path, sales[:40]).parent
    # Columns may have another order in each file, and blank lines are not rows.
    other = write_sales(tmp_path, sales[40:], columns=tuple(reversed(schema.REQUIRED)), name="tail.csv")
    other.write_text(f"{other.read_text()}\n\n")

    made = profile_rows(folder, REQUEST, len(sales))

    rows = [[row[column] for column in schema.REQUIRED] for row in sales]
    assert made == make_profile(schema.REQUIRED, rows, without=schema.TARGET)


def test_draws_some_of_very_many_rows_that_look_like_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiling, "MOST_ROWS", 1_000)
    sales = make_sales(4_000)

    made = profile_rows(write_sales(tmp_path, sales).parent, REQUEST, len(sales))

    assert 900 < made.rows < 1_100
    assert decide(compare(made, [[row[column] for column in REQUEST] for row in sales])) is Verdict.STEADY


@pytest.mark.slow
def test_draws_rows_of_a_large_file_in_little_memory(tmp_path: Path) -> None:
    small, large = (tmp_path / name for name in ("small.csv", "large.csv"))
    row = f"{'x' * 40},1\n"
    small.write_text("name,Item_MRP\n" + row)
    large.write_text("name,Item_MRP\n" + row * 2_000_000)

    # The large file has 86 MB.
    assert measure_peak_mib(large) < measure_peak_mib(small) + 30


def measure_peak_mib(path: Path) -> float:
    program = (
        "import sys; from pathlib import Path; from containers.big_mart.preprocessing.profiling import draw_rows;"
        "from tests.headrace.normalizer.bounded_runs import read_peak_mib;"
        "list(draw_rows(Path(sys.argv[1]), ['name'], 10**7)); print(read_peak_mib())"
    )
    command = [sys.executable, "-c", program, str(path)]
    return float(subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True).stdout)
