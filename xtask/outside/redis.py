"""A Redis server as a child process, that can be killed, stopped and emptied, and a way to it that can be slow.

Programs log in to it as the user of docs/guides/several-nodes.md, who may do what is written there and no more. It is
ended by its process id; what is tried on it is up to the scripts.
"""

import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time

from ports import free_port
from server import ROOT

GUIDE = ROOT / "docs/guides/several-nodes.md"

PATIENCE = 60


class Redis:
    """`with Redis() as redis:` runs `redis-server`, which is on PATH; it keeps nothing on a disk.

    With `certificate`, its file, that of its key and that of the authority, it speaks TLS alone.
    """

    def __init__(self, certificate=None):
        self.certificate = certificate
        self.port = free_port()
        self.password = f"password-{os.urandom(8).hex()}"
        (self.user,) = re.findall(r"^user (vestibule on .*)$", GUIDE.read_text(), re.MULTILINE)
        self.folder = tempfile.TemporaryDirectory(prefix="vestibule-redis-")
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.folder.cleanup()

    def start(self):
        """Starts it, empty, on the port and with the password that it had before, and waits until it answers."""
        listen = ["--port", str(self.port)]
        if self.certificate:
            certificate, key, authority = map(str, self.certificate)
            listen = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            listen += ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority]
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", *listen, "--save", "", "--requirepass", self.password]
            + ["--user", *self.user.replace("PASSWORD", self.password).split()],
            cwd=self.folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while "PONG" not in self._client("ping").stdout:
            assert self.process.poll() is None, "redis-server has ended instead of starting"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.05)

    def kill(self):
        """SIGKILL; what it held is lost."""
        self.process.kill()
        self.process.wait()

    def pause(self):
        """SIGSTOP: connections stay open, and nothing answers on them."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Lets it go on after a pause."""
        self.process.send_signal(signal.SIGCONT)

    def ask(self, *words):
        """What its client program prints."""
        ended = self._client(*words)
        assert ended.returncode == 0 and "(error)" not in ended.stdout, (words, ended)
        return ended.stdout

    def login(self, port=None):
        """What stands before the database in a URL of programs, by another port if there is one."""
        return f"vestibule:{self.password}@127.0.0.1:{port or self.port}"

    def change_password(self, password):
        """From now on no program gets in by another one, nor stays in."""
        self.ask("acl", "setuser", "vestibule", "resetpass", f">{password}")
        for kind in ["normal", "pubsub"]:
            self.ask("client", "kill", "type", kind, "skipme", "yes")

    def _client(self, *words):
        encrypted = ["--tls", "--cacert", str(self.certificate[2])] if self.certificate else []
        command = ["redis-cli", "-p", str(self.port), *encrypted, "--no-auth-warning", *words]
        environment = os.environ | {"REDISCLI_AUTH": self.password}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)


class SlowRoad:
    """`with SlowRoad(port) as road:` passes on what comes to `road.port`, each answer `road.delay` seconds late."""

    def __init__(self, port):
        self.target = port
        self.delay = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=[near], daemon=True).start()

    def _pass_on(self, near):
        with near:
            try:
                with socket.create_connection(("127.0.0.1", self.target)) as far:
                    self._exchange(near, far)
            except OSError:
                pass

    def _exchange(self, near, far):
        while True:
            ready, _, _ = select.select([near, far], [], [])
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                if source is far:
                    time.sleep(self.delay)
                (near if source is far else far).sendall(data)
