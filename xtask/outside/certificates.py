"""Authorities that are made here, and certificates that they sign for servers."""

import datetime
import os
import pwd

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """Whoever signs the certificates of servers; `file` is what its clients trust."""

    def __init__(self, folder, subject):
        self.folder = folder
        self.subject = subject
        self.key = ec.generate_private_key(ec.SECP256R1())
        ca = x509.BasicConstraints(ca=True, path_length=None)
        self.file = folder / f"{subject}.pem"
        self.file.write_bytes(pem(certificate(subject, self.key, subject, self.key, (ca, True))))

    def issue(self, label, alternative):
        """The files of a certificate for a server, and of its key, which that server alone may read."""
        key = ec.generate_private_key(ec.SECP256R1())
        no_ca = x509.BasicConstraints(ca=False, path_length=None)
        names = x509.SubjectAlternativeName([alternative])
        signed = certificate(label, key, self.subject, self.key, (no_ca, True), (names, False))
        certificate_file, key_file = self.folder / f"{label}.crt", self.folder / f"{label}.key"
        certificate_file.write_bytes(pem(signed))
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(*form))
        if os.getuid() == 0:
            # Who runs the servers then.
            nobody = pwd.getpwnam("nobody")
            os.chown(key_file, nobody.pw_uid, nobody.pw_gid)
        return certificate_file, key_file
