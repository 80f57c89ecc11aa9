"""docs/grafana-dashboard.json, docs/alerts.yml, docs/prometheus.yml: what they ask for exists, and is asked as Prometheus
wants it. SPDX-License-Identifier: MIT"""
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from support.stack import ROOT

DASHBOARD = json.loads((ROOT / "docs/grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((ROOT / "docs/alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
SERIES = re.compile(r"\btgo_[a-z0-9_]+")
PARTS = re.compile(r"_(bucket|sum|count)$")
# What Prometheus adds by itself.
ITS_OWN = {"job", "instance", "le"}


def documented():
    """{series: its labels} of docs/metrics.md."""
    rows = re.findall(r"^\| `(tgo_[a-z0-9_]+)` \| (\w+) \|([^|]*)\|", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: (kind, {label.strip() for label in labels.split(",") if label.strip()}) for name, kind, labels in rows}


def printed():
    """Names of the program's own source: the counters' table, and the gauges the worker adds."""
    text = (ROOT / "src/base/meter.h").read_text()
    names = set(re.findall(r'X\(\w+,\s+"(tgo_[a-z0-9_]+)"', text))
    for file in ("src/api/state_text.c", "src/api/metrics.c"):
        names |= set(re.findall(r'"(tgo_[a-z0-9_]+)"', (ROOT / file).read_text()))
    return names


def names_in(expression):
    """{series: histogram's part or ""}"""
    known, found = documented(), {}
    for name in SERIES.findall(expression):
        part = PARTS.search(name)
        if name not in known and part:
            found[name[:part.start()]] = part[1]
        else:
            found[name] = ""
    return found


@pytest.mark.parametrize("expression", QUERIES + [rule["expr"] for rule in RULES])
def test_what_is_asked_for_exists(expression):
    known, ours = documented(), printed()
    for name, part in names_in(expression).items():
        assert name in known and name in ours, name
        assert (part != "") == (known[name][0] == "histogram"), name


@pytest.mark.parametrize("expression", QUERIES + [rule["expr"] for rule in RULES])
def test_labels_are_those_of_the_series(expression):
    known = documented()
    labels = set().union(ITS_OWN, *(known[name][1] for name in names_in(expression)))
    asked = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression))
    for clause in re.findall(r"\b(?:by|ignoring|on|without)\s*\(([^)]*)\)", expression):
        asked |= {label.strip() for label in clause.split(",") if label.strip()}
    assert asked <= labels


def test_every_series_has_its_place_on_the_dashboard():
    shown = set().union(*(names_in(expression) for expression in QUERIES))
    assert set(documented()) - shown == set()


def test_the_dashboard_can_be_imported():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) and DASHBOARD["id"] is None and DASHBOARD["uid"] and DASHBOARD["title"]
    assert [v["type"] for v in DASHBOARD["templating"]["list"]] == ["datasource"]
    for panel in PANELS:
        assert panel["title"] and panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
        for label in re.findall(r"{{(\w+)}}", " ".join(t["legendFormat"] for t in panel["targets"])):
            assert any(re.search(rf"\b{label}\b", t["expr"]) or label in ITS_OWN for t in panel["targets"])


def test_panels_do_not_overlap():
    taken = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"], panel["title"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_and_the_cure(rule):
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    assert set(rule["annotations"]) == {"summary", "cure"} and all(rule["annotations"].values())


def test_cures_name_what_there_is():
    cures = " ".join(rule["annotations"]["cure"] for rule in RULES)
    commands = set(re.findall(r'{ \.name = "(\w+)"', (ROOT / "src/cli/cli.c").read_text()))
    assert set(re.findall(r"tgo-call (\w+)", cures.replace("tgo-call tgo-call-jobs", ""))) <= commands
    options = set(re.findall(r'\.name = "([A-Z0-9_]+)"', (ROOT / "src/conf/conf_table.c").read_text()))
    named = {word for word in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", cures)}
    assert named <= options
    alerts = {rule["alert"] for rule in RULES}
    assert set(re.findall(r"\bTgo\w+", cures)) <= alerts and len(alerts) == len(RULES)
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    assert all(any(path.endswith(one) for path in paths) for one in re.findall(r"GET (/[\w/]+)", cures))


def test_the_scrape_example_has_both_ports():
    example = yaml.safe_load((ROOT / "docs/prometheus.yml").read_text())
    jobs = {one["job_name"]: one.get("metrics_path", "/metrics") for one in example["scrape_configs"]}
    assert jobs == {"tgo-call": "/metrics", "tgo-call-route": "/metrics/route", "tgo-call-jobs": "/metrics"}
    assert example["rule_files"] == ["alerts.yml"]


# --- as Prometheus' own tool sees it ---

@pytest.fixture(scope="module")
def promtool():
    program = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not program:
        pytest.skip("promtool (Debian's package prometheus) is not there and could not be had")

    def run(*args):
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_promtool_takes_rules_and_configuration(promtool):
    assert f"{len(RULES)} rules found" in promtool("check", "rules", ROOT / "docs/alerts.yml")
    promtool("check", "config", ROOT / "docs/prometheus.yml")


def test_alerts_fire_when_they_should_and_else_not(promtool):
    promtool("test", "rules", ROOT / "t/docs/alerts.yml")


def test_promtool_takes_every_query_of_the_dashboard_and_of_the_page(promtool, tmp_path):
    rows = re.findall(r"^\| `tgo_\w+` \|.*\|$", (ROOT / "docs/metrics.md").read_text(), re.M)
    of_page = [re.findall(r"`([^`]+)`", row)[-1].replace("\\|", "|") for row in rows]
    rules = [{"record": f"asked:{i}", "expr": expression.replace("$__rate_interval", "5m")}
             for i, expression in enumerate(QUERIES + of_page)]
    assert len(of_page) == len(documented())
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yml")
