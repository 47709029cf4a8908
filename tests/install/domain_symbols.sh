#!/bin/sh
# The pure core needs nothing of the world: domain, linked with what it uses of base, may ask the C
# library only for memory and text functions and for the end by an assertion.
# usage: tests/install/domain_symbols.sh [BUILD]   (a build without sanitizers)
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/release}
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
allowed='^(mem[a-z]*|str[a-z]*|abort|__assert_fail|_GLOBAL_OFFSET_TABLE_)$'
passed=0
failed=0

verdict() # NAME, with the exit code of the command before
{
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok   $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

# Symbols that one relocatable file of all domain, with what it pulls in of base, leaves to others.
needed() # DOMAIN_ARCHIVE
{
    ld -r -o "$to/domain.o" --whole-archive "$1" --no-whole-archive "$build/libbaton_base.a" &&
        nm -u "$to/domain.o" | awk '{ print $NF }' | sort -u
}

only_allowed() # DOMAIN_ARCHIVE
{
    needed "$1" >"$to/needed" || return 1
    [ -s "$to/needed" ] || return 1
    ! grep -Ev "$allowed" "$to/needed"
}

includes_only_base()
{
    ! grep -nE '^ *#include' "$root"/src/domain/*.[ch] |
        grep -vE '<baton/[a-z]+\.h>|"(base|domain)/[a-z_]+\.h"|<(assert|string|stdint|stddef|stdbool)\.h>'
}

# The test can go red: the same archive with a call to time() and one to malloc() in it.
goes_red()
{
    cp "$build/libbaton_domain.a" "$to/bad.a" || return 1
    printf '#include <stdlib.h>\n#include <time.h>\nvoid *bad(void);\nvoid *bad(void) { return malloc((size_t)time(NULL)); }\n' >"$to/bad.c"
    cc -c "$to/bad.c" -o "$to/bad.o" && ar r "$to/bad.a" "$to/bad.o" 2>/dev/null || return 1
    only_allowed "$to/bad.a" >"$to/complaint" && return 1
    [ "$(sort "$to/complaint" | tr '\n' ' ')" = "malloc time " ]
}

only_allowed "$build/libbaton_domain.a"
verdict "domain with base needs only mem*, str*, abort and __assert_fail"
includes_only_base
verdict "domain includes only base and the C library's plain headers"
goes_red
verdict "a call to malloc or time would be seen"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
