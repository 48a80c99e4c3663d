"""What schemathesis has to know of this API beyond its description: how to become somebody, and what no schema says.

It is loaded by schemathesis, in a process of its own that `api.py` starts; whom to be is said in the environment.
"""

import itertools
import json
import os
import secrets
import string
import subprocess

import schemathesis
from hypothesis import strategies
from jsonschema import Draft202012Validator
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

from client import Client

SERVER = os.environ["API_URL"]
PASSWORD = os.environ["API_PASSWORD"]
# A command line that adds an admin of the address at its end; without one, users register themselves.
ADD_ADMIN = json.loads(os.environ["API_ADD_ADMIN"])


@schemathesis.auth(refresh_interval=None, retry_on=[])
class Account:
    """An account that may make the request; a fresh one whenever the one before it was logged out, deleted or demoted.

    Operations do all of that, and so it is asked before each case.
    """

    def __init__(self):
        self.client = Client(SERVER)
        self.token = None

    def get(self, case, context):
        if not self.is_good():
            self.token = self.fresh()
        return self.token

    def set(self, case, token, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {token}"

    def is_good(self):
        if self.token is None:
            return False
        me = self.client.me(self.token)
        return me.status == 200 and (not ADD_ADMIN or "admin" in me["roles"])

    def fresh(self):
        email = f"{secrets.token_hex(8)}@example.org"
        if not ADD_ADMIN:
            return self.client.register(email, PASSWORD)["access_token"]
        subprocess.run([*ADD_ADMIN, email], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        return self.client.login(email, PASSWORD)["access_token"]


# No refresh token that is made up is good, and one is good once.
OPENS_A_SESSION = itertools.cycle([True, False])


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other time a session is refreshed that was opened for it."""
    if case.operation.label != "POST /api/auth/refresh" or not isinstance(case.body, dict):
        return
    if isinstance(case.body.get("refresh_token"), str) and next(OPENS_A_SESSION):
        session = Client(SERVER).register(f"{secrets.token_hex(8)}@example.org", PASSWORD)
        case.body["refresh_token"] = session["refresh_token"]


LABEL = strategies.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
# The specification leaves open what an address is, and generators take the whole of RFC 5321 for it.
schemathesis.openapi.format("idn-email", strategies.builds("{}@{}.example".format, LABEL, LABEL))


# Rules that no schema can say, by the field and the code of a refusal with 422.
BEYOND_SCHEMAS = {
    # A list of the passwords that are guessed first, of which generators of simple texts find some.
    ("password", "common_password"),
    ("new_password", "common_password"),
    # It depends on other fields.
    ("password", "password_is_name"),
    ("new_password", "password_is_name"),
    # Whether it is needed depends on whether the address or the username is a new one.
    ("current_password", "required"),
    # It is what the page before has given, and nothing else.
    ("cursor", "invalid_cursor"),
    # Of nothing but space.
    ("title", "blank"),
    # It is counted in bytes, as addresses are.
    ("q", "too_long"),
}
# Deleting a user is no end: an admin sees the account as a deleted one, and may restore it.
KEPT_WHEN_DELETED = "/api/admin/users/{id}"

# Entity tags, of which one that was never sent is no text that a generator can be told to make.
VERSIONS = {"if-match", "if-none-match"}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one."""
    if isinstance(failure, RejectedPositiveData):
        return not (is_beyond_schemas(response) or (response.status_code == 400 and names_versions(case)))
    if isinstance(failure, AcceptedNegativeData):
        # To read what is not the version that one holds is to read.
        return not (is_space_alone(case) or (case.method == "GET" and names_versions(case)))
    if isinstance(failure, UseAfterFree):
        return not case.path.startswith(KEPT_WHEN_DELETED)
    return True


def is_beyond_schemas(response):
    """Whether data that fits its schema was refused for rules that no schema can say, and for nothing else."""
    if response.status_code != 422:
        return False
    broken = {(error["field"], error["code"]) for error in response.json().get("errors", [])}
    return bool(broken) and broken <= BEYOND_SCHEMAS


def names_versions(case):
    return any(name.lower() in VERSIONS for name in case.headers or {})


def is_space_alone(case):
    """Whether a body breaks its schema by nothing but the space around its texts, which is taken off first."""
    described = case.operation.get_body_for_media_type(case.media_type)
    if described is None or not isinstance(case.body, dict):
        return False
    trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in case.body.items()}
    return trimmed != case.body and Draft202012Validator(described.optimized_schema).is_valid(trimmed)
