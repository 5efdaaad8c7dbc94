"""What once would have failed on AWS, put back into the code one fault at a time: the test that names it fails."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import PROJECT
from tests.drills.checkout import Checkout
from tests.tables import WANTED
from tests.test_faults import PAGE

DOCUMENTED = "tests/stacks/test_documented_permissions.py"
EXECUTIONS = "tests/stacks/pipeline/test_executions.py"
REMOVAL = "tests/stacks/test_removal.py"
REACHABILITY = "tests/stacks/test_reachability.py"
RETENTION = "tests/headrace/local/engine/test_retention.py"


@dataclass(frozen=True)
class Fault:
    """A fault, and how it gets back into the code.

    Args:
        number: Its number in docs/faults.md.
        name: What was wrong.
        file: Where it was.
        right: What stands there today, once.
        wrong: What stood there.
        test: The test that fails of it, as the page of faults names it.
        case: Which of the test's cases, where one is enough.
    """

    number: str
    name: str
    file: str
    right: str
    wrong: str
    test: str
    case: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


FAULTS = (
    Fault(
        "A1",
        "references are exports",
        "cdk.json",
        '"@aws-cdk/core:defaultCrossStackReferences": "weak"',
        '"@aws-cdk/core:defaultCrossStackReferences": "strong"',
        "tests/stacks/test_transitions.py::test_turns_a_switch_there_and_back_and_there_again_with_one_command_each",
        "[dev-bulk]",
    ),
    Fault(
        "A2",
        "no grant for the key of an endpoint",
        "stacks/pipeline/sagemaker_tasks.py",
        "*(allow_endpoint_key(key) if key else ()),",
        "",
        f"{DOCUMENTED}::test_who_changes_an_endpoint_with_a_key_may_grant_its_use",
        "[prod]",
    ),
    Fault(
        "A3",
        "processing roles are scoped",
        "stacks/constructs/execution_role.py",
        "if self.kind == PROCESSING_JOBS:",
        "if not self.kind:",
        f"{DOCUMENTED}::test_roles_of_processing_jobs_in_a_vpc_are_not_scoped",
        "[prod]",
    ),
    Fault(
        "A4",
        "repositories with container images stay",
        "stacks/constructs/container_image_repository.py",
        "empty_on_delete=not retain_data,",
        "",
        f"{REMOVAL}::test_deletes_repositories_with_their_container_images_only_where_data_are_not_retained",
    ),
    Fault(
        "A4",
        "Lustre is retained",
        "stacks/constructs/file_systems.py",
        "file_system.apply_removal_policy(RemovalPolicy.DESTROY)",
        "file_system.apply_removal_policy(RemovalPolicy.RETAIN)",
        f"{REMOVAL}::test_lets_lustre_go_with_its_stack",
    ),
    Fault(
        "A4",
        "the local cloud deletes full buckets",
        "headrace/local/engine/ministack/retention.py",
        'handlers[BUCKET] = {**handlers[BUCKET], "delete": _refuse_full_bucket(s3)}',
        "",
        f"{RETENTION}::test_deletes_no_bucket_that_holds_an_object_or_an_earlier_version",
    ),
    Fault(
        "A5",
        "log groups that are kept have fixed names",
        "stacks/constructs/state_machine.py",
        "{self.machine}-{role.role_id}",
        "{self.machine}",
        f"{REMOVAL}::test_names_nothing_that_it_keeps_as_the_next_one_would_be_named",
        "[notebook]",
    ),
    Fault(
        "A5",
        "a deployment that is rolled back leaves data stores",
        "stacks/constructs/removal.py",
        "RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE",
        "RemovalPolicy.RETAIN",
        f"{REMOVAL}::test_keeps_data_in_production_but_not_of_a_first_deployment_that_fails",
    ),
    Fault(
        "A6",
        "a request that is turned away has failed",
        "headrace/images/reader.py",
        """            except NormalizedImageThrottledError:
                if self._clock() - max(start, self._last_arrival) > _PATIENCE_SECONDS:
                    raise
