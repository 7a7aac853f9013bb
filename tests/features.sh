#!/usr/bin/env bash
# Checks that the library and all its tests, examples and benches compile, without a warning, under
# every combination of features that somebody may want and that the other checks do not build:
#
#     tests/features.sh [COMBINATION...]
#
# A combination is a list such as `flex,store`. All of them take long where nothing is built yet.
set -uo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never

# No backend, each backend by itself, and those that may meet; without and with all that is no backend.
backends=("" flex ndarray wgpu vulkan flex,ndarray flex,wgpu flex,ndarray,wgpu)
combinations=()
for backend in "${backends[@]}"; do
    combinations+=("$backend" "$backend,train,store,report")
done
# What is no backend, one at a time: none of them knows of backends.
for feature in train store report train,report; do
    combinations+=("$feature" "flex,$feature")
done
[ $# -eq 0 ] || combinations=("$@")

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
for features in "${combinations[@]}"; do
    started=$SECONDS
    if cargo check --release --all-targets --no-default-features --features "$features" >"$log" 2>&1 \
        && ! grep -q '^warning' "$log"; then
        verdict=ok
    else
        verdict=FAILED
        failed=$((failed + 1))
        grep -E -A6 '^(warning|error)' "$log" | head -60
    fi
    printf '%-6s %4d s  %s\n' "$verdict" $((SECONDS - started)) "${features:-(none)}"
done
printf '%d of %d combinations fail\n' "$failed" "${#combinations[@]}"
[ "$failed" -eq 0 ]
