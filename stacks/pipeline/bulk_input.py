"""JSONata about the input of the batch door: what is wrong with it, and the program's arguments that it becomes.

The input is in `$request`, for example `{"Name": "photographs-256", "Source": "images/photographs/"}`.
"""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from containers.normalizer import contract as preprocessing
from headrace.normalizer.contract import BulkInput
from headrace.normalizer.options import Options
from headrace.recipes import images
from stacks.pipeline.asl import Choice, Rule
from stacks.pipeline.execution_input import has_other_keys, refuse, refuse_other_inputs

_IMAGES: Final = images.RECIPE.raw_prefix
# The longest bucket name and the argument's own name leave this many of the 256 characters that SageMaker allows.
_LONGEST_KEY: Final = 160
_NAME_PATTERN: Final = "/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/"
_NAME_RULE: Final = "1 to 63 letters, digits, dots, hyphens and underscores, a letter or digit first"


def check_input(*, next_state: str) -> Choice:
    """A choice that goes on with an input that is right, and fails with what is wrong otherwise."""
    return Choice(rules=tuple(_list_mistakes()), default=next_state)


def list_arguments(images: str, *, max_refused: int, connections: int, is_packed: bool) -> str:
    """The program's arguments.

    Args:
        images: The address of the bucket that the input's keys are in.
        max_refused: How many photographs may be refused.
        connections: How many are read at a time.
        is_packed: Whether the normalized images of a prefix also become a packed set.
    """
    flags = json.dumps({field.name: preprocessing.option_argument(field.name) for field in fields(Options)})
    source, manifest = f"$request.{BulkInput.SOURCE}", f"$request.{BulkInput.MANIFEST}"
    packed = f"$exists({source}) ? '{preprocessing.PACKED_ARGUMENT}', " if is_packed else ""
    return (
        f"( $flags := {flags}; "
        f"[ $exists({source}) ? '{preprocessing.SOURCE_ARGUMENT}={images}' & {source} "
        f": '{preprocessing.MANIFEST_ARGUMENT}={images}' & {manifest}, "
        f"'{preprocessing.DESTINATION_ARGUMENT}=' & $destination, "
        f"'{preprocessing.MAX_REFUSED_ARGUMENT}={max_refused}', "
        f"'{preprocessing.CONNECTIONS_ARGUMENT}={connections}', {packed}"
        f"$each($request.{BulkInput.OPTIONS}, function($value, $option) {{ "
        "$lookup($flags, $option) & '=' & $string($value) }) ] )"
    )


def _list_mistakes() -> Iterator[Rule]:
    """What may be wrong with an execution's input, first things first."""
    keys, options = [key.value for key in BulkInput], [field.name for field in fields(Options)]
    name, source, manifest, chosen = (f"$request.{key}" for key in BulkInput)
    example = f'{{"{BulkInput.NAME}": "photographs-256", "{BulkInput.SOURCE}": "{_IMAGES}photographs/"}}'
    yield from refuse_other_inputs(keys, example=example)
    yield refuse(
        f"$type({name}) = 'string' ? $not($contains({name}, {_NAME_PATTERN})) : true",
        f"'{BulkInput.NAME}: found ' & $string({name}) & '; allowed: {_NAME_RULE}'",
    )
    yield refuse(
        f"$exists({source}) = $exists({manifest})",
        f"'give either {BulkInput.SOURCE} or {BulkInput.MANIFEST}, not both'",
    )
    yield _refuse_key(BulkInput.SOURCE, is_folder=True)
    yield _refuse_key(BulkInput.MANIFEST, is_folder=False)
    yield refuse(
        f"$exists({chosen}) and ($type({chosen}) = 'object' ? {has_other_keys(chosen, options)} : true)",
        f"'{BulkInput.OPTIONS}: found ' & $string({chosen}) & '; it may have {', '.join(options)}'",
    )


def _refuse_key(key: BulkInput, *, is_folder: bool) -> Rule:
    value = f"$request.{key}"
    ending = "=" if is_folder else "!="
    is_right = (
        f"$substring({value}, 0, {len(_IMAGES)}) = '{_IMAGES}' and $substring({value}, -1) {ending} '/' "
        f"and $length({value}) <= {_LONGEST_KEY}"
    )
    kind = "a prefix that ends with '/'" if is_folder else "the key of a manifest"
    return refuse(
        f"$exists({value}) and ($type({value}) = 'string' ? $not({is_right}) : true)",
        f'"{key}: found " & $string({value}) & "; allowed: {kind}, below \'{_IMAGES}\' of the raw bucket, '
        f'of at most {_LONGEST_KEY} characters"',
    )
