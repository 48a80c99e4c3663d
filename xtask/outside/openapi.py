"""Holds the description of the API against the specification of OpenAPI, in both versions, by a validator of others."""

import json
import os
import subprocess

from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from checks import Checks, expect, expect_answer
from client import Client
from server import Server


def printed(*arguments):
    command = [os.environ["VESTIBULE_BINARY"], "openapi", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)


def examples(document):
    """Each body with a schema, and each of its examples."""

    def resolved(value):
        while "$ref" in value:
            path = value["$ref"].removeprefix("#/").split("/")
            value = document
            for step in path:
                value = value[step]
        return value

    def walk(value):
        if isinstance(value, dict):
            if "schema" in value:
                for example in value.get("examples", {}).values():
                    yield value["schema"], resolved(example)["value"]
                if "example" in value:
                    yield value["schema"], value["example"]
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    return list(walk(document["paths"])) + list(walk(document["components"]["responses"]))


def holds_every_example(document, validator):
    """The schemas refer to parts of the document, so it goes along with each."""
    found = examples(document)
    assert len(found) > 50, f"{len(found)} examples"
    for schema, example in found:
        whole = {**schema, "components": document["components"]}
        faults = [fault.message for fault in validator(whole).iter_errors(example)]
        expect(faults, [])


def the_document_is_valid_in_3_1():
    document = printed()
    expect(document["openapi"], "3.1.0")
    OpenAPIV31SpecValidator(document).validate()
    holds_every_example(document, Draft202012Validator)


def the_document_is_valid_in_3_0():
    document = printed("--version", "3.0")
    expect(document["openapi"], "3.0.3")
    OpenAPIV30SpecValidator(document).validate()
    holds_every_example(document, OAS30Validator)


def a_document_with_a_fault_is_not():
    """What finds nothing finds this."""
    for version, validator in (("3.1", OpenAPIV31SpecValidator), ("3.0", OpenAPIV30SpecValidator)):
        document = printed("--version", version)
        del document["paths"]["/api/auth/me"]["get"]["responses"]["200"]["description"]
        assert list(validator(document).iter_errors()), f"{version} without a description is let through"


def the_server_gives_what_the_program_prints():
    with Server() as server:
        answer = Client(server.url).get("/api/openapi.json")
        expect_answer(answer, 200)
        expect(json.loads(answer.bytes), printed())


checks = Checks()
checks.run_all(
    [
        the_document_is_valid_in_3_1,
        the_document_is_valid_in_3_0,
        a_document_with_a_fault_is_not,
        the_server_gives_what_the_program_prints,
    ]
)
checks.finish()
