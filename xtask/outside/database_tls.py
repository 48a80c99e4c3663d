"""Encrypted connections to PostgreSQL and MariaDB, with certificates of authorities made here: who is let in by each
mode of `database.tls`, and that the program says what was negotiated.

Negative control: a server whose certificate nobody would accept is still used by `require`, which asks for no proof.
"""

import concurrent.futures
import ipaddress
import json
import os
import pathlib
import subprocess
import tempfile

from cryptography import x509

from certificates import Authority
from checks import Checks, expect
from databases import Database
from server import SETTINGS

# By these names an authority is given in a URL of either engine, as their own tools call it.
AUTHORITY = {"postgres": "sslrootcert", "mariadb": "ssl-ca"}


def encrypted(engine, files):
    certificate_file, key_file = files
    if engine == "postgres":
        return Database(engine, "ssl=on", f"ssl_cert_file={certificate_file}", f"ssl_key_file={key_file}")
    return Database(engine, f"ssl-cert={certificate_file}", f"ssl-key={key_file}")


def run(url, command, *arguments, mode=None):
    """A command of the program on this database."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
    environment |= {"VESTIBULE_DATABASE_URL": url} | ({"VESTIBULE_DATABASE_TLS": mode} if mode else {})
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        return subprocess.run(
            [os.environ["VESTIBULE_BINARY"], *command.split(), *arguments, "--data-dir", f"{folder}/data"],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
        )


def negotiated(url, mode=None):
    """What the doctor says of the connection."""
    ended = run(url, "doctor --json", mode=mode)
    findings = {finding["check"]: finding for finding in json.loads(ended.stdout)}
    return findings["database"]["found"]


def expect_encrypted(url, mode=None):
    found = negotiated(url, mode)
    assert "TLSv1." in found and "not encrypted" not in found, found


def expect_refused(url, mode=None):
    """Nothing but an operator can mend it, so it is not waited for."""
    ended = run(url, "migrate up", mode=mode)
    expect(ended.returncode, 2)
    assert "refuses the connection" in ended.stderr, ended.stderr
    assert "Check database.url" in ended.stderr, ended.stderr


class Scene:
    """An engine with a server of each kind: in the clear, proved for its address, and proved for another one."""

    def __init__(self, engine, trusted):
        self.authority = AUTHORITY[engine]
        self.clear = Database(engine)
        own = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        self.proved = encrypted(engine, trusted.issue(f"{engine}-proved", own))
        elsewhere = x509.DNSName("database.example.org")
        self.misplaced = encrypted(engine, trusted.issue(f"{engine}-misplaced", elsewhere))

    def trusting(self, database, authority):
        return f"{database.url}?{self.authority}={authority.file}"


def a_server_without_certificates_is_refused_by_whoever_asks_for_encryption(scene, trusted, _stranger):
    assert "not encrypted" in negotiated(scene.clear.url)
    assert "not encrypted" in negotiated(scene.clear.url, "prefer")
    for mode in ["require", "verify-ca", "verify-full"]:
        expect_refused(scene.trusting(scene.clear, trusted), mode)


def encryption_is_used_where_it_can_be_and_not_where_it_is_forbidden(scene, *_):
    expect_encrypted(scene.proved.url)
    expect_encrypted(scene.proved.url, "require")
    assert "not encrypted" in negotiated(scene.proved.url, "disable")


def an_authority_that_is_trusted_proves_a_server_for_its_address(scene, trusted, _stranger):
    url = scene.trusting(scene.proved, trusted)
    expect_encrypted(url, "verify-ca")
    expect_encrypted(url, "verify-full")
    # The URL says it, too, in the words of the engine.
    expect_encrypted(f"{url}&sslmode=verify-full")
    expect(run(url, "migrate up", mode="verify-full").returncode, 0)


def an_authority_that_is_not_trusted_proves_nothing(scene, _trusted, stranger):
    for url in [scene.proved.url, scene.trusting(scene.proved, stranger)]:
        for mode in ["verify-ca", "verify-full"]:
            expect_refused(url, mode)


def a_certificate_for_another_host_is_refused_by_verify_full_alone(scene, trusted, _stranger):
    url = scene.trusting(scene.misplaced, trusted)
    expect_encrypted(url, "verify-ca")
    expect_refused(url, "verify-full")


def negative_control_require_asks_for_no_proof(scene, _trusted, stranger):
    expect_encrypted(scene.trusting(scene.misplaced, stranger), "require")


def a_file_of_authorities_that_is_not_there_is_refused(scene, *_):
    expect_refused(f"{scene.proved.url}?{scene.authority}=/nowhere.pem", "verify-full")


CHECKS = [
    a_server_without_certificates_is_refused_by_whoever_asks_for_encryption,
    encryption_is_used_where_it_can_be_and_not_where_it_is_forbidden,
    an_authority_that_is_trusted_proves_a_server_for_its_address,
    an_authority_that_is_not_trusted_proves_nothing,
    a_certificate_for_another_host_is_refused_by_verify_full_alone,
    negative_control_require_asks_for_no_proof,
    a_file_of_authorities_that_is_not_there_is_refused,
]


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="vestibule-") as folder:
        folder = pathlib.Path(folder)
        # The servers may be somebody else's processes.
        folder.chmod(0o755)
        trusted, stranger = Authority(folder, "trusted"), Authority(folder, "stranger")
        scenes = {engine: Scene(engine, trusted) for engine in AUTHORITY}
        # The doctor takes its time, so all are tried at once.
        with concurrent.futures.ThreadPoolExecutor(len(scenes) * len(CHECKS)) as threads:
            for engine, scene in scenes.items():
                for check in CHECKS:
                    name = f"{engine}: {check.__name__.replace('_', ' ')}"
                    threads.submit(checks.run, name, check, scene, trusted, stranger)
    checks.finish()


if __name__ == "__main__":
    main()
