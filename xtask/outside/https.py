"""HTTPS by the program itself: curl, OpenSSL, nghttp2 and Python's own TLS are its clients.

The certificate is of an authority made here, and is exchanged under load. Negative control: the same clients refuse a
certificate of another authority.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from cryptography import x509

from certificates import Authority
from checks import Checks, expect
from load import PASSWORD, Busy
from ports import free_port
from server import NO_LIMITS, ROOT, Server

GUIDE = ROOT / "docs/guides/https.md"

IDLE = 1000
REQUESTS = 1000

# Longer than anything here takes, in seconds.
PATIENCE = 60

LOCALHOST = x509.DNSName("localhost")


class Scene:
    """A server with a certificate of `authority`, which browsers reach as `https://localhost:PORT`."""

    def __init__(self, folder):
        self.authority = Authority(folder, "authority")
        self.stranger = Authority(folder, "stranger")
        self.certificate, self.key = self.authority.issue("server", LOCALHOST)
        self.plain = f"127.0.0.1:{free_port()}"
        files = ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]
        self.server = Server(*files, "--https-redirect", self.plain, *NO_LIMITS)

    @property
    def port(self):
        return int(self.server.listen.rpartition(":")[2])

    def context(self):
        return ssl.create_default_context(cafile=self.authority.file)

    def connect(self):
        """A connection with the handshake behind it."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return self.context().wrap_socket(plain, server_hostname="localhost")

    def client(self):
        return http.client.HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=self.context())

    def renew(self):
        """A new certificate in the files of the old one, one file after the other as tools write them."""
        certificate, key = self.authority.issue("renewed", LOCALHOST)
        os.replace(certificate, self.certificate)
        os.replace(key, self.key)
        return ssl.PEM_cert_to_DER_cert(self.certificate.read_text())

    def shown(self):
        """The certificate that new connections see."""
        with self.connect() as connection:
            return connection.getpeercert(binary_form=True)

    def said(self, words):
        """How many lines of the log have these words."""
        return sum(words in line for line in list(self.server.log))


def eventually(what, true):
    """Waits for an event that nobody announces."""
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, f"{what} never came"
        time.sleep(0.1)


def run(*command):
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    return ended.returncode, ended.stdout + ended.stderr


def curl(scene, *arguments, path="/livez", authority=None):
    trusted = (authority or scene.authority).file
    shown = "%{http_version} %{http_code}"
    url = f"https://localhost:{scene.port}{path}"
    return run("curl", "-sS", "-o", os.devnull, "-w", shown, "--cacert", str(trusted), *arguments, url)


def curl_speaks_both_versions_of_http_and_of_tls(scene):
    for http_flag, version in [("--http2", "2"), ("--http1.1", "1.1")]:
        for tls in ["1.2", "1.3"]:
            answer = curl(scene, http_flag, f"--tlsv{tls}", "--tls-max", tls)
            expect(answer, (0, f"{version} 200"))


def a_certificate_of_a_strange_authority_is_refused_by_its_clients(scene):
    status, _ = curl(scene, authority=scene.stranger)
    expect(status, 60)


def older_versions_of_tls_are_refused(scene):
    for version in ["-tls1", "-tls1_1"]:
        weak = ["-cipher", "ALL:@SECLEVEL=0"]
        status, said = run("openssl", "s_client", "-connect", f"127.0.0.1:{scene.port}", version, *weak)
        assert status != 0 and "Cipher is (NONE)" in said, said
    status, said = run("openssl", "s_client", "-connect", f"127.0.0.1:{scene.port}", "-tls1_2")
    assert status == 0 and "Cipher is ECDHE" in said, said


def what_is_not_tls_gets_no_answer(scene):
    with socket.create_connection(("127.0.0.1", scene.port), timeout=PATIENCE) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := plain.recv(4096):
                answer += part
    assert b"HTTP" not in answer, answer


