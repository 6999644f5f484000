//! Keys and values as people write them in JSON, made bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use oxbpf_abi::MapType;
use oxbpf_btf::{self as btf, Btf, TypeId};
use serde_json::Value;

/// What bytes are wanted.
pub(super) struct Wanted<'a> {
    pub(super) size: usize,
    /// The type of the map, for a key.
    pub(super) key_of: Option<MapType>,
    pub(super) types: Option<(&'a Btf, TypeId)>,
}

impl Wanted<'_> {
    /// The bytes that a JSON value stands for: an array of as many bytes, as numbers or `"0x1f"`; a number in the
    /// machine's order; of types that are known anything that fits them; an address or prefix; pairs of hexadecimal
    /// digits.
    pub(super) fn bytes(&self, json: &Value) -> Result<Vec<u8>, String> {
        if let Value::Array(items) = json
            && items.len() == self.size
            && let Some(bytes) = items.iter().map(byte).collect::<Option<Vec<u8>>>()
        {
            return Ok(bytes);
        }
        if let Value::String(text) = json
            && self.key_of == Some(MapType::LPM_TRIE)
            && text.contains('/')
        {
            return self.prefix(text);
        }
        if let Some((types, id)) = self.types
            && let Ok(bytes) = types.encode(id, &typed(json))
            && bytes.len() == self.size
        {
            return Ok(bytes);
        }
        match json {
            Value::Number(n) => self.number(n.as_i64().map(i128::from).or(n.as_u64().map(i128::from)), json),
            Value::String(text) => self.text(text),
            Value::Object(_) if self.types.is_none() => Err("has members, of which no types are known".into()),
            Value::Array(items) => Err(format!("has {} bytes, not {}", items.len(), self.size)),
            other => self.mistyped(other),
        }
    }

    fn mistyped(&self, json: &Value) -> Result<Vec<u8>, String> {
        match self.types.map(|(types, id)| types.encode(id, &typed(json))) {
            Some(Err(error)) => Err(error.to_string()),
            _ => Err(format!("{json} are no {} bytes", self.size)),
        }
    }

    fn number(&self, number: Option<i128>, json: &Value) -> Result<Vec<u8>, String> {
        let bits = 8 * self.size.min(8) as u32;
        let fits = |n: &i128| bits > 0 && (-(1i128 << (bits - 1))..1i128 << bits).contains(n);
        match number.filter(fits) {
            Some(n) => {
                let fill = if n < 0 { 0xff } else { 0 };
                let mut bytes = n.to_le_bytes()[..self.size.min(8)].to_vec();
                bytes.resize(self.size, fill);
                Ok(bytes)
            }
            None => Err(format!("{json} is no number of {} bytes", self.size)),
        }
    }

    /// An address, a number, or pairs of hexadecimal digits with or without blanks.
    fn text(&self, text: &str) -> Result<Vec<u8>, String> {
        let address = match self.size {
            4 => text.parse::<Ipv4Addr>().ok().map(|a| a.octets().to_vec()),
            16 => text.parse::<Ipv6Addr>().ok().map(|a| a.octets().to_vec()),
            _ => None,
        };
        if let Some(bytes) = address {
            return Ok(bytes);
        }
        let number = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(i128::from),
            None => text.parse::<i64>().ok().map(i128::from).or(text.parse::<u64>().ok().map(i128::from)),
        };
        let quoted = Value::String(text.into());
        if number.is_some() {
            return self.number(number, &quoted);
        }
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let pairs = digits.len() == 2 * self.size && digits.bytes().all(|b| b.is_ascii_hexdigit());
        match pairs {
            true => {
                Ok((0..self.size).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap_or(0)).collect())
            }
            false => Err(format!("{quoted} are no {} bytes", self.size)),
        }
    }

    /// `10.0.0.0/8`, `fe80::/10`.
    fn prefix(&self, text: &str) -> Result<Vec<u8>, String> {
        let most = self.size.saturating_sub(4) * 8;
        let wrong = || format!("{} is no prefix of at most {most} bits", Value::String(text.into()));
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let bits = bits.parse::<u32>().ok().filter(|&b| b as usize <= most).ok_or_else(wrong)?;
        let address = match self.size {
            8 => address.parse::<Ipv4Addr>().map(|a| a.octets().to_vec()).map_err(|_| wrong())?,
            20 => address.parse::<Ipv6Addr>().map(|a| a.octets().to_vec()).map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        Ok([&bits.to_le_bytes()[..], &address].concat())
    }
}

/// A byte as bpftool prints it, or as a number.
fn byte(json: &Value) -> Option<u8> {
    match json {
        Value::Number(n) => u8::try_from(n.as_u64()?).ok(),
        Value::String(text) => u8::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
        _ => None,
    }
}

/// JSON as data that types know how to encode.
fn typed(json: &Value) -> btf::Value {
    match json {
        Value::Null => btf::Value::Int(0),
        Value::Bool(b) => btf::Value::Bool(*b),
        Value::Number(n) => match n.as_i64().map(i128::from).or(n.as_u64().map(i128::from)) {
            Some(n) => btf::Value::Int(n),
            None => btf::Value::Float(n.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => btf::Value::Str(text.clone()),
        Value::Array(items) => btf::Value::Array(items.iter().map(typed).collect()),
        Value::Object(members) => btf::Value::Struct(members.iter().map(|(k, v)| (k.clone(), typed(v))).collect()),
    }
}
