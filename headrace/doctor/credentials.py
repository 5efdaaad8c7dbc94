"""Whether the AWS clients have credentials that AWS accepts, and a Region."""

from typing import Final

import boto3
from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from headrace.doctor.account import Identity
from headrace.doctor.asking import explain_refusal, find_code
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.requests import Clients, is_local, read_identity

_UNACCEPTED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_SIGN_IN: Final = "aws sso login, or aws login, or choose another profile with AWS_PROFILE"
_START_LOCAL: Final = 'eval "$(headrace local up)"'
_SET_REGION: Final = "export AWS_DEFAULT_REGION=REGION, or set `region` of the environment in cdk.json"


def open_clients(profile: str | None, region: str | None) -> Clients | Finding:
    """The clients for an account, or why there are none.

    Args:
        profile: The name of an AWS profile; None for what the environment says.
        region: The Region; None for that of the clients.
    """
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        found = session.region_name
    except ProfileNotFound as error:
        return _fail("AWS profile", str(error), "aws configure list-profiles")
    except BotoCoreError as error:
        return _fail("AWS configuration", str(error), "mend the file, or name another in AWS_CONFIG_FILE")
    return Clients(session, found) if found else _fail("AWS clients", "they have no Region", _SET_REGION)


def find_identity(clients: Clients) -> Identity | Finding:
    """Whose account it is, or why that is not known. Without credentials nothing is wrong: it was not looked at."""
    place = "AWS credentials"
    try:
        return read_identity(clients)
    except NoCredentialsError:
        return not_seen(Check.CREDENTIALS, place, "there are none, so the account was not looked at", _SIGN_IN)
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        cure = _START_LOCAL if is_local() else ""
        reason = f"the account was not looked at: {' '.join(str(error).split())}"
        return not_seen(Check.CREDENTIALS, place, reason, cure)
    except ClientError as error:
        if find_code(error) in _UNACCEPTED:
            return _fail(place, explain_refusal(error), _START_LOCAL if is_local() else _SIGN_IN)
        return not_seen(Check.CREDENTIALS, place, explain_refusal(error))
    except BotoCoreError as error:
        return _fail(place, " ".join(str(error).split()), _SIGN_IN)


def _fail(place: str, problem: str, cure: str) -> Finding:
    return Finding(check=Check.CREDENTIALS, severity=Severity.ERROR, place=place, problem=problem, cure=cure)
