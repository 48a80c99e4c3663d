"""Goes through deploy/Dockerfile without Docker, and runs what comes of it as the container would be run.

Each instruction is carried out in a root of its own: the first stage in an empty Debian made by debootstrap, with this
machine's Rust toolchain in the place where the image `rust` has one, the second on the Debian packages of which the
base image consists. Then the program runs there: read-only, as the user of the Dockerfile, without any capability.

    image.py
"""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import signal
import string
import subprocess
import tempfile
import time
import urllib.request

from checks import Checks, expect, expect_answer
from client import Client
from debian import debian, run
from ports import free_port
from server import ROOT

DOCKERFILE = ROOT / "deploy/Dockerfile"
# What the image `rust` has beyond an empty Debian and Rust itself, as far as a build needs it.
BUILD_PACKAGES = "ca-certificates,gcc,g++,make,cmake,perl,libc6-dev,linux-libc-dev"
# What gcr.io/distroless/cc-debian12 consists of, as its sources list it.
BASE_PACKAGES = [
    *["base-files", "netbase", "tzdata", "ca-certificates", "media-types"],
    *["libc6", "libgcc-s1", "libgomp1", "libssl3", "libstdc++6"],
]
# Instructions that change nothing before the image runs.
HOW_TO_RUN = ("VOLUME", "EXPOSE", "USER", "HEALTHCHECK", "ENTRYPOINT", "CMD")
NONROOT = 65532
PASSWORD = "a quiet hall of seven arches"
# The end of a container waits for a running request; there is none.
ENDS_WITHIN = 10
PR_SET_NO_NEW_PRIVS = 38


