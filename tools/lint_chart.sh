#!/usr/bin/env bash
# Lints the chart as it renders: its unit tests (helm-unittest), helm's own lint, schemas of Kubernetes (kubeconform),
# good manners (kube-score, checkov), for each file of values in tests/chart/values; then the golden renders by helm 4. Says how long a render takes. Needs helm; builds the linters with Go once.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly KUBECONFORM=github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
readonly KUBE_SCORE=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
readonly HELM_4=helm.sh/helm/v4/cmd/helm@v4.1.4
# Has a venv of its own: it brings some hundred packages.
readonly CHECKOV=checkov==3.3.30
readonly KUBERNETES=1.35.0
# What kube-score would have and we do not: pulling images anew at each start, limits of processor (they throttle the
# single writer) and of scratch space (the roots are read-only).
readonly IGNORED=container-image-pull-policy,container-ephemeral-storage-request-and-limit

PATH="$PATH:$(go env GOPATH 2>/dev/null || echo "$HOME/go")/bin"
command -v helm >/dev/null || {
    echo "lint-chart: no helm on the path" >&2
    exit 1
}
command -v kubeconform >/dev/null || CGO_ENABLED=0 go install "$KUBECONFORM"
command -v kube-score >/dev/null || CGO_ENABLED=0 go install "$KUBE_SCORE"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Its go.mod replaces a module, which `go install` does not take: it is built from a module of ours that does the same.
install_unittest() (
    mkdir "$work/unittest"
    cd "$work/unittest"
    cat >go.mod <<-END
	module unittest
	go 1.25
	require github.com/helm-unittest/helm-unittest v1.1.2
	replace github.com/vmware-labs/yaml-jsonpath v0.3.2 => github.com/helm-unittest/yaml-jsonpath v0.4.0
	END
    printf 'package main\n\nimport _ "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"\n' >tool.go
    go mod tidy
    CGO_ENABLED=0 go build -o "$(go env GOPATH)/bin/" github.com/helm-unittest/helm-unittest/cmd/helm-unittest
)
checkov=build/checkov/bin/checkov
[[ -x $checkov ]] || {
    python3 -m venv build/checkov
    build/checkov/bin/pip install --quiet "$CHECKOV"
}
[[ -x build/helm4/helm ]] || GOBIN=$PWD/build/helm4 CGO_ENABLED=0 go install "$HELM_4"
command -v helm-unittest >/dev/null || install_unittest
helm-unittest --strict --file '../../tests/chart/unit/*.yaml' helm/cambist

.venv/bin/python -m tools.chart_schemas write "$work/schemas"

for values in tests/chart/values/*.yaml; do
    name=$(basename "$values" .yaml)
    helm lint --strict --quiet --kube-version "$KUBERNETES" --values "$values" helm/cambist
    began=$(date +%s%N)
    helm template venue helm/cambist --kube-version "$KUBERNETES" --values "$values" >"$work/$name.yaml"
    echo "$name: rendered in $((($(date +%s%N) - began) / 1000000)) ms"
    for folder in "$work"/schemas/*; do
        echo "$name: against $(basename "$folder")"
        # Not ours: those of the Prometheus operator. Definitions: a real API server takes them in `make test-cluster`.
        kubeconform -strict -summary -schema-location "$folder/{{.ResourceKind}}{{.KindSuffix}}.json" \
            -skip PrometheusRule,PodMonitor,ServiceMonitor,CustomResourceDefinition "$work/$name.yaml"
    done
    status=0
    kube-score score --output-format ci --kubernetes-version v1.35 --ignore-container-cpu-limit \
        --ignore-test "$IGNORED" "$work/$name.yaml" >"$work/score" || status=$?
    grep -v '^\[OK\]\|^\[SKIPPED\]' "$work/score" || true
    ((status == 0)) || exit "$status"
    # Definitions are left out: it takes them for pods.
    LOG_LEVEL=ERROR "$checkov" --config-file tests/chart/checkov.yaml --compact --quiet \
        --file "$work/$name.yaml"
done

echo "the same by $(build/helm4/helm version --short)"
PATH=$PWD/build/helm4:$PATH .venv/bin/python -m pytest -q tests/chart/test_golden.py
