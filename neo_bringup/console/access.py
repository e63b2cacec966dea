"""What a console beyond this machine needs: a certificate, and a token that stands for the right to command.

    FOLDER/certificate.pem   self-signed, for the names it was made for; a real one may take its place
    FOLDER/key.pem           its key, mode 0600
    FOLDER/token             256 random bits as text, mode 0600; a new one shuts everybody out

Only the folder's name ever stands in parameters, on command lines or in logs.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from neo_description.errors import NeoError
from neo_flywheel import files

CERTIFICATE, KEY, TOKEN = "certificate.pem", "key.pem", "token"
PRIVATE = 0o600
VALID = timedelta(days=397)  # more, browsers refuse
SHORTEST = 32  # characters of a token


@dataclass(frozen=True)
class Access:
    """Of one console. ``names``: hosts that its certificate is for; ``fingerprint``: its SHA-256."""

    folder: Path
    names: tuple[str, ...]
    fingerprint: str
    _token: str = field(repr=False)

    def opens(self, token: str) -> bool:
        """Whether ``token`` is the one; takes as long whatever is given."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    def cookie(self) -> str:
        """What a browser that showed the token holds from then on; it tells nothing of the token."""
        return hmac.new(self._token.encode(), b"neo console cookie", hashlib.sha256).hexdigest()

    def tls(self) -> ssl.SSLContext:
        """NeoError when certificate and key do not belong together."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.folder / CERTIFICATE, self.folder / KEY)
        except (ssl.SSLError, OSError) as error:
            raise NeoError(f"{self.folder}: certificate and key cannot be used: {error}") from None
        return context


def create(folder: Path, names: list[str], now: datetime) -> Access:
    """A new token, and a certificate for ``names`` (hosts or addresses); NeoError where one is already."""
    if (folder / TOKEN).exists():
        raise NeoError(f"{folder} holds an access already; remove it to shut out all who have its token")
    if not names:
        raise NeoError(
            "a certificate needs a name: what people type into the browser, as in --name robot.local"
        )
    private = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "neo console")])
    built = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.write(folder / KEY, pem, PRIVATE)
    files.write(folder / CERTIFICATE, built.public_bytes(serialization.Encoding.PEM))
    files.write(folder / TOKEN, f"{secrets.token_urlsafe(32)}\n".encode(), PRIVATE)
    return load(folder)


def load(folder: Path) -> Access:
    """NeoError: a file is missing, no certificate, without a name, or others may read key or token."""
    for name in (CERTIFICATE, KEY, TOKEN):
        file = folder / name
        if not file.is_file():
            raise NeoError(f"no {file}; `neo access create {folder} --name HOST` makes certificate and token")
        if name != CERTIFICATE and file.stat().st_mode & 0o077:
            raise NeoError(f"{file} may be read by others; make a new one, or `chmod 600` it if nobody did")
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        hosts = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise NeoError(f"{folder / CERTIFICATE} is no certificate with a name of a host") from None
    names = [str(name.value) for name in hosts if isinstance(name, (x509.DNSName, x509.IPAddress))]
    token = (folder / TOKEN).read_text().strip()
    if len(token) < SHORTEST:
        raise NeoError(f"{folder / TOKEN} holds {len(token)} characters; {SHORTEST} or more")
    return Access(folder, tuple(names), certificate.fingerprint(hashes.SHA256()).hex(":"), token)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
