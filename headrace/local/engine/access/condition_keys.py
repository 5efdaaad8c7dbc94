"""The condition keys that the local cloud gives to policies where AWS does.

What is not here, a policy cannot ask for: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
and the pages of the services in the Service Authorization Reference.
"""

from collections.abc import Mapping
from typing import Any, Final

# In lower case. Some are never there here: no request comes through an endpoint, and the account has no organization.
_GLOBAL: Final = """
    calledvia calledviafirst calledvialast currenttime epochtime federatedprovider multifactorauthage
    multifactorauthpresent principalaccount principalarn principalisawsservice principalorgid principalorgpaths
    principalservicename principalservicenameslist principaltype referer requestedregion resourceaccount resourceorgid
    resourceorgpaths securetransport sourceaccount sourcearn sourceidentity sourceip sourceorgid sourceorgpaths
    sourcevpc sourcevpcarn sourcevpce tagkeys tokenissuetime useragent userid username viaawsservice vpcsourceip
"""
_SERVICES: Final[Mapping[str, str]] = {
    "cloudwatch": "namespace",
    "events": "source",
    "dynamodb": "attributes enclosingoperation select",
    "iam": "passedtoservice",
    "kms": "calleraccount grantisforawsresource keyorigin keyspec keyusage multiregion requestalias resourcealiases"
    " viaservice",
    "lambda": "functionurlauthtype invokedviafunctionurl",
    "s3": "accesspointnetworkorigin authtype dataaccesspointaccount dataaccesspointarn delimiter if-match if-none-match"
    " max-keys object-lock-legal-hold object-lock-mode object-lock-retain-until-date objectcreationoperation prefix"
    " requestobjecttagkeys resourceaccount signatureage signatureversion tlsversion versionid x-amz-acl"
    " x-amz-content-sha256"
    " x-amz-copy-source x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write"
    " x-amz-grant-write-acp x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption"
    " x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class"
    " x-amz-website-redirect-location",
    # Of the others, SageMaker gives those that needs.py takes from its requests.
    "sagemaker": "customermetadatapropertiestoremove modelapprovalstatus",
    "states": "statemachinequalifier",
    "sts": "externalid rolesessionname",
}
_KNOWN: Final = frozenset(
    f"{service}:{name}" for service, names in {"aws": _GLOBAL, **_SERVICES}.items() for name in names.split()
)
_PREFIXES: Final = (
    "aws:principaltag/",
    "aws:requesttag/",
    "aws:resourcetag/",
    "s3:existingobjecttag/",
    "s3:requestobjecttag/",
    "sagemaker:customermetadataproperties/",
)
# What a service encrypts for a caller has a context of that service, which is not made here.
_OF_CALLERS: Final = ("kms:encryptioncontext:", "kms:encryptioncontextkeys")
_VIA: Final = "kms:viaservice"


def is_known(key: str, given: Mapping[str, Any]) -> bool:
    """Whether a condition key has a value here wherever it has one on AWS.

    Args:
        key: The condition key.
        given: What the request and who makes it have, by condition keys in lower case.
    """
    name = key.lower()
    if name.startswith(_OF_CALLERS):
        return _VIA not in given
    return name in given or name in _KNOWN or name.startswith(_PREFIXES)


def split_conditions(
    conditions: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The part of a statement's conditions that can be evaluated, and the condition keys that cannot."""
    known: dict[str, dict[str, Any]] = {}
    unknown = []
    for operator, keys in (conditions or {}).items():
        for key, expected in keys.items() if isinstance(keys, dict) else ():
            if is_known(key, given):
                known.setdefault(operator, {})[key] = expected
            else:
                unknown.append(key)
    return known, unknown
