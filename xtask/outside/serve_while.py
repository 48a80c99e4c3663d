"""Runs a command while the released program serves the example site.

Its URL is in VESTIBULE_URL, its data folder in VESTIBULE_DATA.

    serve_while.py COMMAND [ARGUMENT]...
"""

import os
import subprocess
import sys

from server import NO_LIMITS, ROOT, Server

with Server(*NO_LIMITS) as server:
    environment = {**os.environ, "VESTIBULE_URL": server.url, "VESTIBULE_DATA": str(server.data)}
    status = subprocess.run(sys.argv[1:], cwd=ROOT, env=environment, check=False).returncode
    if status != 0:
        server.print_log()
sys.exit(status)
