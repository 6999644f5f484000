//! Relations and the arithmetic on both sides of them.

use oxbpf_isa::cbpf::AluOp;

use super::ast::{Arith, Expr, Prim, Proto, Relation};
use super::error::{Fault, FilterError};
use super::lex::{Tok, Token};
use super::names;
use super::parse::{Parser, fault};

type Result<T> = std::result::Result<T, FilterError>;

/// How many operators one side of a relation may have.
const MAX_OPERATORS: usize = 128;

/// How tightly unary minus binds, tighter than any operator with a rank.
const UNARY: u8 = 4;

/// The operator of a token, and how tightly it binds: none binds as the others do not wait for it.
///
/// libpcap's grammar gives `%` and `^` no rank, so that they take all that follows for their right side, and the nearest
/// number or parenthesis for their left one. What expressions mean depends on it.
fn operator(tok: Tok) -> Option<(AluOp, Option<u8>)> {
    Some(match tok {
        Tok::BitAnd => (AluOp::And, Some(0)),
        Tok::BitOr => (AluOp::Or, Some(0)),
        Tok::Left => (AluOp::Lsh, Some(1)),
        Tok::Right => (AluOp::Rsh, Some(1)),
        Tok::Plus => (AluOp::Add, Some(2)),
        Tok::Minus => (AluOp::Sub, Some(2)),
        Tok::Times => (AluOp::Mul, Some(3)),
        Tok::Slash => (AluOp::Div, Some(3)),
        Tok::Percent => (AluOp::Mod, None),
        Tok::BitXor => (AluOp::Xor, None),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Two numbers and how they compare.
    pub(super) fn relation(&mut self) -> Result<Expr> {
        let first = self.peek();
        let left = self.side()?;
        let token = self.next();
        let relation = match token.tok {
            Tok::Eq => Relation::Eq,
            Tok::Ne => Relation::Ne,
            Tok::Lt => Relation::Lt,
            Tok::Le => Relation::Le,
            Tok::Gt => Relation::Gt,
            Tok::Ge => Relation::Ge,
            _ => return Err(self.unexpected(token, "a relation as `=` or `>`")),
        };
        let right = self.side()?;
        Ok(self.prim(first, Prim::Relation(left, relation, right)))
    }

    fn side(&mut self) -> Result<Arith> {
        let mut operators = 0;
        self.binary(0, &mut operators)
    }

    /// Operators from a rank on.
    fn binary(&mut self, rank: u8, operators: &mut usize) -> Result<Arith> {
        let first = self.peek();
        let mut left = self.unary(operators)?;
        while let Some((op, own)) = operator(self.peek().tok) {
            if own.is_some_and(|own| own < rank) {
                break;
            }
            let token = self.next();
            self.count(operators, token)?;
            let right = self.binary(own.map_or(0, |own| own + 1), operators)?;
            left = Arith::Binary(op, Box::new(left), Box::new(right), self.since(first));
        }
        Ok(left)
    }

    fn count(&self, operators: &mut usize, token: Token) -> Result<()> {
        *operators += 1;
        if *operators > MAX_OPERATORS {
            return Err(fault(token, Fault::Operators { max: MAX_OPERATORS }));
        }
        Ok(())
    }

    fn unary(&mut self, operators: &mut usize) -> Result<Arith> {
        let token = self.next();
        match token.tok {
            Tok::Minus => {
                self.count(operators, token)?;
                self.binary(UNARY, operators).map(|a| Arith::Neg(Box::new(a)))
            }
            Tok::Open => {
                let inner = self.deeper(|p| p.binary(0, operators))?;
                match self.next() {
                    close if close.tok == Tok::Close => Ok(inner),
                    other => Err(self.unexpected(other, "an operator or `)`")),
                }
            }
            _ => self.leaf(token, operators),
        }
    }

    fn leaf(&mut self, token: Token, operators: &mut usize) -> Result<Arith> {
        let text = self.word(token);
        if let Some(number) = names::constant(text) {
            return Ok(Arith::Number(number));
        }
        match text {
            "len" | "length" => return Ok(Arith::Len),
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => {
                return super::ids::number(token, text).map(Arith::Number);
            }
            _ => {}
        }
        match (Proto::by_word(text), names::refused(text)) {
            (Some(proto), _) if self.peek().tok == Tok::OpenIndex => self.index(token, proto, operators),
            (_, Some(why)) => Err(fault(token, Fault::Unsupported { word: text.into(), why })),
            _ => Err(self.unexpected(token, "a number, `len` or bytes as `tcp[13]`")),
        }
    }

    /// `[index]` or `[index:size]` behind a protocol.
    fn index(&mut self, first: Token, proto: Proto, operators: &mut usize) -> Result<Arith> {
        self.next();
        let index = self.deeper(|p| p.binary(0, operators))?;
        let size = if self.eat(Tok::Colon) {
            let (size, token) = self.number("a size: 1, 2 or 4")?;
            if !matches!(size, 1 | 2 | 4) {
                return Err(fault(token, Fault::Size { size }));
            }
            size
        } else {
            1
        };
        match self.next() {
            close if close.tok == Tok::CloseIndex => {}
            other => return Err(self.unexpected(other, "an operator, `:` or `]`")),
        }
        Ok(Arith::Index { proto, index: Box::new(index), size, span: self.since(first) })
    }
}
