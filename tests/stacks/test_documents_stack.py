"""The stack of documents: what it holds, who may do what, and what the settings refuse."""

import json
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from stacks.settings.documents import DocumentsSettings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import read_context
from tests.stacks.pipeline.test_documents import EVERYTHING, TEXT_ALONE, make
from tests.stacks.test_nag import find_violations

KEYED = {"documents": EVERYTHING, "encryption.customer_key": True, "alarms": {}}


def list_statements(template: Template, role: str) -> list[dict[str, Any]]:
    """The statements of the policies of a role, by how its logical id begins."""
    policies = template.find_resources("AWS::IAM::Policy").values()
    return [
        statement
        for policy in policies
        if str(policy["Properties"]["Roles"][0]["Ref"]).startswith(role)
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def list_actions(template: Template, role: str) -> set[str]:
    actions = (statement["Action"] for statement in list_statements(template, role))
    return {each for action in actions for each in ([action] if isinstance(action, str) else action)}


def list_called(template: Template) -> set[str]:
    """The operations of Textract and Comprehend that the state machine may call."""
    return {each for each in list_actions(template, "Workflow") if each.split(":")[0] in ("textract", "comprehend")}


def test_lets_the_state_machine_call_exactly_the_operations_of_its_states() -> None:
    called = {
        action for action in list_actions(make(), "Workflow") if action.split(":")[0] in ("textract", "comprehend")
    }

    assert called == {
        "comprehend:DetectDominantLanguage",
        "comprehend:DetectEntities",
        "comprehend:DetectKeyPhrases",
        "comprehend:DetectSentiment",
        "comprehend:DetectSyntax",
        "textract:GetDocumentAnalysis",
        "textract:StartDocumentAnalysis",
    }


def test_lets_it_call_less_where_less_is_looked_for() -> None:
    called = {
        action for action in list_actions(make(TEXT_ALONE), "Workflow") if "textract" in action or "compre" in action
    }

    assert called == {"textract:StartDocumentTextDetection", "textract:GetDocumentTextDetection"}


def test_lets_it_start_executions_of_itself_for_the_map_and_of_nothing_else() -> None:
    (starting,) = (each for each in list_statements(make(), "Workflow") if each["Action"] == "states:StartExecution")

    assert str(starting["Resource"]).startswith("{'Ref': 'StateMachine")


def test_lets_it_redrive_what_its_map_has_started_and_nothing_else() -> None:
    (redriving,) = (each for each in list_statements(make(), "Workflow") if each["Action"] == "states:RedriveExecution")

    *_, before, machine, after = redriving["Resource"]["Fn::Join"][1]
    assert before.endswith(":execution:")
    assert "StateMachine" in str(machine)
    assert after == "/Documents:*"


def test_reads_below_one_prefix_of_the_raw_bucket_and_writes_below_one_of_the_work_bucket() -> None:
    for role in ("Workflow", "Reader"):
        objects = [each for each in list_statements(make(), role) if "s3:GetObject" in str(each["Action"])]
        assert objects
        for statement in objects:
            assert "/documents/*" in json.dumps(statement["Resource"])
            assert "s3:ResourceAccount" in json.dumps(statement["Condition"])


def test_gives_the_function_room_for_the_results_of_as_many_pages_as_may_be_read() -> None:
    functions = make().find_resources("AWS::Lambda::Function").values()

    assert [each["Properties"].get("EphemeralStorage") for each in functions].count({"Size": 4096}) == 1


def test_lets_textract_alone_publish_as_the_role_that_it_is_given() -> None:
    make().has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    Match.object_like(
                        {
                            "Principal": {"Service": "textract.amazonaws.com"},
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                        }
                    )
                ]
            }
        },
    )
    (passing,) = (each for each in list_statements(make(), "Workflow") if each["Action"] == "iam:PassRole")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "textract.amazonaws.com"}}
    assert list_actions(make(), "NoticesPublisher") == {"sns:Publish"}


def test_encrypts_everything_with_the_customers_key() -> None:
    template = template_with("Documents", "dev", KEYED)

    for kind, member in (("AWS::Logs::LogGroup", "KmsKeyId"), ("AWS::SNS::Topic", "KmsMasterKeyId")):
        keys = [found["Properties"].get(member) for found in template.find_resources(kind).values()]
        assert keys
        assert all("Fn::GetStackOutput" in str(key) for key in keys)
    assert "kms:GenerateDataKey" in list_actions(template, "NoticesPublisher")
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine").values()
    assert "KmsKeyId" in json.dumps(machine["Properties"]["DefinitionString"])


