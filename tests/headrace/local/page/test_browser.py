"""The page in a real browser, by keyboard: Debian's Chromium, before a local cloud with little on it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from headrace.cli import cli
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.brought_container_images import bring_python
from headrace.local.engine.cloud import LocalCloud
from headrace.local.page.tokens import write_address
from headrace.loopback import find_free_port
from tests.local_clouds import allow, clients_of, make_role
from tests.patience import PATIENCE_SECONDS

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER) and "CI" not in os.environ,
        reason="there is no Chromium with its driver; on Debian, as root: .ci/browser",
    ),
]

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/echo:1"
# Answers with what it was sent, and with what would run if a page took it for markup.
ECHO = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, body):
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.reply(b'')
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        told = f"{len(body)} bytes of {self.headers['Content-Type']}: {body[:20].decode(errors='replace')}"
        self.reply(("<script>document.title = 'owned'</script>" + told).encode())
address = os.environ['HEADRACE_BIND_HOST'], int(os.environ['SAGEMAKER_BIND_TO_PORT'])
print("<img src=x onerror=\\"document.title='owned'\\">", flush=True)
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
PATIENT = {
    "StartAt": "Wait",
    "States": {"Wait": {"Type": "Wait", "Seconds": 1_000_000, "Next": "End"}, "End": {"Type": "Succeed"}},
}
STORAGE = {
    "Metadata": {"headrace:Environment": "dev"},
    "Resources": {"Raw": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "raw"}}},
    "Outputs": {"RawBucketName": {"Value": {"Ref": "Raw"}}},
}
RUNS = "<!doctype html><title>inert</title><script>document.title = 'owned'</script>"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with a state machine, an endpoint, a bucket and a version of a model."""
    folder = tmp_path_factory.mktemp("page")
    program = folder / "echo.py"
    program.write_text(ECHO)
    bring_python(folder / "cloud", IMAGE, Path(sys.executable), program)
    started = local_cloud.start(folder / "cloud", find_free_port(), stop_with_caller=True)
    try:
        with clients_of(started):
            fill(make_role("all", allow("*")))
            yield started
    finally:
        started.stop()


def fill(role: str) -> None:
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="headrace-dev-storage", TemplateBody=json.dumps(STORAGE))
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="headrace-dev-storage", WaiterConfig={"Delay": 1})
    states: Any = boto3.client("stepfunctions")
    waits = make_role("waits", trusted="states.amazonaws.com")
    states.create_state_machine(name="patient", definition=json.dumps(PATIENT), roleArn=waits)
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_model(ModelName="echo", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    variant = {
        "VariantName": "all",
        "ModelName": "echo",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="echo", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="echo", EndpointConfigName="echo")
    for group in ("sales", "shops"):
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket="raw", Key="model.tar.gz", Body=b"model")
    for group, rmse in (("sales", "1054"), ("shops", "1054"), ("shops", "1027")):
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://raw/model.tar.gz"}]},
            CustomerMetadataProperties={"metric:rmse": rmse, "headrace:job": "run-1"},
        )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="echo", WaiterConfig={"Delay": 1})


class Reader:
    """Somebody in front of a browser, most often with a keyboard."""

    def __init__(self, driver: webdriver.Chrome, cloud: LocalCloud) -> None:
        self.driver = driver
        self.driver.get(write_address(cloud.endpoint_url, cloud.key.secret))
        self.start = driver.current_url

    def go(self, path: str = "") -> None:
        self.driver.get(self.start + path)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Go on with the Tab key until an element has the focus, which must be seen there."""
        for _ in range(40):
            self.press(Keys.TAB)
            focused = self.driver.switch_to.active_element
            if self.run("return arguments[0].matches(arguments[1])", focused, selector):
                assert self.run("return getComputedStyle(arguments[0]).outlineStyle", focused) != "none"
                return
        raise AssertionError(f"the Tab key does not reach {selector}")

    def wait_for(self, selector: str, text: str) -> None:
        wait = WebDriverWait(self.driver, PATIENCE_SECONDS, 0.1, ignored_exceptions=[Exception])
        wait.until(lambda driver: text in driver.find_element(By.CSS_SELECTOR, selector).text)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def list_complaints(self) -> list[str]:
        """What the browser has blocked or missed."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def reader(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield Reader(driver, cloud)
    driver.quit()


