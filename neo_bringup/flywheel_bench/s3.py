"""A real S3 server for measures and tests: ``moto``, of requirements/dev.txt, as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from neo_description.errors import NeoError

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "lab:someone", "AWS_SECRET_ACCESS_KEY": "secret"}  # as Swift has them


@contextmanager
def server() -> Iterator[str]:
    """The endpoint of a server that holds nothing yet; it ends with the block."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise NeoError(f"moto's server does not start: {''.join(said[-3:]).strip()}")
        threading.Thread(target=process.stderr.read, daemon=True).start()  # or its pipe fills up
        yield found[1]
    finally:
        process.kill()
        process.wait()


def client(endpoint: str) -> Any:
    """An independent client, boto3."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip


def keys(endpoint: str, bucket: str) -> dict[str, int]:
    """Key → bytes of everything in a bucket, by the independent client."""
    pages = client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {row["Key"]: row["Size"] for page in pages for row in page.get("Contents", [])}
