"""What an execution has done is what its events say, whatever runs at the same time."""

from headrace.pipeline.history import History, Status, Visit, read_history
from tests.headrace.pipeline.events import Events


def show(history: History) -> list[tuple[str, str]]:
    return [(visit.name, visit.status) for visit in history.visits]


def find(history: History, name: str) -> Visit:
    (visit,) = (visit for visit in history.visits if visit.name == name)
    return visit


def test_times_states_that_succeed() -> None:
    events = Events()
    events.work("Prepare")
    events.enter("Done", "Pass")
    events.leave("Done", "Pass")
    events.add("ExecutionSucceeded")

    history = read_history(events.all)

    assert show(history) == [("Prepare", "succeeded"), ("Done", "succeeded")]
    assert [(visit.seconds, visit.tries) for visit in history.visits] == [(4.0, 1), (1.0, 0)]


def test_shows_what_goes_on_as_running() -> None:
    events = Events()
    events.work("Prepare")
    events.enter("Train")
    events.add("TaskScheduled")

    history = read_history(events.all)

    assert show(history) == [("Prepare", "succeeded"), ("Train", "running")]
    assert find(history, "Train").seconds is None


def test_counts_tries_and_forgets_no_error() -> None:
    events = Events()
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("TaskFailed", error="Throttled", cause="too many")
    events.add("TaskScheduled")
    events.add("TaskSucceeded")
    events.leave("Train")

    train = find(read_history(events.all), "Train")

    assert (train.status, train.tries, train.error) == ("succeeded", 2, "Throttled")


def test_distinguishes_a_caught_error_from_one_that_ends_the_execution() -> None:
    events = Events()
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("TaskTimedOut", error="States.Timeout")
    events.leave("Train")
    events.enter("Failed", "Fail")
    events.add("ExecutionFailed", error="Training", cause="it took too long")

    history = read_history(events.all)

    assert show(history) == [("Train", "caught"), ("Failed", "failed")]
    assert find(history, "Failed").error == "Training"
    assert find(history, "Failed").after is find(history, "Train")


def test_catches_an_expression_that_cannot_be_evaluated() -> None:
    events = Events()
    events.enter("Choose", "Choice")
    events.add("EvaluationFailed", error="States.QueryEvaluationError", state="Choose")
    events.leave("Choose", "Choice")

    assert show(read_history(events.all)) == [("Choose", "caught")]


def test_shows_the_task_that_nothing_caught_as_failed() -> None:
    events = Events()
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("TaskFailed", error="States.TaskFailed", cause="no data")
    events.add("ExecutionFailed", error="States.TaskFailed", cause="no data")

    train = find(read_history(events.all), "Train")

    assert (train.status, train.error, train.cause) == ("failed", "States.TaskFailed", "no data")


def test_shows_what_was_stopped_as_aborted() -> None:
    events = Events()
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("ExecutionAborted")

    assert show(read_history(events.all)) == [("Train", "aborted")]


def test_says_that_a_whole_execution_ran_out_of_time() -> None:
    events = Events()
    events.enter("Wait", "Wait")
    events.add("ExecutionTimedOut")

    wait = find(read_history(events.all), "Wait")

    assert (wait.status, wait.error) == ("aborted", "States.Timeout")


def start_two_branches() -> tuple[Events, int, int]:
    """Branches A1, A2 and B of `Both`, whose events are mixed; the last events of A1 and of B so far."""
    events = Events()
    events.enter("Both", "Parallel")
    started = events.add("ParallelStateStarted")
    a1 = events.enter("A1", after=started)
    b = events.enter("B", after=started)
    a1 = events.add("TaskScheduled", after=a1)
    b = events.add("TaskScheduled", after=b)
    a1 = events.add("TaskSucceeded", after=a1)
    a1 = events.leave("A1", after=a1)
    return events, a1, b


def test_tells_branches_apart_that_run_at_the_same_time() -> None:
    events, a1, b = start_two_branches()
    a2 = events.enter("A2", after=a1)
    b = events.add("TaskSucceeded", after=b)
    events.leave("B", after=b)
    events.leave("A2", after=a2)
    events.add("ParallelStateSucceeded")
    events.leave("Both", "Parallel")
    events.enter("Done", "Pass")

    history = read_history(events.all)

    both = find(history, "Both")
    assert {visit.name for visit in history.visits if visit.parent is both} == {"A1", "A2", "B"}
    assert find(history, "A2").after is find(history, "A1")
    assert (find(history, "B").after, find(history, "B").tries) == (None, 1)
    assert (find(history, "Done").parent, find(history, "Done").after) == (None, both)
    assert (both.status, both.tries) == ("succeeded", 1)


def test_shows_the_branch_that_failed_and_those_that_it_stopped() -> None:
    events, a1, b = start_two_branches()
    a2 = events.enter("A2", after=a1)
    b = events.add("TaskFailed", after=b, error="Broken")
    events.add("TaskStateAborted", after=a2)
    events.add("ParallelStateFailed", after=b)
    events.add("ExecutionFailed", error="Broken")

    history = read_history(events.all)

    assert dict(show(history)) == {"Both": "failed", "A1": "succeeded", "A2": "aborted", "B": "failed"}


def test_closes_what_was_stopped_inside_of_a_state_whose_error_was_caught() -> None:
    events, a1, b = start_two_branches()
    events.enter("A2", after=a1)
    b = events.add("TaskFailed", after=b, error="Broken")
    failed = events.add("ParallelStateFailed", after=b)
    events.leave("Both", "Parallel", after=failed)

    history = read_history(events.all)

    assert dict(show(history)) == {"Both": "caught", "A1": "succeeded", "A2": "aborted", "B": "failed"}