def test_raises_alarms_for_executions_that_fail_where_there_is_a_topic_for_them() -> None:
    metrics = [
        alarm["Properties"]["MetricName"]
        for alarm in template_with("Documents", "dev", KEYED).find_resources("AWS::CloudWatch::Alarm").values()
    ]

    assert sorted(metrics) == ["Errors", "ExecutionsFailed", "ExecutionsTimedOut"]
    make().resource_count_is("AWS::CloudWatch::Alarm", 0)


CLASSIFYING: dict[str, Any] = {"documents": {**EVERYTHING, "classifier": {}}}


@pytest.mark.parametrize("also", [{}, {"encryption.customer_key": True}])
def test_lets_the_state_machines_use_this_environments_classifier_and_endpoints_alone(also: dict[str, Any]) -> None:
    template = template_with("Documents", "dev", {**CLASSIFYING, **also})

    for role in ("WorkflowRole", "ClassifierWorkflowRole", "CleanUp", "ClassifierCleanUp"):
        statements = [each for each in list_statements(template, role) if "Document" in str(each["Action"])]
        for statement in statements:
            if "comprehend:" in str(statement["Action"]) and "Detect" not in str(statement["Action"]):
                assert "headrace-dev-" in json.dumps(statement["Resource"]), statement


def test_lets_versions_be_made_by_the_name_that_aws_documents_and_by_that_of_the_version() -> None:
    template = template_with("Documents", "dev", CLASSIFYING)

    (making,) = (
        each
        for each in list_statements(template, "ClassifierWorkflowRole")
        if "comprehend:CreateDocumentClassifier" in each["Action"]
    )
    names = [each["Fn::Join"][1][-1].rpartition(":")[2] for each in making["Resource"]]
    assert names == [f"document-classifier/headrace-dev-documents{ending}" for ending in ("", "/version/*")]


def test_lets_only_comprehend_be_the_role_that_reads_training_data() -> None:
    template = template_with("Documents", "dev", CLASSIFYING)

    (role,) = (
        each["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name, each in template.find_resources("AWS::IAM::Role").items()
        if name.startswith("ClassifierRole")
    )
    assert [each["Principal"] for each in role] == [{"Service": "comprehend.amazonaws.com"}]
    assert role[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert list_actions(template, "ClassifierRole") == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    (passing,) = (
        each for each in list_statements(template, "ClassifierWorkflowRole") if each["Action"] == "iam:PassRole"
    )
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}


def test_lets_the_function_that_ends_executions_delete_what_they_leave_in_comprehend() -> None:
    template = template_with("Documents", "dev", CLASSIFYING)

    assert "comprehend:DeleteEndpoint" in list_actions(template, "CleanUp")
    assert {
        "comprehend:DeleteDocumentClassifier",
        "comprehend:StopTrainingDocumentClassifier",
    } <= list_actions(template, "ClassifierCleanUp")


def test_has_nothing_of_a_classifier_unless_the_settings_ask_for_it() -> None:
    text = json.dumps(make().to_json())

    assert "lassifier" not in text
    assert "comprehend:CreateEndpoint" not in text


def test_leaves_nothing_for_cdk_nag_to_find() -> None:
    changes = {**CLASSIFYING, "people.enabled": True}

    assert {each for each in find_violations("dev", changes) if "Documents" in each[1] or "People" in each[1]} == set()


def test_changes_no_other_stack_of_dev() -> None:
    assert "documents" not in json.dumps(read_context()["environments"])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"features": ["queries"]}, "nothing is asked; add a question"),
        ({"questions": ["Who?"]}, "asked with the feature queries"),
        ({"features": ["tables", "tables"]}, "tables"),
        ({"features": ["signatures"]}, "'signatures' is not known; there are tables, forms, queries"),
        ({"insights": ["topics"]}, "'topics' is not known"),
        ({"features": ["queries"], "questions": ["Wie heißt er?"]}, "of ASCII alone"),
        ({"features": ["queries"], "questions": [" \t"]}, "is blank; write a question"),
        (
            {"features": ["queries"], "questions": ["{% $states.context.Execution.Id %}"]},
            "begins as Step Functions' expressions do",
        ),
        ({"language": "sv"}, "allowed: en, es, fr"),
        ({"most_pages": 10_001}, "less than or equal to 10000"),
        ({"language": "ja", "insights": ["syntax"]}, "knows no syntax of 'ja'"),
        ({"language": "en", "insights": []}, "Comprehend is not asked"),
        ({"notice_minutes": 120, "timeout_hours": 1}, "longer than an execution"),
    ],
)
def test_refuses_settings_that_cannot_be(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DocumentsSettings.model_validate(given)
