"""Rules and dashboards: they parse, name only metrics that exist, and run in a real Prometheus."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, MetricsHandler
from prometheus_client.parser import text_string_to_metric_families

from tests.harness import Town
from tests.journeys.browser import on_sqlite

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules" / "sla.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
RUNBOOK = ROOT / "docs" / "runbook.md"

# The names and labels that the contract promises.
COUNTERS = {
    "rapid_response_contacts_total": {"channel": "phone"},
    "rapid_response_incidents_total": {"category": "scam", "priority": "P1"},
    "rapid_response_age_targeting_total": {"state": "potential"},
    "rapid_response_sla_met_total": {"category": "scam", "mode": "attended"},
    "rapid_response_sla_met_corrections_total": {"category": "scam", "mode": "attended"},
    "rapid_response_sla_breached_total": {"category": "scam"},
    "rapid_response_sla_breached_corrections_total": {"category": "scam"},
    "rapid_response_messages_total": {"purpose": "offer", "channel": "sms", "status": "delivered"},
    "rapid_response_outcomes_total": {"outcome": "money_prevented"},
    "rapid_response_money_pounds_total": {"kind": "prevented", "grade": "A"},
    "rapid_response_repeat_victims_total": {},
    "rapid_response_referrals_total": {"kind": "asc_safeguarding", "state": "sent"},
}
GAUGES = {
    "rapid_response_incidents_open": {"category": "scam", "status": "dispatching"},
    "rapid_response_oldest_unassigned_seconds": {},
    "rapid_response_next_due_seconds": {},
    "rapid_response_message_unknown": {},
    "rapid_response_responders_on_duty": {},
    "rapid_response_coverage_open": {},
    "rapid_response_agenda_overdue": {},
    "rapid_response_open_without_next_step": {},
    "rapid_response_last_sweep_timestamp_seconds": {},
    "rapid_response_audit_good_timestamp_seconds": {},
    "rapid_response_backup_timestamp_seconds": {},
    "rapid_response_database_checked_timestamp_seconds": {},
    "rapid_response_messages_held": {},
    "rapid_response_clock_step_seconds": {},
    "rapid_response_disk_free_ratio": {},
    "rapid_response_disk_free_bytes": {},
}
HISTOGRAMS = {
    "rapid_response_time_to_accept_seconds": {"category": "scam"},
    "rapid_response_time_to_respond_seconds": {"category": "scam"},
    "rapid_response_deadline_lateness_seconds": {},
    "rapid_response_report_to_offer_seconds": {},
}
# Known to each process only, so nodes are told apart; everything else comes from the database.
KNOWN_TO_THE_PROCESS = {"rapid_response_disk_free_ratio", "rapid_response_disk_free_bytes"}

HISTOGRAM_SUFFIXES = ("_bucket", "_sum", "_count")
SERIES = {*COUNTERS, *GAUGES, *(name + suffix for name in HISTOGRAMS for suffix in HISTOGRAM_SUFFIXES), "up"}
FROM_THE_DATABASE = SERIES - {"up"} - KNOWN_TO_THE_PROCESS


GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]


def loaded_rules() -> list[dict[str, Any]]:
    return [rule for group in GROUPS for rule in group["rules"]]


RECORDED = {rule["record"] for rule in loaded_rules() if "record" in rule}
ALERTS = [rule for rule in loaded_rules() if "alert" in rule]


def panels() -> list[tuple[str, dict[str, Any]]]:
    return [(path.stem, panel) for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]


PANELS = panels()
each_panel = pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{board}-{panel['title']}" for board, panel in PANELS]
)


def without_variables(expression: str) -> str:
    """What Grafana would send with every variable at "All"."""
    filled = expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
    return re.sub(r"\$\{?\w+\}?", ".+", filled)


EXPRESSIONS = [
    *((rule.get("record") or rule["alert"], rule["expr"]) for rule in loaded_rules()),
    *(
        (f"{panel['title']} {target['refId']}", without_variables(target["expr"]))
        for _, panel in PANELS
        for target in panel["targets"]
    ),
]
each_expression = pytest.mark.parametrize(
    "expression", [text for _, text in EXPRESSIONS], ids=[name for name, _ in EXPRESSIONS]
)


def selected(expression: str) -> list[tuple[str, str | None]]:
    """Each series that an expression reads, with the aggregation nearest around it."""
    around: list[str] = []
    found: list[tuple[str, str | None]] = []

    def wrapping(node: promql_parser.Expr) -> str | None:
        if isinstance(node, promql_parser.AggregateExpr):
            labels = node.modifier.labels if node.modifier else []
            by = node.modifier is not None and node.modifier.type == promql_parser.AggModifierType.By
            return f"{node.op} {'by' if by else 'without'} {','.join(labels)}".strip()
        if isinstance(node, promql_parser.Call) and node.func.name == "absent":
            return "absent"
        return None

    def enter(node: promql_parser.Expr) -> None:
        if (name := wrapping(node)) is not None:
            around.append(name)
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node.name or "", around[-1] if around else None))

    def leave(node: promql_parser.Expr) -> None:
        if wrapping(node) is not None:
            around.pop()

    promql_parser.walk(promql_parser.parse(expression), enter, leave)
    return found


@each_expression
def test_names_only_metrics_that_exist(expression: str) -> None:
    unknown = {name for name, _ in selected(expression)} - SERIES - RECORDED
    assert not unknown


@on_sqlite  # where the disk is the service's own
async def test_the_service_shows_what_rules_and_panels_lean_on_before_anything_has_happened(
    town: Town,
) -> None:
    page = await town.http.get("/metrics")
    shown = {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }
    # Absent while nothing is due: a limit of 0 would read as due now.
    named = {**COUNTERS, **GAUGES} | {f"{name}_sum": labels for name, labels in HISTOGRAMS.items()}
    del named["rapid_response_next_due_seconds"]
    assert [name for name, labels in named.items() if (name, frozenset(labels.items())) not in shown] == []


@each_expression
def test_two_nodes_do_not_double_a_figure_of_the_database(expression: str) -> None:
    for name, around in selected(expression):
        if name in FROM_THE_DATABASE:
            # `max(x)` alone leaves no instance either.
            assert around in {"max without instance", "max without", "absent"}, f"{name} inside {around}"


@each_expression
def test_no_bucket_bound_is_written_out(expression: str) -> None:
    # Prometheus 2 and 3 spell `le` differently.
    assert "le=" not in expression.replace(" ", "")


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_says_what_is_wrong_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket", "none"}
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert all(text.strip() for text in notes.values())
    page, _, section = notes["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    headings = [
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    ]
    assert section in headings


@pytest.mark.parametrize("group", GROUPS, ids=[group["name"] for group in GROUPS])
def test_what_is_recorded_is_there_until_it_is_recorded_again(group: dict[str, Any]) -> None:
    """Prometheus takes a sample for gone after five minutes; at that interval each is gone for a moment."""
    minutes = re.fullmatch(r"(\d+)m", group.get("interval", "1m"))
    assert minutes is not None
    assert int(minutes[1]) * 2 < 5


def test_names_of_rules_are_unique() -> None:
    names = [rule.get("record") or rule["alert"] for rule in loaded_rules()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", DASHBOARDS, ids=[path.stem for path in DASHBOARDS])
def test_a_dashboard_is_fixed_and_small(path: Path) -> None:
    board = json.loads(path.read_text())
    assert board["editable"] is False
    assert board["uid"].startswith("rapid-response-")
    assert board["timezone"] == "Europe/London"
    assert len(board["panels"]) <= 8
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["category"]["includeAll"] is True
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for one, other in combinations(board["panels"], 2):
        assert not overlap(one["gridPos"], other["gridPos"]), f"{one['title']} lies over {other['title']}"


def test_dashboards_have_ids_of_their_own() -> None:
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]
    assert uids
    assert len(uids) == len(set(uids))


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


@each_panel
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["title"].strip()
    assert panel["description"].strip().endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
        assert source == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_provisioning_points_at_what_is_there() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    assert source["editable"] is False
    for path in DASHBOARDS:
        variables = json.loads(path.read_text())["templating"]["list"]
        assert variables[0]["current"]["value"] == source["uid"]
    provider = yaml.safe_load((provisioning / "dashboards" / "rapid-response.yml").read_text())["providers"][
        0
    ]
    assert provider["allowUiUpdates"] is False
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts


# ---- with Debian's `prometheus` package, or any other that has both programs


def program(name: str) -> str:
    found = shutil.which(name)
    if found is not None:
        return found
    missing = f"{name} is not installed (Debian and Ubuntu: apt install prometheus)"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_its_configuration() -> None:
    run(program("promtool"), "check", "config", PROMETHEUS / "prometheus.yml")


def test_prometheus_takes_the_rules() -> None:
    run(program("promtool"), "check", "rules", RULES)


@pytest.mark.long
def test_the_rules_fire_when_they_should() -> None:
    run(program("promtool"), "test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml")))


@pytest.fixture
def figures() -> Iterator[str]:
    """The address of a page of metrics on which every count has grown since it was last read."""
    registry = CollectorRegistry()
    counters = {
        name: Counter(name, name, list(labels), registry=registry).labels(**labels)
        if labels
        else Counter(name, name, registry=registry)
        for name, labels in COUNTERS.items()
    }
    gauges = [
        Gauge(name, name, list(labels), registry=registry).labels(**labels)
        if labels
        else Gauge(name, name, registry=registry)
        for name, labels in GAUGES.items()
    ]
    histograms = [
        Histogram(name, name, list(labels), registry=registry).labels(**labels)
        if labels
        else Histogram(name, name, registry=registry)
        for name, labels in HISTOGRAMS.items()
    ]

    class Page(MetricsHandler.factory(registry)):  # type: ignore[misc]  # a class made at run time
        def do_GET(self) -> None:
            for name, counter in counters.items():
                if "corrections" not in name:  # then nothing would be left
                    counter.inc()
            for gauge in gauges:
                gauge.set_to_current_time()
            for histogram in histograms:
                histogram.observe(2)
            super().do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def prometheus(figures: str, tmp_path: Path) -> Iterator[str]:
    """A running Prometheus with our configuration, but reading those figures, and each second."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    job = config["scrape_configs"][0]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [figures]}]
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        group.pop("interval", None)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "sla.yml").write_text(yaml.safe_dump(rules))
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # The last thing to appear: it needs several scrapes and two rounds of rules.
        wait_for(f"http://{address}", "rapid_response:sla_share:ratio30d", log)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address: str, expression: str, log: Path) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        try:
            if ask(address, expression)["data"]["result"]:
                return
        except (httpx.TransportError, json.JSONDecodeError):
            pass  # not listening yet, or still busy with its start
        time.sleep(0.2)
    raise AssertionError(f"{expression} did not appear; Prometheus said:\n{log.read_text()}")


def ask(address: str, expression: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{address}/api/v1/query", params={"query": expression}).json()
    return answer


@pytest.mark.long
def test_every_panel_shows_something_and_every_rule_is_evaluated(prometheus: str) -> None:
    for _, panel in PANELS:
        for target in panel["targets"]:
            answer = ask(prometheus, without_variables(target["expr"]))
            assert answer["status"] == "success", (panel["title"], answer)
            assert answer["data"]["result"], f"{panel['title']} {target['refId']} is empty"
    groups = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == len(loaded_rules())
    assert {rule["name"]: rule.get("lastError", "") for rule in rules if rule["health"] != "ok"} == {}
