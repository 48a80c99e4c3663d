"""Follows docs/guides/systemd.md on a machine that systemd runs: a Debian of its own, booted by systemd-nspawn, with a
network of its own. Then does to the service what happens to one: a reload, a hang, a kill, a mistake, a reboot, an end.

    machine.py
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap
import time

from checks import Checks, expect, until
from console import blocks, commands
from debian import debian
from server import ROOT

GUIDE = ROOT / "docs/guides/systemd.md"
# What a machine has that is administered by hand, beyond an empty Debian.
PACKAGES = "systemd,systemd-sysv,dbus,sudo"
SETTINGS = "etc/vestibule/vestibule.toml"
AS_THE_SERVICE = f"sudo -u vestibule vestibule {{}} --config /{SETTINGS} --data-dir /var/lib/vestibule"
# What the unit gives a silent program, and then a margin for a machine that has much to do, in seconds.
WATCHDOG = 30
MARGIN = 60
ENDS_WITHIN = 10
WRONG_SETTING = "2"


class Machine:
    """A Debian in a folder, running. `with Machine(root) as machine:` boots it, and shuts it down."""

    def __init__(self, root):
        self.root = root
        self.container, self.init = None, None

    def __enter__(self):
        options = ["--register=no", "--keep-unit", "--private-network", "--console=pipe", "--quiet"]
        self.container = subprocess.Popen(
            ["systemd-nspawn", *options, "--boot", f"--directory={self.root}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def boot(self):
        children = pathlib.Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        until(lambda: self.container.poll() is not None or self.begun(children) == "systemd", "the machine boots")
        self.init = children.read_text().split()[0]
        until(
            lambda: self.try_("systemctl is-system-running --wait").stdout.strip() in ("running", "degraded"),
            "it is up",
        )

    def __exit__(self, *_):
        # An orderly shutdown is what systemd-nspawn makes of this.
        self.container.terminate()
        self.container.wait(timeout=90)

    @staticmethod
    def begun(children):
        """The name of the program that the container runs first, once it does."""
        try:
            return pathlib.Path(f"/proc/{children.read_text().split()[0]}/comm").read_text().strip()
        except (IndexError, OSError):
            return ""

    def try_(self, command):
        inside = ["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        return subprocess.run(
            [*inside, "/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd="/",
        )

    def run(self, command):
        ran = self.try_(command)
        expect((ran.returncode, ran.stdout if ran.returncode else ""), (0, ""))
        return ran.stdout

    def told(self, property_of_unit):
        return self.run(f"systemctl show vestibule --property={property_of_unit} --value").strip()

    def kill(self, signal):
        self.run(f"kill -{signal} {self.told('MainPID')}")

    def write(self, file, text):
        (self.root / file).parent.mkdir(exist_ok=True)
        (self.root / file).write_text(text)


def answers(machine):
    return machine.try_(f"vestibule health --config /{SETTINGS}").returncode == 0


def the_guide_is_followed(machine):
    text = GUIDE.read_text()
    [settings] = re.findall(r"^ *```toml\n.*?^ *```$", text, re.MULTILINE | re.DOTALL)
    machine.write(SETTINGS, textwrap.dedent(settings).removeprefix("```toml\n").removesuffix("```"))
    followed = [command for block in blocks(text) for command, _ in commands(block)]
    assert len(followed) > 3, followed
    for command in followed:
        machine.run(command)


def the_service_is_up_and_says_where(machine):
    expect(machine.told("ActiveState"), "active")
    expect(machine.told("StatusText"), "ready on https://id.example.org")
    expect(answers(machine), True)
    owners = machine.run("stat --format '%U %a' /var/lib/vestibule /var/lib/vestibule/vestibule.db").split("\n")
    expect(owners[:2], ["vestibule 700", "vestibule 600"])


def a_reload_takes_a_new_log_level(machine):
    before, settings = machine.told("MainPID"), (machine.root / SETTINGS).read_text()
    machine.write(SETTINGS, settings + '\n[log]\nlevel = "debug"\n')
    machine.run("systemctl reload vestibule")
    until(lambda: "the log level is debug" in machine.run("journalctl --unit vestibule"), "the log tells it")
    expect(machine.told("MainPID"), before)
    expect(machine.told("ActiveState"), "active")
    machine.write(SETTINGS, settings)
    machine.run("systemctl reload vestibule")


def a_server_that_hangs_is_started_again(machine):
    before = machine.told("MainPID")
    machine.kill("STOP")
    deadline = time.monotonic() + WATCHDOG + MARGIN
    while machine.told("MainPID") in (before, "0") or not answers(machine):
        assert time.monotonic() < deadline, machine.run("systemctl status vestibule")
        time.sleep(1)
    expect(machine.told("NRestarts"), "1")
    expect("watchdog" in machine.run("journalctl --unit vestibule").lower(), True)


def a_server_that_is_killed_is_started_again_with_all_it_knew(machine):
    machine.run(
        "echo correct horse battery staple | " + AS_THE_SERVICE.format("user add ada@example.org --password-stdin")
    )
    machine.kill("KILL")
    until(lambda: machine.told("NRestarts") == "2" and answers(machine), "it is there again")
    expect("ada@example.org" in known(machine), True)


def known(machine):
    return machine.run(AS_THE_SERVICE.format("user list"))


def a_mistake_in_the_settings_is_told_and_not_tried_again(machine):
    settings = (machine.root / SETTINGS).read_text()
    machine.write(SETTINGS, 'publik_url = "https://id.example.org"\n' + settings)
    assert machine.try_("systemctl restart vestibule").returncode != 0
    expect(machine.told("ActiveState"), "failed")
    expect(machine.told("ExecMainStatus"), WRONG_SETTING)
    expect(machine.told("NRestarts"), "0")
    expect("publik_url" in machine.run("journalctl --unit vestibule"), True)
    machine.write(SETTINGS, settings)
    machine.run("systemctl restart vestibule")
    expect(answers(machine), True)


def it_ends_in_time_when_it_is_told_to(machine):
    asked = time.monotonic()
    machine.run("systemctl stop vestibule")
    took = time.monotonic() - asked
    assert took < ENDS_WITHIN, f"{took:.1f} s until it had ended"
    expect(machine.told("Result"), "success")


def it_is_there_after_a_reboot(machine):
    until(lambda: answers(machine), "the service starts with the machine")
    expect("ada@example.org" in known(machine), True)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-machine-", ignore_cleanup_errors=True) as folder:
        root = pathlib.Path(folder, "root")
        debian(root, f"--include={PACKAGES}")
        program = root / "usr/local/bin/vestibule"
        shutil.copy(os.environ["VESTIBULE_BINARY"], program)
        program.chmod(0o755)
        with Machine(root) as machine:
            checks.run_all([the_guide_is_followed], machine)
            if checks.failed == 0:
                services = [
                    the_service_is_up_and_says_where,
                    a_reload_takes_a_new_log_level,
                    a_server_that_hangs_is_started_again,
                    a_server_that_is_killed_is_started_again_with_all_it_knew,
                    a_mistake_in_the_settings_is_told_and_not_tried_again,
                    it_ends_in_time_when_it_is_told_to,
                ]
                checks.run_all(services, machine)
        with Machine(root) as machine:
            checks.run_all([it_is_there_after_a_reboot], machine)
    checks.finish()


main()
