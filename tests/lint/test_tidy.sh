#!/usr/bin/env bash
# clang-tidy (.clang-tidy) finds nothing in src/ and bench/; and the gate is seen to go red on a file with a mistake.
set -uo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --preset release -B "$work/build" -DBATON_TESTS=OFF >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; echo "0 passed, 1 failed"; exit 1; }
cmake --build "$work/build" --target codec_embedded >/dev/null 2>&1 || true

if git ls-files 'src/*.c' 'bench/*.c' | xargs -P "$(nproc)" -n 6 clang-tidy --quiet -p "$work/build" >"$work/findings" 2>/dev/null; then
    passed=$((passed + 1))
else
    grep -A 3 -E 'error:|warning:' "$work/findings" | head -60
    failed=$((failed + 1))
fi

cp .clang-tidy "$work"
printf '#include <string.h>\nint same(const char *a, const char *b);\nint same(const char *a, const char *b) { return strcmp(a, b) && strcmp(a, b); }\n' >"$work/bad.c"
if clang-tidy --quiet "$work/bad.c" -- >/dev/null 2>&1; then
    echo "the gate lets a redundant expression through"
    failed=$((failed + 1))
else
    passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
