//! Errors as they are shown, a row for each: code, words, and the error. A code that has no row fails.

use std::collections::BTreeSet;

/// An error's code and words, as wanted and as found.
pub type Row = (&'static str, &'static str, (&'static str, String));

/// Each row is as wanted, and every code that stands behind an arrow in a function `code` of `source` has one.
pub fn check(source: &'static str, rows: &[Row]) {
    for (code, words, found) in rows {
        assert_eq!((found.0, &*found.1), (*code, *words));
    }
    let told: BTreeSet<_> = rows.iter().map(|row| row.0).collect();
    let bodies = source.split("fn code(").skip(1).filter_map(|rest| rest.split("\n    }\n").next());
    let lines = bodies.flat_map(str::lines);
    let all: BTreeSet<_> = lines.filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()).collect();
    assert!(!all.is_empty(), "the source has no codes");
    let missing: Vec<_> = all.difference(&told).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

/// A row's last part.
#[allow(unused_macros)] // each test uses its part
macro_rules! shown {
    ($error:expr) => {{
        let error = $error;
        (error.code(), error.to_string())
    }};
}
#[allow(unused_imports)]
pub(crate) use shown;
