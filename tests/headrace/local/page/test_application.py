"""Who is let in, and how answers leave."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from headrace.errors import HeadraceError
from headrace.local.page.answers import Answer, PageError, redirect
from headrace.local.page.application import Page
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.tokens import Tokens, write_address
from tests.headrace.local.page.conftest import HOST, HOSTILE, SECRET, Browser, Elements, check_is_harmless

DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": HOSTILE}}, "Operation")
UNREACHED = EndpointConnectionError(endpoint_url="http://127.0.0.1")


class Section:
    """Shows what it is asked, and fails where it is told to."""

    name = "first"
    title = "First"

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def answer(self, request: Request) -> View | Answer:
        self.requests.append(request)
        match request.segments[1:]:
            case ["refused"]:
                raise PageError(422, HOSTILE)
            case ["denied"]:
                raise DENIED
            case ["unreached"]:
                raise UNREACHED
            case ["mistaken"]:
                raise HeadraceError(HOSTILE)
            case ["broken"]:
                raise ZeroDivisionError
        if request.form:
            return redirect(request.link("first", "done"))
        return View("error.html", "Shown", {"message": "|".join(request.segments)})


@pytest.fixture
def section() -> Section:
    return Section()


@pytest.fixture
def browser(section: Section) -> Browser:
    return Browser(Page([section], Tokens(SECRET)))


def find_form_key(section: Section) -> str:
    return section.requests[-1].session.form_key


def test_lets_a_browser_in_by_a_token_once(browser: Browser, section: Section) -> None:
    address = write_address("", SECRET)
    entered, again = browser.get(address), browser.get(address)

    assert (entered.status, again.status) == (303, 401)
    assert entered.headers["location"].startswith("/_headrace/")
    assert "set-cookie" not in again.headers
    assert "headrace local page" in again.text


def test_shows_a_browser_that_was_let_in_the_first_section(browser: Browser, section: Section) -> None:
    seen = browser.log_in().get()

    assert (seen.status, seen.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert section.requests[0].segments == ()


@pytest.mark.parametrize("path", ["", "?token=", "?token=1.a.b", "x/", "..%2f", "first", "page.html", "?token=%ff"])
def test_lets_no_other_browser_in(browser: Browser, section: Section, path: str) -> None:
    seen = browser.get(f"/_headrace/{path}")

    assert seen.status == 401
    assert "set-cookie" not in seen.headers
    assert not section.requests


def test_takes_no_session_without_its_cookie_or_with_its_path_alone(browser: Browser, section: Section) -> None:
    browser.log_in()
    other = Browser(browser.page, place=browser.place)
    elsewhere = Browser(browser.page, cookie=browser.cookie)

    assert (other.get().status, elsewhere.get().status, elsewhere.get("/_headrace/x/").status) == (401, 401, 401)


@pytest.mark.parametrize("path", ["/_headrace/", "/_headrace/page.js", "/_headrace/page.css", "", "first/refused"])
def test_sends_every_answer_with_what_keeps_other_pages_out(browser: Browser, path: str) -> None:
    headers = browser.log_in().get(path).headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == f"http://{HOST}/_headrace/page.js"
    assert policy["form-action"] == policy["connect-src"] == policy["img-src"] == f"http://{HOST}/_headrace/"
    assert "unsafe" not in headers["content-security-policy"]


def test_has_no_script_and_no_style_in_its_pages(browser: Browser) -> None:
    elements = Elements(browser.log_in().get().text).found

    scripts = [attributes for tag, attributes in elements if tag == "script"]
    assert [set(attributes) for attributes in scripts] == [{"src", "defer"}]
    assert not [tag for tag, attributes in elements if tag == "style" or "style" in attributes]


def test_hands_out_its_script_and_style_to_everybody(browser: Browser) -> None:
    script, style = browser.get("/_headrace/page.js"), browser.get("/_headrace/page.css")

    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert (style.status, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "://" not in script.text + style.text


def test_takes_a_form_of_its_own(browser: Browser, section: Section) -> None:
    browser.log_in().get()
    seen = browser.post("first/x", {"form_key": find_form_key(section), "decision": "approve"})

    assert (seen.status, seen.headers["location"]) == (303, f"{browser.place}first/done")
    assert section.requests[-1].form
    assert section.requests[-1].form.text("decision") == "approve"


def test_takes_no_form_without_its_key(browser: Browser, section: Section) -> None:
    other = Browser(browser.page).log_in()
    other.get()
    foreign = find_form_key(section)
    browser.log_in()
    seen = [browser.post("first/x", fields) for fields in ({}, {"form_key": ""}, {"form_key": foreign})]

    assert [each.status for each in seen] == [403, 403, 403]
    assert not [request for request in section.requests if request.form]


@pytest.mark.parametrize("path", ["first", "/_headrace/page.js"])
def test_takes_nothing_from_pages_of_other_ports(browser: Browser, path: str) -> None:
    browser.log_in()
    embedded = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}
    posted = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}

    assert browser.get(path, **embedded).status == 403
    assert browser.post("first", {}, **posted).status == 403
    assert browser.get(path, **posted).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_refuses_other_methods(browser: Browser, method: str) -> None:
    assert browser.log_in().ask(method, "first").status == 405


def test_answers_a_head_without_a_body(browser: Browser) -> None:
    browser.log_in()
    whole, head = browser.get(), browser.ask("HEAD", "")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


def test_refuses_what_is_too_large(browser: Browser, section: Section) -> None:
    browser.log_in()
    seen = browser.ask("POST", "first", {"content-type": "multipart/form-data; boundary=x"}, b"x" * (7 << 20) + b"x")

    assert seen.status == 413
    assert not section.requests


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("first/refused", 422, "onerror"),
        ("first/denied", 502, "AccessDenied"),
        ("first/unreached", 502, "Could not connect"),
        ("first/mistaken", 502, "onerror"),
        ("first/broken", 500, "The page has failed"),
        ("second", 404, "there is no section"),
        ("%22%3E%3Cimg%20onerror=1%3E", 404, "there is no section"),
        ("first/%3Cscript%3E%00%E2%80%AE%ff%0d%0a", 200, "<script>"),
    ],
)
def test_explains_what_went_wrong_without_repeating_it_as_markup(
    browser: Browser, path: str, status: int, says: str
) -> None:
    seen = browser.log_in().get(path)

    assert seen.status == status
    assert says in check_is_harmless(seen.text).said


def test_decodes_each_part_of_a_path_by_itself(browser: Browser, section: Section) -> None:
    browser.log_in().get("first/a%2Fb/%252e?x=%3C&x=2")

    assert section.requests[0].segments == ("first", "a/b", "%2e")
    assert section.requests[0].query == {"x": "2"}


def test_links_to_any_name(browser: Browser, section: Section) -> None:
    browser.log_in().get()
    request = section.requests[0]
    link = request.link("first", 'a/b ?#%"<', key='&=<"ü', empty="")
    browser.get(link)

    assert section.requests[-1].segments == ("first", 'a/b ?#%"<')
    assert section.requests[-1].query == {"key": '&=<"ü'}
