"""The manifests: built, valid for the API server, with settings that the service accepts, and consistent with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed_settings import load
from linters import run

from service.settings.program import Settings


@pytest.fixture(scope="module")
def built(deploy: Path) -> str:
    """The example overlay, as it would be applied."""
    done = run("kubectl", "kustomize", deploy / "kubernetes/overlays/example")
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def manifests(built: str) -> dict[str, Any]:
    """Each manifest by its kind; there is one of each."""
    documents = list(yaml.safe_load_all(built))
    by_kind = {document["kind"]: document for document in documents}
    assert len(documents) == len(by_kind)
    return by_kind


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Any]) -> Any:
    return manifests["Deployment"]["spec"]["template"]


@pytest.fixture(scope="module")
def container(pod: Any) -> Any:
    (container,) = pod["spec"]["containers"]
    return container


@pytest.fixture
def settings(manifests: dict[str, Any], tmp_path: Path) -> Settings:
    return load(manifests["ConfigMap"]["data"], secrets="/run/secrets/resource-server/", folder=tmp_path)


def test_every_manifest_is_valid(built: str, tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text(built)
    done = run("kubernetes-validate", "--strict", "--quiet", tmp_path / "built.yaml")
    assert 0 == done.returncode, done.stdout + done.stderr
    # The only kind that is not one of Kubernetes itself.
    without_schema = re.findall(r"find schema for kind (\w+)", done.stdout + done.stderr)
    assert ["PodMonitor"] == without_schema


def test_a_misspelt_member_is_found(built: str, tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text(built.replace("readinessProbe:", "readynessProbe:"))
    assert 0 != run("kubernetes-validate", "--strict", tmp_path / "built.yaml").returncode


def test_the_service_accepts_its_settings(settings: Settings, manifests: dict[str, Any], container: Any) -> None:
    assert [{"configMapRef": {"name": manifests["ConfigMap"]["metadata"]["name"]}}] == container["envFrom"]
    assert "SERVICE_ADDRESS" not in manifests["ConfigMap"]["data"], "the image has it"
    assert 0 == settings.processes
    assert container["resources"]["limits"]["cpu"], "without it, processes = 0 follows the cores of the node"


def test_no_secret_is_in_the_manifests(manifests: dict[str, Any], pod: Any) -> None:
    assert "Secret" not in manifests
    assert [{"secretName": "resource-server", "defaultMode": 0o440}] == [
        volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume
    ]
    data = manifests["ConfigMap"]["data"]
    assert not [name for name in data if name.endswith(("_SECRET", "_TOKEN", "_PASSWORD"))]


def test_ports_and_probes_are_those_of_the_service(settings: Settings, container: Any) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {"http": settings.port, "metrics": settings.admin_port} == ports
    probed = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {"path": "/readyz", "port": "http"} == probed["readinessProbe"]
    # An issuer that is down must not restart the Pod.
    assert {"path": "/healthz", "port": "http"} == probed["livenessProbe"] == probed["startupProbe"]


def test_the_grace_period_is_longer_than_the_stop(container: Any, pod: Any, settings: Settings) -> None:
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["spec"]["terminationGracePeriodSeconds"] >= pause + settings.drain_timeout + 10


def test_the_pod_meets_the_restricted_standard(pod: Any, container: Any) -> None:
    assert not pod["spec"]["automountServiceAccountToken"]
    assert {
        "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    } == pod["spec"]["securityContext"]  # fmt: skip
    assert {
        "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]  # fmt: skip
    (tmp,) = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == "/tmp"]  # noqa: S108  # in the container
    (volume,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == tmp]
    assert "Memory" == volume["emptyDir"]["medium"]


def test_each_selector_finds_the_pod(manifests: dict[str, Any], pod: Any) -> None:
    labels = pod["metadata"]["labels"]
    selectors = [
        manifests["Service"]["spec"]["selector"],
        manifests["Deployment"]["spec"]["selector"]["matchLabels"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        manifests["PodMonitor"]["spec"]["selector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod["spec"]["topologySpreadConstraints"]),
    ]
    assert selectors
    assert all(selector and selector.items() <= labels.items() for selector in selectors)
    assert "resource-server" == manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
    assert "replicas" not in manifests["Deployment"]["spec"], "it would undo the decision of the autoscaler"


def test_nodes_can_be_drained_while_the_issuer_is_down(manifests: dict[str, Any]) -> None:
    budget = manifests["PodDisruptionBudget"]["spec"]
    assert ("AlwaysAllow", 1) == (budget["unhealthyPodEvictionPolicy"], budget["maxUnavailable"])
    assert manifests["HorizontalPodAutoscaler"]["spec"]["minReplicas"] > budget["maxUnavailable"]


def test_the_network_policy_reaches_name_servers_issuer_and_cache_only(manifests: dict[str, Any]) -> None:
    policy = manifests["NetworkPolicy"]["spec"]
    assert {"Ingress", "Egress"} == set(policy["policyTypes"])
    ports = {(port["protocol"], port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    assert {("UDP", 53), ("TCP", 53), ("TCP", 443), ("TCP", 6379)} == ports
    # The admin port is for the monitoring; the label of the application must not get into the selector of others.
    by_port = {port["port"]: rule.get("from") for rule in policy["ingress"] for port in rule["ports"]}
    assert by_port["http"] is None
    assert [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}] == by_port["metrics"]
    assert {"k8s-app": "kube-dns"} == policy["egress"][0]["to"][0]["podSelector"]["matchLabels"]
