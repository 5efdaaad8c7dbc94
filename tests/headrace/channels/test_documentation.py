"""docs/channels.md and what it leads to say what the code does."""

import doctest
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headrace import channels
from headrace.channels import prices, throughput
from headrace.cli.channels import channels as commands
from tests.headrace.channels.refusals import REFUSALS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "channels.md").read_text()
ADVICE = (DOCS / "choosing-storage.md").read_text()
FIGURES = (DOCS / "storage-figures.md").read_text()
KINDS = re.findall(r"```python\n(.*?)```\n```json\n(.*?)```", PAGE, re.DOTALL)
MODULES = ["adviser", "estimates", "file_systems", "quantities", "s3", "vocabulary"]


def run_blocks(blocks: list[str]) -> dict[str, Any]:
    """The names that Python blocks leave behind, run one after the other."""
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - the project's own page
    return names


def stated_reasons() -> list[str]:
    """The second column of the table of refusals."""
    section = PAGE.split("## What is refused")[1]
    rows = [row.strip("| ").split(" | ") for row in section.splitlines() if row.startswith("| ")]
    return [reason for _, reason in rows[1:]]


@pytest.mark.parametrize("position", range(len(KINDS)))
def test_shows_what_each_kind_renders(position: int) -> None:
    channel = run_blocks([code for code, _ in KINDS[: position + 1]])["channel"]

    assert channel.render() == json.loads(KINDS[position][1])


def test_shows_every_kind() -> None:
    shown = {type(run_blocks([code for code, _ in KINDS[: count + 1]])["channel"]) for count in range(len(KINDS))}

    assert shown == set(channels.Channel.__args__)


def test_shows_the_request_of_a_whole_job() -> None:
    names = run_blocks(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))

    assert [channel["ChannelName"] for channel in names["request"]["InputDataConfig"]] == ["train", "validation_lst"]


def test_shows_real_output_of_the_command() -> None:
    [(command, output)] = re.findall(r"```console\n\$ headrace channels (.*?)\n(.*?)```", ADVICE, re.DOTALL)

    assert CliRunner().invoke(commands, shlex.split(command)).stdout == output


@pytest.mark.parametrize("message", [message for _, message in REFUSALS.values()])
def test_lists_every_refusal(message: str) -> None:
    # The API's limits on lengths are in the rows of their fields.
    assert "SageMaker allows at most" in message or any(reason in message for reason in stated_reasons())


@pytest.mark.parametrize("reason", stated_reasons())
def test_lists_no_refusal_that_is_not_made(reason: str) -> None:
    assert any(reason in message for _, message in REFUSALS.values())


def test_states_the_figures_that_are_used() -> None:
    assert f"${prices.EFS_GB_READ} per GB" in ADVICE
    assert f"{throughput.S3_BYTES_PER_SECOND / 1e6:.0f} MB/s" in FIGURES
    assert f"{throughput.FSX_BYTES_PER_SECOND_PER_TIB / 1e6:.0f} MB/s per TiB" in FIGURES
    assert f"{throughput.FSX_LEAST_GIB:,} GiB" in ADVICE


@pytest.mark.parametrize("name", MODULES)
def test_runs_the_examples_of_docstrings(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"headrace.channels.{name}"))

    assert outcome.attempted
    assert not outcome.failed


def test_exports_exactly_what_is_public() -> None:
    assert all(hasattr(channels, name) for name in channels.__all__)
    assert channels.__all__ == sorted(channels.__all__)