def a_session_cookie_is_secure_and_bound_to_the_host(scene):
    client = scene.client()
    body = json.dumps({"email": "ada@example.org", "password": PASSWORD, "mode": "cookie"})
    origin = f"https://localhost:{scene.port}"
    headers = {"Content-Type": "application/json", "Origin": origin}
    client.request("POST", "/api/auth/register", body, headers)
    answer = client.getresponse()
    answer.read()
    expect(answer.status, 201)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-vestibule=") and "; Secure" in cookie, cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age="), answer.headers
    client.request("GET", "/api/auth/me", headers={"Cookie": cookie.partition(";")[0]})
    expect(client.getresponse().status, 200)


def plain_http_is_sent_on_and_arrives(scene):
    status, said = run(
        "curl",
        "-sS",
        "-L",
        "-o",
        os.devnull,
        "-w",
        "%{url_effective} %{http_code}",
        "--cacert",
        str(scene.authority.file),
        f"http://{scene.plain}/login?next=%2Fdashboard",
    )
    expect((status, said), (0, f"https://localhost:{scene.port}/login?next=%2Fdashboard 200"))


def a_thousand_requests_go_through_ten_connections_of_http_2(scene):
    url = f"https://localhost:{scene.port}/livez"
    status, said = run("h2load", "-n", str(REQUESTS), "-c", "10", "-m", "20", url)
    assert status == 0 and f"{REQUESTS} succeeded, 0 failed, 0 errored" in said, said
    assert "Application protocol: h2" in said, said


def nghttp_fetches_a_page_and_all_it_refers_to(scene):
    status, said = run("nghttp", "-a", "-n", "-s", "--no-verify-peer", f"https://localhost:{scene.port}/login")
    statuses = re.findall(r"^ *\d+ +\S+ +\S+ +\S+ +(\d{3}) ", said, re.MULTILINE)
    assert status == 0 and len(statuses) > 2 and set(statuses) == {"200"}, said


def health_and_doctor_know_of_the_certificate(scene):
    expect(scene.server.command("health", "--listen", scene.server.listen), "ready\n")
    report = json.loads(scene.server.command("doctor", "--json", "--listen", scene.server.listen))
    [found] = [finding for finding in report if finding["check"] == "certificate"]
    expect(found["verdict"], "ok")


def doctor(scene, authority):
    """What a doctor says from outside who believes this authority: each check with its verdict."""
    password = scene.server.data / "password"
    password.write_text(PASSWORD)
    url = f"https://localhost:{scene.port}"
    command = [os.environ["VESTIBULE_BINARY"], "doctor", "--json", "--url", url, "--protected", "/members/"]
    command += ["--login", "ada@example.org", "--password-file", str(password)]
    environment = scene.server.environment | {"SSL_CERT_FILE": str(authority.file)}
    ended = subprocess.run(command, cwd=scene.server.data, env=environment, capture_output=True, timeout=PATIENCE)
    return {finding["check"]: finding["verdict"] for finding in json.loads(ended.stdout)}


def a_doctor_from_outside_finds_all_of_it_in_order(scene):
    found = doctor(scene, scene.authority)
    expect(set(found.values()), {"ok"})
    assert {"encryption", "cookie", "client address", "logout"} <= set(found), found


def a_doctor_who_does_not_believe_the_certificate_gets_no_further(scene):
    expect(doctor(scene, scene.stranger), {"reach": "fail"})


