"""What is there for Prometheus and Grafana, held by Prometheus' own promtool: the metrics of a server that has worked, the
rules for alerts with their tests, and the dashboard, whose every expression has to use metrics that exist. The lines of the
log are held against their reference as well.

Negative control: a metric with a name that nobody may use is found fault with, and so is a dashboard that asks for one
that is not there.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.request

from checks import Checks, expect
from client import Client
from ports import free_port
from server import NO_LIMITS, ROOT, Server

PROMTOOL = os.environ["VESTIBULE_PROMTOOL"]
REFERENCE = ROOT / "docs/reference/metrics.md"
LOG = ROOT / "docs/reference/logs.md"
DASHBOARD = ROOT / "deploy/grafana/vestibule.json"
PROMETHEUS = ROOT / "deploy/prometheus"
PASSWORD = "correct horse battery staple"

# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*"}

METRIC = re.compile(r"\b(?:vestibule|process)_[a-z_]+\b")
PARTS_OF_HISTOGRAMS = re.compile(r"_(?:bucket|sum|count)$")


def promtool(*arguments, given=None):
    """Exit code and words of promtool."""
    ended = subprocess.run(
        [PROMTOOL, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=60, cwd=PROMETHEUS
    )
    return ended.returncode, ended.stdout + ended.stderr


def succeeds(*arguments, given=None):
    code, words = promtool(*arguments, given=given)
    assert code == 0, words


def described():
    """The metrics of the reference, each with its kind."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", REFERENCE.read_text(), re.MULTILINE)
    assert len(rows) > 20, rows
    return dict(rows)


def missing(expression):
    """The metrics in an expression that the reference does not have."""
    known = described()
    names = METRIC.findall(re.sub(r"\{[^}]*\}", "", expression))
    assert names, f"no metric in {expression}"
    histograms = {name for name, kind in known.items() if kind == "histogram"}
    parts = {name for name in names if PARTS_OF_HISTOGRAMS.sub("", name) in histograms}
    return [name for name in names if name not in known and name not in parts]


def panels():
    dashboard = json.loads(DASHBOARD.read_text())
    found = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len(found) > 15, len(found)
    return found


def expressions():
    """Every expression of the dashboard, as Grafana sends it."""
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression, expression
            yield expression


def watched():
    """The metrics of a server that everything has happened to, and the lines of its log."""
    address = f"127.0.0.1:{free_port()}"
    with Server(*NO_LIMITS, f"--metrics-listen={address}", "--audit-file=audit.jsonl") as server:
        client = Client(server.url)
        email = "ada@example.org"
        opened = client.register(email, PASSWORD)
        expect(opened.status, 201)
        expect(client.login(email, "something else entirely").status, 401)
        expect(client.post("/api/auth/refresh", {"refresh_token": opened["refresh_token"]}).status, 200)
        for _ in range(2):
            expect(client.get("/api/auth/me", opened["access_token"]).status, 200)
        metrics = urllib.request.urlopen(server.ready["metrics"], timeout=30).read().decode()
    # The first line is no event but what a start says.
    return metrics, [line for line in map(json.loads, server.log) if line.get("event") != "ready"]


def the_metrics_are_as_prometheus_wants_them():
    metrics, _ = watched()
    code, _ = promtool("check", "metrics", given=metrics.replace("vestibule_logins_total", "vestibule_logins"))
    assert code != 0, "a counter without its ending passes"
    succeeds("check", "metrics", given=metrics)
    told = set(re.findall(r"^# TYPE (\w+) ", metrics, re.MULTILINE))
    expect(sorted(told - set(described())), [])


def the_log_has_the_fields_of_its_reference():
    _, lines = watched()
    fields = set(re.findall(r"^\| `([a-z_.]+)` \|", LOG.read_text(), re.MULTILINE))
    told = set().union(*lines) - {"timestamp", "level", "target", "message", "span"}
    assert "http.response.status_code" in told, told
    expect(sorted(told - fields), [])
    requests = [line for line in lines if line.get("url.path") == "/api/auth/login"]
    expect(len(requests), 1)
    expect(requests[0]["http.response.status_code"], 401)
    assert requests[0]["span"]["http.request.id"] and "ada@example.org" not in json.dumps(lines), lines


def every_panel_asks_for_metrics_that_exist():
    assert missing("rate(vestibule_made_up_total[5m])"), "a metric that does not exist passes"
    for expression in expressions():
        expect(missing(expression), [])
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    expect(len(ids), len(set(ids)))
    for panel in panels():
        expect(panel["datasource"]["uid"], "${datasource}")


def every_expression_of_the_dashboard_is_one():
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions())]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "rules.yml"
        # JSON is YAML.
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        succeeds("check", "rules", file)
        file.write_text(json.dumps({"groups": [{"name": "broken", "rules": [{"record": "a", "expr": "sum("}]}]}))
        assert promtool("check", "rules", file)[0] != 0, "a broken expression passes"


def alerts_fire_when_they_should_and_not_otherwise():
    succeeds("check", "rules", "alerts.yml")
    succeeds("test", "rules", "alerts_test.yml")
    for expression in re.findall(
        r"expr:(.*?)\n      *(?:for|labels):", (PROMETHEUS / "alerts.yml").read_text(), re.DOTALL
    ):
        expect(missing(expression), [])


def main():
    checks = Checks()
    checks.run_all(
        [
            the_metrics_are_as_prometheus_wants_them,
            the_log_has_the_fields_of_its_reference,
            every_panel_asks_for_metrics_that_exist,
            every_expression_of_the_dashboard_is_one,
            alerts_fire_when_they_should_and_not_otherwise,
        ]
    )
    checks.finish()


if __name__ == "__main__":
    main()
