"""Whether a version still consists of what it was registered with, in JSONata.

`headrace.pipeline.specifications` finds the same.
"""

from typing import Final

from headrace.contract import VersionFact
from headrace.pipeline.specifications import NEVER_GIVEN
from stacks.pipeline.failure import Reason
from stacks.pipeline.registry import find_fact

_IMAGE: Final = find_fact(VersionFact.CONTAINER_IMAGE)
_NEVER_GIVEN: Final = ", ".join(f"'{name}'" for name in NEVER_GIVEN)
_FIND: Final = f"""(
    $containers := [$states.result.InferenceSpecification.Containers];
    $one := $containers[0];
    $source := $one.ModelDataSource.S3DataSource;
    $is_same := $source.S3Uri = $one.ModelDataUrl and $source.S3DataType = 'S3Object'
        and $source.CompressionType = 'Gzip' and $not($exists($source.ManifestS3Uri));
    $other := $boolean($source) and $not($is_same) ? 'ModelDataSource' : '';
    $given := [[{_NEVER_GIVEN}][$boolean($lookup($one, $))], $other][$ != ''];
    $name := function($value) {{ $exists($value) ? $value : 'none' }};
    $said := [
        $count($containers) > 1 ? 'it has ' & $count($containers) & ' containers' : '',
        $exists({_IMAGE}) and $not({_IMAGE} = $one.Image)
            ? 'its container image was ' & {_IMAGE} & ' and is ' & $name($one.Image) : '',
        $not($name($one.ModelDataUrl) = $model_data)
            ? 'its archive was ' & $model_data & ' and is ' & $name($one.ModelDataUrl) : '',
        $count($given) > 0 ? 'it has ' & $join($given, ', ') : ''
    ];
    '' & $join([$said[$ != '']], '; ')
)"""


def find_alterations() -> str:
    """In what the version in a task's result is not what it was registered with; its archive was `$model_data`."""
    return " ".join(_FIND.split())


def find_altered() -> Reason:
    """That it is not, as `$altered` says."""
    cause = (
        "'version ' & $package & ' is not what it was registered as: ' & $altered & '. Give it back what it had, or "
        "make another version, which somebody approves'"
    )
    return Reason("$altered != ''", "VersionChanged", cause)
