#!/usr/bin/env bash
# Builds, checks or tests the Rust kernel: tools/kernel.sh [build|check|test]. Without a Rust compiler it says what is
# used instead and succeeds, since everything else runs on the reference engine.
set -euo pipefail
cd "$(dirname "$0")/.."

say_no_compiler() {
    cat >&2 <<'TEXT'
************************************************************************************************
*  NO RUST COMPILER FOUND: the kernel is not built. The plain Python reference engine is used,  *
*  hundreds of times slower, and numbers are made smaller. One command gets a compiler:         *
*      curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y                  *
*  Then open a new shell and run `make kernel`.                                                 *
************************************************************************************************
TEXT
}

if [ ! -f kernel/Cargo.toml ]; then
    exit 0
fi
if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
fi
if ! command -v cargo >/dev/null; then
    say_no_compiler
    exit 0
fi

case "${1:-build}" in
check)
    cargo fmt --manifest-path kernel/Cargo.toml --all --check
    cargo clippy --manifest-path kernel/Cargo.toml --workspace --all-targets --quiet -- -D warnings
    ;;
test)
    cargo test --manifest-path kernel/Cargo.toml --workspace --release --quiet
    ;;
build)
    stamp=.venv/kernel.stamp
    wanted=$({
        find kernel -type f -not -path '*/target/*' \
            \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.py' -o -name '*.pyi' \) |
            LC_ALL=C sort | xargs sha256sum
        find protos -name '*.proto' | LC_ALL=C sort | xargs sha256sum
        cargo --version
    } | sha256sum | cut -d' ' -f1)
    is_built() {
        [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]
    }
    if is_built; then
        exit 0
    fi
    exec 9>.setup.lock
    if command -v flock >/dev/null; then flock 9; fi
    # Who held the lock may have built it.
    if is_built; then
        exit 0
    fi
    echo "kernel: building cambist-kernel (about a minute the first time)"
    manifest=$(find kernel -maxdepth 3 -name pyproject.toml -not -path '*/target/*' | head -n 1)
    if [ -z "$manifest" ]; then
        echo "kernel: no pyproject.toml below kernel/ yet" >&2
        exit 0
    fi
    rm -rf build/wheels
    mkdir -p build/wheels
    wheels=$PWD/build/wheels
    python=$PWD/.venv/bin/python
    (cd "$(dirname "$manifest")" && "$python" -m maturin build --release --quiet --interpreter "$python" --out "$wheels")
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall \
        build/wheels/cambist_kernel-*.whl
    echo "$wanted" >"$stamp"
    ;;
*)
    echo "usage: tools/kernel.sh [build|check|test]" >&2
    exit 2
    ;;
esac
