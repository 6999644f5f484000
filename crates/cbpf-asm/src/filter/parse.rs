//! From tokens to an expression: what stands where, by the grammar of pcap-filter(7).
//!
//! ```text
//! expr   := term { (and | or) term }                 both bind alike, from left to right
//! term   := not term | '(' expr ')' | head ids | ids | proto | relation | vlan … | broadcast …
//! head   := [proto] [src | dst | src or dst | src and dst] [host | net | port | portrange] | [proto] proto
//! ids    := id | not ids | '(' ids { (and | or) ids } ')'
//! ```
//!
//! Ids without a head have that of the ids before them in the chain.

use super::ast::{Dir, Expr, Join, Kind, Prim, Proto, Quals, Span};
use super::error::{Fault, FilterError};
use super::ids;
use super::lex::{Tok, Token};
use super::names;
use crate::error::quote;

type Result<T> = std::result::Result<T, FilterError>;

/// How deep parentheses and `not` may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// The largest numbers that these have room for.
const MAX_VLAN: u32 = 4_095;
const MAX_LABEL: u32 = 0xf_ffff;
const MAX_SESSION: u32 = 0xffff;

/// What `ether` must be followed by.
const BEHIND_ETHER: &str = "`host`, `src`, `dst`, `proto`, `broadcast`, `multicast` or `[` behind `ether`";

/// An error about a token.
pub(super) fn fault(token: Token, fault: Fault) -> FilterError {
    FilterError { fault, at: token.at, len: token.len }
}

/// The expression in a text; none where there is nothing.
pub(super) fn parse(source: &str, tokens: &[Token]) -> Result<Option<Expr>> {
    let mut parser = Parser { source, tokens, at: 0, closing: matching(tokens), depth: 0, implied: None };
    if parser.peek().tok == Tok::End {
        return Ok(None);
    }
    let expr = parser.expr()?;
    match parser.next() {
        token if token.tok == Tok::End => Ok(Some(expr)),
        token => Err(parser.unexpected(token, "`and`, `or` or the end")),
    }
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    tokens: &'s [Token],
    at: usize,
    /// For each opening parenthesis the closing one.
    closing: Vec<u32>,
    depth: usize,
    /// What the ids before were, for ids that say nothing of it.
    implied: Option<Quals>,
}

/// For each opening parenthesis the index of the closing one; 0 for what is none.
fn matching(tokens: &[Token]) -> Vec<u32> {
    let mut closing = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        match token.tok {
            Tok::Open => open.push(i),
            Tok::Close => {
                if let Some(start) = open.pop() {
                    closing[start] = i as u32;
                }
            }
            _ => {}
        }
    }
    closing
}

