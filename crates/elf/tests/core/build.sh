#!/bin/sh
# Compiles the objects of this directory, which are committed: without DWARF, and without saying where.
cd "$(dirname "$0")" || exit 1
for row in target:v3 fields:v4 bits:v3 types:v3 kernel:v4 matches:v3; do
	name=${row%:*} cpu=${row#*:}
	clang-19 -g -O2 -target bpf -mcpu=$cpu -Wall -Werror -fdebug-compilation-dir=. -c $name.c -o $name.o || exit 1
	llvm-strip-19 -g $name.o || exit 1
done
