#!/bin/sh
# Installs a build into a temporary folder and uses it from outside: a C program that scores one lead
# with the installed library. usage: tests/install/run.sh [BUILD]
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/release}
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
passed=0
failed=0

check() # NAME COMMAND…
{
    name=$1
    shift
    if "$@" >"$to/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        sed 's/^/     /' "$to/log"
    fi
}

installs()
{
    cmake --install "$build" --prefix "$to/there" --component library
}

has_headers()
{
    for header in agreement event lead scoring; do
        test -f "$to/there/include/baton/$header.h" || return 1
    done
}

# The tree is moved after the installation: nothing in it may remember where it was.
moves()
{
    mv "$to/there" "$to/elsewhere" || return 1
    PKG_CONFIG_PATH=$(dirname "$(find "$to/elsewhere" -name baton.pc)")
    export PKG_CONFIG_PATH
    pkg-config --print-errors --exists baton
}

has_version()
{
    [ "$(pkg-config --modversion baton)" = "$(sed -n 's/^project(baton VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")" ]
}

# A build with sanitizers needs their run-time libraries in whatever links it.
sanitizers()
{
    list=$(sed -n 's/^BATON_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
    [ -z "$list" ] || echo "-fsanitize=$list"
}

compiles()
{
    # shellcheck disable=SC2046 # flags are words
    cc -std=c11 -Wall -Wextra -Werror "$root/tests/install/score_one_lead.c" -o "$to/score" \
        $(pkg-config --cflags --libs baton) $(sanitizers)
}

scores()
{
    "$to/score" >"$to/out" || return 1
    printf 'lead -> mql\nmql -> sql\nscore 65.00 fit 20 behaviour 45\n' | diff - "$to/out"
}

headers_suit_cpp()
{
    command -v c++ >/dev/null || return 0
    echo '#include <baton/scoring.h>' >"$to/a.cpp"
    # shellcheck disable=SC2046
    c++ -std=c++17 -Wall -Werror -fsyntax-only $(pkg-config --cflags baton) "$to/a.cpp"
}

names_are_own()
{
    nm -g --defined-only "$(find "$to/elsewhere" -name libbaton.a)" >"$to/names" || return 1
    ! awk 'NF == 3 && $3 !~ /^(baton_|__|_GLOBAL_)/ { print $3 }' "$to/names" | grep .
}

decay_table_is_generated()
{
    python3 "$root/cmake/decay_table.py" | diff - "$root/src/domain/decay_table.c"
}

# The whole, as a package would have it: pages for `man`, completions where shells look for them.
installs_for_people()
{
    cmake --install "$build" --prefix "$to/whole" >/dev/null || return 1
    for verb in check explain leads tail init run; do
        test -s "$to/whole/share/man/man1/baton-$verb.1" || return 1
    done
    test -s "$to/whole/share/man/man1/baton.1" && bash -n "$to/whole/share/bash-completion/completions/baton" &&
        test -s "$to/whole/share/zsh/site-functions/_baton" && test -s "$to/whole/share/fish/vendor_completions.d/baton.fish"
}

check "the library installs" installs
check "its headers are there" has_headers
check "pkg-config finds it wherever it lies" moves
check "pkg-config tells the project's version" has_version
check "an outside program compiles and links with it" compiles
check "the outside program scores its lead" scores
check "C++ can read the headers" headers_suit_cpp
check "all its symbols begin with baton_" names_are_own
check "manual pages and completions install" installs_for_people
check "the table of decay is what its generator gives" decay_table_is_generated
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
