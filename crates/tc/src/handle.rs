//! tc handles: `major:minor` in hexadecimal, as class ids and flow ids are written.

use std::fmt;
use std::str::FromStr;

/// A class id: 16 bits of major, 16 bits of minor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub u32);

impl Handle {
    /// The handle of these halves.
    pub const fn new(major: u16, minor: u16) -> Handle {
        Handle((major as u32) << 16 | minor as u32)
    }

    /// The upper half: the qdisc.
    pub const fn major(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The lower half: the class.
    pub const fn minor(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}", self.major(), self.minor())
    }
}

/// Text that is no handle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandleError(String);

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no class id: two hexadecimal numbers of at most 16 bits, as in 1:2a", self.0)
    }
}

impl std::error::Error for HandleError {}

impl FromStr for Handle {
    type Err = HandleError;

    /// `major:minor`, `major:` or `:minor`, hexadecimal.
    fn from_str(text: &str) -> Result<Handle, HandleError> {
        let error = || HandleError(text.to_string());
        let half = |digits: &str| match digits {
            "" => Ok(0),
            _ if digits.starts_with('+') => Err(error()),
            _ => u16::from_str_radix(digits, 16).map_err(|_| error()),
        };
        match text.split_once(':') {
            Some(("", "")) | None => Err(error()),
            Some((major, minor)) => Ok(Handle::new(half(major)?, half(minor)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_hexadecimal_both_ways() {
        for (text, handle) in
            [("1:2a", Handle::new(1, 42)), ("ffff:fff1", Handle(0xffff_fff1)), ("8001:", Handle(0x8001_0000))]
        {
            assert_eq!(text.parse(), Ok(handle));
        }
        assert_eq!(Handle::new(1, 42).to_string(), "1:2a");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ":", "1", "1:10000", "x:1", "1:+1", "1:2:3"] {
            assert!(text.parse::<Handle>().is_err(), "{text}");
        }
    }
}
