"""Against a real server of this machine."""

import ssl
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from platform_ml.adapters.mail import Mail
from platform_ml.spec.errors import PlatformError, StoreError, UnreachableError
from platform_ml_tests.adapters.test_webhook import ALERT

VARIABLE = "PLATFORM_ML_ALERT_SMTP"
PASSWORD = "a very good password"


class Mailbox:
    """What the server took, after saying these answers."""

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - as the server calls it
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.got.append((session, envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return answer


class AnyPort(Controller):
    """On a port that is free."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def server(*answers, **options):
    mailbox = Mailbox(*answers)
    controller = AnyPort(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port, mailbox
    finally:
        controller.stop()


def mail(port, user="", **changed):
    url = f"smtp://{user}127.0.0.1:{port}?to=team@example.org,lead@example.org&from=platform@example.org"
    made = Mail.of(url, variable=VARIABLE, password=PASSWORD if user else "")
    return replace(made, pause=lambda _: None, timeout=5.0, **changed)


def test_a_mail_is_plain_text_and_html_of_the_same():
    with server() as (port, mailbox):
        mail(port).send(replace(ALERT, asset="lapse\ncard"), "7")
    ((_, envelope, message),) = mailbox.got
    assert envelope.rcpt_tos == ["team@example.org", "lead@example.org"]
    assert message["Subject"] == "[error] Gate failed: shop/lapse card, 2024-06-10"
    assert message["Message-ID"] == "<alert-7-1718089200000000@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain = message.get_body(("plain",)).get_content()
    page = message.get_body(("html",)).get_content()
    assert "beats_majority: 0.61 < 0.7 & <b>no</b> more." in plain
    assert "Next: Open the card: platform-ml card lapse@2024-06-10" in plain
    assert "http://localhost:3000/runs/1" in plain
    assert "0.61 &lt; 0.7 &amp; &lt;b&gt;no&lt;/b&gt; more." in page
    assert '<a href="http://localhost:3000/runs/1">Open in Dagster</a>' in page


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of this machine, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder


def test_the_password_goes_over_tls_where_it_is_offered(certificate):
    seen = []

    def check(server, session, envelope, mechanism, auth_data):
        seen.append((auth_data.login.decode(), auth_data.password.decode(), session.ssl is not None))
        return AuthResult(success=auth_data.password.decode() == PASSWORD, handled=False)

    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    options = {"tls_context": offered, "authenticator": check, "auth_required": True}
    with server(**options) as (port, mailbox):
        sink = replace(mail(port, "bot@"), host="localhost", context=trusted)
        sink.send(ALERT, "7")
        with pytest.raises(UnreachableError, match=r"takes no mail now \(SMTPAuthenticationError 535\)") as failed:
            replace(sink, password=PASSWORD[::-1]).send(ALERT, "8")
        with pytest.raises(UnreachableError, match="SSLCertVerificationError"):
            replace(sink, context=None).send(ALERT, "9")
    assert set(seen) == {("bot", PASSWORD, True), ("bot", PASSWORD[::-1], True)}
    assert len(mailbox.got) == 1
    assert PASSWORD[::-1] not in str(failed.value)
    assert PASSWORD not in repr(sink)


def test_no_password_is_sent_where_others_may_listen(monkeypatch):
    monkeypatch.setattr("platform_ml.adapters.mail._is_here", lambda host: False)
    with server() as (port, mailbox), pytest.raises(UnreachableError, match="SMTPNotSupportedError"):
        mail(port, "bot@").send(ALERT, "7")
    assert mailbox.got == []


def test_a_server_that_is_busy_or_gone_gets_it_later():
    with server("451 try again later") as (port, mailbox):
        with pytest.raises(UnreachableError, match="SMTPDataError 451"):
            mail(port).send(ALERT, "7")
        mail(port).send(ALERT, "7")
        assert len(mailbox.got) == 1
    with pytest.raises(UnreachableError, match="ConnectionRefusedError"):
        mail(port).send(ALERT, "8")


def test_a_message_that_is_refused_for_good_is_left_out():
    with (
        server("554 looks like spam") as (port, _),
        pytest.raises(StoreError, match=r"refuses message 7 \(554\)") as got,
    ):
        mail(port).send(ALERT, "7")
    assert not isinstance(got.value, UnreachableError)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://host?to=a@b.org",
        "smtp://host?from=a@b.org",
        "smtp://host:99999?to=a@b.org&from=a@b.org",
        "http://host?to=a@b.org&from=a@b.org",
        "smtp://host?to=a@b.org&from=a@b.org&password=verysecret",
        "smtp://bot:verysecret@host?to=a@b.org&from=a@b.org",
    ],
)
def test_a_wrong_address_is_refused_without_repeating_it(url):
    with pytest.raises(PlatformError, match=f"^{VARIABLE} ") as wrong:
        Mail.of(url, variable=VARIABLE)
    assert "verysecret" not in str(wrong.value)


def test_ports_are_those_that_everybody_uses():
    rest = "host?to=a@b.org&from=c@d.org"
    assert Mail.of(f"smtps://{rest}", variable=VARIABLE).port == 465
    assert Mail.of(f"smtp://{rest}", variable=VARIABLE).port == 587
