//! The operands of instructions: registers, memory, immediates and jump targets.

use crate::ops::{MemSize, Narrow, Width};
use crate::raw::Reg;
use crate::text::cursor::{Cursor, LineError, Result, Token};
use crate::text::error::{TextFault, quote};
use crate::text::number::Number;

/// A register as written: `r3`, or `w3` for its lower half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Register<'a> {
    pub reg: Reg,
    pub width: Width,
    pub token: Token<'a>,
}

impl Register<'_> {
    fn width_fault(self, need: &'static str) -> TextFault {
        TextFault::Width { need, found: quote(self.token.text) }
    }

    /// The register, which must be written with `r`.
    pub fn whole(self) -> Result<Reg> {
        match self.width {
            Width::W64 => Ok(self.reg),
            Width::W32 => Err(self.token.fault(self.width_fault("a whole register is needed here"))),
        }
    }

    /// The register, which must be written like the one it works with.
    pub fn of_width(self, width: Width) -> Result<Reg> {
        if self.width == width {
            return Ok(self.reg);
        }
        Err(self.token.fault(self.width_fault("both registers must be whole, or both lower halves")))
    }

    /// The register that a memory access of `size` fills or stores; compilers write `w` for the small ones.
    pub fn holding(self, size: MemSize) -> Result<Reg> {
        if size == MemSize::Dw { self.whole() } else { Ok(self.reg) }
    }

    /// The register, which must be `reg`.
    pub fn same_as(self, reg: Reg, what: &'static str) -> Result<()> {
        if self.reg == reg {
            return Ok(());
        }
        let found = quote(self.token.text);
        let need = format!("{}{}", &found[..1], reg.number());
        Err(self.token.fault(TextFault::SameRegister { what, need, found }))
    }
}

/// The type in front of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Unsigned(MemSize),
    Signed(Narrow),
}

impl Access {
    fn named(name: &str) -> Option<Access> {
        let unsigned = MemSize::ALL.into_iter().find(|s| s.unsigned_name() == name).map(Access::Unsigned);
        unsigned.or_else(|| Narrow::ALL.into_iter().find(|s| s.signed_name() == name).map(Access::Signed))
    }
}

/// A jump's target, or a call's within the program: a distance or a label.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Distance(Number<'a>),
    Label(Token<'a>),
}

impl<'a> Cursor<'a> {
    pub(super) fn register(&mut self) -> Result<Register<'a>> {
        let before = *self;
        let token = self.run();
        let (width, number) = match token.text.as_bytes() {
            [b'r', digit @ b'0'..=b'9'] => (Width::W64, digit - b'0'),
            [b'w', digit @ b'0'..=b'9'] => (Width::W32, digit - b'0'),
            b"r10" => (Width::W64, 10),
            b"w10" => (Width::W32, 10),
            _ => return Err(before.no_register(token)),
        };
        let reg = Reg::new(number).ok_or_else(|| before.no_register(token))?;
        Ok(Register { reg, width, token })
    }

    #[cold]
    fn no_register(mut self, token: Token<'_>) -> LineError {
        if self.at_register() {
            return token.fault(TextFault::Register { name: quote(token.text) });
        }
        self.expected("a register")
    }

    /// `(u32 *)`; with the place of the name.
    pub(super) fn access(&mut self) -> Result<(Access, Token<'a>)> {
        self.expect("(")?;
        let token = self.word().ok_or_else(|| self.expected("a type"))?;
        let access = Access::named(token.text).ok_or_else(|| type_fault(token, "memory access", ANY_TYPE))?;
        self.expect("*")?;
        self.expect(")")?;
        Ok((access, token))
    }

    /// `(u32 *)` of an unsigned type.
    pub(super) fn unsigned_access(&mut self) -> Result<MemSize> {
        match self.access()? {
            (Access::Unsigned(size), _) => Ok(size),
            (Access::Signed(_), token) => Err(type_fault(token, "store or atomic access", "u8, u16, u32, u64")),
        }
    }

    /// `(u32 *)` of a type that atomic read-modify-write instructions have.
    pub(super) fn atomic_access(&mut self) -> Result<Width> {
        match self.access()? {
            (Access::Unsigned(MemSize::W), _) => Ok(Width::W32),
            (Access::Unsigned(MemSize::Dw), _) => Ok(Width::W64),
            (_, token) => Err(type_fault(token, "atomic operation", "u32, u64")),
        }
    }

    /// `(s16)`: the type of a sign-extending move.
    pub(super) fn signed_cast(&mut self) -> Result<(Narrow, Token<'a>)> {
        self.expect("(")?;
        let token = self.word().ok_or_else(|| self.expected("a type"))?;
        let found = Narrow::ALL.into_iter().find(|s| s.signed_name() == token.text);
        let narrow = found.ok_or_else(|| cast_fault(token))?;
        self.expect(")")?;
        Ok((narrow, token))
    }

    /// `(r6 + 112)`.
    pub(super) fn address(&mut self) -> Result<(Reg, i16)> {
        self.expect("(")?;
        let address = self.base_and_off()?;
        self.expect(")")?;
        Ok(address)
    }

    /// `r6 + 112`, `r6 +112`, `r6 - 8`, `r6 + -8` or `r6`.
    pub(super) fn base_and_off(&mut self) -> Result<(Reg, i16)> {
        let base = self.register()?.whole()?;
        let off = self.displacement()?.map_or(Ok(0), |n| n.to_i16("a 16-bit offset"))?;
        Ok((base, off))
    }

    /// `+2`, `pc+2`, or a label.
    pub(super) fn target(&mut self) -> Result<Target<'a>> {
        if self.at_number() {
            return self.number().map(Target::Distance);
        }
        if let Some(distance) = self.after_pc() {
            return distance.map(Target::Distance);
        }
        self.word().map(Target::Label).ok_or_else(|| self.expected("a distance or a label"))
    }

    /// `pc+2`, if that comes next; `pc` without a sign is a label.
    pub(super) fn after_pc(&mut self) -> Option<Result<Number<'a>>> {
        let mut ahead = *self;
        if !ahead.eat_word("pc") || !ahead.rest().starts_with(['+', '-']) {
            return None;
        }
        *self = ahead;
        Some(self.number())
    }
}

fn type_fault(token: Token<'_>, what: &'static str, choices: &'static str) -> LineError {
    token.fault(TextFault::Type { what, name: quote(token.text), choices })
}

/// The mistake that no sign-extending move has this type.
pub(super) fn cast_fault(token: Token<'_>) -> LineError {
    type_fault(token, "sign-extending move", "s8, s16, s32, the last only to a whole register")
}

const ANY_TYPE: &str = "u8, u16, u32, u64, s8, s16, s32";
