"""Caddy and HAProxy as child processes, with the configuration that `vestibule print` has printed; nginx has a file of its own.

Each is a context that yields when it accepts connections.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import threading

# Caddy's own API listens on a fixed port, which is no business of the tests.
WITHOUT_API = "{\n\tadmin off\n}\nimport site.caddy\n"
# What has to be told to HAProxy once; the workers are threads.
GLOBAL = "global\n    maxconn 1000\n    nbthread 2\n\n"


@contextlib.contextmanager
def caddy(configuration):
    """The program is named by VESTIBULE_CADDY."""
    with tempfile.TemporaryDirectory(prefix="vestibule-caddy-") as folder:
        folder = pathlib.Path(folder)
        (folder / "site.caddy").write_text(configuration)
        (folder / "Caddyfile").write_text(WITHOUT_API)
        process = subprocess.Popen(
            [os.environ["VESTIBULE_CADDY"], "run", "--adapter", "caddyfile", "--config", "Caddyfile"],
            cwd=folder,
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines, started = [], threading.Event()
        reader = threading.Thread(target=_read, args=[process.stderr, lines, started], daemon=True)
        reader.start()
        try:
            assert started.wait(timeout=30) and process.poll() is None, f"Caddy does not start: {lines[-3:]}"
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def haproxy(configuration):
    """The program is named by VESTIBULE_HAPROXY. It goes into the background as soon as it listens."""
    with tempfile.TemporaryDirectory(prefix="vestibule-haproxy-") as folder:
        file, pid = pathlib.Path(folder) / "haproxy.cfg", pathlib.Path(folder) / "pid"
        file.write_text(GLOBAL + configuration)
        subprocess.run([os.environ["VESTIBULE_HAPROXY"], "-D", "-f", file, "-p", pid], check=True, timeout=30)
        try:
            yield
        finally:
            for line in pid.read_text().split():
                os.kill(int(line), signal.SIGTERM)


def _read(stream, lines, started):
    for line in stream:
        lines.append(line.rstrip())
        if "serving initial configuration" in line:
            started.set()
    started.set()
