"""Rows of the table of speed: what a request costs that is answered from memory, in requests for a second of CPU time.

Beside each stands what the same layers cost around a fixed answer, in the same process; both are asked in turn. The
promises come from the table, the measuring from `measures.py`.
"""

import contextlib
import pathlib
import tempfile
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from installation import SESSION_ROW, USER_ROW, Installation, row_id
from measures import (
    PASSWORD,
    SERVER_CORE,
    Load,
    alike,
    bearer,
    in_turn,
    on_cores,
    pinned_server,
    ratio,
    requests_per_cpu_second,
    signed_up,
    with_ceiling,
)
from nginx import Nginx
from ports import free_port

UNIT = "requests per CPU second"
CEILING = "the same layers around a fixed answer"
ME, ME_CEILING = "/api/auth/me", "/api/ceiling/me"
FILE_BYTES = 10_000

# What is logged of each request is what either program logs by default.
NGINX = """
upstream vestibule {{ server {listen}; keepalive 32; }}
server {{
    listen 127.0.0.1:{port};
    root {root};
    access_log access.log combined;
    location /members/ {{ auth_request /forward; }}
    location = /forward {{
        internal;
        proxy_pass http://vestibule/api/auth/forward?from=nginx;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-Original-URL $request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }}
}}
"""


def beside_ceiling(length, server, path, ceiling, headers):
    """Values of a path, and of the route that stands for it."""
    of = lambda path: (
        lambda: requests_per_cpu_second(Load(server.listen, path, *headers), [server.process.pid], length.seconds)
    )
    return in_turn(length.rounds, ours=of(path), theirs=of(ceiling))


def beside(least, work, ours, theirs, **more):
    """A finding about work of which `least` is a part, so that no more of it can be done."""
    return ratio(work, UNIT, ours, least, theirs, bound=1, **more)


def me(length):
    """`me` with one token, which the server has seen before."""
    with with_ceiling(), pinned_server() as server:
        client, session = signed_up(server)
        header = bearer(session)
        alike(client, ME, ME_CEILING, {"Authorization": header.partition(": ")[2]})
        ours, ceiling = beside_ceiling(length, server, ME, ME_CEILING, [header])
    yield beside(CEILING, "`GET /api/auth/me`, one token", ours, ceiling, at_least=0.75)


def many(length):
    """`me` with a token of another user in each request."""
    with many_tokens(length.users) as (server, tokens):
        ours, ceiling = by_turns_of(length, server, tokens)
    work = f"`GET /api/auth/me`, {length.users:,} users and tokens in turn"
    yield beside(CEILING, work, ours, ceiling, at_least=0.5)


def by_turns_of(length, server, tokens):
    """Values of `me` by tokens of which each has been used once before, and of the ceiling."""
    paths = {name: each_token(server, tokens, path) for name, path in (("ours", ME), ("theirs", ME_CEILING))}
    measure = lambda load: (
        lambda: requests_per_cpu_second(load, [server.process.pid], length.seconds, "--first", load.sent)
    )
    return in_turn(length.rounds, **{name: measure(load) for name, load in paths.items()})


def each_token(server, tokens, path=ME):
    """A load that has used each token once, and is to go on where it has ended: the next token is then the one that was
    not used for longest."""
    load = Load(server.listen, path, "Authorization: Bearer {}", more=["--values", str(tokens)])
    load.run("--seconds", 600, "--requests", len(tokens.read_text().splitlines()))
    return load


@contextlib.contextmanager
def many_tokens(number):
    """A server with that many users, each with a session, and a file with the token of each. The users are added as
    rows, and their tokens signed by a key that the server is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    with Installation() as home:
        home.fill(number)
        # All alike, as the fixed answer stands for each of them.
        home.source.ask("UPDATE users SET disabled_at = NULL, name = NULL, username = NULL, username_key = NULL")
        home.source.ask("DELETE FROM user_roles")
        key_file, tokens = home.path / "signing.pem", home.path / "tokens.txt"
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        server = home.serve(home.source, "--signing-key-file", str(key_file), "--token-access-ttl=24h")
        server.under = on_cores([SERVER_CORE])
        with with_ceiling(), server:
            real = home.client(server).login("ada@example.org", PASSWORD)["access_token"]
            tokens.write_text("\n".join(tokens_of(number, key, real)))
            yield server, tokens


def tokens_of(number, key, real):
    """Tokens of so many users, which say what a real one does but for whose they are."""
    header = jwt.get_unverified_header(real)
    claims = jwt.decode(real, options={"verify_signature": False})
    shown = {name: header[name] for name in ("kid", "typ")}
    identity = lambda kind, index: str(uuid.UUID(bytes=row_id(kind, index)))
    for index in range(number):
        own = {"sub": identity(USER_ROW, index), "sid": identity(SESSION_ROW, index), "jti": str(uuid.uuid4())}
        yield jwt.encode({**claims, **own}, key, "ES256", shown)


def gate(length):
    """`/api/auth/forward`, and a protected file by way of the gate; nginx beside both."""
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder, with_ceiling():
        site = pathlib.Path(folder)
        site.chmod(0o755)
        (site / "members").mkdir()
        for page in ("page.txt", "members/page.txt"):
            (site / page).write_bytes(b"x" * FILE_BYTES)
        with pinned_server("--trusted-proxies=127.0.0.0/8", site=site) as server:
            client, _ = signed_up(server)
            answer = client.login("user-000001@example.org", PASSWORD, mode="cookie")
            cookie = answer.headers["Set-Cookie"].split(";")[0]
            yield from gate_beside_ceiling(length, server, client, cookie)
            yield from gate_beside_nginx(length, server, site, cookie)


def gate_beside_ceiling(length, server, client, cookie):
    for work, path, ceiling in (
        ("`/api/auth/forward`, with cookie", "/api/auth/forward", "/api/ceiling/forward"),
        ("a protected file of 10 kB, with cookie", "/members/page.txt", "/ceiling.txt"),
    ):
        alike(client, path, ceiling, {"Cookie": cookie})
        ours, theirs = beside_ceiling(length, server, path, ceiling, [f"Cookie: {cookie}"])
        yield beside(CEILING, work, ours, theirs, at_least=0.75)


def gate_beside_nginx(length, server, site, cookie):
    port = free_port()
    configuration = NGINX.format(port=port, root=site, listen=server.listen)
    with Nginx(configuration, workers=1, under=on_cores([SERVER_CORE])) as nginx:
        plain = Load(f"127.0.0.1:{port}", "/page.txt", f"Cookie: {cookie}")
        asked = Load(f"127.0.0.1:{port}", "/members/page.txt", f"Cookie: {cookie}")
        ours = Load(server.listen, "/members/page.txt", f"Cookie: {cookie}")
        of = lambda load, *pids: lambda: requests_per_cpu_second(load, pids, length.seconds)
        gate, alone, both = in_turn(
            length.rounds,
            gate=of(ours, server.process.pid),
            alone=of(plain, *nginx.pids()),
            both=of(asked, server.process.pid, *nginx.pids()),
        )
    serving = "nginx serving the file"
    yield ratio("a protected file of 10 kB, with cookie", UNIT, gate, serving, alone, at_least=0.5)
    work = f"{serving} and asking `/api/auth/forward` each time"
    yield beside(serving, work, both, alone, remark="CPU time of both programs")
