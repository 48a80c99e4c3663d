"""Follows docs/guides/containers.md with Docker itself: an engine of its own, in a network of its own, for as long as this
runs. Each Compose file is brought up as a whole, used, ended, and brought up again.

No registry is asked. The image `vestibule` is made of what the last stage of deploy/Dockerfile says, on the packages of its
base image; those of the other programs are Debian's PostgreSQL, MariaDB, nginx and Redis under the names that the Compose
files give, with entry points of ours that read the same variables as the published ones.

    docker_engine.py
"""

import json
import os
import pathlib
import pty
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from checks import Checks, expect, expect_answer, until
from client import Client
from console import blocks, commands, environment_with_program
from debian import debian, run
from image import Image, instructions
from server import ROOT

GUIDE = ROOT / "docs/guides/containers.md"
COMPOSE = ROOT / "deploy/compose"
URL = "http://localhost:8080"
PASSWORD = "a quiet hall of seven arches"
# Said by us in the name of somebody else.
FORGED = "203.0.113.9"
INSIDE = "--inside"
# What a Dockerfile says of an image, and `docker import` takes; the engine of Debian 12 is older than --start-interval.
OF_THE_IMAGE = ("WORKDIR", "ENV", "VOLUME", "EXPOSE", "USER", "HEALTHCHECK", "ENTRYPOINT", "CMD")
PACKAGES = "postgresql-15,mariadb-server-core,mariadb-client-core,nginx-light,redis-server"

POSTGRES = """\
#!/bin/sh
set -eu
data=/var/lib/postgresql/data programs=/usr/lib/postgresql/15/bin
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s $data/PG_VERSION ]; then
    chown postgres $data
    password=$(mktemp)
    install -o postgres -m 600 "$POSTGRES_PASSWORD_FILE" "$password"
    as $programs/initdb -D $data --username "$POSTGRES_USER" --pwfile $password --auth scram-sha-256 --encoding UTF8 > /dev/null
    echo "host all all all scram-sha-256" >> $data/pg_hba.conf
    echo "CREATE DATABASE $POSTGRES_USER" | as $programs/postgres --single -D $data postgres > /dev/null
fi
install -d -o postgres /var/run/postgresql
exec setpriv --reuid=postgres --regid=postgres --init-groups $programs/postgres -D $data -c listen_addresses=*
"""
MARIADB = """\
#!/bin/sh
set -eu
data=/var/lib/mysql
install -d -o mysql /run/mysqld
if [ ! -d $data/mysql ]; then
    chown mysql $data
    mariadb-install-db --user=mysql --datadir=$data > /dev/null
fi
password=$(cat "$MARIADB_PASSWORD_FILE")
first=$(mktemp)
chown mysql $first
cat > $first << END
CREATE DATABASE IF NOT EXISTS $MARIADB_DATABASE;
CREATE USER IF NOT EXISTS $MARIADB_USER@'%' IDENTIFIED BY '$password';
GRANT ALL ON $MARIADB_DATABASE.* TO $MARIADB_USER@'%';
END
exec mariadbd --user=mysql --datadir=$data --bind-address=0.0.0.0 --init-file=$first
"""
# The lines of a Dockerfile by which each becomes an image.
OTHERS = {
    "postgres:16": 'ENTRYPOINT ["/postgres.sh"]\nSTOPSIGNAL SIGINT\n',
    "mariadb:10.11": 'RUN useradd --system mysql\nENTRYPOINT ["/mariadb.sh"]\n',
    "nginx:1.28": 'CMD ["nginx", "-g", "daemon off;"]\nSTOPSIGNAL SIGQUIT\n',
    "redis:7": 'USER redis\nCMD ["redis-server"]\n',
}
NGINX = """\
events {}
http {
    access_log off;
    include /etc/nginx/conf.d/*.conf;
}
"""


