"""Checks our access tokens as another service would: with PyJWT and the published keys alone.

Then the other way round: tokens that somebody else made, bent or kept are refused by the server.
"""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from checks import Checks, expect, expect_answer
from client import Client
from server import NO_LIMITS, Server

PASSWORD = "a long and uncommon sentence"


class Context:
    """The server, the keys it publishes and one signed-in user."""

    def __init__(self, server):
        self.server = server
        self.url = server.url
        self.client = Client(self.url)
        self.keys = jwt.PyJWKSet.from_dict(json.loads(self.client.get("/.well-known/jwks.json").bytes))
        registered = self.client.register("ada@example.org", PASSWORD, username="ada")
        expect_answer(registered, 201)
        self.user = registered["user"]
        self.access = registered["access_token"]

    def verify(self, token, **more):
        """What any service does with a token it is handed."""
        key = self.keys[jwt.get_unverified_header(token)["kid"]]
        required = ["iss", "aud", "exp", "iat", "sub", "jti"]
        settings = {"audience": self.url, "issuer": self.url, **more}
        return jwt.decode(token, key.key, algorithms=[key.algorithm_name], options={"require": required}, **settings)

    def log_in(self, **more):
        answer = self.client.login("ada", PASSWORD, **more)
        expect_answer(answer, 200)
        return answer

    def session_cookie(self):
        """Name and value of the cookie of a new session."""
        name, _, value = self.log_in(mode="cookie").headers["Set-Cookie"].split(";")[0].partition("=")
        return name, value

    def forge(self, key=None, header=None):
        """A token with our claims and the signature of another key."""
        header = {**jwt.get_unverified_header(self.access), **(header or {})}
        make = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate}
        key = key or make[header["alg"]]()
        return jwt.encode(self.verify(self.access), key, algorithm=header["alg"], headers=header)

    def is_refused(self, token):
        answer = self.client.me(token)
        expect_answer(answer, 401)
        assert answer["code"] in ("invalid_token", "expired_token"), answer
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.headers
        expect(answer.headers["Content-Type"], "application/problem+json")


def base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def encoded(value):
    return base64url(json.dumps(value).encode())


def the_published_keys_hold_nothing_private(context):
    answer = context.client.get("/.well-known/jwks.json")
    expect_answer(answer, 200)
    for key in answer["keys"]:
        expect(key["kty"], "EC")
        expect(key["crv"], "P-256")
        expect(key["alg"], "ES256")
        expect(key["use"], "sig")
        assert key["kid"] and "d" not in key and "k" not in key, sorted(key)


def another_service_verifies_an_access_token(context):
    claims = context.verify(context.access)
    expect(claims["sub"], context.user["id"])
    expect(claims["client_id"], "vestibule")
    expect(claims["roles"], context.user["roles"])
    assert claims["sid"] and "email" not in claims, claims
    expect(claims["exp"] - claims["iat"], 900)


def the_header_says_what_kind_of_token_it_is(context):
    header = jwt.get_unverified_header(context.access)
    expect(header["typ"], "at+jwt")
    expect(header["alg"], "ES256")


def a_service_with_another_audience_or_issuer_refuses_it(context):
    for wrong in ({"audience": "http://elsewhere.test"}, {"issuer": "http://elsewhere.test"}):
        try:
            context.verify(context.access, **wrong)
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            continue
        raise AssertionError(f"accepted with {wrong}")


def the_server_accepts_what_it_issued(context):
    answer = context.client.me(context.access)
    expect_answer(answer, 200)
    expect(answer["id"], context.user["id"])


def changed_claims_are_refused_by_both(context):
    header, _, signature = context.access.split(".")
    changed = {**context.verify(context.access), "roles": ["admin"]}
    token = ".".join([header, encoded(changed), signature])
    try:
        context.verify(token)
    except jwt.InvalidSignatureError:
        context.is_refused(token)
        return
    raise AssertionError("PyJWT accepted changed claims")


def a_changed_signature_is_refused(context):
    body, signature = context.access.rsplit(".", 1)
    for changed in ("A" * len(signature), "", signature[:-4], signature + "AAAA"):
        context.is_refused(f"{body}.{changed}")


def a_foreign_key_under_our_key_id_is_refused(context):
    context.is_refused(context.forge())


def an_unknown_key_id_is_refused(context):
    context.is_refused(context.forge(header={"kid": "unknown"}))


def keys_named_by_the_token_are_not_followed(context):
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    context.is_refused(context.forge(key, header={"jwk": public}))
    urls = {"jku": f"{context.url}/keys.json", "x5u": f"{context.url}/key.pem"}
    context.is_refused(context.forge(key, header=urls))


