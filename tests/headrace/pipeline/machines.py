"""State machines as people write them."""

from typing import Any

ORDERS: dict[str, Any] = {
    "Comment": "From an order to a parcel",
    "StartAt": "Validate",
    "States": {
        "Validate": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Next": "Is In Stock",
            "Catch": [
                {"ErrorEquals": ["OrderInvalid"], "Next": "Rejected"},
                {"ErrorEquals": ["States.ALL"], "Next": "Broken"},
            ],
        },
        "Is In Stock": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.stock", "NumericGreaterThan": 0, "Next": "Both"},
                {"Variable": "$.restock", "IsPresent": True, "Next": "Wait"},
            ],
            "Default": "Rejected",
        },
        "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Validate"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Charge",
                    "States": {"Charge": {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True}},
                },
                {
                    "StartAt": "Pack",
                    "States": {
                        "Pack": {
                            "Type": "Map",
                            "ItemProcessor": {
                                "StartAt": "Label",
                                "States": {
                                    "Label": {
                                        "Type": "Task",
                                        "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:label",
                                        "End": True,
                                    }
                                },
                            },
                            "End": True,
                        }
                    },
                },
            ],
            "Next": "Sent",
        },
        "Sent": {"Type": "Succeed"},
        "Rejected": {"Type": "Succeed"},
        "Broken": {"Type": "Fail", "Error": "Broken"},
    },
}
