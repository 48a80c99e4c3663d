"""Puts nginx and Caddy in front of somebody's app, and HAProxy in front of Vestibule, each by what `vestibule print`
prints, and tries to get past them.

    proxies.py [--requests N]
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import tempfile
import textwrap

from checks import Checks, expect
from client import Client
from echo_app import TAG, EchoApp
from frontends import caddy, haproxy
from nginx import Nginx
from ports import free_port
from server import NO_LIMITS, ROOT, Server
from wire import Wire

PASSWORD = "correct horse battery staple"
RULES = "[[site.rules]]\npath = '/staff/**'\nroles = ['staff']\n"
IDENTITY = ["Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"]

# What a browser says when it opens a page, and when a script of a page asks.
VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Accept": "text/html,*/*;q=0.8"}
OLD_BROWSER = {"Accept": "text/html,application/xhtml+xml"}
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
OLD_SCRIPT = {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}
FOREIGN = "https://evil.example"

# What two programs might read as two different paths, one of them that of the staff.
AMBIGUOUS = [
    "//staff/plans",
    "/x/../staff/plans",
    "/x/%2e%2e/staff/plans",
    "/x/..%2fstaff/plans",
    "/staff%2fplans",
    "/staff%5cplans",
    "/staff;x/plans",
    "/%2573taff/plans",
    "/staff/./plans",
    "/staff/plans%00",
    "/%zz",
    "/%ff",
]

# Clients at a time in the long run of requests.
AT_ONCE = 8


class Visitor:
    """Somebody at the proxy, by cookie or bearer token, or a stranger with neither."""

    def __init__(self, proxy, name=None, by_cookie=True):
        self.proxy = proxy
        self.client = Client(proxy.url)
        self.proof = {}
        self.id = None
        if name:
            self.email = f"{name}@example.org"
            self.by_cookie = by_cookie
            self._register(name)

    def ask(self, method, target, *more, body=None):
        headers = dict(self.proof)
        for each in more:
            headers |= each
        return self.client.ask(method, target, headers, body)

    def get(self, target, *more):
        return self.ask("GET", target, FETCH, *more)

    def told(self, target, *more):
        """What the app was told of the visitor, by the names of the headers in small letters with dashes."""
        answer = self.get(target, *more)
        expect(answer.status, 200)
        return identity(answer)

    def logout(self):
        headers = {"Origin": self.proxy.url}
        expect(self.ask("POST", "/api/auth/logout", headers).status, 204)

    def _register(self, name):
        form = {"email": self.email, "password": PASSWORD, "name": f"Ms {name}"}
        form |= {"mode": "cookie"} if self.by_cookie else {}
        answer = self.client.post("/api/auth/register", form, headers={"Origin": self.proxy.url})
        expect(answer.status, 201)
        self.id = answer["user"]["id"]
        if self.by_cookie:
            self.proof = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        else:
            self.proof = {"Authorization": f"Bearer {answer['access_token']}"}


class Proxy:
    """What is tried: a proxy at a URL, the app behind it, and a server; its name goes into names of users."""

    def __init__(self, name, url, app, server):
        self.name = name
        self.url = url
        self.app = app
        self.server = server
        self.registered = 0

    def stranger(self):
        return Visitor(self)

    def user(self, **how):
        self.registered += 1
        return Visitor(self, f"{self.name}-{self.registered}", **how)

    def staff(self):
        user = self.user()
        self.server.command("user", "roles", user.email, "--add", "staff")
        return user


def identity(answer):
    """Every header of the app's request that it might take for one of ours, as pairs."""
    headers = [(name.lower().replace("_", "-"), value) for name, value in answer["headers"]]
    return sorted((name, value) for name, value in headers if name.startswith("remote-"))


def of(user, groups=""):
    """What the app has to be told of a user, whose address nobody has vouched for."""
    name = user.email.split("@")[0]
    told = {"user": user.id, "email": "", "name": f"Ms%20{name}", "groups": groups}
    return sorted((f"remote-{key}", value) for key, value in told.items())


def known_to_app(told):
    """Without what is empty, which a proxy may leave out on its way to the app."""
    return [(name, value) for name, value in told if value]