class Engine:
    """Docker's daemon with a folder of its own. `with Engine(folder) as engine:`"""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        own = {"DOCKER_HOST": f"unix://{folder}/docker.sock", "HOME": str(folder)}
        self.environment = environment_with_program(folder) | own

    def __enter__(self):
        places = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec"]
        self.process = subprocess.Popen(
            ["dockerd", *places, "--pidfile", self.folder / "pid", "--host", self.environment["DOCKER_HOST"]],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("w"),
            stderr=subprocess.STDOUT,
        )
        until(lambda: self.try_("docker version").returncode == 0, "the engine answers")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=120)

    def try_(self, command, folder=None):
        return subprocess.run(
            ["bash", "-eu", "-c", command],
            cwd=folder or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command, folder=None):
        ran = self.try_(command, folder)
        assert ran.returncode == 0, f"{command}: {ran.stdout}"
        return ran.stdout

    def talk(self, command, *exchange):
        """Runs a command on a terminal, and gives each answer where its question stands."""
        ours, theirs = pty.openpty()
        terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        process = subprocess.Popen(["bash", "-eu", "-c", command], env=self.environment, **terminal)
        os.close(theirs)
        said = ""
        for question, answer in exchange:
            while not said.endswith(question):
                assert select.select([ours], [], [], 60)[0], f"no {question!r} after {said!r}"
                said += os.read(ours, 4096).decode()
            os.write(ours, answer.encode() + b"\n")
        expect(process.wait(timeout=60), 0)
        os.close(ours)

    def import_(self, root, name, changes=()):
        options = " ".join(f"--change {shlex.quote(change)}" for change in changes)
        self.run(f"tar --create --directory {root} . | docker import {options} - {name}")


def prepare(folder):
    """What the images are made of, with the network of this machine: the last stage of the Dockerfile, on a program that was
    built before, and a Debian with the programs of others.
    """
    image = Image(folder)
    build = folder / "build"
    image.stages["build"] = build
    for place, mode, owner in [("usr/local/bin", 0o755, 0), ("etc/vestibule", 0o755, 0), ("data", 0o700, 65532)]:
        (build / "out" / place).mkdir(parents=True)
        (build / "out" / place).chmod(mode)
        os.chown(build / "out" / place, owner, owner)
    shutil.copy(os.environ["VESTIBULE_BINARY"], build / "out/usr/local/bin/vestibule")
    image.carry_through(last_stage())
    image.root.rename(folder / "image")
    root = folder / "debian"
    debian(root, f"--include={PACKAGES}")
    for name, text in [("postgres.sh", POSTGRES), ("mariadb.sh", MARIADB)]:
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    (root / "etc/nginx/nginx.conf").write_text(NGINX)


def last_stage():
    lines = instructions()
    begins = max(number for number, (word, _) in enumerate(lines) if word == "FROM")
    return lines[begins:]


def import_images(engine, folder):
    changes = [f"{word} {rest}" for word, rest in last_stage() if word in OF_THE_IMAGE]
    assert len(changes) > 6, changes
    engine.import_(folder / "image", "vestibule", [change.replace("--start-interval=1s ", "") for change in changes])
    engine.import_(folder / "debian", "debian-programs")
    for name, lines in OTHERS.items():
        (folder / "Dockerfile").write_text(f"FROM debian-programs\n{lines}")
        engine.run(f"DOCKER_BUILDKIT=0 docker build -t {name} - < {folder}/Dockerfile")


def shown(beginning):
    """The command of the guide that begins like this."""
    every = [command for block in blocks(GUIDE.read_text()) for command, _ in commands(block)]
    [found] = [command for command in every if command.startswith(beginning)]
    return found


def is_ready():
    try:
        return Client(URL).get("/readyz").status == 200
    except OSError:
        return False


def the_container_of_the_guide_runs_and_ends(engine):
    engine.run(shown("docker run"))
    until(is_ready, "the container is ready")
    engine.talk(shown("docker exec"), ("Password: ", PASSWORD), ("Again: ", PASSWORD))
    answer = Client(URL).login("you@example.org", PASSWORD)
    expect_answer(answer, 200)
    expect(answer["user"]["roles"], ["admin"])
    health = "docker inspect --format {{.State.Health.Status}} vestibule"
    until(lambda: engine.run(health).strip() == "healthy", "its health check holds")
    asked = time.monotonic()
    engine.run("docker stop --time 15 vestibule")
    took = time.monotonic() - asked
    assert took < 12, f"{took:.1f} s until it had ended"
    expect(engine.run("docker inspect --format {{.State.ExitCode}} vestibule").strip(), "0")
    engine.run("docker rm vestibule && docker volume rm vestibule")


