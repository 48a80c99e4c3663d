"""A JSON client on Python's standard library, so that nothing of ours judges itself."""

import http.client
import json
import time
import urllib.parse

# Whoever is told to come again comes for as long as this, in seconds, each time after a moment.
PATIENCE = 60
MOMENT = 0.5

# A connection that has rested longer is made anew, as the server may be about to close it; in seconds.
LONGEST_REST = 30


class Answer:
    """Status, headers and decoded body of one response."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.bytes = body

    def __getitem__(self, name):
        return json.loads(self.bytes)[name]

    def __repr__(self):
        return f"{self.status} {self.bytes[:300]!r}"


class Client:
    """One kept-alive connection, from an address of this machine that may be chosen; for one thread at a time."""

    def __init__(self, url, address=None):
        server = urllib.parse.urlsplit(url)
        source = (address, 0) if address else None
        self.connection = http.client.HTTPConnection(server.hostname, server.port, timeout=30, source_address=source)
        self.used = time.monotonic()

    def ask(self, method, path, headers=None, body=None):
        """Any request, with nothing added to its headers but Host, Accept-Encoding and Content-Length."""
        began = time.monotonic()
        if began - self.used > LONGEST_REST:
            self.connection.close()
        self.used = began
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path, token=None, headers=None):
        return self._ask("GET", path, token, headers=headers)

    def post(self, path, body=None, token=None, headers=None):
        return self._ask("POST", path, token, body, headers)

    def patch(self, path, body, token=None):
        return self._ask("PATCH", path, token, body)

    def register(self, email, password, **more):
        return self.post("/api/auth/register", {"email": email, "password": password, **more})

    def login(self, login, password, **more):
        return self.post("/api/auth/login", {"login": login, "password": password, **more})

    def refresh(self, refresh_token):
        return self.post("/api/auth/refresh", {"refresh_token": refresh_token})

    def me(self, access_token):
        return self.get("/api/auth/me", access_token)

    def _ask(self, method, path, token, body=None, headers=None):
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        return self.ask(method, path, headers, body)


class PatientClient(Client):
    """One that comes again when it is told that there is no answer now, as a server says that a busy machine holds up.
    For what may be asked for twice."""

    def ask(self, *request):
        deadline = time.monotonic() + PATIENCE
        while (answer := super().ask(*request)).status == 503 and time.monotonic() < deadline:
            time.sleep(MOMENT)
        return answer