@pytest.fixture(autouse=True)
def without_complaints(reader: Reader) -> Iterator[None]:
    yield
    assert reader.list_complaints() == []
    assert reader.driver.title != "owned"


def test_keeps_the_token_out_of_the_address(reader: Reader) -> None:
    reader.go()

    assert "token" not in reader.driver.current_url
    assert reader.driver.find_element(By.TAG_NAME, "h1").text == "Overview"
    assert reader.run("return document.cookie") == ""


def test_is_opened_by_the_address_that_the_command_prints_and_by_it_once(reader: Reader, cloud: LocalCloud) -> None:
    printed = CliRunner().invoke(cli, ["local", "--folder", str(cloud.root.parent), "page"])
    headings = []
    for _ in range(2):
        reader.driver.get(printed.stdout.strip())
        headings.append(reader.driver.find_element(By.TAG_NAME, "h1").text)

    assert headings == ["Overview", "This browser was not let in"]
    assert ["401" in complaint for complaint in reader.list_complaints()] == [True]


def test_is_walked_by_keyboard(reader: Reader) -> None:
    reader.go()
    reader.press(Keys.TAB)
    assert reader.driver.switch_to.active_element.text == "Skip to the content"
    reader.press(Keys.ENTER)
    reader.tab_to("main a")
    reader.go()
    reader.tab_to("nav a[href$='/registry']")
    reader.press(Keys.ENTER)

    reader.wait_for("h1", "Registry")
    assert reader.run("return document.documentElement.lang") == "en"


def test_shows_what_an_execution_does_while_it_does_it(reader: Reader, cloud: LocalCloud) -> None:
    states: Any = boto3.client("stepfunctions")
    (machine,) = states.list_state_machines()["stateMachines"]
    arn = states.start_execution(stateMachineArn=machine["stateMachineArn"], name="live")["executionArn"]
    reader.go("executions/patient/live")
    reader.wait_for(".drawing", "running")
    reader.run("window.sameDocument = true; document.getElementById('drawing').focus()")
    states.stop_execution(executionArn=arn, error="Stopped", cause="<img src=x onerror=\"document.title='owned'\">")

    reader.wait_for("#live .badge", "ABORTED")
    assert "onerror" in reader.driver.find_element(By.CSS_SELECTOR, ".problem").text
    assert reader.run("return window.sameDocument")
    assert reader.driver.switch_to.active_element.get_attribute("id") == "drawing"


def test_tries_an_endpoint_with_rows(reader: Reader) -> None:
    reader.go("endpoints/echo")
    reader.tab_to("#row")
    reader.press("1,2", Keys.ENTER, "3,4")
    reader.tab_to("form button")
    reader.press(Keys.ENTER)

    reader.wait_for("#answer pre", "<script>document.title = 'owned'</script>7 bytes of text/csv: 1,2")
    assert reader.driver.find_element(By.ID, "row").get_attribute("value") == "1,2\n3,4"
    assert reader.driver.switch_to.active_element.get_attribute("id") == "answer"


def test_tries_an_endpoint_with_a_photograph(reader: Reader, tmp_path: Path) -> None:
    photograph = tmp_path / "a photograph.png"
    Image.new("RGB", (40, 30), "red").save(photograph)
    reader.go("endpoints/echo")
    reader.driver.find_element(By.ID, "photograph").send_keys(str(photograph))
    reader.tab_to("form button")
    reader.press(Keys.ENTER)

    reader.wait_for("#answer pre", f"{photograph.stat().st_size} bytes of application/x-image")


