"""Everything that is refused: what is done, and everything that is said about it."""

from collections.abc import Callable

from headrace.channels import (
    AugmentedManifestChannel,
    Compression,
    EfsChannel,
    FsxLustreChannel,
    InputMode,
    ManifestChannel,
    RecordWrapper,
    S3Channel,
    VpcConfig,
    render_input_data_config,
)

ID = "fs-0123456789abcdef0"

REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "a name with a blank": (
        lambda: S3Channel(name="my data", uri="s3://raw/k"),
        "channel 'my data': name is 'my data': a channel's name has only letters, digits, '.', '-' and '_'; "
        "rename the channel",
    ),
    "an empty name": (
        lambda: EfsChannel(name="", file_system_id=ID, directory_path="/"),
        "channel '': name is '': a channel's name has only letters, digits, '.', '-' and '_'; rename the channel",
    ),
    "a name of 65 characters": (
        lambda: S3Channel(name="n" * 65, uri="s3://raw/k"),
        f"channel '{'n' * 60}…': name has 65 characters: SageMaker allows at most 64; shorten it",
    ),
    "a name that cannot be a folder's": (
        lambda: S3Channel(name="..", uri="s3://raw/k"),
        "channel '..': name is '..': the data is put into a folder of this name; rename the channel",
    ),
    "a URI of another scheme": (
        lambda: S3Channel(name="train", uri="gs://b/k"),
        "channel 'train': uri is 'gs://b/k': it is not an address in S3; "
        "write s3://bucket/key, or give a Reference if it is known only later",
    ),
    "a URI without a bucket": (
        lambda: S3Channel(name="train", uri="s3:///k"),
        "channel 'train': uri is 's3:///k': it is not an address in S3: it does not name a bucket; "
        "write s3://bucket/key, or give a Reference if it is known only later",
    ),
    "a URI of 1,025 characters": (
        lambda: S3Channel(name="train", uri="s3://raw/".ljust(1025, "k")),
        "channel 'train': uri has 1,025 characters: SageMaker allows at most 1,024; shorten it",
    ),
    "a content type of 257 characters": (
        lambda: S3Channel(name="train", uri="s3://raw/k", content_type="t" * 257),
        "channel 'train': content_type has 257 characters: SageMaker allows at most 256; shorten it",
    ),
    "a content type of two lines": (
        lambda: S3Channel(name="train", uri="s3://raw/k", content_type="text/csv\n"),
        "channel 'train': content_type is 'text/csv\\n': a content type is one line; give a MIME type such as text/csv",
    ),
    "an unknown input mode": (
        lambda: S3Channel(name="train", uri="s3://raw/k", input_mode="Fastfile"),  # type: ignore[arg-type]
        "channel 'train': input_mode is 'Fastfile': SageMaker does not know it; choose one of File, FastFile, Pipe",
    ),
    "an unknown distribution": (
        lambda: S3Channel(name="train", uri="s3://raw/k", distribution="Sharded"),  # type: ignore[arg-type]
        "channel 'train': distribution is 'Sharded': SageMaker does not know it; "
        "choose one of FullyReplicated, ShardedByS3Key",
    ),
    "an unknown compression": (
        lambda: S3Channel(name="train", uri="s3://raw/k", compression="gz"),  # type: ignore[arg-type]
        "channel 'train': compression is 'gz': SageMaker does not know it; choose one of None, Gzip",
    ),
    "an unknown record wrapper": (
        lambda: S3Channel(name="train", uri="s3://raw/k", record_wrapper="TFRecord"),  # type: ignore[arg-type]
        "channel 'train': record_wrapper is 'TFRecord': SageMaker does not know it; choose one of None, RecordIO",
    ),
    "an unknown access mode": (
        lambda: EfsChannel(name="list", file_system_id=ID, directory_path="/", access_mode="r"),  # type: ignore[arg-type]
        "channel 'list': access_mode is 'r': SageMaker does not know it; choose one of ro, rw",
    ),
    "FastFile without a whole folder": (
        lambda: S3Channel(name="train", uri="s3://raw/train", input_mode=InputMode.FAST_FILE),
        "channel 'train': uri is 's3://raw/train' in FastFile mode: FastFile mounts a whole folder, so the prefix must "
        "end with '/'; add the slash, or use File mode",
    ),
    "FastFile with a manifest": (
        lambda: ManifestChannel(name="train", uri="s3://raw/m.json", input_mode=InputMode.FAST_FILE),
        "channel 'train': input_mode is FastFile: FastFile mounts a folder and reads no manifest; "
        "use File or Pipe mode, or an S3Channel of the folder",
    ),
    "a manifest that is a prefix": (
        lambda: ManifestChannel(name="train", uri="s3://raw/manifests/"),
        "channel 'train': uri is 's3://raw/manifests/': "
        "S3DataType ManifestFile needs the manifest itself, not a prefix; "
        "give the manifest's full key",
    ),
    "an augmented manifest that is a bucket": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw", attribute_names=("source-ref",)),
        "channel 'train': uri is 's3://raw': S3DataType AugmentedManifestFile needs the manifest itself, not a prefix; "
        "give the manifest's full key",
    ),
    "an augmented manifest in File mode": (
        lambda: AugmentedManifestChannel(
            name="train", uri="s3://raw/m", attribute_names=("source-ref",), input_mode=InputMode.FILE
        ),
        "channel 'train': input_mode is File: SageMaker streams augmented manifests, in Pipe mode only; "
        "use Pipe mode, or a ManifestChannel with the labels in their own channel",
    ),
    "an augmented manifest in FastFile mode": (
        lambda: AugmentedManifestChannel(
            name="train", uri="s3://raw/m", attribute_names=("source-ref",), input_mode=InputMode.FAST_FILE
        ),
        "channel 'train': input_mode is FastFile: SageMaker streams augmented manifests, in Pipe mode only; "
        "use Pipe mode, or a ManifestChannel with the labels in their own channel",
    ),
    "an augmented manifest without attributes": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=()),
        "channel 'train': attribute_names has 0 entries: SageMaker allows 1 to 16; give at least 1",
    ),
    "a text for the attributes": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names="source"),  # type: ignore[arg-type]
        "channel 'train': attribute_names is the text 'source': each of its letters would become a "
        "value; give a tuple: ('source',)",
    ),
    "17 attributes": (
        lambda: AugmentedManifestChannel(
            name="train", uri="s3://raw/m", attribute_names=tuple(f"label{number}" for number in range(17))
        ),
        "channel 'train': attribute_names has 17 entries: SageMaker allows 1 to 16; leave out 1",
    ),
    "an attribute twice": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=("class", "class")),
        "channel 'train': attribute_names has 'class' twice: each attribute is sent once, in the order of this list; "
        "name it once",
    ),
    "an attribute without a name": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=("",)),
        "channel 'train': attribute_names is '': an attribute's name is one line of text; "
        "name a key of the manifest's lines",
    ),
    "an attribute of 257 characters": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=("a" * 257,)),
        "channel 'train': attribute_names has 257 characters: SageMaker allows at most 256; shorten it",
    ),
    "an attribute that is only the suffix": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=("-ref",)),
        "channel 'train': attribute_names has '-ref': objects are fetched for names that end with '-ref' in lower "
        "case, after a name; call it for example 'source-ref', as the manifest's lines do",
    ),
    "an attribute with the suffix in capitals": (
        lambda: AugmentedManifestChannel(name="train", uri="s3://raw/m", attribute_names=("source-Ref",)),
        "channel 'train': attribute_names has 'source-Ref': objects are fetched for names that end with '-ref' in "
        "lower case, after a name; call it for example 'source-ref', as the manifest's lines do",
    ),
    "compression in File mode": (
        lambda: S3Channel(name="train", uri="s3://raw/k", compression=Compression.GZIP),
        "channel 'train': compression is Gzip in File mode: SageMaker unpacks objects only in Pipe mode; "
        "use Pipe mode, or leave it out and unpack in the program",
    ),
    "compression in FastFile mode": (
        lambda: S3Channel(
            name="train", uri="s3://raw/k/", input_mode=InputMode.FAST_FILE, compression=Compression.GZIP
        ),
        "channel 'train': compression is Gzip in FastFile mode: SageMaker unpacks objects only in Pipe mode; "
        "use Pipe mode, or leave it out and unpack in the program",
    ),
    "records in File mode": (
        lambda: ManifestChannel(name="train", uri="s3://raw/m", record_wrapper=RecordWrapper.RECORD_IO),
        "channel 'train': record_wrapper is RecordIO in File mode: SageMaker wraps objects in records only in Pipe "
        "mode; use Pipe mode, or leave it out",
    ),
    "a shuffled folder": (
        lambda: S3Channel(name="train", uri="s3://raw/k", shuffle_seed=7),
        "channel 'train': shuffle_seed is 7 in File mode: shuffling orders the objects of a pipe, and a folder has no "
        "order; use Pipe mode, or leave it out and shuffle in the program",
    ),
    "a seed of more than 64 bits": (
        lambda: S3Channel(name="train", uri="s3://raw/k", input_mode=InputMode.PIPE, shuffle_seed=2**63),
        "channel 'train': shuffle_seed is 9223372036854775808: a seed is a whole number of 64 bits; give a smaller one",
    ),
    "a file system in Pipe mode": (
        lambda: EfsChannel(name="list", file_system_id=ID, directory_path="/", input_mode=InputMode.PIPE),
        "channel 'list': input_mode is Pipe: SageMaker mounts EFS directories in File mode only; "
        "use File mode: nothing is copied, the directory is mounted",
    ),
    "a file system in FastFile mode": (
        lambda: FsxLustreChannel(
            name="list", file_system_id=ID, mount_name="fsx", directory_path="/", input_mode=InputMode.FAST_FILE
        ),
        "channel 'list': input_mode is FastFile: SageMaker mounts FSxLustre directories in File mode only; "
        "use File mode: nothing is copied, the directory is mounted",
    ),
    "a file system's id of 4 digits": (
        lambda: EfsChannel(name="list", file_system_id="fs-0123", directory_path="/"),
        "channel 'list': file_system_id is 'fs-0123': a file system's id is fs- and 8 to 18 hexadecimal digits; "
        "give one, or a Reference if it is known only later",
    ),
    "a file system's id of 22 characters": (
        lambda: EfsChannel(name="list", file_system_id=f"fs-{'0' * 19}", directory_path="/"),
        "channel 'list': file_system_id has 22 characters: SageMaker allows at most 21; shorten it",
    ),
    "a path from nowhere": (
        lambda: EfsChannel(name="list", file_system_id=ID, directory_path="lists"),
        "channel 'list': directory_path is 'lists': a directory's path is one line that starts with '/'; "
        "give the full path from the root of the file system",
    ),
    "a path of 4,097 characters": (
        lambda: EfsChannel(name="list", file_system_id=ID, directory_path="/".ljust(4097, "d")),
        "channel 'list': directory_path has 4,097 characters: SageMaker allows at most 4,096; shorten it",
    ),
    "a path of 4,097 characters with its mount name": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="fsx", directory_path="/".ljust(4093, "d")),
        "channel 'list': directory_path with mount_name has 4,097 characters: SageMaker allows at most 4,096; "
        "shorten it",
    ),
    "an empty mount name": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="", directory_path="/lists"),
        "channel 'list': mount_name is '': a mount name has only letters, digits, '_' and '-'; "
        "give the file system's MountName, as `aws fsx describe-file-systems` shows it",
    ),
    "a mount name that is a path": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="/fsx", directory_path="/lists"),
        "channel 'list': mount_name is '/fsx': a mount name has only letters, digits, '_' and '-'; "
        "give the file system's MountName, as `aws fsx describe-file-systems` shows it",
    ),
    "a mount name of 9 characters": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="kx4bpbev1", directory_path="/lists"),
        "channel 'list': mount_name has 9 characters: SageMaker allows at most 8; shorten it",
    ),
    "a path that has the mount name already": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="fsx", directory_path="/fsx/lists"),
        "channel 'list': directory_path is '/fsx/lists': it starts with the mount name, which is put before it; "
        "leave '/fsx' out",
    ),
    "a path of FSx in JSONata": (
        lambda: FsxLustreChannel(name="list", file_system_id=ID, mount_name="fsx", directory_path="{% $path %}"),
        "channel 'list': directory_path is '{% $path %}': DirectoryPath joins the mount name and the path, and a "
        "JSONata field cannot be part of a text; give text, or a CDK token as a Reference",
    ),
    "no security group": (
        lambda: VpcConfig(security_group_ids=(), subnets=("subnet-1",)),
        "VpcConfig: security_group_ids has 0 entries: SageMaker allows 1 to 5; give at least 1",
    ),
    "6 security groups": (
        lambda: VpcConfig(security_group_ids=("sg-1",) * 6, subnets=("subnet-1",)),
        "VpcConfig: security_group_ids has 6 entries: SageMaker allows 1 to 5; leave out 1",
    ),
    "no subnet": (
        lambda: VpcConfig(security_group_ids=("sg-1",), subnets=()),
        "VpcConfig: subnets has 0 entries: SageMaker allows 1 to 16; give at least 1",
    ),
    "17 subnets": (
        lambda: VpcConfig(security_group_ids=("sg-1",), subnets=("subnet-1",) * 17),
        "VpcConfig: subnets has 17 entries: SageMaker allows 1 to 16; leave out 1",
    ),
    "a subnet for a security group": (
        lambda: VpcConfig(security_group_ids=("subnet-1",), subnets=("subnet-1",)),
        "VpcConfig: security_group_ids is 'subnet-1': a security group's id has the form sg-xxxxxxxx; "
        "give one, or a Reference if it is known only later",
    ),
    "a subnet's name for its id": (
        lambda: VpcConfig(security_group_ids=("sg-1",), subnets=("subnet-isolated one",)),
        "VpcConfig: subnets is 'subnet-isolated one': a subnet's id has the form subnet-xxxxxxxx; "
        "give one, or a Reference if it is known only later",
    ),
    "no channel": (
        lambda: render_input_data_config([]),
        "InputDataConfig: channels has 0 entries: SageMaker allows 1 to 20; give at least 1",
    ),
    "21 channels": (
        lambda: render_input_data_config([S3Channel(name=f"c{number}", uri="s3://raw/k") for number in range(21)]),
        "InputDataConfig: channels has 21 entries: SageMaker allows 1 to 20; leave out 1",
    ),
    "two channels of one name": (
        lambda: render_input_data_config(
            [S3Channel(name="train", uri="s3://raw/1"), EfsChannel(name="train", file_system_id=ID, directory_path="/")]
        ),
        "InputDataConfig: channels has 'train' twice: each channel is its own folder under /opt/ml/input/data; "
        "rename one",
    ),
    "a file system without a VPC": (
        lambda: render_input_data_config(
            [S3Channel(name="train", uri="s3://raw/1"), EfsChannel(name="list", file_system_id=ID, directory_path="/")]
        ),
        "channel 'list': the job has no VpcConfig: a file system is mounted over the network of a VPC; "
        "give vpc_config with its subnets and a security group that it lets in",
    ),
}
