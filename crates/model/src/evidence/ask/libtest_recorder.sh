#!/bin/sh
# Cargo starts test binaries through this. It lists the tests of the binary, and has libtest write the result of each into
# a file. A binary that is none of libtest's runs as it is.
case "$1" in */deps/*) ;; *) exec "$@" ;; esac
[ -n "$NEXTEST" ] && exec "$@"
for argument in "$@"; do
    case "$argument" in --list | --logfile* | --bench | --format*) exec "$@" ;; esac
done
"$1" --help 2>/dev/null | grep -q -e --logfile || exec "$@"
file=$(mktemp "$IMPLEMENTER_RESULTS/libtest.XXXXXX") || exec "$@"
"$@" --list >"$file.list" 2>/dev/null
grep -q ': test$' "$file.list" || { rm -f "$file" "$file.list"; exec "$@"; }
{ echo "$1" >"$file" && : >"$file.log"; } 2>/dev/null || { rm -f "$file" "$file.list"; exec "$@"; }
"$@" --logfile "$file.log"
code=$?
echo "$code" >"$file.end"
exit "$code"
