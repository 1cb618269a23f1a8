#!/usr/bin/env bash
# Builds the images that the chart's tests need and brings them into the one-node cluster.
# IMAGE_TOOL names its image builder (`image build -t NAME:TAG …`); needs the wheel of `make kernel`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${IMAGE_TOOL:?names the image builder of the one-node cluster}"
for target in matching gateway control edge postgres; do
    "$IMAGE_TOOL" build --tag "cambist-$target:${IMAGE_TAG:-dev}" --build-arg=KERNEL=host --target="$target" .
done
