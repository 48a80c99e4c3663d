"""nginx as a child process, with the configuration that a reader copies and nothing of the machine's own.

Of a guide's block only addresses and certificates are replaced; everything else is as it is shown.
"""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import threading

# What a machine's own nginx.conf has around such a block. The log is for the scripts.
AROUND = """
daemon off;
worker_processes {workers};
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
    sendfile on;
    log_format upstreams '$request_method $uri $status $upstream_addr $upstream_status';
    access_log access.log upstreams;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}}
"""


def block_of(guide, replacements):
    """The one block for nginx in a guide. Each replacement is a pair, and its first text has to be there exactly once."""
    blocks = re.findall(r"^```nginx\n(.*?)^```$", guide.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{len(blocks)} blocks for nginx in {guide}"
    block = blocks[0]
    for shown, used in replacements:
        assert block.count(shown) == 1, f"{shown!r} is not there exactly once"
        block = block.replace(shown, used)
    return block


class Nginx:
    """`with Nginx(configuration) as nginx:`, of what stands inside `http`; the program is named by VESTIBULE_NGINX, and
    started by the command line `under`, if there is one."""

    def __init__(self, configuration, workers=2, under=()):
        self.configuration = configuration
        self.workers = workers
        self.under = under
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vestibule-nginx-"))
        self.errors = []
        self.process = None
        self.started = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)
        shutil.rmtree(self.folder)

    def requests(self):
        """The lines of the log: method, path, status, the servers that were tried, and their answers."""
        return (self.folder / "access.log").read_text().splitlines()

    def pids(self):
        """The processes that it consists of."""
        return [self.process.pid, *self.started]

    def _start(self):
        (self.folder / "nginx.conf").write_text(AROUND.format(workers=self.workers))
        (self.folder / "site.conf").write_text(self.configuration)
        # Never as root, whatever we are.
        somebody = "nobody" if os.getuid() == 0 else None
        if somebody:
            os.chown(self.folder, pwd.getpwnam(somebody).pw_uid, -1)
        self.process = subprocess.Popen(
            [*self.under, os.environ["VESTIBULE_NGINX"], "-p", str(self.folder), "-c", "nginx.conf", "-e", "stderr"],
            cwd=self.folder,
            user=somebody,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        started = threading.Event()
        threading.Thread(target=self._read, args=[started], daemon=True).start()
        assert started.wait(timeout=30), f"nginx starts {len(self.started)} workers: {self.errors}"
        assert self.process.poll() is None, f"nginx has ended: {self.errors}"

    def _read(self, started):
        for line in self.process.stderr:
            if worker := re.search(r"start worker process (\d+)", line):
                self.started.append(int(worker[1]))
            if len(self.started) == self.workers:
                started.set()
            if "[notice]" not in line:
                self.errors.append(line.rstrip())
        started.set()
