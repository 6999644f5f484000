#!/bin/sh
# Compiles the objects of this directory, which are committed.
cd "$(dirname "$0")" || exit 1
for row in target:v3 fields:v4 bits:v3 types:v3 kernel:v4 matches:v3; do
	name=${row%:*} cpu=${row#*:}
	${CLANG:-clang-19} -g -O2 -target bpf -mcpu=$cpu -Wall -c $name.c -o $name.o || exit 1
done
