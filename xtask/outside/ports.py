"""Ports for servers that give theirs up and want it again, as they do whom a script restarts."""

import random
import socket

# As `port_below_ephemeral` in `xtask/src/engines.rs`: below the ports that outgoing connections are given, or a client
# that keeps calling a server which is down might take its port.
FIRST, EPHEMERAL = 20_000, 32_768
TRIES = 100


def free_port():
    """A port of the loopback address that nobody listens on at the moment."""
    for _ in range(TRIES):
        port = random.SystemRandom().randrange(FIRST, EPHEMERAL)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"{TRIES} ports were tried and all of them are taken")