def a_page_visit_is_sent_to_log_in_and_comes_back(proxy):
    stranger = proxy.stranger()
    with proxy.app.unasked():
        for browser in (VISIT, OLD_BROWSER):
            answer = stranger.ask("GET", "/reports/?year=2026&q=a%20b", browser)
            expect(answer.status, 302)
            expect(answer.headers["Location"], "/login?next=/reports/%3Fyear%3D2026%26q%3Da%2520b")
            expect(answer.headers["Cache-Control"], "no-store")
        # Nobody has room for a header that leads back to so long an address.
        long = stranger.ask("GET", f"/reports/?{'a' * 6000}", VISIT)
        expect((long.status, long.headers["Location"]), (302, "/login?next=/reports/"))
    login = stranger.ask("GET", answer.headers["Location"], VISIT)
    expect(login.status, 200)
    assert b"<html" in login.bytes, login


def a_script_is_never_redirected(proxy):
    stranger = proxy.stranger()
    with proxy.app.unasked():
        for headers in (FETCH, OLD_SCRIPT, {"Accept": "*/*"}, {}):
            answer = stranger.ask("GET", "/data.json", headers)
            expect(answer.status, 401)
            expect(answer.headers["Cache-Control"], "no-store")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer "), answer.headers
        expect(stranger.ask("POST", "/form", VISIT, body="a=b").status, 401)


def the_app_is_told_who_asks(proxy):
    for user in (proxy.user(), proxy.user(by_cookie=False)):
        answer = user.get("/reports?year=2026&q=a%2Fb")
        expect(answer.status, 200)
        expect(answer["target"], "/reports?year=2026&q=a%2Fb")
        expect(known_to_app(identity(answer)), known_to_app(of(user)))
    staff = proxy.staff()
    expect(known_to_app(staff.told("/")), known_to_app(of(staff, "staff")))


def a_form_of_our_own_page_is_passed_on_and_one_of_another_origin_is_not(proxy):
    user = proxy.user()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate"}
    own = form | {"Origin": proxy.url, "Sec-Fetch-Site": "same-origin"}
    answer = user.ask("POST", "/order", own, body="amount=1&to=ada")
    expect(answer.status, 200)
    expect((answer["method"], answer["body"]), ("POST", "amount=1&to=ada"))
    with proxy.app.unasked():
        for site in ("cross-site", "same-site", "same-origin"):
            foreign = form | {"Origin": FOREIGN, "Sec-Fetch-Site": site}
            expect(user.ask("POST", "/order", foreign, body="amount=1000&to=eve").status, 403)
        expect(user.ask("DELETE", "/order/1", {"Origin": "null"}).status, 403)
        socket = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        socket |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": FOREIGN}
        expect(user.ask("GET", "/live", socket).status, 403)


def spellings(name):
    dashes, lows = name, name.replace("-", "_")
    return [dashes, dashes.lower(), dashes.upper(), lows, lows.lower(), lows.upper()]


def nobody_says_who_they_are_themselves(proxy):
    user, stranger = proxy.user(), proxy.stranger()
    for name in IDENTITY:
        for spelling in spellings(name):
            claim = {spelling: "admin"}
            expect(known_to_app(user.told("/", claim)), known_to_app(of(user)))
            with proxy.app.unasked():
                expect(stranger.get("/", claim).status, 401)
        hop = {"Connection": f"keep-alive, {name}", name: "admin"}
        expect(known_to_app(user.told("/", hop)), known_to_app(of(user)))
    everything = {spelling: "admin" for name in IDENTITY for spelling in spellings(name)}
    expect(known_to_app(user.told("/", everything)), known_to_app(of(user)))


