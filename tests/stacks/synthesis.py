"""Synthesized apps, made once for all processes and runs that see the same sources."""

import contextlib
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aws_cdk as cdk

from app import build
from headrace import contract
from headrace.assemblies import Assembly
from headrace.local.platform.assemblies import digest_sources
from headrace.recipes import list_recipes
from stacks.settings import sections
from tests.conftest import PROJECT

STORE = PROJECT / ".pytest_cache" / "synthesized"

# The sources do not change while tests run.
_digest_sources = cache(digest_sources)


def synthesize(context: Mapping[str, Any], workloads: Collection[str] | None = None) -> Mapping[str, Any]:
    """Each stack that a context makes, by its id: its name, protection, template, and the stacks before it.

    Args:
        context: The context.
        workloads: The workloads that have more than an empty stack: each takes a third of the time. All by default.
            Where functions are not bundled, their keys in S3 depend on it; nothing else in those stacks does.
    """
    folder, name = STORE / _digest_sources(), _name(context if workloads is None else {**context, "only": [*workloads]})
    with _locked(folder, name):
        stored = folder / f"{name}.json"
        if not stored.exists():
            unfinished = folder / f"{name}.unfinished"
            unfinished.write_text(json.dumps(_synthesize(context, workloads)))
            unfinished.replace(stored)
    found: Mapping[str, Any] = json.loads(stored.read_text())
    return found


def read_synthesized(context: Mapping[str, Any]) -> Assembly:
    """The templates that a context makes, to be compared."""
    stacks = synthesize(context)
    return Assembly(
        {stack: made["name"] for stack, made in stacks.items()},
        {stack: made["template"] for stack, made in stacks.items()},
        {stack: frozenset(made["dependencies"]) for stack, made in stacks.items()},
        region=next(iter({made["region"] for made in stacks.values()})),
    )


def open_app(context: Mapping[str, Any]) -> cdk.App:
    """An app whose files go when this process ends; CDK's own choice of a place would leave them in the machine's."""
    return cdk.App(context=dict(context), outdir=tempfile.mkdtemp(dir=_open_scratch().name), tree_metadata=False)


@cache
def _open_scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="headrace-apps-")


def assemble(context: Mapping[str, Any]) -> Path:
    """The folder of the app that a context makes, with functions that run on this machine."""
    bundling = {name: value for name, value in context.items() if name != "aws:cdk:bundling-stacks"}
    bundling[contract.BUNDLE_TARGET_CONTEXT] = "host"
    folder, name = STORE / _digest_sources(), _name(bundling)
    with _locked(folder, name):
        if not (folder / name).exists():
            shutil.rmtree(unfinished := folder / f"{name}.unfinished", ignore_errors=True)
            build(cdk.App(context=bundling, outdir=str(unfinished))).synth()
            unfinished.rename(folder / name)
    return folder / name


@contextlib.contextmanager
def _with_only(workloads: Collection[str] | None) -> Iterator[None]:
    """Have the settings tell of no other workloads."""
    if workloads is None:
        yield
        return
    there = tuple(recipe for recipe in list_recipes() if recipe.name in workloads)
    with patch.object(sections, "list_recipes", lambda: there):
        yield


def _name(context: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(context, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Let one process at a time make a thing; what other sources made goes."""
    for other in STORE.glob("*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _synthesize(context: Mapping[str, Any], workloads: Collection[str] | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, _with_only(workloads):
        # CDK needs a fifth of its time for the tree of all constructs, which is not read here.
        app = build(cdk.App(context=dict(context), outdir=folder, tree_metadata=False, stack_traces=False))
        app.synth()
        return {
            stack.node.id: {
                "name": stack.stack_name,
                "is_protected": stack.termination_protection,
                "region": None if cdk.Token.is_unresolved(stack.region) else stack.region,
                "template": json.loads((Path(folder) / stack.template_file).read_text()),
                "dependencies": [dependency.node.id for dependency in stack.dependencies],
            }
            for stack in app.node.children
            if isinstance(stack, cdk.Stack)
        }
