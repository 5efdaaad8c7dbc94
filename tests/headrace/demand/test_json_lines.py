import json
from datetime import date

from headrace.demand import Series
from headrace.demand.json_lines import dump_instances, find_cut, list_instances

SERIES = [
    Series("north", "soap", date(2024, 1, 1), (1.0, 2.0, 2.5)),
    Series("north", "tea", date(2024, 1, 3), (4.0,)),
    Series("south", "tea", date(2023, 12, 31), (5.0,)),
]


def test_writes_a_series_a_line_as_deepar_reads_them() -> None:
    lines = dump_instances(list_instances(SERIES)).splitlines()

    assert lines[0] == '{"start": "2024-01-01 00:00:00", "target": [1, 2, 2.5], "cat": [0, 0]}'
    assert [json.loads(line)["cat"] for line in lines] == [[0, 0], [0, 1], [1, 1]]


def test_leaves_the_last_days_out_and_series_that_begin_in_them() -> None:
    cut = find_cut(SERIES, 2)

    assert cut == date(2024, 1, 2)
    assert [(instance["cat"], instance["target"]) for instance in list_instances(SERIES, end=cut)] == [
        ([0, 0], [1]),
        ([1, 1], [5]),
    ]