def the_algorithm_none_is_refused(context):
    claims = encoded(context.verify(context.access))
    for none in ("none", "None", "NONE"):
        header = {**jwt.get_unverified_header(context.access), "alg": none}
        context.is_refused(f"{encoded(header)}.{claims}.")


def a_public_key_used_as_a_shared_secret_is_refused(context):
    public = context.keys.keys[0].key
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    claims = encoded(context.verify(context.access))
    header = encoded({**jwt.get_unverified_header(context.access), "alg": "HS256"})
    for encoding in (serialization.Encoding.DER, serialization.Encoding.PEM):
        # PyJWT refuses to sign like this, as it should.
        secret = public.public_bytes(encoding, info)
        signature = hmac.digest(secret, f"{header}.{claims}".encode(), "sha256")
        context.is_refused(f"{header}.{claims}.{base64url(signature)}")


def a_session_cookie_is_no_access_token(context):
    name, value = context.session_cookie()
    expect(name, "vestibule")
    context.is_refused(value)
    assert "kid" not in jwt.get_unverified_header(value), "it names a key that others could look for"
    for key in context.keys.keys:
        # A service that is careless about everything but the signature.
        for algorithms in (["ES256", "EdDSA"], ["HS256"]):
            careless = {"verify_aud": False, "verify_iss": False, "verify_exp": False}
            try:
                jwt.decode(value, key.key, algorithms=algorithms, options=careless)
            except (jwt.InvalidTokenError, jwt.InvalidKeyError, TypeError):
                continue
            raise AssertionError("the published keys verify a session cookie")


def with_cookie(context, value):
    return context.client.ask("GET", "/api/auth/me", {"Cookie": f"vestibule={value}"})


def neither_an_access_token_nor_a_refresh_token_is_a_session_cookie(context):
    session = context.log_in()
    for value in (session["access_token"], session["refresh_token"]):
        expect_answer(with_cookie(context, value), 401, "invalid_token")
    _, own = context.session_cookie()
    expect_answer(with_cookie(context, own), 200)


def a_refresh_token_is_no_access_token(context):
    session = context.log_in()
    context.is_refused(session["refresh_token"])
    expect_answer(context.client.refresh(session["refresh_token"]), 200)


def neither_an_access_token_nor_a_session_cookie_is_a_refresh_token(context):
    session = context.log_in()
    _, cookie = context.session_cookie()
    for token in (session["access_token"], cookie):
        expect_answer(context.client.refresh(token), 401, "invalid_token")
    expect_answer(context.client.me(session["access_token"]), 200)
    expect_answer(context.client.refresh(session["refresh_token"]), 200)
    expect_answer(with_cookie(context, cookie), 200)


def hostile_tokens_are_answered_and_never_with_a_server_error(context):
    header, claims, signature = context.access.split(".")
    deep = encoded({"alg": "ES256"})[:-2] + "[" * 2000
    for token in (
        "x",
        "..",
        "...",
        "a.b.c",
        f"{header}.{claims}",
        f"{context.access}.x",
        f"{header}..{signature}",
        f".{claims}.{signature}",
        "A" * 8000,
        f"{deep}.{claims}.{signature}",
        f"{header}.{encoded(None)}.{signature}",
        f"{header}.{encoded([])}.{signature}",
        "eyJhbGciOiJFUzI1NiJ9",
        "%00",
        "=" * 40,
    ):
        answer = context.client.me(token)
        expect_answer(answer, 401)


def after_logout_the_server_refuses_and_the_signature_still_holds(context):
    session = context.log_in()
    access = session["access_token"]
    expect_answer(context.client.post("/api/auth/logout", token=access), 204)
    expect_answer(context.client.me(access), 401, "revoked_token")
    context.verify(access)
    expect_answer(context.client.refresh(session["refresh_token"]), 401)


