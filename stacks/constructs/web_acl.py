"""What a web ACL in front of an API refuses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from stacks.settings.front_door import FrontDoorSettings

# Rules of AWS: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
_REPUTATION: Final = "AWSManagedRulesAmazonIpReputationList"
_COMMON: Final = "AWSManagedRulesCommonRuleSet"
_BAD_INPUTS: Final = "AWSManagedRulesKnownBadInputsRuleSet"
# It blocks every body of more than 8 KB.
_SIZE_OF_BODIES: Final = "SizeRestrictions_BODY"
# They look for texts in bodies, which the bytes of a photograph may happen to have.
_TEXTS_IN_BODIES: Final = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
)
_LEAST_INSPECTED_KB: Final = 16
# What CloudFront adds the address of the client to.
_FORWARDED: Final = "X-Forwarded-For"


class WebAcl(Construct):
    """A web ACL on the stage of an API.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        name: What its metrics are called after.
        settings: What it refuses.
        stage: What it stands in front of.
        takes_photographs: Whether bodies may be photographs.
        proof: The header by which CloudFront shows that it is it, and its value; None where nothing is before the API.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        settings: FrontDoorSettings,
        stage: apigateway.Stage,
        takes_photographs: bool,
        proof: tuple[str, str] | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        counted = (_SIZE_OF_BODIES, *(_TEXTS_IN_BODIES if takes_photographs else ()))
        rules = [
            *([_demand(*proof)] if proof else []),
            _limit_rate(settings.requests_per_five_minutes, is_forwarded=proof is not None),
            *([_limit_bodies(settings.largest_body_kb)] if settings.largest_body_kb else []),
            _use_group(_REPUTATION),
            _use_group(_BAD_INPUTS),
            _use_group(_COMMON, counted),
        ]
        acl = wafv2.CfnWebACL(
            self,
            "Resource",
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=[
                {**rule, "priority": at, "visibilityConfig": self._show(rule["name"])} for at, rule in enumerate(rules)
            ],
            visibility_config=self._show(name),
        )
        if (kilobytes := settings.largest_body_kb) and kilobytes > _LEAST_INSPECTED_KB:
            # CDK's own property knows none of its keys, which are kinds of resources.
            path = "AssociationConfig.RequestBody.API_GATEWAY.DefaultSizeInspectionLimit"
            acl.add_property_override(path, f"KB_{kilobytes}")
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)

    def _show(self, part: str) -> Any:
        # Samples would keep the headers of requests, tokens included.
        return wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True,
            metric_name=part if part == self._name else f"{self._name}-{part}",
            sampled_requests_enabled=False,
        )


def _demand(header: str, value: str) -> dict[str, Any]:
    """Refuse whatever lacks a header of this value."""
    match = {
        "searchString": value,
        "positionalConstraint": "EXACTLY",
        "fieldToMatch": {"singleHeader": {"Name": header}},
        "textTransformations": [{"priority": 0, "type": "NONE"}],
    }
    statement = {"notStatement": {"statement": {"byteMatchStatement": match}}}
    return {"name": "NotThroughCloudFront", "action": {"block": {}}, "statement": statement}


def _limit_rate(requests: int, *, is_forwarded: bool) -> dict[str, Any]:
    by_client: Mapping[str, Any] = (
        {
            "aggregateKeyType": "FORWARDED_IP",
            "forwardedIpConfig": {"headerName": _FORWARDED, "fallbackBehavior": "MATCH"},
        }
        if is_forwarded
        else {"aggregateKeyType": "IP"}
    )
    statement = {"rateBasedStatement": {"limit": requests, "evaluationWindowSec": 300, **by_client}}
    return {"name": "TooManyFromOneAddress", "action": {"block": {}}, "statement": statement}


def _limit_bodies(kilobytes: int) -> dict[str, Any]:
    """A body of which the web ACL sees only the beginning is too large in any case."""
    size = {
        "fieldToMatch": {"body": {"oversizeHandling": "MATCH"}},
        "comparisonOperator": "GT",
        "size": kilobytes * 1024,
        "textTransformations": [{"priority": 0, "type": "NONE"}],
    }
    refusal = {"block": {"customResponse": {"responseCode": 413}}}
    return {"name": "TooLargeABody", "action": refusal, "statement": {"sizeConstraintStatement": size}}


def _use_group(name: str, counted: Sequence[str] = ()) -> dict[str, Any]:
    """A group of AWS's rules, some of which only count."""
    count: dict[str, Any] = {"actionToUse": {"count": {}}}
    overrides = {"ruleActionOverrides": [{"name": rule, **count} for rule in counted]} if counted else {}
    group = {"vendorName": "AWS", "name": name, **overrides}
    return {"name": name, "overrideAction": {"none": {}}, "statement": {"managedRuleGroupStatement": group}}
