"""What SageMaker demands of a channel's fields, one check each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from headrace.channels.vocabulary import is_known_later
from headrace.errors import HeadraceError
from headrace.s3.addresses import S3Address, S3AddressError

SHOWN_CHARACTERS = 60
# A CDK token in a text, or a variable of Fn::Sub: what will stand there is known only later.
UNRESOLVED = re.compile(r"\$\{[^}]+\}")


class ChannelError(HeadraceError, ValueError):
    """Channels that SageMaker would refuse: which one, what was found, why not, and what to do.

    Args:
        subject: The channel, or the part of the request that is wrong.
        found: What was found there, the field's name first.
        reason: Why SageMaker refuses it.
        remedy: What to do instead.
    """

    def __init__(self, subject: str, *, found: str, reason: str, remedy: str) -> None:
        super().__init__(f"{subject}: {found}: {reason}; {remedy}")


@dataclass(frozen=True, kw_only=True)
class TextRule:
    """A string type of SageMaker's API.

    Args:
        reason: What the pattern demands, in words.
        remedy: What to give instead.
    """

    pattern: str
    shortest: int
    longest: int
    reason: str
    remedy: str


# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html
CHANNEL_NAME = TextRule(
    pattern=r"[A-Za-z0-9\.\-_]+",
    shortest=1,
    longest=64,
    reason="a channel's name has only letters, digits, '.', '-' and '_'",
    remedy="rename the channel",
)
CONTENT_TYPE = TextRule(
    pattern=r".*",
    shortest=0,
    longest=256,
    reason="a content type is one line",
    remedy="give a MIME type such as text/csv",
)
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
MOST_URI_CHARACTERS = 1024
ATTRIBUTE_NAME = TextRule(
    pattern=r".+",
    shortest=1,
    longest=256,
    reason="an attribute's name is one line of text",
    remedy="name a key of the manifest's lines",
)
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_FileSystemDataSource.html
FILE_SYSTEM_ID = TextRule(
    pattern=r"(fs-[0-9a-f]{8,})",
    shortest=11,
    longest=21,
    reason="a file system's id is fs- and 8 to 18 hexadecimal digits",
    remedy="give one, or a Reference if it is known only later",
)
DIRECTORY_PATH = TextRule(
    pattern=r"/.*",
    shortest=1,
    longest=4096,
    reason="a directory's path is one line that starts with '/'",
    remedy="give the full path from the root of the file system",
)
# https://docs.aws.amazon.com/fsx/latest/APIReference/API_LustreFileSystemConfiguration.html
MOUNT_NAME = TextRule(
    pattern=r"[A-Za-z0-9_-]+",
    shortest=1,
    longest=8,
    reason="a mount name has only letters, digits, '_' and '-'",
    remedy="give the file system's MountName, as `aws fsx describe-file-systems` shows it",
)
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
SECURITY_GROUP_ID = TextRule(
    pattern=r"sg-[-0-9a-zA-Z]+",
    shortest=0,
    longest=32,
    reason="a security group's id has the form sg-xxxxxxxx",
    remedy="give one, or a Reference if it is known only later",
)
SUBNET_ID = TextRule(
    pattern=r"subnet-[-0-9a-zA-Z]+",
    shortest=0,
    longest=32,
    reason="a subnet's id has the form subnet-xxxxxxxx",
    remedy="give one, or a Reference if it is known only later",
)


def name_channel(name: str) -> str:
    """A channel as the subject of an error."""
    return f"channel {show(name)}"


def show(value: str) -> str:
    """A value as errors quote it, long ones shortened."""
    return repr(value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…")


def check_text(subject: str, field: str, value: str, rule: TextRule) -> None:
    """Raises ChannelError for a value that breaks its rule; values known only later pass."""
    if is_known_later(value):
        return
    check_length(subject, field, value, rule.longest)
    if len(value) < rule.shortest or not re.fullmatch(rule.pattern, value):
        raise ChannelError(subject, found=f"{field} is {show(value)}", reason=rule.reason, remedy=rule.remedy)


def check_length(subject: str, field: str, value: str, longest: int) -> None:
    """Raises ChannelError for a value that is too long."""
    if len(value) > longest:
        raise ChannelError(
            subject,
            found=f"{field} has {len(value):,} characters",
            reason=f"SageMaker allows at most {longest:,}",
            remedy="shorten it",
        )


def check_uri(subject: str, uri: str) -> None:
    """Raises ChannelError for what is not an address in S3; one that is known only later passes."""
    if is_known_later(uri):
        return
    check_length(subject, "uri", uri, MOST_URI_CHARACTERS)
    try:
        parse_uri(uri)
    except S3AddressError as error:
        raise ChannelError(
            subject,
            found=f"uri is {show(uri)}",
            reason=f"it {error.reason}",
            remedy=f"{error.remedy}, or give a Reference if it is known only later",
        ) from None


def parse_uri(uri: str) -> S3Address:
    """The address of a URI, parts of which may be known only later."""
    return S3Address.parse_uri(UNRESOLVED.sub("later", uri))


def check_choice(subject: str, field: str, value: str, choices: type[StrEnum]) -> None:
    """Raises ChannelError for a value that is not a member of its enumeration."""
    if value not in list(choices):
        raise ChannelError(
            subject,
            found=f"{field} is {show(value)}",
            reason="SageMaker does not know it",
            remedy=f"choose one of {', '.join(choices)}",
        )


def check_count(subject: str, field: str, values: Sequence[str], *, least: int, most: int) -> None:
    """Raises ChannelError for too few or too many values, and for a text instead of a sequence."""
    if isinstance(values, str):
        raise ChannelError(
            subject,
            found=f"{field} is the text {show(values)}",
            reason="each of its letters would become a value",
            remedy=f"give a tuple: ({values!r},)",
        )
    if not least <= len(values) <= most:
        raise ChannelError(
            subject,
            found=f"{field} has {len(values)} entries",
            reason=f"SageMaker allows {least} to {most}",
            remedy=f"give at least {least}" if len(values) < least else f"leave out {len(values) - most}",
        )


def check_doubles(subject: str, field: str, values: Sequence[str], *, reason: str, remedy: str) -> None:
    """Raises ChannelError when a value appears twice."""
    doubles = [value for position, value in enumerate(values) if value in values[:position]]
    if doubles:
        raise ChannelError(subject, found=f"{field} has {show(doubles[0])} twice", reason=reason, remedy=remedy)


def check_name(name: str) -> None:
    """Raises ChannelError for a name that SageMaker refuses or that cannot be a folder's."""
    check_text(name_channel(name), "name", name, CHANNEL_NAME)
    if name in {".", ".."}:
        raise ChannelError(
            name_channel(name),
            found=f"name is {show(name)}",
            reason="the data is put into a folder of this name",
            remedy="rename the channel",
        )
