"""Two nodes of one installation: the same database, secret key and public URL, and a data folder for each.

What they are asked is up to the scripts.
"""

import base64
import concurrent.futures
import contextlib
import os
import pathlib
import tempfile

from client import Client
from server import NO_LIMITS, Server


class Node(Server):
    """One of several behind a public URL, at which it does not listen itself."""

    @property
    def address(self):
        return f"http://{self.listen}"

    def client(self):
        return Client(self.address)


@contextlib.contextmanager
def pair(databases, *flags, public_url="http://localhost:8080", at_once=True, limits=NO_LIMITS, variables=None):
    """Starts two nodes, at the same moment unless it is to be one by one, and yields them.

    `databases` are the URLs of theirs, by which they should come to one and the same; `variables` are more settings in
    the environment.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vestibule-"))
        key = pathlib.Path(folder) / "secret.key"
        key.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        key.chmod(0o600)
        flags = [*limits, f"--secret-key-file={key}", f"--public-url={public_url}", *flags]
        nodes = [Node(*flags, database=database, variables=variables) for database in databases]
        with concurrent.futures.ThreadPoolExecutor(max_workers=2 if at_once else 1) as starting:
            starts = [starting.submit(node.__enter__) for node in nodes]
        for node, start in zip(nodes, starts):
            if not start.exception():
                stack.push(node.__exit__)
        for start in starts:
            start.result()
        yield nodes
