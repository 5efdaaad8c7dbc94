"""The API in front of endpoints: no way through it without a caller, a limit and a log."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import SWITCHES, list_stacks

METHOD = "AWS::ApiGateway::Method"
WEB_ACL = "AWS::WAFv2::WebACL"
IAM: Mapping[str, Any] = {"workloads": ["bigmart", "images"]}
POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12Cd34E"
FULL: Mapping[str, Any] = SWITCHES["front-door"]["front_door"]
ALARMS: Mapping[str, Any] = SWITCHES["front-door"]["alarms"]["front_door"]
EVERY_WAY = (IAM, FULL, {**IAM, "authorization": "cognito", "user_pool": POOL}, {**IAM, "web_acl": False})


def make(settings: Mapping[str, Any], **others: Any) -> Template:
    return _make(json.dumps({"front_door": settings, **others}))


@cache
def _make(changes: str) -> Template:
    return template_with("FrontDoor", "dev", json.loads(changes))


def list_methods(template: Template) -> Iterator[Mapping[str, Any]]:
    yield from (method["Properties"] for method in template.find_resources(METHOD).values())


def find_one(template: Template, kind: str) -> Mapping[str, Any]:
    (resource,) = template.find_resources(kind).values()
    properties: Mapping[str, Any] = resource["Properties"]
    return properties


def list_rules(template: Template) -> dict[str, Mapping[str, Any]]:
    """The statements of the web ACL's rules, in their order."""
    rules = sorted(find_one(template, WEB_ACL)["Rules"], key=lambda rule: rule["Priority"])
    return {rule["Name"]: rule["Statement"] for rule in rules}


def find_answer(template: Template, status: int) -> Mapping[str, Any]:
    """What a caller gets for a status of SageMaker."""
    (answers, *_) = [method["Integration"]["IntegrationResponses"] for method in list_methods(template)]
    matching = [answer for answer in answers if answer.get("SelectionPattern") == str(status)]
    default: list[Mapping[str, Any]] = [answer for answer in answers if "SelectionPattern" not in answer]
    return (matching or default)[0]


def test_is_not_there_unless_the_settings_ask_for_it() -> None:
    assert "FrontDoor" not in (*list_stacks("dev"), *list_stacks("prod"))


@pytest.mark.parametrize("settings", EVERY_WAY)
def test_has_no_method_without_a_caller_that_is_known(settings: Mapping[str, Any]) -> None:
    types = [method["AuthorizationType"] for method in list_methods(make(settings))]

    expected = "COGNITO_USER_POOLS" if settings.get("authorization") else "AWS_IAM"
    assert types == [expected, expected]


@pytest.mark.parametrize("settings", EVERY_WAY)
def test_limits_and_logs_every_method(settings: Mapping[str, Any]) -> None:
    template = make({**settings, "requests_per_second": 7, "burst": 9})

    template.has_resource_properties(
        "AWS::ApiGateway::Stage",
        {
            "MethodSettings": [
                Match.object_like(
                    {
                        "HttpMethod": "*",
                        "ResourcePath": "/*",
                        "ThrottlingRateLimit": 7,
                        "ThrottlingBurstLimit": 9,
                        "LoggingLevel": "ERROR",
                        "DataTraceEnabled": False,
                    }
                )
            ],
            "AccessLogSetting": {"DestinationArn": Match.any_value(), "Format": Match.any_value()},
        },
    )


def test_keeps_its_logs_as_long_as_the_settings_say_and_under_the_customers_key() -> None:
    template = make({**IAM, "log_retention_days": 90}, **{"encryption.customer_key": True})

    groups = [group["Properties"] for group in template.find_resources("AWS::Logs::LogGroup").values()]

    assert [group["RetentionInDays"] for group in groups] == [90, 90]
    assert all(group["KmsKeyId"] for group in groups)
    assert "API-Gateway-Execution-Logs_" in str([group.get("LogGroupName") for group in groups])


def test_speaks_no_tls_before_1_2() -> None:
    api = find_one(make(IAM), "AWS::ApiGateway::RestApi")

    assert (api["SecurityPolicy"], api["EndpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_PQ_2025_09", "STRICT")


def test_asks_each_endpoint_as_a_role_that_may_ask_that_endpoint_and_nothing_else() -> None:
    template = make({"workloads": ["images", "bigmart"]}, **{"bigmart.endpoint.name": "Shop"})
    allowed = {
        policy["Properties"]["Roles"][0]["Ref"]: policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
    }

    for method in list_methods(template):
        ((statement,),) = [allowed[method["Integration"]["Credentials"]["Fn::GetAtt"][0]]]
        path = method["Integration"]["Uri"]["Fn::Join"][1][-1]
        endpoint = statement["Resource"]["Fn::Join"][1][-1]
        assert statement["Action"] == "sagemaker:InvokeEndpoint"
        assert (path, endpoint) in (
            (":runtime.sagemaker:path/endpoints/Shop/invocations", ":endpoint/shop"),
            (":runtime.sagemaker:path/endpoints/headrace-dev-images/invocations", ":endpoint/headrace-dev-images"),
        )


def test_lets_api_gateway_alone_take_these_roles() -> None:
    roles = make(IAM).find_resources("AWS::IAM::Role").values()

    trusted = [role["Properties"]["AssumeRolePolicyDocument"]["Statement"] for role in roles]
    assert len(trusted) == 2
    assert all(
        statement
        == {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}}
        for (statement,) in trusted
    )


