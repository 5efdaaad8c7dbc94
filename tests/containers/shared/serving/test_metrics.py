import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.context import SpawnProcess

import pytest

from containers.shared.serving import metrics as counts
from containers.shared.serving.metrics import Board, Metrics
from tests.examples import IS_EXHAUSTIVE
from tests.patience import PATIENCE_SECONDS


def read_metrics(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.render().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_counts_requests_by_path_and_status() -> None:
    metrics = Metrics()

    for path, status in (("/invocations", 200), ("/invocations", 200), ("/ping", 503), ("/a", 404), ("/b", 418)):
        metrics.note_request(path, status, 0.001)

    found = read_metrics(metrics)
    assert {name: value for name, value in found.items() if name.startswith("headrace_requests_total") and value} == {
        'headrace_requests_total{path="/invocations",status="200"}': 2,
        'headrace_requests_total{path="/ping",status="503"}': 1,
        'headrace_requests_total{path="other",status="404"}': 1,
        'headrace_requests_total{path="other",status="other"}': 1,
    }


def test_sorts_the_durations_of_invocations_into_buckets_that_include_the_smaller() -> None:
    metrics = Metrics()

    for path, seconds in (("/invocations", 0.001), ("/invocations", 0.25), ("/invocations", 60), ("/ping", 1)):
        metrics.note_request(path, 200, seconds)

    found = read_metrics(metrics)
    name = "headrace_request_duration_seconds"
    buckets = {bound: found[f'{name}_bucket{{le="{bound}"}}'] for bound in ("0.0005", "0.001", "0.1", "30.0", "+Inf")}
    assert buckets == {"0.0005": 0, "0.001": 1, "0.1": 1, "30.0": 2, "+Inf": 3}
    assert (found[f"{name}_count"], found[f"{name}_sum"]) == (3, 60.251)


def test_has_no_more_series_whatever_callers_ask_for() -> None:
    metrics = Metrics()
    before = read_metrics(metrics).keys()

    for number in range(1000):
        metrics.note_request(f"/{number}", number, 0)

    assert read_metrics(metrics).keys() == before


def test_says_of_each_metric_what_it_is() -> None:
    lines = Metrics().render().decode().splitlines()

    helped = [line.split()[2] for line in lines if line.startswith("# HELP ")]
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert helped == typed
    assert len(set(helped)) == len(helped) == 9


def count_and_leave(board: Board) -> None:
    metrics = Metrics(board)
    metrics.note_request("/invocations", 200, 0.001)
    metrics.set(counts.READY, 1)


def test_answers_for_all_workers_and_lets_the_next_one_go_on_from_what_one_left() -> None:
    board = Board(2)
    own = Metrics(board)
    own.note_request("/invocations", 200, 0.001)
    for _ in range(2):
        worker = multiprocessing.get_context("spawn").Process(target=count_and_leave, args=(board,))
        worker.start()
        worker.join(PATIENCE_SECONDS)

    found = read_metrics(own)

    assert found['headrace_requests_total{path="/invocations",status="200"}'] == 3
    assert found["headrace_workers_ready"] == 1


def test_counts_beside_another_worker_where_there_are_more_than_was_said() -> None:
    board = Board(1)

    for metrics in (Metrics(board), Metrics(board)):
        metrics.note_request("/ping", 200, 0)

    assert read_metrics(Metrics(board))['headrace_requests_total{path="/ping",status="200"}'] == 2


def test_goes_on_from_what_a_worker_left_whose_number_it_has_got() -> None:
    board = Board(2)
    Metrics(board).note_request("/ping", 200, 0)

    metrics = Metrics(board)
    metrics.note_request("/ping", 200, 0)

    assert list(board.owners) == [os.getpid(), 0]
    assert read_metrics(metrics)['headrace_requests_total{path="/ping",status="200"}'] == 2


def count_until_killed(board: Board) -> None:
    metrics = Metrics(board)
    while True:
        metrics.add(counts.IN_FLIGHT)
        metrics.note_request("/invocations", 200, 0.001)
        metrics.add(counts.IN_FLIGHT, amount=-1)
        metrics.set(counts.READY, 1)


@contextmanager
def counting(board: Board) -> Iterator[SpawnProcess]:
    worker = multiprocessing.get_context("spawn").Process(target=count_until_killed, args=(board,))
    worker.start()
    try:
        yield worker
    finally:
        worker.kill()
        worker.join(PATIENCE_SECONDS)


@pytest.mark.slow
def test_never_counts_backwards_for_many_who_read_while_workers_are_killed_and_replaced() -> None:
    board = Board(3)
    own = Metrics(board)
    is_over = threading.Event()

    def read_often() -> list[dict[str, float]]:
        pages = []
        while not is_over.is_set():
            pages.append(read_metrics(own))
        return pages

    with ThreadPoolExecutor(8) as readers, counting(board):
        read = [readers.submit(read_often) for _ in range(8)]
        for _ in range(3 if IS_EXHAUSTIVE else 2):
            with counting(board) as worker:
                while not board.is_ready(worker.pid):
                    worker.join(0.01)
                    assert worker.exitcode is None
        is_over.set()

    for pages in (reader.result() for reader in read):
        assert {frozenset(page) for page in pages} == {frozenset(read_metrics(own))}
        fallen = {name for before, after in pairwise(pages) for name in after if after[name] < before[name]}
        assert {name for name in fallen if "_total" in name or "_duration_" in name} == set()
