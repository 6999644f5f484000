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
            None => {
                let number = ahead.take_while(|c| c.is_ascii_hexdigit());
                if number.text.is_empty() {
                    return None;
                }
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
    pub fn raw_bytes(&mut self) -> Option<(Vec<RawInsn>, Token<'a>)> {
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
        let digits = self.take_while(|c| c.is_ascii_alphanumeric()).text;
        let hex = digits.len() == 2 && digits.chars().all(|c| c.is_ascii_hexdigit());
        if hex { u8::from_str_radix(digits, 16).ok() } else { None }
    }

    /// Takes an opcode `(61)`, as the kernel prints in front of an instruction, if it comes next.
    pub fn opcode(&mut self) -> Option<(u8, Token<'a>)> {
        let mut ahead = *self;
        let start = ahead.place();
        let open = ahead.eat("(");
        let code = ahead.hex_byte()?;
        if !open || !ahead.eat(")") {
            return None;
        }
        *self = ahead;
        Some((code, self.since(start)))
    }
}
