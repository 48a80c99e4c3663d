"""Has a server send its traces to a collector that decodes them with OpenTelemetry's own messages: what a request becomes,
what of it is told to nobody, how a trace comes in and goes on, and that a collector which is away, refuses or hangs is no
trouble to anybody.

The program has to be one that was built with the feature `otel`.
"""

import contextlib
import ipaddress
import json
import pathlib
import tempfile
import time

from cryptography import x509

from certificates import Authority
from checks import Checks, expect, expect_answer, until
from client import Client
from collector import Collector
from echo_app import EchoApp
from ports import free_port
from server import NO_LIMITS, Server

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.org"

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORDED = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "theirs=1"}
UNRECORDED = {"traceparent": f"00-{TRACE}-{CALLER}-00"}

# An end of the server that nobody holds up, with the time that it gives to last things; in seconds.
PROMPT_END = 9


@contextlib.contextmanager
def traced(*flags, collector=None, url=None, **more):
    """A server whose traces go to `collector`, or to `url`."""
    flags = [*NO_LIMITS, f"--otel-endpoint={url or collector.url}", *flags]
    with Server(*flags, **more) as server:
        yield server


def log_of(server):
    return [json.loads(line) for line in server.log if line.startswith("{") and '"event":"ready"' not in line]


def a_login_is_a_tree_of_spans_that_say_what_was_done():
    with Collector() as collector:
        with traced(
            collector=collector, variables={"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
        ) as server:
            client = Client(server.url)
            expect_answer(client.register(EMAIL, PASSWORD), 201)
            expect_answer(client.login(EMAIL, PASSWORD), 200)
            port = int(server.listen.rpartition(":")[2])
        # It has ended, and sent what it had before that.
        login = collector.named("POST /api/auth/login")
        request_id = login.attributes.pop("http.request.id")
        expect(
            login.attributes,
            {
                "http.request.method": "POST",
                "http.route": "/api/auth/login",
                "http.response.status_code": 200,
                "url.scheme": "http",
                "server.address": "localhost",
                "server.port": port,
                "network.protocol.version": "1.1",
            },
        )
        expect((login.kind, login.parent, login.failed), ("SERVER", "", False))
        expect(login.resource["service.name"], "vestibule")
        expect(login.resource["deployment.environment.name"], "test")
        children = collector.children(login)
        calls = {span.name: span for span in children if span.kind == "CLIENT"}
        for name in ("credentials", "open_session"):
            expect(calls[name].attributes, {"db.system.name": "sqlite", "db.operation.name": name})
        expect([span.name for span in children if span.kind == "INTERNAL"], ["password_hash_wait"])
        assert all(0 <= span.took <= login.took for span in children), children
        lines = [line for line in log_of(server) if line.get("span", {}).get("http.request.id") == request_id]
        assert lines, server.log
        for line in lines:
            expect((line["trace_id"], line["span_id"], line["trace_flags"]), (login.trace, login.id, "01"))
        # What nobody asks for, such as the look for revocations each second, is no trace.
        roots = {span.name for span in collector.spans if not span.parent}
        expect(roots, {"POST /api/auth/register", "POST /api/auth/login"})


def nothing_is_told_of_whom_a_request_was_about():
    with Collector() as collector, EchoApp() as app:
        flags = [f"--upstream={app.url}"]
        with traced(*flags, site=None, collector=collector) as server:
            client = Client(server.url)
            opened = client.register(EMAIL, PASSWORD, username="countess", name="Ada Lovelace")
            secrets = [
                EMAIL,
                "ada%40",
                PASSWORD,
                "countess",
                "Lovelace",
                opened["access_token"],
                opened["refresh_token"],
            ]
            secrets += [opened["user"]["id"], "a-key-of-hers", "a-made-up-token", "a-made-up-query", "127.0.0.1"]
            expect(client.login("nobody@example.net", "another password of hers").status, 401)
            token = opened["access_token"]
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            document = client.ask("PUT", "/api/user/data/a-key-of-hers", headers, b'{"a":1}')
            expect(document.status, 201)
            expect(client.get("/public/a-made-up-token?q=a-made-up-query").status, 200)
            expect(client.get("/api/auth/sessions?a-made-up-query=1", token).status, 200, 400)
            expect(client.ask("BREW", "/a-made-up-token").status, 404, 405, 501)
        sent = collector.bytes.decode("latin-1")
        # The collector's own address stands in the heads of the requests.
        sent = sent.replace(collector.url.removeprefix("http://"), "")
        expect([secret for secret in [*secrets, "nobody@example.net"] if secret in sent], [])
        assert "nobody" not in sent and "BREW" not in sent
        assert any(span.attributes.get("http.route") == "/api/user/data/{key}" for span in collector.spans)


def a_trace_is_taken_from_a_trusted_proxy_alone():
    for flags, trace in [(["--trusted-proxies=127.0.0.1"], TRACE), ([], None)]:
        with Collector() as collector:
            with traced(*flags, collector=collector) as server:
                expect(Client(server.url).get("/readyz", headers=RECORDED).status, 200)
            span = collector.named("GET /readyz")
            if trace:
                expect((span.trace, span.parent), (TRACE, CALLER))
            else:
                expect(span.parent, "")
                assert span.trace != TRACE, span


def an_app_behind_the_gate_goes_on_with_the_trace():
    for flags, trusted in [(["--trusted-proxies=127.0.0.1"], True), ([], False)]:
        with Collector() as collector, EchoApp() as app:
            with traced(f"--upstream={app.url}", *flags, site=None, collector=collector) as server:
                answer = Client(server.url).get("/page", headers=RECORDED)
            told = dict(answer["headers"])
            told = {name.lower(): value for name, value in told.items()}
            call, request = collector.named("upstream"), collector.named("GET")
            expect(told["traceparent"], f"00-{request.trace}-{call.id}-01")
            expect(told["tracestate"], "theirs=1" if trusted else "")
            expect((call.parent, call.kind, request.trace == TRACE), (request.id, "CLIENT", trusted))
            assert "http.route" not in request.attributes, request


def what_is_not_recorded_is_not_sent():
    with Collector() as collector:
        flags = ["--trusted-proxies=127.0.0.1", "--otel-sample-ratio=0"]
        with traced(*flags, collector=collector) as server:
            client = Client(server.url)
            expect(client.get("/readyz").status, 200)
            expect(client.get("/livez", headers=RECORDED).status, 200)
        expect([span.name for span in collector.spans], ["GET /livez"])
    with Collector() as collector:
        with traced("--trusted-proxies=127.0.0.1", collector=collector) as server:
            expect(Client(server.url).get("/readyz", headers=UNRECORDED).status, 200)
        expect(collector.asked, 0)


def a_failed_request_is_one_in_its_trace_too():
    with Collector() as collector:
        # Nobody listens there.
        upstream = f"--upstream=http://127.0.0.1:{free_port()}"
        with traced(upstream, site=None, collector=collector) as server:
            expect(Client(server.url).get("/page").status, 502)
        span = collector.named("GET")
        expect((span.failed, span.attributes["error.type"]), (True, "502"))


def the_collector_gets_the_headers_that_it_asks_for():
    with Collector() as collector:
        key = {"OTEL_EXPORTER_OTLP_HEADERS": "other=2", "VESTIBULE_OTEL_HEADERS": "api-key=a%2Cb, x-tenant=7"}
        with traced("--otel-service-name=accounts", collector=collector, variables=key) as server:
            expect(Client(server.url).get("/livez").status, 200)
            assert "a,b" not in server.command("config", "show"), "a key is shown"
        path, headers = collector.heads[0]
        headers = {name.lower(): value for name, value in headers.items()}
        expect(path, "/v1/traces")
        expect((headers["api-key"], headers["x-tenant"], headers.get("other")), ("a,b", "7", None))
        expect(headers["content-type"], "application/x-protobuf")
        expect(collector.spans[0].resource["service.name"], "accounts")
        assert "a,b" not in "\n".join(server.log), "a key is in the log"


def a_collector_behind_tls_has_to_prove_who_it_is():
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(pathlib.Path(folder), "authority")
        certificate = authority.issue("collector", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        with Collector(certificate=certificate) as collector:
            with traced(collector=collector) as server:
                expect(Client(server.url).get("/livez").status, 200)
                until(lambda: told_of_traces(server) == ["WARN"], "a warning")
            expect(collector.spans, [])
            with traced(collector=collector, variables={"SSL_CERT_FILE": str(authority.file)}) as server:
                expect(Client(server.url).get("/livez").status, 200)
            collector.named("GET /livez")


def told_of_traces(server):
    return [line["level"] for line in log_of(server) if "collector" in line.get("message", "")]


def a_collector_that_is_away_is_told_once_and_found_again():
    port = free_port()
    with traced(url=f"http://127.0.0.1:{port}") as server:
        client = Client(server.url)
        expect(client.get("/livez").status, 200)
        until(lambda: told_of_traces(server) == ["WARN"], "a warning")
        with Collector(port) as collector:
            expect(client.get("/readyz").status, 200)
            collector.wait_for("GET /readyz")
            until(lambda: told_of_traces(server) == ["WARN", "INFO"], "the end of the trouble")


def a_collector_that_hangs_or_refuses_costs_spans_and_nothing_else():
    metrics = f"127.0.0.1:{free_port()}"
    for answers in (None, 400):
        with Collector() as collector:
            collector.answers = answers
            # The log keeps silent about requests, which are traced nevertheless.
            with traced(f"--metrics-listen={metrics}", "--log-level=warn", collector=collector) as server:
                client = Client(server.url)
                until(lambda: client.get("/livez").status == 200 and collector.asked, "a batch")
                # More than there is room for.
                for _ in range(3000):
                    expect(client.get("/livez").status, 200)
                numbers = Client(f"http://{metrics}").get("/metrics").bytes.decode()
                if answers is None:
                    lost = [
                        line for line in numbers.splitlines() if line.startswith("vestibule_trace_spans_lost_total")
                    ]
                    assert lost and int(lost[0].split()[1]) > 0, numbers
                began = time.monotonic()
                expect(server.stop(), 0)
                assert time.monotonic() - began < PROMPT_END, "the end was held up"
            if answers is not None:
                expect(told_of_traces(server), ["WARN"])
            else:
                assert any("without waiting" in line["message"] for line in log_of(server)), server.log


def main():
    checks = Checks()
    checks.run_all(
        [
            a_login_is_a_tree_of_spans_that_say_what_was_done,
            nothing_is_told_of_whom_a_request_was_about,
            a_trace_is_taken_from_a_trusted_proxy_alone,
            an_app_behind_the_gate_goes_on_with_the_trace,
            what_is_not_recorded_is_not_sent,
            a_failed_request_is_one_in_its_trace_too,
            the_collector_gets_the_headers_that_it_asks_for,
            a_collector_behind_tls_has_to_prove_who_it_is,
            a_collector_that_is_away_is_told_once_and_found_again,
            a_collector_that_hangs_or_refuses_costs_spans_and_nothing_else,
        ]
    )
    checks.finish()


if __name__ == "__main__":
    main()
