#!/usr/bin/env bash
# Every C file is as .clang-format has it; and the gate is seen to go red on one that is not.
set -uo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
check() { clang-format --dry-run -Werror --style=file "$@"; }

mapfile -t files < <(git ls-files '*.c' '*.h')
if [ "${#files[@]}" -gt 0 ] && check "${files[@]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

bad=$(mktemp -d)
trap 'rm -rf "$bad"' EXIT
cp .clang-format "$bad"
printf 'int  main( void ){return 0;}\n' >"$bad/bad.c"
if check "$bad/bad.c" 2>/dev/null; then
    echo "the gate lets a badly formatted file through"
    failed=$((failed + 1))
else
    passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