def nobody_says_what_they_ask_for_but_by_asking(proxy):
    user = proxy.user()
    names = ["X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Forwarded-Uri", "X-Forwarded-Method"]
    names += ["X-Rewrite-URL", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override"]
    with proxy.app.unasked():
        for name in names:
            value = "GET" if "Method" in name else "/"
            expect(user.get("/staff/plans", {name: value}).status, 403)
        everything = {name: "GET" if "Method" in name else "/" for name in names}
        expect(user.get("/staff/plans", everything).status, 403)
        expect(user.ask("POST", "/order", everything | {"Origin": FOREIGN}, body="a=b").status, 403)
        # The form of a request to a proxy (RFC 9112, section 3.2.2).
        expect(user.get(f"{proxy.url}/staff/plans").status, 403)
    expect(user.get("/", {name: "/staff/plans" for name in names if "Method" not in name}).status, 200)


def an_address_that_can_be_read_in_two_ways_reaches_nobody(proxy):
    user, stranger = proxy.user(), proxy.stranger()
    with proxy.app.unasked():
        for target in AMBIGUOUS:
            for visitor in (user, stranger):
                expect((target, visitor.get(target).status), (target, 400), (target, 403), (target, 404))
        # No request has a fragment; some programs take one off.
        expect(user.get("/x#/../staff/plans").status, 400, 403, 404)


def roles_are_asked_for_by_the_rules(proxy):
    user, staff = proxy.user(), proxy.staff()
    for target in ("/staff", "/staff/", "/staff/plans?x=/", "/%73taff/plans"):
        expect(staff.get(target).status, 200)
        with proxy.app.unasked():
            for headers in (FETCH, VISIT):
                answer = user.ask("GET", target, headers)
                expect(answer.status, 403)
                expect(answer.headers["Location"], None)


def a_websocket_is_opened_for_whoever_may_and_nothing_else_is_changed_to(proxy):
    user = proxy.user()
    opening = {"Host": proxy.url.removeprefix("http://"), "Origin": proxy.url, "Connection": "Upgrade"} | user.proof
    socket = opening | {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    socket |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with Wire(proxy.url) as wire:
        wire.send(request_head("GET", "/live", socket))
        expect(wire.answer().status, 101)
        wire.send(b"hello\n")
        expect(wire.received.read(), f"{user.id}\nhello\n".encode())
    with Wire(proxy.url) as wire:
        other = {"Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__", "Connection": "Upgrade, HTTP2-Settings"}
        wire.send(request_head("GET", "/", opening | other))
        answer = wire.answer()
        expect(answer.status, 200)
        names = [name.lower() for name, _ in json.loads(answer.body)["headers"]]
        assert "upgrade" not in names, names


def request_head(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def what_somebody_keeps_is_no_way_in(proxy):
    user, stranger = proxy.user(), proxy.stranger()
    kept = {"If-None-Match": TAG}
    expect(user.get("/", kept).status, 304)
    with proxy.app.unasked():
        for condition in (kept, {"If-None-Match": "*"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
            expect(stranger.get("/", condition).status, 401)
            expect(stranger.ask("GET", "/", VISIT, condition).status, 302)


def a_logout_ends_access_at_once(proxy):
    user = proxy.user()
    expect(user.get("/").status, 200)
    user.logout()
    with proxy.app.unasked():
        expect(user.get("/").status, 401)
        expect(user.ask("GET", "/", VISIT).status, 302)


def everything_of_vestibule_is_answered_by_vestibule(proxy):
    stranger = proxy.stranger()
    paths = json.loads(stranger.get("/api/openapi.json").bytes)["paths"]
    # What a load balancer asks is not for visitors.
    paths = [path for path in paths if path not in ("/livez", "/readyz")]
    pages = ["/login", "/register", "/setup", "/dashboard", "/account", "/admin", "/api/docs", "/api/ui/app.js"]
    pages += ["/admin/users", "/admin/users/7", "/admin/audit"]
    assert len(paths) > 20, paths
    with proxy.app.unasked():
        for path in paths + pages:
            answer = stranger.ask("GET", path.replace("{", "").replace("}", ""), VISIT)
            assert answer.headers["X-Request-Id"], f"{path}: {answer}"
            assert answer.status != 302 or path == "/api/auth/forward", f"{path}: {answer}"


def a_visitor_is_known_by_the_address_that_they_have(proxy):
    user = proxy.user()
    elsewhere = Client(proxy.url, address="127.0.0.77")
    spoofed = {"Origin": proxy.url, "X-Forwarded-For": "198.51.100.1", "X-Real-IP": "198.51.100.1"}
    login = {"login": user.email, "password": PASSWORD}
    token = elsewhere.post("/api/auth/login", login, headers=spoofed)["access_token"]
    sessions = json.loads(elsewhere.get("/api/auth/sessions", token).bytes)
    current = [session for session in sessions["items"] if session["current"]]
    expect([session["address"] for session in current], ["127.0.0.77"])


def nobody_chooses_the_id_of_their_request(proxy):
    user = proxy.user()
    for spelling in ("X-Request-Id", "x-request-id"):
        chosen = {spelling: "chosen-by-a-visitor"}
        answer = user.get("/api/auth/me", chosen)
        expect(answer.status, 200)
        assert answer.headers["X-Request-Id"] not in (None, "chosen-by-a-visitor"), answer.headers
        told = [value for name, value in user.get("/", chosen)["headers"] if name.lower() == "x-request-id"]
        assert len(told) == 1 and told[0] != "chosen-by-a-visitor", told


def nobody_says_by_which_address_the_app_was_reached(proxy):
    user = proxy.user()
    host = proxy.url.removeprefix("http://")
    names = ["Host", "Port", "Prefix"]
    answer = user.get("/", {f"X-Forwarded-{name}": "evil.example" for name in names})
    expect(answer.status, 200)
    told = {name.lower(): value for name, value in answer["headers"]}
    expect(told["x-forwarded-host"], host)
    assert "evil.example" not in told.values(), told


def without_vestibule_nobody_gets_through(proxy):
    user = proxy.user()
    expect(user.get("/").status, 200)
    expect(proxy.server.stop(), 0)
    try:
        with proxy.app.unasked():
            for headers in (FETCH, VISIT):
                expect(user.ask("GET", "/", headers).status, 502, 503)
    finally:
        proxy.server.start()


def many_requests_of_several_users_are_never_mixed_up(proxy, number):
    visitors = [proxy.user(), proxy.user(by_cookie=False), proxy.staff(), proxy.stranger()]
    wanted = [known_to_app(of(user, groups)) for user, groups in zip(visitors, ["", "", "staff"])] + [None]

    def ask_for(worker):
        client = Client(proxy.url)
        for turn in range(number // AT_ONCE):
            which = (worker + turn * 7 + turn // 3) % len(visitors)
            target = f"/mine?worker={worker}&turn={turn}"
            method = "POST" if turn % 5 == 0 else "GET"
            headers = FETCH | {"Origin": proxy.url} | visitors[which].proof
            answer = client.ask(method, target, headers, f"{worker}-{turn}" if method == "POST" else None)
            if wanted[which] is None:
                expect(answer.status, 401)
                continue
            expect(answer.status, 200)
            expect(answer["target"], target)
            expect(answer["body"], f"{worker}-{turn}" if method == "POST" else "")
            expect(known_to_app(identity(answer)), wanted[which])

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask_for, range(AT_ONCE)))


IN_FRONT_OF_AN_APP = [
    a_page_visit_is_sent_to_log_in_and_comes_back,
    a_script_is_never_redirected,
    the_app_is_told_who_asks,
    a_form_of_our_own_page_is_passed_on_and_one_of_another_origin_is_not,
    nobody_says_who_they_are_themselves,
    nobody_says_what_they_ask_for_but_by_asking,
    an_address_that_can_be_read_in_two_ways_reaches_nobody,
    roles_are_asked_for_by_the_rules,
    a_websocket_is_opened_for_whoever_may_and_nothing_else_is_changed_to,
    what_somebody_keeps_is_no_way_in,
    a_logout_ends_access_at_once,
    everything_of_vestibule_is_answered_by_vestibule,
    a_visitor_is_known_by_the_address_that_they_have,
    nobody_chooses_the_id_of_their_request,
    nobody_says_by_which_address_the_app_was_reached,
    without_vestibule_nobody_gets_through,
]


def the_gate_works_behind_haproxy(proxy):
    stranger, user = proxy.stranger(), proxy.user()
    answer = stranger.ask("GET", "/members/", VISIT)
    expect(answer.status, 303)
    expect(answer.headers["Location"], "/login?next=/members/")
    expect(stranger.get("/members/").status, 401)
    expect(user.get("/members/").status, 200)
    expect(user.get("/staff/plans").status, 403)
    user.logout()
    expect(user.get("/members/").status, 401)


def haproxy_passes_on_nobodys_own_word(proxy):
    """Here the app is in the place of Vestibule, to show what that would get."""
    visitor = proxy.stranger()
    everything = {spelling: "admin" for name in IDENTITY for spelling in spellings(name)}
    for claims in (everything, {"Remote-User-Id": "0"}, {"remote_anything": "1"}):
        expect(visitor.told("/", claims), [])
    forwarded = {f"X-Forwarded-{name}": "evil" for name in ("Host", "User", "Email", "Prefix", "Proto", "For")}
    got = visitor.get("/", forwarded | {"X-Request-Id": "evil"})["headers"]
    told = {name: value for name, value in got if name.startswith("x-forwarded-")}
    expect(told, {"x-forwarded-proto": "http", "x-forwarded-for": "127.0.0.1"})
    ids = [value for name, value in got if name == "x-request-id"]
    assert len(ids) == 1 and ids != ["evil"], ids


def the_program_itself_finds_sound_what_the_guide_has_printed(name):
    """By the settings and the command of the guide, with a certificate in the place of the one that is named there."""
    guide = (ROOT / "docs/guides/behind-a-proxy.md").read_text()
    settings = re.search(r"```toml\n(.*?)```", guide, re.DOTALL)[1]
    command = re.search(rf"\$ vestibule (print {name}[^>\n]*) >", guide)[1]
    domain = re.search(r'public_url = "https://(.*?)"', settings)[1]
    with tempfile.TemporaryDirectory() as folder:
        settings_file = pathlib.Path(folder) / "vestibule.toml"
        settings_file.write_text(textwrap.dedent(settings))
        printed = subprocess.run(
            [os.environ["VESTIBULE_BINARY"], *command.split()],
            cwd=folder,
            env={},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        expect(printed.stderr, "")
        certify(pathlib.Path(folder), domain)
        configuration = printed.stdout.replace(f"/etc/letsencrypt/live/{domain}", folder)
        before, question, after = ASKED[name]
        file = pathlib.Path(folder) / "configuration"
        file.write_text(before + configuration + after)
        program = os.environ[f"VESTIBULE_{name.upper()}"]
        words = [word.replace("FOLDER", folder) for word in question.split()]
        ran = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=30)
        assert ran.returncode == 0 and "warn" not in ran.stderr.lower(), ran.stderr


# What each program is asked, and what has to stand around a site: `nginx -t` wants to write where we may.
ASKED = {
    "nginx": (
        "pid nginx.pid; error_log stderr; events {} http { access_log off;\n",
        "-t -p FOLDER -c FOLDER/configuration",
        "}",
    ),
    "caddy": ("", "adapt --validate --adapter caddyfile --config configuration", ""),
    "haproxy": ("global\n    maxconn 100\n\n", "-c -f configuration", ""),
}


def certify(folder, domain):
    """A certificate as certbot leaves one, and key and certificate in one file, as HAProxy has them."""
    files = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={domain}", *files]
    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)
    pems = [(folder / name).read_text() for name in ("fullchain.pem", "privkey.pem")]
    (folder / "haproxy.pem").write_text("".join(pems))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    requests = parser.parse_args().requests

    checks = Checks()
    for name in ASKED:
        sound = the_program_itself_finds_sound_what_the_guide_has_printed
        checks.run(f"{name}: {sound.__name__.replace('_', ' ')}", sound, name)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder = tempfile.TemporaryDirectory(prefix="vestibule-")
    file = pathlib.Path(folder.name) / "vestibule.toml"
    file.write_text(RULES)
    flags = [*NO_LIMITS, f"--config={file}", f"--public-url={url}", "--trusted-proxies=127.0.0.1/32"]
    with folder, EchoApp() as app, Server(*flags) as server:

        def tried(name, in_front, checked, *arguments, listen=server.listen):
            printed = server.command("print", name, "--listen", listen, *arguments)
            named = lambda check: f"{name}: {check.__name__.replace('_', ' ')}"
            with in_front(printed):
                proxy = Proxy(name, url, app, server)
                for check in checked:
                    checks.run(named(check), check, proxy)
                if checked is IN_FRONT_OF_AN_APP:
                    mixed = many_requests_of_several_users_are_never_mixed_up
                    checks.run(named(mixed), mixed, proxy, requests // 2)

        tried("nginx", Nginx, IN_FRONT_OF_AN_APP, "--app", app.url)
        tried("caddy", caddy, IN_FRONT_OF_AN_APP, "--app", app.url)
        behind = [the_gate_works_behind_haproxy, a_visitor_is_known_by_the_address_that_they_have]
        tried("haproxy", haproxy, behind)
        tried("haproxy", haproxy, [haproxy_passes_on_nobodys_own_word], listen=app.listen)
    checks.finish()


main()