def the_commands_of_the_guide_do_what_they_say():
    """With the port that the server has here."""
    blocks = re.findall(r"^```console\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    making, asking = [block.replace("\\\n", " ").removeprefix("$ ") for block in blocks]
    openssl, serving = making.splitlines()[:2]
    flags = shlex.split(serving)[3:]
    shown = flags.pop(flags.index("--listen") + 1)
    flags.remove("--listen")
    server = Server(*flags)
    subprocess.run(openssl, shell=True, check=True, cwd=server.folder.name, capture_output=True, timeout=PATIENCE)
    with server:
        port = server.listen.rpartition(":")[2]
        asked, answer = asking.replace(shown.rpartition(":")[2], port).splitlines()
        said = subprocess.check_output(asked, shell=True, cwd=server.folder.name, text=True, timeout=PATIENCE)
        expect(said, answer)


class Load(Busy):
    """Clients that never pause, of whom every second one connects anew for each request."""

    def __init__(self, scene):
        self.scene = scene
        self.failures = []
        self.answered = 0
        super().__init__(4)

    def work(self, number):
        client = self.scene.client()
        while not self.over.is_set():
            try:
                client.request("GET", "/livez")
                answer = client.getresponse()
                answer.read()
                expect(answer.status, 200)
                self.answered += 1
            except Exception as failure:
                self.failures.append(repr(failure))
                client.close()
            if number % 2:
                client.close()


def a_renewed_certificate_is_shown_without_one_failed_request(scene):
    with Load(scene) as load:
        renewed = scene.renew()
        eventually("the new certificate", lambda: scene.shown() == renewed)
        answered = load.answered
        eventually("another answer", lambda: load.answered > answered)
    expect(load.failures[:3], [])


def a_renewal_that_is_broken_is_told_of_once_and_harms_nobody(scene):
    good, before = scene.certificate.read_bytes(), scene.shown()
    told = scene.said("cannot be used")
    scene.certificate.write_text("half a certif")
    eventually("a line in the log", lambda: scene.said("cannot be used") > told)
    # Looked at again, it is still what it was.
    looked_at = time.monotonic()
    eventually("two more looks", lambda: time.monotonic() > looked_at + 4.5)
    expect(scene.said("cannot be used"), told + 1)
    expect(scene.shown(), before)
    scene.certificate.write_bytes(good)


def a_hang_up_has_the_certificate_read_at_once(scene):
    renewed = scene.renew()
    read = scene.said("was read again")
    scene.server.process.send_signal(signal.SIGHUP)
    eventually("the new certificate", lambda: scene.shown() == renewed)
    eventually("a line in the log", lambda: scene.said("was read again") > read)


def idle_connections_are_cheap(scene):
    before = scene.server.memory_kib()
    connections = [scene.connect() for _ in range(IDLE)]
    for connection in connections:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for connection in connections:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    each = (scene.server.memory_kib() - before) / IDLE
    print(f"-- {IDLE} idle connections with TLS take {each:.1f} KiB each", flush=True)
    assert each < 100, f"{each} KiB for each idle connection"
    for connection in connections:
        connection.close()


def handshakes_that_come_to_no_end_are_closed(silent):
    for connection in silent:
        expect(connection.recv(1), b"")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-https-") as folder:
        scene = Scene(pathlib.Path(folder))
        with scene.server:
            address = ("127.0.0.1", scene.port)
            # They wait for their end while everything else is tried.
            silent = [socket.create_connection(address, timeout=PATIENCE) for _ in range(2)]
            silent[1].sendall(b"\x16\x03\x01")
            checks.run_all(
                [
                    curl_speaks_both_versions_of_http_and_of_tls,
                    a_certificate_of_a_strange_authority_is_refused_by_its_clients,
                    older_versions_of_tls_are_refused,
                    what_is_not_tls_gets_no_answer,
                    a_session_cookie_is_secure_and_bound_to_the_host,
                    plain_http_is_sent_on_and_arrives,
                    a_thousand_requests_go_through_ten_connections_of_http_2,
                    nghttp_fetches_a_page_and_all_it_refers_to,
                    health_and_doctor_know_of_the_certificate,
                    a_doctor_from_outside_finds_all_of_it_in_order,
                    a_doctor_who_does_not_believe_the_certificate_gets_no_further,
                    a_renewed_certificate_is_shown_without_one_failed_request,
                    a_renewal_that_is_broken_is_told_of_once_and_harms_nobody,
                    a_hang_up_has_the_certificate_read_at_once,
                    idle_connections_are_cheap,
                ],
                scene,
            )
            checks.run_all([the_commands_of_the_guide_do_what_they_say])
            checks.run_all([handshakes_that_come_to_no_end_are_closed], silent)
    checks.finish()


main()