def test_hands_on_what_a_body_is_and_what_answer_is_wanted_and_demands_the_first() -> None:
    template = make(IAM)
    (validator,) = template.find_resources("AWS::ApiGateway::RequestValidator")

    for method in list_methods(template):
        assert method["RequestParameters"] == {
            "method.request.header.Content-Type": True,
            "method.request.header.Accept": False,
        }
        assert method["RequestValidatorId"] == {"Ref": validator}
        assert method["Integration"]["RequestParameters"] == {
            "integration.request.header.Content-Type": "method.request.header.Content-Type",
            "integration.request.header.Accept": "method.request.header.Accept",
        }
        assert method["Integration"]["TimeoutInMillis"] == 29_000


@pytest.mark.parametrize(
    ("workload", "types"), [("images", ["application/x-image", "image/jpeg", "image/png"]), ("bigmart", None)]
)
def test_passes_photographs_as_they_are(workload: str, types: list[str] | None) -> None:
    api = find_one(make({"workloads": [workload]}), "AWS::ApiGateway::RestApi")

    assert api.get("BinaryMediaTypes") == types


@pytest.mark.parametrize(("status", "answered"), [(200, "200"), (400, "400"), (413, "413"), (429, "429"), (503, "503")])
def test_answers_as_sagemaker_does(status: int, answered: str) -> None:
    assert find_answer(make(IAM), status)["StatusCode"] == answered


@pytest.mark.parametrize("status", [403, 404, 500, 530])
def test_answers_what_only_a_fault_of_ours_explains_with_500_and_says_nothing_of_it(status: int) -> None:
    answer = find_answer(make(IAM), status)

    assert answer["StatusCode"] == "500"
    assert "$" not in answer["ResponseTemplates"]["application/json"]


def test_answers_as_the_container_does_when_sagemaker_says_that_it_failed() -> None:
    answer = find_answer(make(IAM), 424)

    template = answer["ResponseTemplates"]["application/json"]
    assert answer["StatusCode"] == "502"
    assert "responseOverride.status = $status" in template
    assert "$.OriginalStatusCode" in template
    assert "LogStreamArn" not in template


def test_puts_the_web_acl_before_the_stage() -> None:
    template = make(IAM)
    (acl,) = template.find_resources(WEB_ACL)
    (stage,) = template.find_resources("AWS::ApiGateway::Stage")

    association = find_one(template, "AWS::WAFv2::WebACLAssociation")

    assert association["WebACLArn"] == {"Fn::GetAtt": [acl, "Arn"]}
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]


