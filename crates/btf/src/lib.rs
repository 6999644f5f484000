//! BTF and BTF.ext: types, lines, functions.
