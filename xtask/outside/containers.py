"""Holds what lies in `deploy/` against the programs that it is for: hadolint, Docker Compose, and ours.

Nothing is built and no container runs; image.py does the steps of the Dockerfile.
"""

import ipaddress
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import yaml

from checks import Checks, expect
from server import ROOT, SETTINGS

DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = sorted((DEPLOY / "compose").glob("*.yml"))
GUIDE = ROOT / "docs/guides/containers.md"

# In the place of what the secrets hold.
SECRETS = {
    "secret_key": "00" * 32,
    "database_password": "0123456789abcdef",
    "database_url": "postgres://vestibule:0123456789abcdef@database/vestibule\n",
}


def hadolint(text):
    linter = pathlib.Path(sys.executable).with_name("hadolint")
    return subprocess.run([linter, "-"], input=text, capture_output=True, text=True, timeout=60)


def the_dockerfile_has_no_fault_that_hadolint_knows():
    found = hadolint(DOCKERFILE.read_text())
    assert found.returncode == 0, found.stdout


def a_dockerfile_with_a_fault_is_found():
    assert "DL3002" in hadolint(DOCKERFILE.read_text().replace("USER 65532:65532", "USER root")).stdout


def configuration(file, folder):
    """What Docker Compose makes of a file, in a folder with the secrets that it names."""
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    for name, text in SECRETS.items():
        (secrets / name).write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = ["docker-compose", "--project-directory", folder, "--file", file, "config"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return yaml.safe_load(ended.stdout)


def compose_takes(file):
    with tempfile.TemporaryDirectory() as folder:
        assert configuration(file, pathlib.Path(folder))["services"]


def compose_refuses_what_is_no_setting_of_its_own():
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder, "wrong.yml")
        wrong.write_text(COMPOSE[0].read_text().replace("read_only:", "read_olny:"))
        try:
            configuration(wrong, pathlib.Path(folder))
        except AssertionError as refusal:
            assert "read_olny" in str(refusal), refusal
        else:
            raise AssertionError("Docker Compose took `read_olny`")


def nodes(file, folder):
    services = configuration(file, folder)["services"]
    found = [service for service in services.values() if service["image"] == "vestibule"]
    assert found, "no service is Vestibule"
    return found


def the_program_takes_every_variable_of(file):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for node in nodes(file, folder):
            environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
            for name, value in node["environment"].items():
                environment[name] = value.replace("/run/secrets", str(folder / "secrets"))
            command = [os.environ["VESTIBULE_BINARY"], "config", "show"]
            shown = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
            assert shown.returncode == 0, shown.stderr


def every_node_is_without_rights_in(file):
    with tempfile.TemporaryDirectory() as folder:
        for node in nodes(file, pathlib.Path(folder)):
            expect(node["read_only"], True)
            expect(node["cap_drop"], ["ALL"])
            expect(node["security_opt"], ["no-new-privileges:true"])
            for port in node.get("ports", []):
                assert str(port).startswith("127.0.0.1:"), f"{port} is open to everybody"


def the_nodes_trust_nginx_and_nobody_else():
    """Not the gateway, as which visitors may appear, nor what a visitor says to nginx of an address."""
    with tempfile.TemporaryDirectory() as folder:
        shown = configuration(DEPLOY / "compose/cluster.yml", pathlib.Path(folder))
    services, [network] = shown["services"], shown["networks"]["default"]["ipam"]["config"]
    address = services["nginx"]["networks"]["default"]["ipv4_address"]
    given_out = ipaddress.ip_network(network["ip_range"])
    assert ipaddress.ip_address(address) not in given_out and address != network["gateway"], network
    assert ipaddress.ip_address(address) in ipaddress.ip_network(network["subnet"]), network
    for node in ("node-1", "node-2"):
        expect(services[node]["environment"]["VESTIBULE_TRUSTED_PROXIES"], f"{address}/32")
    told = re.findall(r"proxy_set_header X-Forwarded-For (.*);", (DEPLOY / "compose/nginx.conf").read_text())
    expect(told, ["$remote_addr"])


def nothing_but_what_is_built_goes_into_the_context():
    """Every folder that the Dockerfile copies is let through, and all else is kept out."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert "*" in lines, "everything else goes in"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    for source in " ".join(copied).split():
        assert any(place == source or place.startswith(f"{source}/") for place in let_through), source
    # Cargo reads each member of the workspace, whichever it builds.
    for pattern in tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]:
        for member in ROOT.glob(pattern):
            file = f"{member.relative_to(ROOT)}/Cargo.toml"
            assert any(file == place or file.startswith(f"{place}/") for place in let_through), file


def the_guide_names_every_file():
    guide = GUIDE.read_text()
    for file in COMPOSE:
        assert f"deploy/compose/{file.name}" in guide, file


def main():
    checks = Checks()
    checks.run_all([the_dockerfile_has_no_fault_that_hadolint_knows, a_dockerfile_with_a_fault_is_found])
    checks.run_all([nothing_but_what_is_built_goes_into_the_context, the_guide_names_every_file])
    checks.run_all([compose_refuses_what_is_no_setting_of_its_own, the_nodes_trust_nginx_and_nobody_else])
    for check in (compose_takes, the_program_takes_every_variable_of, every_node_is_without_rights_in):
        for file in COMPOSE:
            checks.run(f"{check.__name__.replace('_', ' ')} {file.name}", check, file)
    checks.finish()


main()
