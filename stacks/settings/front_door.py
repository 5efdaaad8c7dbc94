"""The settings of the API in front of endpoints."""

import re
from collections.abc import Container, Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from headrace.recipes import list_recipes
from stacks.settings.mistakes import refuse_repeated
from stacks.settings.section import IN_PLACE, NOTHING, Allowed, Change, LogDays, Section, Setting

# https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
_LEAST_RATE: Final = 10
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_MOST_RATE: Final = 10_000
_USER_POOL: Final = re.compile(
    r"arn:aws[a-z-]*:cognito-idp:(?P<region>[a-z0-9-]+):\d{12}:userpool/(?P=region)_[0-9a-zA-Z]+"
)
# CloudFront takes certificates from this Region only:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
_CERTIFICATE: Final = r"^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[0-9a-f-]{36}$"
_DOMAIN: Final = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
_POOL_GOES: Final = ("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient")


def _check_workloads(names: tuple[str, ...]) -> tuple[str, ...]:
    known = [recipe.name for recipe in list_recipes()]
    for name in names:
        if name not in known:
            raise ValueError(f"'{name}' is not a workload; there are {', '.join(known)}")
    refuse_repeated(names)
    return names


def _check_user_pool(arn: str) -> str:
    if not _USER_POOL.fullmatch(arn):
        raise ValueError(
            "not the ARN of a user pool, such as "
            "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12Cd34E"
        )
    return arn


def read_pool_region(arn: str) -> str:
    """The Region of a user pool, by its ARN."""
    return arn.split(":")[3]


class CloudFrontSettings(Section):
    """CloudFront before the API, which then refuses what does not come through it."""

    domain_name: Annotated[
        Annotated[str, StringConstraints(pattern=_DOMAIN, max_length=253)],
        Allowed("a domain name such as predictions.example.com"),
        Setting("the name that clients call, which you point to the distribution", cost=NOTHING, change=IN_PLACE),
    ]
    certificate_arn: Annotated[
        Annotated[str, StringConstraints(pattern=_CERTIFICATE)],
        Allowed("the ARN of a certificate of ACM in us-east-1"),
        Setting("the certificate of that name; CloudFront's own would allow TLS before 1.2", NOTHING, IN_PLACE),
    ]


class FrontDoorSettings(Section):
    """A REST API in front of endpoints."""

    workloads: Annotated[
        tuple[str, ...],
        Field(min_length=1, strict=False),
        AfterValidator(_check_workloads),
        Allowed("names of workloads, such as `bigmart`"),
        Setting(
            "the workloads whose endpoints it leads to, each at `/WORKLOAD/invocations`", cost=NOTHING, change=IN_PLACE
        ),
    ]
    authorization: Annotated[
        Literal["iam", "cognito"],
        Setting(
            "who may call: who signs requests and has the permission, or who brings a token of a user pool",
            cost="`cognito` nothing for 10,000 users a month, 0.015 for each one more",
            change=Change("`iam` removes the user pool of the environment, with its users", loses=_POOL_GOES),
        ),
    ] = "iam"
    user_pool: Annotated[
        Annotated[str, AfterValidator(_check_user_pool)] | None,
        Allowed("the ARN of a user pool, or null"),
        Setting(
            "the user pool of yours whose users may call, with `cognito`; null for one of the environment",
            cost=NOTHING,
            change=Change("an ARN removes the user pool of the environment, with its users", loses=_POOL_GOES),
        ),
    ] = None
    requests_per_second: Annotated[
        int,
        Field(ge=1, le=_MOST_RATE),
        Setting(
            "how many requests a second each workload takes on average; those beyond are refused with status 429",
            cost=NOTHING,
            change=IN_PLACE,
        ),
    ] = 20
    burst: Annotated[
        int,
        Field(ge=1, le=_MOST_RATE),
        Setting("how many it takes at once before that counts", cost=NOTHING, change=IN_PLACE),
    ] = 40
    web_acl: Annotated[
        bool,
        Setting(
            "whether a web ACL refuses requests from addresses of ill repute, requests that look like attacks, and "
            "too many from one address",
            cost="9 a month with its four rules, 0.60 per million requests",
            change=Change("false removes it", loses=("AWS::WAFv2::WebACL",)),
        ),
    ] = True
    requests_per_five_minutes: Annotated[
        int,
        Field(ge=_LEAST_RATE, le=2_000_000_000),
        Setting(
            "with `web_acl`: how many requests one address may send within five minutes", cost=NOTHING, change=IN_PLACE
        ),
    ] = 2000
    largest_body_kb: Annotated[
        Literal[16, 32, 48, 64] | None,
        Setting(
            "with `web_acl`: the largest body that it lets through, in KB, for rows but not for photographs; null for "
            "as much as API Gateway and the endpoint take",
            cost="1 a month for its rule, and 0.30 per million requests for each 16 KB beyond the first",
            change=IN_PLACE,
        ),
    ] = None
    log_retention_days: Annotated[
        LogDays,
        Setting(
            "how long it is kept who called, when and with which outcome",
            cost="0.50 per GB written, 0.03 per GB and month kept",
            change=IN_PLACE,
        ),
    ] = 30
    cloudfront: Annotated[
        CloudFrontSettings | None,
        Setting(
            "CloudFront before it, under a name of yours, with `cognito` and `web_acl`; null for none",
            cost="0.40 a month for a secret and 1 for a rule; 1 per million requests, 0.085 per GB out",
            change=Change(
                "null removes the distribution and the secret, and clients call the API itself",
                loses=("AWS::CloudFront::Distribution", "AWS::SecretsManager::Secret"),
            ),
        ),
    ] = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if mistakes := list(self._list_mistakes()):
            raise ValueError("\n".join(mistakes))
        return self

    def _list_mistakes(self) -> Iterator[str]:
        if self.user_pool and self.authorization != "cognito":
            yield "user_pool: authorization is iam, which asks no user pool; set it to cognito, or leave user_pool out"
        if self.largest_body_kb and not self.web_acl:
            yield "largest_body_kb: the web ACL measures bodies, and web_acl is false; set it to true"
        if self.cloudfront and not self.web_acl:
            yield "cloudfront: the web ACL refuses what does not come through it, and web_acl is false; set it to true"
        if self.cloudfront and self.authorization != "cognito":
            yield (
                "cloudfront: a signature covers the name that the client called, and CloudFront calls the API by "
                "another one; set authorization to cognito, or leave cloudfront out"
            )

    def list_batches(self, batches: Container[str]) -> Iterator[str]:
        """What it leads to although there is no endpoint, each beginning with its key."""
        for name in self.workloads:
            if name in batches:
                yield (
                    f"workloads: {name}.deploy is batch, which makes no endpoint; leave {name} out, or set "
                    f"{name}.deploy to endpoint"
                )