def base_image(folder):
    """The packages of the base image, unpacked and not set up, as that image is made; and its one user."""
    packages = folder.with_name("packages")
    packages.mkdir()
    run("apt-get", "download", *BASE_PACKAGES, cwd=packages, stdout=subprocess.DEVNULL)
    for package in packages.glob("*.deb"):
        run("dpkg-deb", "--extract", package, folder)
    for place, mode in [("tmp", 0o1777), ("proc", 0o555), ("dev", 0o755), ("etc", 0o755)]:
        (folder / place).mkdir(exist_ok=True)
        (folder / place).chmod(mode)
    users = [("root", 0), ("nonroot", NONROOT)]
    passwd = [f"{name}:x:{number}:{number}::/:/sbin/nologin\n" for name, number in users]
    (folder / "etc/passwd").write_text("".join(passwd))
    (folder / "etc/group").write_text(f"root:x:0:\nnonroot:x:{NONROOT}:\n")
    certificates = sorted((folder / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    (folder / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    (folder / "etc/ssl/certs/ca-certificates.crt").write_text("".join(path.read_text() for path in certificates))


def instructions():
    """The Dockerfile as pairs of a word and what follows it, its lines joined and its remarks left out."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split(None, 1) for line in joined.splitlines() if line.strip()]


@contextlib.contextmanager
def mounted(*pairs):
    """Folders of this machine inside a root, for as long as a command runs."""
    done = []
    try:
        for source, target in pairs:
            target.mkdir(parents=True, exist_ok=True)
            run("mount", "--rbind" if source == pathlib.Path("/dev") else "--bind", source, target)
            done.append(target)
        yield
    finally:
        for target in reversed(done):
            run("umount", "--lazy", target)


class Image:
    """What the instructions make: a root for each stage, and of the last one how to run it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.stages = {}
        self.root = None
        self.workdir = "/"
        self.environment = {}
        self.settings = {}
        self.did = []

    def build(self):
        self.carry_through(instructions())

    def carry_through(self, lines):
        does = {
            "FROM": self.begin,
            "WORKDIR": self.work_in,
            "COPY": self.copy,
            "ARG": self.take,
            "RUN": self.carry_out,
            "ENV": self.set,
        }
        for word, rest in lines:
            print(f"{word} {rest}"[:110], flush=True)
            if word in does:
                does[word](rest)
            else:
                expect(word, *HOW_TO_RUN)
                self.settings[word] = rest
            self.did.append(word)

    def begin(self, rest):
        base, _, name = rest.partition(" AS ")
        self.root = self.folder / f"stage-{len(self.stages)}"
        self.stages[name or "last"] = self.root
        self.workdir, self.environment, self.settings = "/", {}, {}
        if base.startswith("rust:"):
            debian(self.root, f"--include={BUILD_PACKAGES}")
            self.environment = {
                "PATH": "/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "CARGO_HOME": "/usr/local/cargo",
                "RUSTUP_HOME": "/usr/local/rustup",
            }
        else:
            expect(base, "gcr.io/distroless/cc-debian12:nonroot")
            self.root.mkdir()
            base_image(self.root)

    def work_in(self, rest):
        self.workdir = rest
        (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def copy(self, rest):
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            stage = self.stages[sources[0].removeprefix("--from=")]
            run("cp", "--archive", f"{stage}{sources[1]}/.", f"{self.root}{target}")
            return
        for source in sources:
            place = self.root / self.workdir.lstrip("/") / target
            tracked = ["git", "ls-files", "-z", "--", source]
            files = subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            for file in filter(None, files.split("\0")):
                file = pathlib.Path(file)
                to = place / (file.relative_to(source) if (ROOT / source).is_dir() else file.name)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, to)

    def take(self, rest):
        name, is_given, value = rest.partition("=")
        if is_given:
            self.environment[name] = value
            return
        if rest == "FEATURES":
            # Whoever says nothing gets none.
            return
        expect(rest, "TARGETARCH")
        architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True)
        self.environment[rest] = architecture.strip()

    def carry_out(self, rest):
        caches = re.findall(r"--mount=type=cache,(\S+)\s+", rest)
        command = re.sub(r"--mount=\S+\s+", "", rest)
        pairs = [(pathlib.Path("/proc"), self.root / "proc"), (pathlib.Path("/dev"), self.root / "dev")]
        for number, cache in enumerate(caches):
            target = dict(option.split("=", 1) for option in cache.split(","))["target"]
            store = self.folder / f"cache-{number}"
            store.mkdir()
            pairs.append((store, self.root / target.lstrip("/")))
        home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
        rustup = pathlib.Path(os.environ.get("RUSTUP_HOME", pathlib.Path.home() / ".rustup"))
        tools = [(home, self.root / "usr/local/cargo"), (rustup, self.root / "usr/local/rustup")]
        # Names are looked up, and packages believed, as on this machine.
        for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(f"/{file}", self.root / file)
        with mounted(*tools, *pairs):
            proxies = {
                name: value for name, value in os.environ.items() if re.search(r"_(proxy|CAINFO)$", name, re.IGNORECASE)
            }
            line = f"cd {shlex.quote(self.workdir)} && {command}"
            run("chroot", self.root, "/bin/sh", "-c", line, env={**proxies, **self.environment})

    def set(self, rest):
        words = dict(word.split("=", 1) for word in shlex.split(rest))
        self.environment |= {name: string.Template(value).substitute(self.environment) for name, value in words.items()}


class Container:
    """The program in its root, on this machine's network. `with Container(image, data) as container:`"""

    def __init__(self, image, data):
        self.image = image
        self.data = data
        self.port = free_port()
        # The port of the image is somebody else's here, perhaps.
        self.environment = {**image.environment, "VESTIBULE_LISTEN": f"127.0.0.1:{self.port}"}
        self.root = image.folder / "running"
        self.mounts = []
        self.process = None

    def __enter__(self):
        self.root.mkdir(exist_ok=True)
        try:
            self.mount("--bind", self.image.root, ".")
            run("mount", "-o", "remount,bind,ro", self.root)
            self.mount("--bind", self.data, "data")
            self.mount("-t", "tmpfs", "tmpfs", "tmp")
            words = json.loads(self.image.settings["ENTRYPOINT"]) + json.loads(self.image.settings["CMD"])
            self.process = self.start(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            said = []
            for line in self.process.stdout:
                said.append(line)
                if '"event":"ready"' in line:
                    return self
            raise AssertionError(f"no ready line: {said}")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        while self.mounts:
            run("umount", "--lazy", self.mounts.pop())

    def mount(self, *words):
        *how, place = words
        run("mount", *how, self.root / place)
        self.mounts.append(self.root / place)

    def start(self, words, **options):
        user, group = map(int, self.image.settings["USER"].split(":"))
        libc = ctypes.CDLL(None, use_errno=True)

        def enter():
            os.chroot(self.root)
            os.chdir(self.image.workdir)
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0

        command = {"preexec_fn": enter, "env": self.environment, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(words, **command, **options)

    def health(self):
        check = self.image.settings["HEALTHCHECK"]
        words = json.loads(check[check.index("[") :])
        return self.start(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(timeout=60)

    def client(self):
        return Client(f"http://127.0.0.1:{self.port}")

    def stop(self):
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        expect(self.process.wait(timeout=60), 0)
        return time.monotonic() - asked


def every_instruction_is_carried_out(image):
    image.build()
    assert {"FROM", "COPY", "RUN", "ENV", "USER", "HEALTHCHECK", "ENTRYPOINT"} <= set(image.did), image.did


def the_image_holds_the_program_and_no_shell(image):
    program = image.root / "usr/local/bin/vestibule"
    files = {path.name for path in image.root.rglob("bin/*")}
    assert "sh" not in files and "bash" not in files, files
    mib = program.stat().st_size / 2**20
    size = subprocess.check_output(["du", "--summarize", "--bytes", image.root], text=True).split()[0]
    print(f"      program {mib:.1f} MiB, image {int(size) / 2**20:.1f} MiB", flush=True)
    expect(mib < 30, True)
    if platform.machine() == "x86_64":
        # Asked for by deploy/link-in-order when it links in order, and by nobody else.
        assert "(RELR)" in subprocess.check_output(["readelf", "--dynamic", program], text=True)


def it_runs_without_rights_and_on_a_file_system_that_cannot_be_written(image, data):
    with Container(image, data) as container:
        status = pathlib.Path(f"/proc/{container.process.pid}/status").read_text()
        expect(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE).group(1), str(NONROOT))
        expect(re.search(r"^CapEff:\s+(\w+)", status, re.MULTILINE).group(1), "0" * 16)
        expect(re.search(r"^NoNewPrivs:\s+(\d)", status, re.MULTILINE).group(1), "1")
        expect(container.health(), 0)
        account = {"email": "ada@example.org", "password": PASSWORD}
        expect_answer(container.client().post("/api/auth/register", account), 201)
        expect(sorted(path.name for path in data.iterdir() if path.stat().st_mode & 0o077), [])
        took = container.stop()
        assert took < ENDS_WITHIN, f"{took:.1f} s until it had ended"
        assert container.health() != 0, "a server that is gone is well"


def what_is_in_the_volume_is_there_in_the_next_container(image, data):
    with Container(image, data) as container:
        answer = container.client().post("/api/auth/login", {"login": "ada@example.org", "password": PASSWORD})
        expect_answer(answer, 200)
        with urllib.request.urlopen(f"http://127.0.0.1:{container.port}/login", timeout=30) as page:
            assert b"<title>" in page.read()


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-image-", ignore_cleanup_errors=True) as folder:
        image = Image(folder)
        data = pathlib.Path(folder, "volume")
        data.mkdir(mode=0o700)
        os.chown(data, NONROOT, NONROOT)
        checks.run_all([every_instruction_is_carried_out], image)
        if checks.failed == 0:
            checks.run_all([the_image_holds_the_program_and_no_shell], image)
            later = [
                it_runs_without_rights_and_on_a_file_system_that_cannot_be_written,
                what_is_in_the_volume_is_there_in_the_next_container,
            ]
            checks.run_all(later, image, data)
    checks.finish()


if __name__ == "__main__":
    main()
