"""The process of the local model's server: `python local_server.py '{"path", "context", "threads"}'`.

It imports nothing of CostLab, says `costlab port N` on standard output once it listens, and ends when its standard
input closes: whoever started it may be killed without leaving it behind.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Serve until standard input closes."""
    import xllamacpp

    asked = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = asked["path"]
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = asked["context"], 1
    params.use_jinja, params.warmup = True, False
    params.cpuparams.n_threads = asked["threads"]
    server = xllamacpp.Server(params)
    port = int(server.listening_address.rpartition(":")[2])
    sys.stdout.write(f"costlab port {port}\n")
    sys.stdout.flush()
    while sys.stdin.buffer.read(4_096):
        pass
    os._exit(0)  # its threads may be in the middle of an answer that nobody waits for


if __name__ == "__main__":
    main()
