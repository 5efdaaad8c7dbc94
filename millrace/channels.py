"""Input channels of a training job: where each one's data is and how it reaches the container."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class S3Channel:
    """A channel of every object below an S3 prefix, copied to the instance before training starts.

    Args:
        name: The folder's name under `/opt/ml/input/data`.
        uri: `s3://bucket/prefix`; may be a JSONata field of a state machine.
        content_type: The MIME type of the objects.
    """

    name: str
    uri: str
    content_type: str

    def render(self) -> dict[str, Any]:
        """The channel as an entry of CreateTrainingJob's `InputDataConfig`."""
        return {
            "ChannelName": self.name,
            "ContentType": self.content_type,
            "InputMode": "File",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": self.uri,
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
