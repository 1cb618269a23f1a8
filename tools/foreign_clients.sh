#!/usr/bin/env bash
# Builds grpcurl and ghz, gRPC clients that are not ours, and the OpenTelemetry collector into build/foreign. Quick when
# they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$PWD/build/foreign
mkdir -p "$target"
install_one() {
    local name=$1 package=$2 version=$3
    if [ "$(cat "$target/$name.version" 2>/dev/null || true)" = "$version" ] && [ -x "$target/$name" ]; then
        return
    fi
    echo "foreign clients: building $name $version (a minute the first time)"
    CGO_ENABLED=0 GOBIN=$target go install "$package@$version"
    echo "$version" >"$target/$name.version"
}
install_one grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl v1.9.4
install_one ghz github.com/bojand/ghz/cmd/ghz v0.93.0

# Of its own modules, because no release of it is one program that Go can install.
source=tests/foreign/collector
version=$(cat "$source"/main.go "$source"/go.mod "$source"/go.sum | sha256sum | cut -c1-16)
if [ "$(cat "$target/collector.version" 2>/dev/null || true)" != "$version" ] || [ ! -x "$target/collector" ]; then
    echo "foreign clients: building the collector (two minutes the first time)"
    (cd "$source" && CGO_ENABLED=0 go build -trimpath -o "$target/collector" .)
    echo "$version" >"$target/collector.version"
fi
