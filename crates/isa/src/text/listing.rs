//! What listings put in front of an instruction: slot numbers, labels, raw bytes and opcodes.

use super::cursor::{Cursor, Token};
use crate::raw::RawInsn;

impl<'a> Cursor<'a> {
    /// Takes a slot number `12:`, or a label `name:` or `0000000000000018 <name>:`, if one comes next; the
    /// label's name.
    pub fn prefix(&mut self) -> Option<Option<Token<'a>>> {
        let mut ahead = *self;
        let label = match ahead.word() {
            Some(word) => Some(word),
            None if !ahead.next_byte()?.is_ascii_hexdigit() => return None,
            None => {
                let number = ahead.take_while(|c| c.is_ascii_hexdigit());
                if ahead.eat("<") {
                    let name = ahead.take_while(|c| c != '>');
                    (!name.text.is_empty() && ahead.eat(">")).then_some(())?;
                    Some(name)
                } else {
                    number.text.chars().all(|c| c.is_ascii_digit()).then_some(())?;
                    None
                }
            }
        };
        ahead.eat(":").then_some(())?;
        *self = ahead;
        Some(label)
    }

    /// Takes the raw bytes of an instruction, sixteen of a wide one, if they come next.
    #[inline]
    pub fn raw_bytes(&mut self) -> Option<(Vec<RawInsn>, Token<'a>)> {
        self.next_byte();
        match self.bytes() {
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => self.raw_words(),
            _ => None,
        }
    }

    fn raw_words(&mut self) -> Option<(Vec<RawInsn>, Token<'a>)> {
        let mut ahead = *self;
        let start = ahead.place();
        let first = ahead.raw_word()?;
        let mut words = vec![first];
        if first.code == 0x18 {
            words.push(ahead.raw_word()?);
        }
        *self = ahead;
        Some((words, self.since(start)))
    }

    fn raw_word(&mut self) -> Option<RawInsn> {
        let mut bytes = [0; 8];
        for byte in &mut bytes {
            *byte = self.hex_byte()?;
        }
        Some(RawInsn::from_bytes(bytes))
    }

    /// Takes two hexadecimal digits.
    fn hex_byte(&mut self) -> Option<u8> {
        self.next_byte();
        let [high, low, behind @ ..] = self.bytes() else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = digit(*high)? << 4 | digit(*low)?;
        if behind.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        self.take(2);
        Some(byte as u8)
    }

    /// Takes an opcode `(61)`, as the kernel prints in front of an instruction, if it comes next.
    pub fn opcode(&mut self) -> Option<(u8, Token<'a>)> {
        let mut ahead = *self;
        let start = ahead.place();
        ahead.eat("(").then_some(())?;
        let code = ahead.hex_byte()?;
        ahead.eat(")").then_some(())?;
        *self = ahead;
        Some((code, self.since(start)))
    }
}