impl<'s> Parser<'s> {
    /// The token at the cursor.
    pub(super) fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, n: usize) -> Token {
        self.tokens[(self.at + n).min(self.tokens.len() - 1)]
    }

    /// The token before the cursor.
    pub(super) fn before(&self) -> Token {
        self.tokens[self.at.saturating_sub(1)]
    }

    /// The token at the cursor, which moves on; it stays at the end.
    pub(super) fn next(&mut self) -> Token {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Moves on where this kind of token is next.
    pub(super) fn eat(&mut self, tok: Tok) -> bool {
        let found = self.peek().tok == tok;
        if found {
            self.next();
        }
        found
    }

    /// What is read of a word that is not behind a backslash; nothing for other tokens.
    pub(super) fn word(&self, token: Token) -> &'s str {
        if token.tok == Tok::Word { token.text(self.source) } else { "" }
    }

    pub(super) fn unexpected(&self, token: Token, expected: &'static str) -> FilterError {
        let found = match token.tok {
            Tok::End => "the end of the expression".to_string(),
            _ => format!("`{}`", quote(&self.source[token.at..token.at + token.len])),
        };
        fault(token, Fault::Syntax { expected, found })
    }

    /// Goes one level deeper, which must be left again.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(fault(self.peek(), Fault::Depth { max: MAX_DEPTH }));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn expr(&mut self) -> Result<Expr> {
        self.chain(Self::term)
    }

    fn chain(&mut self, part: fn(&mut Self) -> Result<Expr>) -> Result<Expr> {
        let first = part(self)?;
        let mut rest = Vec::new();
        loop {
            let join = match self.peek().tok {
                Tok::And => Join::And,
                Tok::Or => Join::Or,
                _ => break,
            };
            self.next();
            rest.push((join, part(self)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) })
    }

    fn term(&mut self) -> Result<Expr> {
        let token = self.peek();
        match token.tok {
            Tok::Not => {
                self.next();
                self.deeper(Self::term).map(|expr| Expr::Not(Box::new(expr)))
            }
            Tok::Open if self.is_calculation() => self.relation(),
            Tok::Open => match self.implied {
                Some(quals) if self.is_of_ids() => self.ids(quals, None),
                _ => self.parenthesis(),
            },
            Tok::Minus => self.relation(),
            Tok::Word | Tok::Escaped | Tok::Colons | Tok::Malformed => self.words(token),
            _ => Err(self.unexpected(token, "a condition")),
        }
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        self.next();
        self.implied = None;
        let expr = self.deeper(Self::expr)?;
        self.implied = None;
        self.close()?;
        Ok(expr)
    }

    fn close(&mut self) -> Result<()> {
        match self.next() {
            token if token.tok == Tok::Close => Ok(()),
            token => Err(self.unexpected(token, "`and`, `or` or `)`")),
        }
    }

    /// Whether the parenthesis at the cursor is part of a calculation: by what stands behind it.
    fn is_calculation(&self) -> bool {
        let close = self.closing[self.at] as usize;
        close > 0 && self.tokens.get(close + 1).is_some_and(|t| is_operator(t.tok))
    }

    /// Whether the parenthesis at the cursor begins with an id.
    fn is_of_ids(&self) -> bool {
        let mut ahead = 0;
        while matches!(self.ahead(ahead).tok, Tok::Open | Tok::Not) {
            ahead += 1;
        }
        self.is_id(ahead)
    }

    /// Whether a token ahead is an id and not the beginning of something else.
    fn is_id(&self, ahead: usize) -> bool {
        let token = self.ahead(ahead);
        match token.tok {
            Tok::Escaped | Tok::Colons | Tok::Malformed => true,
            Tok::Word => {
                let text = token.text(self.source);
                // A dotted address has its length behind a slash; with a plain number that is a division.
                let operator = is_operator(self.ahead(ahead + 1).tok) && !text.contains('.');
                !operator && !names::is_keyword(text)
            }
            _ => false,
        }
    }

    /// What begins with a word.
    fn words(&mut self, token: Token) -> Result<Expr> {
        let text = self.word(token);
        if self.is_id(0) {
            return match self.implied {
                Some(quals) => self.ids(quals, None),
                None if token.tok == Tok::Word && !text.starts_with(|c: char| c.is_ascii_digit()) => {
                    Err(self.unexpected(token, "a condition"))
                }
                None => Err(fault(token, Fault::Bare { found: quote(token.text(self.source)) })),
            };
        }
        if let Some(why) = names::refused(text) {
            return Err(fault(token, Fault::Unsupported { word: text.into(), why }));
        }
        let proto = Proto::by_word(text);
        let starts_number = names::constant(text).is_some() || text.starts_with(|c: char| c.is_ascii_digit());
        if starts_number || matches!(text, "len" | "length") || self.ahead(1).tok == Tok::OpenIndex {
            return self.relation();
        }
        if proto.is_some() {
            self.next();
        }
        self.headed(token, proto)
    }

    /// A protocol and what may follow it, or what follows without one.
    fn headed(&mut self, first: Token, proto: Option<Proto>) -> Result<Expr> {
        let token = self.peek();
        let text = self.word(token);
        let prim = match text {
            "src" | "dst" | "host" | "net" | "port" | "portrange" | "proto" => return self.qualified(first, proto),
            "broadcast" => Prim::Broadcast(proto),
            "multicast" => Prim::Multicast(proto),
            _ => match (names::refused(text), proto) {
                (Some(why), _) => return Err(fault(token, Fault::Unsupported { word: text.into(), why })),
                (None, Some(Proto::Link)) => return Err(self.unexpected(token, BEHIND_ETHER)),
                (None, Some(proto)) => return Ok(self.prim(first, Prim::Proto(proto))),
                (None, None) => return self.special(token, text),
            },
        };
        self.next();
        Ok(self.prim(first, prim))
    }

    /// What has a word of its own and no protocol before it.
    fn special(&mut self, token: Token, text: &str) -> Result<Expr> {
        self.next();
        let prim = match text {
            "vlan" => Prim::Vlan(self.optional("VLAN", MAX_VLAN)?),
            "mpls" => Prim::Mpls(self.optional("MPLS label", MAX_LABEL)?),
            "pppoes" => Prim::PppoeSession(self.optional("PPPoE session", MAX_SESSION)?),
            "pppoed" => Prim::PppoeDiscovery,
            "less" => Prim::Less(self.number("a length")?.0),
            "greater" => Prim::Greater(self.number("a length")?.0),
            "ifindex" => Prim::Interface(self.number("an interface's number")?.0),
            "inbound" => Prim::Inbound,
            "outbound" => Prim::Outbound,
            _ => return Err(self.unexpected(token, "a condition")),
        };
        Ok(self.prim(token, prim))
    }

    /// A condition that begins with `first` and ends before the cursor.
    pub(super) fn prim(&mut self, first: Token, prim: Prim) -> Expr {
        self.implied = None;
        Expr::Prim(prim, self.since(first))
    }

    /// From a token up to the cursor.
    pub(super) fn since(&self, first: Token) -> Span {
        let end = self.before();
        Span { at: first.at, len: (end.at + end.len).saturating_sub(first.at) }
    }

    /// Direction and kind, and the ids of which they are said.
    fn qualified(&mut self, first: Token, proto: Option<Proto>) -> Result<Expr> {
        let dir = self.dir();
        let directed = dir.is_some();
        let kind = match self.word(self.peek()) {
            "host" => Some(Kind::Host),
            "net" => Some(Kind::Net),
            "port" => Some(Kind::Port),
            "portrange" => Some(Kind::PortRange),
            "proto" if !directed => Some(Kind::Proto),
            _ => None,
        };
        if kind.is_some() {
            self.next();
        }
        let quals = Quals { proto, dir: dir.unwrap_or(Dir::Either), kind: kind.unwrap_or(Kind::Host) };
        if let Some(why) = names::refused(self.word(self.peek())) {
            let word = self.word(self.peek()).into();
            return Err(fault(self.peek(), Fault::Unsupported { word, why }));
        }
        let head = self.since(first);
        self.ids(quals, Some(head))
    }

    fn dir(&mut self) -> Option<Dir> {
        let side = |word: &str| match word {
            "src" => Some(Dir::Source),
            "dst" => Some(Dir::Destination),
            _ => None,
        };
        let one = side(self.word(self.peek()))?;
        self.next();
        let both = match self.peek().tok {
            Tok::And => Dir::Both,
            Tok::Or => Dir::Either,
            _ => return Some(one),
        };
        match side(self.word(self.ahead(1))) {
            Some(other) if other != one => {
                self.next();
                self.next();
                Some(both)
            }
            _ => Some(one),
        }
    }

    /// Ids of which `quals` says what they are, by a head or, without one, by the ids before. Those that follow in the
    /// chain are of the same kind.
    fn ids(&mut self, quals: Quals, head: Option<Span>) -> Result<Expr> {
        self.implied = Some(quals);
        self.id_term(quals, head)
    }

    /// Ids inside of parentheses, where all are of one kind.
    fn implied_ids(&mut self) -> Result<Expr> {
        match self.implied {
            Some(quals) => self.id_term(quals, None),
            None => Err(self.unexpected(self.peek(), "a condition")),
        }
    }

    fn id_term(&mut self, quals: Quals, head: Option<Span>) -> Result<Expr> {
        let token = self.peek();
        match token.tok {
            Tok::Not => {
                self.next();
                self.deeper(|p| p.id_term(quals, head)).map(|expr| Expr::Not(Box::new(expr)))
            }
            Tok::Open => {
                self.next();
                let expr = self.deeper(|p| p.chain(Self::implied_ids))?;
                self.close()?;
                Ok(expr)
            }
            _ => {
                let about = head.unwrap_or(Span { at: token.at, len: token.len });
                let id = self.id(quals, about)?;
                let start = Token { at: about.at, ..token };
                Ok(Expr::Prim(Prim::Id(quals, id), self.since(start)))
            }
        }
    }

    /// The number at the cursor, and where it stands.
    pub(super) fn number(&mut self, expected: &'static str) -> Result<(u32, Token)> {
        let token = self.next();
        let text = self.word(token);
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.unexpected(token, expected));
        }
        ids::number(token, text).map(|number| (number, token))
    }

    /// A number in parentheses or not, where there is one.
    fn optional(&mut self, what: &'static str, max: u32) -> Result<Option<u32>> {
        let digit = |p: &Self, n: usize| p.word(p.ahead(n)).starts_with(|c: char| c.is_ascii_digit());
        let enclosed = self.peek().tok == Tok::Open && digit(self, 1) && self.ahead(2).tok == Tok::Close;
        if !enclosed && !digit(self, 0) {
            return Ok(None);
        }
        if enclosed {
            self.next();
        }
        let (value, token) = self.number("a number")?;
        if enclosed {
            self.next();
        }
        match value <= max {
            true => Ok(Some(value)),
            false => Err(fault(token, Fault::Range { what, value, max })),
        }
    }
}

/// Whether this stands between two numbers.
fn is_operator(tok: Tok) -> bool {
    use Tok::*;
    matches!(
        tok,
        Plus | Minus | Times | Slash | Percent | BitAnd | BitOr | BitXor | Left | Right | Eq | Ne | Lt | Le | Gt | Ge
    )
}