def twenty_parallel_refreshes_of_one_token_leave_one_live_branch(context):
    for _ in range(15):
        token = context.log_in()["refresh_token"]
        clients = [Client(context.url) for _ in range(20)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            answers = list(pool.map(lambda client: client.refresh(token), clients))
        for answer in answers:
            expect_answer(answer, 200)
        successors = {answer["refresh_token"] for answer in answers}
        expect(len(successors), 1)
        following = context.client.refresh(successors.pop())
        expect_answer(following, 200)
        expect_answer(context.client.me(following["access_token"]), 200)


def an_old_refresh_token_ends_the_session(context):
    first = context.log_in()["refresh_token"]
    second = context.client.refresh(first)["refresh_token"]
    third = context.client.refresh(second)
    expect_answer(context.client.refresh(first), 401, "refresh_token_reused")
    expect_answer(context.client.me(third["access_token"]), 401)
    expect_answer(context.client.refresh(third["refresh_token"]), 401)


def a_bent_refresh_token_changes_nothing(context):
    session = context.log_in()
    token = session["refresh_token"]
    for position in range(0, len(token), 7):
        other = "A" if token[position] != "A" else "B"
        bent = token[:position] + other + token[position + 1 :]
        expect_answer(context.client.refresh(bent), 401, "invalid_token")
    expect_answer(context.client.me(session["access_token"]), 200)
    expect_answer(context.client.refresh(token), 200)


def a_token_signed_for_the_future_or_the_past_cannot_be_made(context):
    for claims in ({"exp": int(time.time()) + 10**9}, {"exp": 0}, {"exp": "soon"}, {"exp": 1.5}):
        header, _, signature = context.access.split(".")
        bent = {**context.verify(context.access), **claims}
        context.is_refused(f"{header}.{encoded(bent)}.{signature}")


def a_rotated_key_is_verified_and_so_is_the_one_before(context):
    """Beside the running server, which takes notice by itself."""
    context.server.command("keys", "rotate", "--now")
    listed = json.loads(context.server.command("keys", "list", "--json"))
    new = next(key["id"] for key in listed if key["state"] == "signing")
    deadline = time.monotonic() + 10
    while jwt.get_unverified_header(session := context.log_in()["access_token"])["kid"] != new:
        assert time.monotonic() < deadline, "the server goes on signing with the old key"
    published = json.loads(context.client.get("/.well-known/jwks.json").bytes)
    context.keys = jwt.PyJWKSet.from_dict(published)
    expect(len(context.keys.keys), 2)
    for token in (session, context.access):
        expect(context.verify(token)["sub"], context.user["id"])
        expect_answer(context.client.me(token), 200)


def an_eddsa_key_is_published_and_verified(context):
    header = jwt.get_unverified_header(context.access)
    expect(header["alg"], "EdDSA")
    expect(header["typ"], "at+jwt")
    key = context.client.get("/.well-known/jwks.json")["keys"][0]
    expect((key["kty"], key["crv"], key["alg"]), ("OKP", "Ed25519", "EdDSA"))
    assert "d" not in key, sorted(key)
    members = json.dumps({name: key[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
    expect(key["kid"], base64url(hashlib.sha256(members.encode()).digest()))
    expect(context.verify(context.access)["sub"], context.user["id"])
    expect_answer(context.client.me(context.access), 200)


CHECKS = [
    the_published_keys_hold_nothing_private,
    another_service_verifies_an_access_token,
    the_header_says_what_kind_of_token_it_is,
    a_service_with_another_audience_or_issuer_refuses_it,
    the_server_accepts_what_it_issued,
    changed_claims_are_refused_by_both,
    a_changed_signature_is_refused,
    a_foreign_key_under_our_key_id_is_refused,
    an_unknown_key_id_is_refused,
    keys_named_by_the_token_are_not_followed,
    the_algorithm_none_is_refused,
    a_public_key_used_as_a_shared_secret_is_refused,
    a_session_cookie_is_no_access_token,
    neither_an_access_token_nor_a_refresh_token_is_a_session_cookie,
    a_refresh_token_is_no_access_token,
    neither_an_access_token_nor_a_session_cookie_is_a_refresh_token,
    hostile_tokens_are_answered_and_never_with_a_server_error,
    a_token_signed_for_the_future_or_the_past_cannot_be_made,
    after_logout_the_server_refuses_and_the_signature_still_holds,
    twenty_parallel_refreshes_of_one_token_leave_one_live_branch,
    an_old_refresh_token_ends_the_session,
    a_bent_refresh_token_changes_nothing,
    a_rotated_key_is_verified_and_so_is_the_one_before,
]

EDDSA_CHECKS = [
    an_eddsa_key_is_published_and_verified,
    changed_claims_are_refused_by_both,
    a_changed_signature_is_refused,
    a_foreign_key_under_our_key_id_is_refused,
    a_session_cookie_is_no_access_token,
    neither_an_access_token_nor_a_refresh_token_is_a_session_cookie,
    a_rotated_key_is_verified_and_so_is_the_one_before,
]

checks = Checks()
with Server(*NO_LIMITS) as server:
    checks.run_all(CHECKS, Context(server))
with Server(*NO_LIMITS, "--token-algorithm=EdDSA") as server:
    checks.run_all(EDDSA_CHECKS, Context(server))
checks.finish()
