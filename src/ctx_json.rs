//! Context fields from JSON: `{"mark": 7, "cb": [1, 2]}`, for all packets or for some.

use std::collections::BTreeMap;

use oxbpf_abi::layout::SkBuff;
use oxbpf_runtime::skb;
use serde_json::{Map, Value};

/// Fields to set in the context of each packet.
///
/// The JSON is an object of field names and numbers, or arrays of numbers for `cb` and the IPv6 addresses. The key
/// `packets` holds objects of the same form by packet number, which are set after the common ones.
#[derive(Clone, Debug, Default)]
pub struct CtxFields {
    common: Vec<(String, Vec<u64>)>,
    by_packet: BTreeMap<u64, Vec<(String, Vec<u64>)>>,
}

impl CtxFields {
    /// Reads the JSON; every field is tried on an empty context, so that a wrong name or range shows at once.
    pub fn parse(text: &str) -> Result<CtxFields, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| format!("context is not JSON: {e}"))?;
        let Value::Object(mut object) = value else { return Err("context is not a JSON object".into()) };
        let mut by_packet = BTreeMap::new();
        if let Some(packets) = object.remove("packets") {
            let Value::Object(packets) = packets else {
                return Err("packets is not an object by packet number".into());
            };
            for (number, value) in packets {
                let n = number.parse::<u64>().ok().filter(|n| *n > 0);
                let n = n.ok_or(format!("packets: {number:?} is no packet number from 1"))?;
                let Value::Object(value) = value else { return Err(format!("packets: {n} is not an object")) };
                by_packet.insert(n, fields(value)?);
            }
        }
        Ok(CtxFields { common: fields(object)?, by_packet })
    }

    /// Whether packets have fields of their own here.
    pub fn by_packet(&self) -> bool {
        !self.by_packet.is_empty()
    }

    /// Sets the fields for a packet.
    pub fn apply(&self, number: u64, ctx: &mut SkBuff) {
        let own = self.by_packet.get(&number).into_iter().flatten();
        for (name, values) in self.common.iter().chain(own) {
            // Tried when they were read: the same setting cannot fail.
            let _ = set(ctx, name, values);
        }
    }
}

fn fields(object: Map<String, Value>) -> Result<Vec<(String, Vec<u64>)>, String> {
    let mut out = Vec::new();
    for (name, value) in object {
        let number = |v: &Value| v.as_u64().ok_or(format!("field {name}: {v} is no number from 0 to 2^64-1"));
        let values = match &value {
            Value::Array(elements) => elements.iter().map(number).collect::<Result<_, _>>()?,
            one => vec![number(one)?],
        };
        set(&mut SkBuff::default(), &name, &values)?;
        out.push((name, values));
    }
    Ok(out)
}

fn set(ctx: &mut SkBuff, name: &str, values: &[u64]) -> Result<(), String> {
    let set = |(i, v): (usize, &u64)| skb::set_element(ctx, name, i, *v).map_err(|e| e.to_string());
    values.iter().enumerate().try_for_each(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_fields_and_those_of_one_packet() {
        let fields = CtxFields::parse(r#"{"mark": 7, "cb": [1, 2], "packets": {"2": {"mark": 9}}}"#).unwrap();
        let mut ctx = SkBuff::default();
        fields.apply(1, &mut ctx);
        assert_eq!((ctx.mark, ctx.cb), (7, [1, 2, 0, 0, 0]));
        fields.apply(2, &mut ctx);
        assert_eq!(ctx.mark, 9);
    }

    #[test]
    fn wrong_contexts_say_what_is_wrong() {
        for (text, part) in [
            ("[]", "not a JSON object"),
            (r#"{"marc": 1}"#, "no field marc"),
            (r#"{"mark": 4294967296}"#, "does not fit"),
            (r#"{"cb": [0,0,0,0,0,0]}"#, "no index 5"),
            (r#"{"data": 1}"#, "follows from the packet"),
            (r#"{"packets": {"0": {}}}"#, "no packet number"),
        ] {
            let error = CtxFields::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
