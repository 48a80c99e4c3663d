"""Logs in with clients that were written for other servers: Authlib, and FastAPI's OAuth2PasswordBearer.

Nothing is adapted to us but the URLs, as a user would have it who moves an app over.
"""

import datetime
import typing

import fastapi
import jwt
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from fastapi.security import OAuth2PasswordBearer
from fastapi.testclient import TestClient

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, Server

PASSWORD = "a long & uncommon sentence: 100 % of it"


class Context:
    """The server, one registered user, and an app that checks our tokens."""

    def __init__(self, url):
        self.url = url
        self.token_url = f"{url}/api/auth/token"
        registered = Client(url).register("ada@example.org", PASSWORD, username="ada")
        expect_answer(registered, 201)
        self.user = registered["user"]
        self.app = TestClient(app(url))


def app(url):
    """The example of FastAPI's own tutorial, with our keys in the place of a shared secret."""
    keys = jwt.PyJWKClient(f"{url}/.well-known/jwks.json")
    scheme = OAuth2PasswordBearer(tokenUrl=f"{url}/api/auth/token")
    api = fastapi.FastAPI()

    def current_user(token: typing.Annotated[str, fastapi.Depends(scheme)]):
        try:
            key = keys.get_signing_key_from_jwt(token)
            return jwt.decode(token, key, algorithms=["ES256"], audience=url, issuer=url)["sub"]
        except jwt.PyJWTError:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise fastapi.HTTPException(401, "Could not validate credentials", challenge) from None

    @api.get("/users/me")
    def me(user: typing.Annotated[str, fastapi.Depends(current_user)]):
        return {"id": user}

    return api


def fetched(context, **more):
    """A session of Authlib's with the tokens of a login, and those."""
    session = OAuth2Session(**more)
    token = session.fetch_token(context.token_url, username="ada", password=PASSWORD, grant_type="password")
    return session, token


def is_the_user(context, session):
    answer = session.get(f"{context.url}/api/auth/me")
    expect(answer.status_code, 200)
    expect(answer.json()["id"], context.user["id"])


def authlib_fetches_a_token_and_uses_it(context):
    session, token = fetched(context)
    expect(token["token_type"], "Bearer")
    assert token["expires_at"] > datetime.datetime.now().timestamp(), token
    is_the_user(context, session)


def authlib_refreshes_by_itself_when_a_token_is_about_to_expire(context):
    session, token = fetched(context, token_endpoint=context.token_url)
    session.token = {**token, "expires_at": 1}
    is_the_user(context, session)
    assert session.token["refresh_token"] != token["refresh_token"], "not refreshed"


def authlib_refreshes_when_it_is_told_to(context):
    session, token = fetched(context)
    renewed = session.refresh_token(context.token_url)
    assert renewed["access_token"] != token["access_token"], renewed
    is_the_user(context, session)


def authlib_may_name_a_client_by_every_method_it_has(context):
    for method in ("client_secret_basic", "client_secret_post", "none"):
        more = {"client_id": "app", "client_secret": "unused", "scope": "profile", "token_endpoint_auth_method": method}
        session, _ = fetched(context, **more)
        is_the_user(context, session)


def authlib_understands_a_refusal(context):
    for name, password in (("ada", "wrong"), ("nobody", PASSWORD)):
        try:
            OAuth2Session().fetch_token(context.token_url, username=name, password=password)
        except OAuthError as refusal:
            expect(refusal.error, "invalid_grant")
            expect(refusal.description, "The name or the password is wrong.")
            continue
        raise AssertionError(f"{name} was let in with {password}")


def a_client_of_fastapi_logs_in_as_its_tutorial_does(context):
    answer = requests.post(context.token_url, data={"username": "ada", "password": PASSWORD}, timeout=30)
    expect(answer.status_code, 200)
    expect(answer.headers["Cache-Control"], "no-store")
    expect(answer.json()["token_type"].lower(), "bearer")
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    seen = context.app.get("/users/me", headers=bearer)
    expect((seen.status_code, seen.json()), (200, {"id": context.user["id"]}))


def what_its_pages_send_is_accepted(context):
    """Swagger UI's Authorize sends every field and an empty Basic pair, from the app's own origin."""
    schema = context.app.get("/openapi.json").json()["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    flow = schema["flows"]["password"]
    expect(flow["tokenUrl"], context.token_url)
    form = {
        "grant_type": "password",
        "username": "ada",
        "password": PASSWORD,
        "scope": "",
        "client_id": "",
        "client_secret": "",
    }
    expect(requests.post(flow["tokenUrl"], data=form, auth=("", ""), timeout=30).status_code, 200)


def an_app_of_fastapi_refuses_what_is_not_ours(context):
    for headers in ({}, {"Authorization": "Bearer made.up.token"}):
        answer = context.app.get("/users/me", headers=headers)
        expect(answer.status_code, 401)
        expect(answer.headers["WWW-Authenticate"], "Bearer")


CHECKS = [
    authlib_fetches_a_token_and_uses_it,
    authlib_refreshes_by_itself_when_a_token_is_about_to_expire,
    authlib_refreshes_when_it_is_told_to,
    authlib_may_name_a_client_by_every_method_it_has,
    authlib_understands_a_refusal,
    a_client_of_fastapi_logs_in_as_its_tutorial_does,
    what_its_pages_send_is_accepted,
    an_app_of_fastapi_refuses_what_is_not_ours,
]

checks = Checks()
with Server(*NO_LIMITS) as server:
    checks.run_all(CHECKS, Context(server.url))
checks.finish()
