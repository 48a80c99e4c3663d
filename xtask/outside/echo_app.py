"""Somebody's app behind a proxy: answers every request with what it got, and believes what `Remote-*` headers say."""

import contextlib
import http.server
import json
import sys
import threading

# Whoever holds it is told 304 where the app is asked.
TAG = '"the-same-for-everybody"'


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A proxy that goes away, as after each question whether we are well, is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class EchoApp:
    """`with EchoApp() as app:`; `app.requests` are the targets that it was asked for."""

    def __init__(self):
        self.requests = []
        self.server = Listener(("127.0.0.1", 0), self._handler())
        self.listen = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.listen}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @contextlib.contextmanager
    def unasked(self):
        """Nothing may reach the app meanwhile."""
        before = len(self.requests)
        yield
        assert len(self.requests) == before, f"the app was asked for {self.requests[before:]}"

    def _handler(app):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                app.requests.append(self.path)
                if self.headers.get("Upgrade") == "websocket":
                    return self.change_protocol()
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("If-None-Match") == TAG:
                    self.send_response(304)
                    self.end_headers()
                    return
                text = json.dumps(
                    {
                        "method": self.command,
                        "target": self.path,
                        "headers": self.headers.items(),
                        "body": body.decode("latin-1"),
                    }
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.send_header("ETag", TAG)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            def change_protocol(self):
                """To one that gives back a line, after that of who is there."""
                self.close_connection = True
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.end_headers()
                line = self.rfile.readline()
                self.wfile.write(self.headers.get("Remote-User", "").encode() + b"\n" + line)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                """Nothing is to be printed."""

        return Handler
