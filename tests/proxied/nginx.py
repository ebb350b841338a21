"""A real nginx in front of a node: TLS with a certificate made here, all else as it comes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
OPENSSL = shutil.which("openssl")
START_S = 30
needs_nginx = pytest.mark.skipif(
    not (NGINX and OPENSSL), reason="needs nginx and openssl: apt-get install nginx openssl"
)
NAME = "node.example"
_CONFIG = """
daemon off;
pid {room}/pid;
error_log {room}/errors;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {room}/body;
    proxy_temp_path {room}/proxy;
    fastcgi_temp_path {room}/fastcgi;
    uwsgi_temp_path {room}/uwsgi;
    scgi_temp_path {room}/scgi;
    gzip on;
    gzip_types *;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {name};
        ssl_certificate {room}/certificate.pem;
        ssl_certificate_key {room}/key.pem;
        location / {{ proxy_pass {node}; }}
        location /tangle/ {{
            proxy_pass {node}/;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


@contextmanager
def nginx(room: Path, node: str) -> Iterator[int]:
    """The port on which nginx serves the node at `node` with TLS: at `/`, and under `/tangle/`."""
    assert NGINX is not None
    _certify(room)
    port = _free_port()
    config = room / "nginx.conf"
    config.write_text(_CONFIG.format(room=room, port=port, node=node, name=NAME))
    process = subprocess.Popen([NGINX, "-e", str(room / "errors"), "-c", str(config)], cwd=room)
    try:
        _await_port(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(START_S)


def _certify(room: Path) -> None:
    """Make a certificate that its own key signed."""
    command = [str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", f"/CN={NAME}"]
    names = ["-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"]
    subprocess.run(
        [*command, *names], cwd=room, check=True, capture_output=True, env={**os.environ, "HOME": str(room)}
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.02)
        else:
            return
