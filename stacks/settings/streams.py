"""What augmented manifests must bring for a program that reads photographs and one label of each from a stream."""

from collections.abc import Collection, Iterator

from headrace.channels import RecordWrapper
from headrace.channels.s3 import REFERENCE_SUFFIX
from stacks.settings.listed_channels import ChannelSettings


def list_manifest_mistakes(
    channel: ChannelSettings, streamed: Collection[str], *, labels: str, example: str
) -> Iterator[str]:
    """What keeps the photographs of an augmented manifest from being read, each beginning with its key.

    Args:
        channel: The channel.
        streamed: The names of the channels that photographs may come through.
        labels: What messages call the labels of photographs, such as `classes`.
        example: Attribute names that would be right.
    """
    if channel.name not in streamed:
        yield (
            f"name: found '{channel.name}', but an augmented manifest brings photographs with their {labels} to "
            f"{' and '.join(streamed)} only; leave this channel out"
        )
    names = channel.attribute_names
    if [name.endswith(REFERENCE_SUFFIX) for name in names] != [True, False]:
        yield (
            f"attribute_names: found {', '.join(names)}, expected two: that of the photographs first, whose name ends "
            f"with {REFERENCE_SUFFIX}, then that of their {labels}; give for example {example}"
        )
    if channel.record_wrapper != RecordWrapper.RECORD_IO.value:
        yield (
            f"record_wrapper: found '{channel.record_wrapper}', and nothing else says where a photograph of the stream "
            "ends; set it to RecordIO"
        )