def test_refuses_in_its_web_acl_too_many_requests_and_what_aws_knows_for_bad() -> None:
    rules = list_rules(make({**IAM, "requests_per_five_minutes": 300}))

    assert list(rules) == [
        "TooManyFromOneAddress",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    assert rules["TooManyFromOneAddress"]["RateBasedStatement"]["Limit"] == 300


@pytest.mark.parametrize(
    ("workload", "counted"),
    [
        ("bigmart", {"SizeRestrictions_BODY"}),
        (
            "images",
            {
                "CrossSiteScripting_BODY",
                "EC2MetaDataSSRF_BODY",
                "GenericLFI_BODY",
                "GenericRFI_BODY",
                "SizeRestrictions_BODY",
            },
        ),
    ],
)
def test_blocks_no_body_for_being_larger_than_8_kb_nor_a_photograph_for_its_bytes(
    workload: str, counted: set[str]
) -> None:
    group = list_rules(make({"workloads": [workload]}))["AWSManagedRulesCommonRuleSet"]["ManagedRuleGroupStatement"]

    assert {rule["Name"] for rule in group["RuleActionOverrides"]} == counted
    assert all(rule["ActionToUse"] == {"Count": {}} for rule in group["RuleActionOverrides"])


@pytest.mark.parametrize(("kilobytes", "inspected"), [(16, None), (64, "KB_64")])
def test_measures_bodies_where_the_settings_bound_them(kilobytes: int, inspected: str | None) -> None:
    template = make({"workloads": ["bigmart"], "largest_body_kb": kilobytes})

    measured = list_rules(template)["TooLargeABody"]["SizeConstraintStatement"]

    config = find_one(template, WEB_ACL).get("AssociationConfig", {})
    assert (measured["Size"], measured["ComparisonOperator"]) == (kilobytes * 1024, "GT")
    assert measured["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    assert config.get("RequestBody", {}).get("API_GATEWAY", {}).get("DefaultSizeInspectionLimit") == inspected


def test_makes_a_pool_whose_users_an_administrator_adds_and_who_need_a_second_factor() -> None:
    template = make(FULL)

    template.has_resource_properties(
        "AWS::Cognito::UserPool",
        {
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
            "MfaConfiguration": "ON",
            "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
        },
    )
    template.has_resource_properties(
        "AWS::Cognito::UserPoolClient", {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
    )


def test_keeps_the_users_where_data_is_retained() -> None:
    (pool,) = make(FULL, retain_data=True).find_resources("AWS::Cognito::UserPool").values()

    assert (pool["DeletionPolicy"], pool["Properties"]["DeletionProtection"]) == ("RetainExceptOnCreate", "ACTIVE")


def test_asks_the_pool_that_the_settings_name() -> None:
    template = make({**IAM, "authorization": "cognito", "user_pool": POOL})

    template.resource_count_is("AWS::Cognito::UserPool", 0)
    template.has_resource_properties("AWS::ApiGateway::Authorizer", {"ProviderARNs": [POOL]})


def test_refuses_first_what_does_not_come_through_cloudfront() -> None:
    template = make(FULL)
    (secret,) = template.find_resources("AWS::SecretsManager::Secret")

    (origin,) = find_one(template, "AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    (header,) = origin["OriginCustomHeaders"]
    refusal = next(iter(list_rules(template).values()))["NotStatement"]["Statement"]["ByteMatchStatement"]

    assert header["HeaderName"] == refusal["FieldToMatch"]["SingleHeader"]["Name"]
    assert header["HeaderValue"] == refusal["SearchString"]
    assert header["HeaderValue"]["Fn::Join"][1] == ["{{resolve:secretsmanager:", {"Ref": secret}, ":SecretString:::}}"]


def test_keeps_nothing_at_cloudfront_and_speaks_no_tls_before_1_2() -> None:
    config = find_one(make(FULL), "AWS::CloudFront::Distribution")["DistributionConfig"]

    # CachingDisabled, as CloudFront calls its policy.
    assert config["DefaultCacheBehavior"]["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "https-only"
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert config["Origins"][0]["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_says_where_each_workload_is_asked() -> None:
    assert make(FULL).to_json()["Outputs"]["ImagesFrontDoorUrl"] == {
        "Value": "https://predictions.example.com/images/invocations"
    }
    parts = make(IAM).to_json()["Outputs"]["BigMartFrontDoorUrl"]["Value"]["Fn::Join"][1]
    assert parts[-1] == "/bigmart/invocations"


def test_has_an_alarm_for_each_line_that_is_drawn() -> None:
    template = make(IAM, alarms={"front_door": ALARMS})

    alarms = {
        alarm["Properties"]["MetricName"]: alarm["Properties"]
        for alarm in template.find_resources("AWS::CloudWatch::Alarm").values()
    }

    assert {name: alarm["Threshold"] for name, alarm in alarms.items()} == {
        "5XXError": 0.01,
        "FrontDoorThrottled": 5,
        "Latency": 500,
    }
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms.values())


def test_counts_in_its_log_what_was_refused_as_too_many() -> None:
    template = make(IAM, alarms={"front_door": {"throttled": 5}})
    stage, counted = find_one(template, "AWS::ApiGateway::Stage"), find_one(template, "AWS::Logs::MetricFilter")

    entry = json.loads(stage["AccessLogSetting"]["Format"])

    assert counted["FilterPattern"] == '{ $.status = "429" }'
    assert entry["status"] == "$context.status"
    assert entry["api"] == "headrace-dev"
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"Dimensions": [{"Name": "Api", "Value": "headrace-dev"}], "Namespace": "Headrace"}
    )


def test_has_no_alarm_without_settings_of_alarms() -> None:
    make(IAM, alarms={}).resource_count_is("AWS::CloudWatch::Alarm", 0)


@pytest.mark.parametrize(("authorization", "is_named"), [("iam", True), ("cognito", False)])
def test_lets_scientists_call_it_where_iam_decides(authorization: str, is_named: bool) -> None:
    changes = {"front_door": {**IAM, "authorization": authorization}, "people.enabled": True}
    policies = template_with("People", "dev", changes).find_resources("AWS::IAM::ManagedPolicy").values()

    allowed = {
        policy["Properties"]["ManagedPolicyName"]: statement["Resource"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "execute-api:Invoke"
    }

    assert list(allowed) == (["headrace-dev-scientist"] if is_named else [])
    assert all("live/POST/" in json.dumps(arn) for arns in allowed.values() for arn in arns)
