//! Sections of variables as they lie in an ELF file: compilers leave places
//! and sizes to its symbols and headers.

use crate::types::{Btf, Type};

impl Btf {
    /// Gives sections their sizes and variables their places in them, ordered
    /// by place. `size` tells a section's size by its name, `place` a
    /// variable's offset by the names of section and variable; where they do
    /// not know, what was there stays.
    pub fn place_variables(&mut self, size: impl Fn(&str) -> Option<u32>, place: impl Fn(&str, &str) -> Option<u32>) {
        for index in 0..self.types.len() {
            let Type::DataSec(section) = &self.types[index] else {
                continue;
            };
            let mut section = section.clone();
            let name = self.str(section.name);
            section.size = size(name).unwrap_or(section.size);
            for var in &mut section.vars {
                var.offset = place(name, self.name(var.var)).unwrap_or(var.offset);
            }
            section.vars.sort_by_key(|v| v.offset);
            self.types[index] = Type::DataSec(section);
        }
    }
}