def test_shows_photographs(reader: Reader, tmp_path: Path) -> None:
    photograph = tmp_path / "a.png"
    Image.new("RGB", (40, 30), "red").save(photograph)
    s3: Any = boto3.client("s3")
    s3.upload_file(str(photograph), "raw", "cats/\"><img src=x onerror=document.title='owned'>.png")
    reader.go("photographs?environment=dev&prefix=cats/")

    shown = "return [...document.images].map((image) => image.complete && image.naturalWidth)"
    WebDriverWait(reader.driver, PATIENCE_SECONDS, 0.1).until(lambda _: reader.run(shown) == [40])


def test_approves_a_version(reader: Reader) -> None:
    reader.go("registry")
    reader.tab_to("main a")
    reader.press(Keys.ENTER)
    reader.wait_for("#live .badge", "PendingManualApproval")
    reader.tab_to("#reason")
    reader.press("good <b>enough</b>")
    reader.tab_to("button[value=approve]")
    reader.press(Keys.ENTER)

    reader.wait_for("#live .badge", "Approved")
    reader.wait_for("#live .line", "good <b>enough</b>")


def test_compares_two_versions(reader: Reader) -> None:
    reader.go("registry/shops/2")
    reader.tab_to("#before")
    reader.tab_to("form button")
    reader.press(Keys.ENTER)

    reader.wait_for("h1", "Versions 1 and 2")
    (row,) = reader.driver.find_elements(By.CSS_SELECTOR, "section[aria-labelledby=metrics] tbody tr")
    assert row.text == "rmse 1,054 1,027 version 2"


def test_shows_what_stands_what_it_costs_and_who_has_called(reader: Reader) -> None:
    reader.go()
    reader.tab_to("nav a[href$='/inventory']")
    reader.press(Keys.ENTER)
    reader.wait_for("h1", "Inventory")
    reader.wait_for("#live tbody", "raw bucket <0.01")
    reader.tab_to("nav a[href$='/bill']")
    reader.press(Keys.ENTER)
    reader.wait_for("h1", "Bill")
    reader.wait_for("#cheap", "below 0.005 US dollars")
    reader.tab_to("nav a[href$='/calls']")
    reader.press(Keys.ENTER)
    reader.wait_for("h1", "Calls")
    reader.tab_to("main a")
    reader.press(Keys.ENTER)

    reader.wait_for("h1", "all")
    reader.wait_for("section[aria-labelledby=used]", "logs:PutLogEvents")


def test_runs_nothing_of_an_object_that_is_shown(reader: Reader) -> None:
    s3: Any = boto3.client("s3")
    s3.put_object(Bucket="raw", Key="page.html", Body=RUNS.encode(), ContentType="text/html")
    reader.driver.get(s3.generate_presigned_url("get_object", Params={"Bucket": "raw", "Key": "page.html"}))

    assert reader.driver.title == "inert"
    assert all("sandboxed" in complaint for complaint in reader.list_complaints())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "executions",
        "endpoints/echo",
        "photographs",
        "registry/sales/1",
        "registry/shops/compare?before=1&after=2",
        "inventory",
        "bill",
        "calls/all",
    ],
)
def test_fits_narrow_screens(reader: Reader, path: str) -> None:
    narrow = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    reader.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    reader.go(path)
    width = reader.run("return document.documentElement.scrollWidth")
    reader.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert width <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_has_enough_contrast_in_both_schemes(reader: Reader, scheme: str) -> None:
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    reader.go("endpoints/echo")
    colours = reader.run(
        "return [['body', 'body'], ['.quiet, .brand span', 'header'], ['.badge', '.badge'], ['button', 'button']]"
        ".map(([ink, ground]) => [getComputedStyle(document.querySelector(ink)).color,"
        " getComputedStyle(document.querySelector(ground)).backgroundColor])"
    )
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    assert [pair for pair in colours if measure_contrast(*pair) < 4.5] == []


def measure_contrast(one: str, other: str) -> float:
    """That of WCAG, of two colours as `rgb(1, 2, 3)`."""
    low, high = sorted(measure_luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def measure_luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