""",
        "",
        "tests/headrace/images/test_reader.py::test_asks_again_for_as_long_as_others_arrive",
    ),
    Fault(
        "A7",
        "a Region without function URLs is taken",
        "stacks/settings/region.py",
        "if settings.function_url and regions.lacks_type(region, regions.FUNCTION_URL):",
        "if settings is None:",
        "tests/stacks/settings/test_region.py::test_says_what_to_set_instead",
    ),
    Fault(
        "A8",
        "zones by their place in a list",
        "stacks/constructs/isolated_network.py",
        "return list(settings.availability_zones)",
        "return [Fn.select(index, Fn.get_azs()) for index, _ in enumerate(settings.availability_zones)]",
        f"{REACHABILITY}::test_spreads_over_the_zones_that_are_named_without_asking_which_there_are",
    ),
    Fault(
        "A9",
        "Lustre's servers do not reach their clients",
        "stacks/constructs/security_groups.py",
        '_allow(self.lustre, client, port, "Lustre file servers")',
        "",
        f"{REACHABILITY}::test_lustres_servers_reach_every_client_of_theirs",
    ),
    Fault(
        "A10",
        "EFS admits no client that could fill it",
        "stacks/constructs/file_systems.py",
        "for client in settings.client_groups:",
        "for client in ():",
        "tests/stacks/test_file_system_stack.py::test_admits_the_clients_of_the_settings_and_nobody_else",
    ),
    Fault(
        "A10",
        "the notebook does not mount EFS",
        "stacks/notebook_stack.py",
        "self._add_lifecycle(efs.find_address(subnet) if efs else None)",
        "self._add_lifecycle(None)",
        "tests/stacks/test_notebook_stack.py::test_mounts_efs_where_there_is_one",
    ),
    Fault(
        "A11",
        "outputs have no key of the customer's",
        "stacks/pipeline/jobs.py",
        'return {"KmsKeyId": key.key_arn} if key else {}',
        "return {}",
        f"{DOCUMENTED}::test_outputs_of_jobs_have_the_customers_key_where_there_is_one",
        "[prod]",
    ),
    Fault(
        "A11",
        "roles may not encrypt outputs",
        "stacks/constructs/execution_role.py",
        'actions=["kms:Encrypt"]',
        'actions=["kms:DescribeKey"]',
        f"{DOCUMENTED}::test_roles_of_jobs_may_encrypt_their_outputs",
        "[prod]",
    ),
    Fault(
        "A12",
        "a quota of 0 is waited for",
        "stacks/pipeline/quota.py",
        "rules=(hopeless, another)",
        "rules=(another,)",
        f"{EXECUTIONS}::test_fails_at_once_when_there_is_no_quota",
        "[BigMart]",
    ),
    Fault(
        "A13",
        "the output names the first attempt's job",
        "stacks/pipeline/steps/train.py",
        '"job_name": jsonata("$states.result.TrainingJobName"),',
        "",
        f"{EXECUTIONS}::test_names_the_job_that_ran_in_the_output",
        "[BigMart]",
    ),
    Fault(
        "A14",
        "a throttled look at the endpoint is the end",
        "stacks/pipeline/steps/serve.py",
        "rules=(lost, missing, again, Rule(",
        "rules=(lost, missing, Rule(",
        f"{EXECUTIONS}::test_looks_again_when_looking_for_the_endpoint_is_throttled",
        "[BigMart]",
    ),
    Fault(
        "A15",
        "small objects are promised Intelligent-Tiering",
        "README.md",
        "objects of 128 KB and more move to Intelligent-Tiering",
        "objects move to Intelligent-Tiering",
        "tests/test_docs.py::test_promises_intelligent_tiering_to_large_objects_only",
    ),
    Fault(
        "A15",
        "misspelt keys of the input are passed over",
        "stacks/pipeline/execution_input.py",
        "> 0",
        "< 0",
        f"{EXECUTIONS}::test_asks_for_nothing_when_the_input_is_not_understood",
        "[BigMart-given5]",
    ),
    Fault(
        "A16",
        "endpoints are deployed before their container images",
        "Makefile",
        '	@headrace containers push --build --env "$$ENV"\n',
        "",
        "tests/test_makefile.py::test_deploys_the_repositories_then_their_container_images_then_the_rest",
    ),
    Fault(
        "gap",
        "what executions make has no tags",
        "stacks/pipeline/sagemaker_tasks.py",
        'return {**arguments, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}',
        "return arguments",
        f"{EXECUTIONS}::test_tags_whatever_it_makes_with_what_its_cost_is_told_by",
        "[BigMart]",
    ),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def checkout(copy: Checkout, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    """A checkout in which one file may be changed; its tests belong to no table."""
    monkeypatch.delenv(WANTED, raising=False)
    yield copy
    copy.run("git", "checkout", "--quiet", "--", ".")


def test_puts_back_every_fault_on_aws() -> None:
    assert {fault.number for fault in FAULTS} == {*(f"A{number}" for number in range(1, 17)), "gap"}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_finds_where_the_fault_was(fault: Fault) -> None:
    rows = [row for row in PAGE.splitlines() if re.match(rf"\| {fault.number}[ ,]", row)]

    assert (PROJECT / fault.file).read_text().count(fault.right) == 1
    assert any(f"`{fault.test}`" in row for row in rows), f"docs/faults.md names no such test for {fault.number}"


@pytest.mark.slow
@pytest.mark.full("faults")
def test_passes_without_any_fault(checkout: Checkout) -> None:
    answer = run_tests(checkout, *(fault.test + fault.case for fault in FAULTS))

    assert answer.returncode == pytest.ExitCode.OK, answer.stdout


@pytest.mark.slow
@pytest.mark.full("faults")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fails_of_the_fault(checkout: Checkout, fault: Fault) -> None:
    source = (checkout.folder / fault.file).read_text()
    checkout.write(fault.file, source.replace(fault.right, fault.wrong))

    answer = run_tests(checkout, fault.test + fault.case)

    assert answer.returncode == pytest.ExitCode.TESTS_FAILED, answer.stdout
    assert re.search(r"^FAILED ", answer.stdout, re.MULTILINE)
    assert not re.search(r"^ERROR ", answer.stdout, re.MULTILINE), answer.stdout


def run_tests(checkout: Checkout, *tests: str) -> "subprocess.CompletedProcess[str]":
    """Run tests in the copy, as `make test` does, but without what earlier runs have left."""
    return checkout.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", "--tb=line", *tests)