def compose_brings_up(engine, folder, kind):
    place = folder / kind
    place.mkdir()
    if kind == "cluster":
        for file in ("cluster.yml", "nginx.conf"):
            shutil.copy(COMPOSE / file, place / file.replace("cluster", "compose"))
    else:
        printing = shown("vestibule print compose").replace("postgres", kind).replace("https://id.example.org", URL)
        engine.run(printing, place)
    if kind != "sqlite":
        for beginning in ("mkdir", "head -c 32", "head -c 24", "echo", "chmod", "sudo chown"):
            command = shown(beginning).removeprefix("sudo ")
            engine.run(command.replace("postgres:", "mysql:") if kind == "mariadb" else command, place)
    up = shown("docker compose up").replace("docker compose", "docker-compose")
    try:
        engine.run(up, place)
        until_ready(engine, place)
        expect_answer(Client(URL).register("ada@example.org", PASSWORD), 201)
        somebody_forges_an_address()
        if kind == "cluster":
            both_nodes_answer(engine, place)
        engine.run("docker-compose down --timeout 60", place)
        engine.run(up, place)
        until_ready(engine, place)
        expect_answer(Client(URL).login("ada@example.org", PASSWORD), 200)
    except BaseException:
        print(engine.try_("docker-compose logs --tail 30", place).stdout, flush=True)
        raise
    finally:
        engine.run("docker-compose down --volumes --timeout 60", place)


def until_ready(engine, place):
    deadline = time.monotonic() + 120
    while not is_ready():
        assert time.monotonic() < deadline, engine.run("docker-compose ps", place)
        time.sleep(0.2)


def somebody_forges_an_address():
    body = {"login": "ada@example.org", "password": PASSWORD}
    answer = Client(URL).post("/api/auth/login", body, headers={"X-Forwarded-For": FORGED})
    expect_answer(answer, 200)
    sessions = Client(URL).get("/api/auth/sessions", answer["access_token"])
    expect_answer(sessions, 200)
    addresses = [session["address"] for session in json.loads(sessions.bytes)["items"]]
    assert addresses and FORGED not in addresses, addresses


def both_nodes_answer(engine, place):
    """A session of one node is one of the other, which goes on when the first is gone."""
    token = Client(URL).login("ada@example.org", PASSWORD)["access_token"]
    for node in ("node-1", "node-2"):
        engine.run(f"docker-compose stop --timeout 20 {node}", place)
        for _ in range(20):
            expect_answer(Client(URL).me(token), 200)
        engine.run(f"docker-compose start {node}", place)
        both = f"docker-compose exec -T {node} /usr/local/bin/vestibule health"
        until(lambda both=both: engine.try_(both, place).returncode == 0, f"{node} is there again")


def follow(folder):
    checks = Checks()
    run("ip", "link", "set", "lo", "up")
    with Engine(folder) as engine:
        import_images(engine, folder)
        checks.run_all([the_container_of_the_guide_runs_and_ends], engine)
        for kind in ("sqlite", "postgres", "mariadb", "cluster"):
            checks.run(f"compose brings up {kind}", compose_brings_up, engine, folder, kind)
    checks.finish()


def main():
    if sys.argv[1:2] == [INSIDE]:
        follow(pathlib.Path(sys.argv[2]))
    with tempfile.TemporaryDirectory(prefix="vestibule-docker-", ignore_cleanup_errors=True) as folder:
        prepare(pathlib.Path(folder))
        # A network of its own, in which port 8080 is free and no packet filter of this machine is changed.
        again = ["unshare", "--net", "--mount", "--", sys.executable, __file__, INSIDE, folder]
        sys.exit(subprocess.run(again, stdin=subprocess.DEVNULL).returncode)


main()