def run_iterations(*, failing: bool) -> tuple[Events, int]:
    """Two iterations of `Each`, at the same time; the second may fail. The last event of it."""
    events = Events()
    events.enter("Each", "Map")
    started = events.add("MapStateStarted", length=2)
    ends = [events.add("MapIterationStarted", after=started, name="Each", index=index) for index in (0, 1)]
    ends = [events.enter("Resize", after=end) for end in ends]
    ends = [events.add("TaskScheduled", after=end) for end in ends]
    first = events.add("TaskSucceeded", after=ends[0])
    events.leave("Resize", after=first)
    if failing:
        return events, events.add("TaskFailed", after=ends[1], error="Broken")
    return events, events.leave("Resize", after=events.add("TaskSucceeded", after=ends[1]))


def test_tells_iterations_apart_that_run_at_the_same_time() -> None:
    events, _ = run_iterations(failing=False)
    events.add("MapStateSucceeded")
    events.leave("Each", "Map")

    history = read_history(events.all)

    resized = [visit for visit in history.visits if visit.name == "Resize"]
    assert [(visit.iteration, visit.status, visit.tries) for visit in resized] == [
        (0, "succeeded", 1),
        (1, "succeeded", 1),
    ]
    assert history.find_statuses() == {"Each": Status.SUCCEEDED, "Resize": Status.SUCCEEDED}


def test_shows_a_state_as_failed_when_one_iteration_has_failed() -> None:
    events, failed = run_iterations(failing=True)
    events.add("MapIterationFailed", after=failed, name="Each", index=1)
    events.add("MapStateFailed")
    events.add("ExecutionFailed", error="Broken")

    assert read_history(events.all).find_statuses() == {"Each": Status.FAILED, "Resize": Status.FAILED}


def test_shows_the_last_of_several_visits() -> None:
    events = Events()
    for name in ("Look", "Wait", "Look"):
        events.work(name)
    events.enter("Wait")

    history = read_history(events.all)

    assert len(history.visits) == 4
    assert history.find_statuses() == {"Look": Status.SUCCEEDED, "Wait": Status.RUNNING}


def fail_in_train() -> Events:
    """An execution whose second state has failed, and so the execution."""
    events = Events()
    events.work("Prepare")
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("TaskFailed", error="Broken")
    events.add("ExecutionFailed", error="Broken")
    return events


def test_goes_on_with_the_failed_state_after_a_redrive() -> None:
    events = fail_in_train()
    events.add("ExecutionRedriven", redriveCount=1)
    events.add("TaskScheduled")
    running = read_history(events.all)
    events.add("TaskSucceeded")
    events.leave("Train")
    ended = read_history(events.all)

    assert show(running) == [("Prepare", "succeeded"), ("Train", "running")]
    assert show(ended) == [("Prepare", "succeeded"), ("Train", "succeeded")]
    assert find(ended, "Train").tries == 2


def test_goes_on_after_a_redrive_whose_events_do_not_say_where() -> None:
    events = Events()
    events.enter("Train")
    events.add("TaskScheduled")
    events.add("ExecutionAborted", after=0)
    events.add("ExecutionRedriven", after=0, redriveCount=1)
    events.add("TaskScheduled")

    assert show(read_history(events.all)) == [("Train", "running")]


def test_keeps_what_branches_have_done_when_a_redrive_enters_their_state_again() -> None:
    events, _, b = start_two_branches()
    b = events.add("TaskFailed", after=b, error="Broken")
    failed = events.add("ParallelStateFailed", after=2)
    events.add("ExecutionFailed", after=failed, error="Broken")
    redriven = events.add("ExecutionRedriven", redriveCount=1)
    started = events.enter("Both", "Parallel", after=redriven)
    events.add("ParallelStateStarted", after=started)
    again = events.enter("B", after=b)
    events.add("TaskScheduled", after=again)

    history = read_history(events.all)

    assert history.find_statuses() == {"Both": Status.RUNNING, "A1": Status.SUCCEEDED, "B": Status.RUNNING}
    assert {visit.parent for visit in history.visits if visit.parent} == {history.visits[-2]}


def test_redrives_the_failed_iteration_alone() -> None:
    events, failed = run_iterations(failing=True)
    events.add("MapStateFailed", after=failed)
    events.add("ExecutionFailed", error="Broken")
    events.add("ExecutionRedriven", redriveCount=1)
    events.add("TaskScheduled", after=failed)

    history = read_history(events.all)

    assert show(history) == [("Each", "running"), ("Resize", "succeeded"), ("Resize", "running")]


def test_reads_on_where_it_has_stopped() -> None:
    events = Events()
    events.work("Prepare")
    history = History()

    first = history.read(events.all)
    events.enter("Train")
    second = history.read(events.all[history.last_id :])

    assert [visit.name for visit in first] == ["Prepare"]
    assert [visit.name for visit in second] == ["Train"]
    assert history.visits == [*first, *second]
    assert find(history, "Train").after is find(history, "Prepare")


def test_reads_events_that_do_not_name_the_one_before() -> None:
    events = fail_in_train()
    bare = [{key: value for key, value in event.items() if key != "previousEventId"} for event in events.all]

    assert show(read_history(bare)) == [("Prepare", "succeeded"), ("Train", "failed")]
