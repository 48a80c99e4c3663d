"""A collector of traces, which reads what it is sent with OpenTelemetry's own messages."""

import contextlib
import http.server
import ssl
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from checks import until

KINDS = {number: name.removeprefix("SPAN_KIND_") for name, number in Span.SpanKind.items()}


class Sent:
    """A span as it came."""

    def __init__(self, span, resource):
        self.name = span.name
        self.kind = KINDS[span.kind]
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.attributes = attributes(span.attributes)
        self.failed = span.status.code == 2
        self.resource = resource
        self.took = span.end_time_unix_nano - span.start_time_unix_nano

    def __repr__(self):
        return f"{self.kind} {self.name!r} {self.attributes}"


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


class Collector:
    """`with Collector() as collector:`; `collector.answers` is a status, or `None` for no answer ever.

    With the files of a certificate and its key it speaks TLS. `collector.bytes` is all that was sent, as it travelled, its heads included.
    """

    def __init__(self, port=0, certificate=None):
        self.answers = 200
        self.asked = 0
        self.spans = []
        self.heads = []
        self.bytes = b""
        self.released = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = self.url.replace("http", "https")

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def named(self, name):
        """The one span of this name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{len(found)} of {name}: {self.spans}"
        return found[0]

    def children(self, parent):
        return [span for span in self.spans if span.parent == parent.id and span.trace == parent.trace]

    def wait_for(self, name):
        until(lambda: any(span.name == name for span in self.spans), f"a span {name}")
        return self.named(name)

    def _handler(collector):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                collector.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.heads.append((self.path, dict(self.headers.items())))
                if collector.answers is None:
                    collector.released.wait()
                    return
                if collector.answers == 200:
                    collector.bytes += self.headers.as_bytes() + body
                    collector.take(body)
                # Whoever has hung up in the meantime is not told.
                with contextlib.suppress(ConnectionError):
                    self.send_response(collector.answers)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                """Nothing is to be printed."""

        return Handler

    def take(self, body):
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for of_resource in request.resource_spans:
            resource = attributes(of_resource.resource.attributes)
            for scope in of_resource.scope_spans:
                self.spans += [Sent(span, resource) for span in scope.spans]
