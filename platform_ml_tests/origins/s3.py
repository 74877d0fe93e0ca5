"""An S3 server of this process, and what the environment says of it."""

import itertools
import logging
from contextlib import contextmanager

import pytest
from moto.server import ThreadedMotoServer

SECRET = "s3-s3cr3t-k3y"
NUMBERS = itertools.count()


@contextmanager
def server():
    """An S3 server, as `host:port`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            patch.setenv("AWS_ACCESS_KEY_ID", "someone")
            patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
            _forget(patch)
            yield started
    finally:
        started.stop()


def bucket():
    """The URL of a new landing place."""
    name = f"landing-{next(NUMBERS)}"
    client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return f"s3://{name}/in"


def client():
    """Another way to the server than the one under test."""
    import boto3

    return boto3.client("s3")


def put(url, content):
    """One object, as a supplier uploads it."""
    name, _, key = url.removeprefix("s3://").partition("/")
    client().put_object(Bucket=name, Key=key, Body=content)


def away(patch):
    """From now on, in this test, nobody answers."""
    patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    patch.setenv("AWS_MAX_ATTEMPTS", "1")
    _forget(patch)


def _forget(patch):
    """A file system that was made before knows where another server was."""
    from s3fs import S3FileSystem

    patch.setattr(S3FileSystem, "_cache", {})
