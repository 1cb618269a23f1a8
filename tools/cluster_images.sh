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
# A node of Ethereum for the tests of custody, where the machine has one (.ci/nodes).
anvil=${ANVIL:-$(command -v anvil || true)}
if [ -n "$anvil" ]; then
    context=$(mktemp -d)
    trap 'rm -rf "$context"' EXIT
    cp "$anvil" "$context/anvil"
    "$IMAGE_TOOL" build --tag "cambist-test-node:${IMAGE_TAG:-dev}" -f "$PWD/tests/cluster/custody/node.Dockerfile" "$context"
else
    echo "no anvil: tests of custody on the cluster will find no node (eval \"\$(.ci/nodes)\")" >&2
fi
