//! Clang's BPF objects: programs, maps, global data, relocations.
