//! From a record to what its instruction has to hold.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::shown;
use super::finder::Finder;
use super::spec::Spec;
use super::target::CoreTarget;
use super::value::{Access, Answer, absent, access, answer};
use super::work::Work;
use super::{CoreError, essential};
use crate::ext::{CoreKind, CoreRelo};
use crate::types::{Btf, StrOff, TypeId};

/// What each number of an access string costs, so that keeping the answers takes bounded memory.
const WORK_PER_STEP: u64 = 64;

/// The answer to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What is asked.
    pub kind: CoreKind,
    /// The part, in the object's types.
    pub local: Spec,
    /// The part in the target's types, where it is there.
    pub target: Option<Spec>,
    /// What the compiler must have put into the instruction; none where that
    /// was its own choice.
    pub expected: Option<u64>,
    /// What the instruction has to hold; none where there is nothing right and
    /// it must not be run.
    pub value: Option<u64>,
    /// For a load or store: what is to become of it.
    pub access: Access,
}

/// Answers the records of one object. Equal records are looked up once.
pub struct CoreResolver<'a> {
    target: &'a CoreTarget,
    finder: Finder<'a>,
    known: HashMap<(TypeId, StrOff, CoreKind), Result<Arc<Resolved>, CoreError>>,
}

impl<'a> CoreResolver<'a> {
    /// A resolver of records that belong to `local` against `target`.
    #[must_use]
    pub fn new(local: &'a Btf, target: &'a CoreTarget) -> CoreResolver<'a> {
        let finder = Finder { local, target: target.btf(), work: Work::default() };
        CoreResolver { target, finder, known: HashMap::new() }
    }

    /// What a record's instruction has to hold.
    ///
    /// # Errors
    /// [`CoreError`] if the record is broken or the target ambiguous. That
    /// something is missing in the target is an answer: 0 where existence or a
    /// type was asked for, none else.
    pub fn resolve(&mut self, relo: &CoreRelo) -> Result<Arc<Resolved>, CoreError> {
        let key = (relo.type_id, relo.access_str, relo.kind);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let resolved = self.look_up(relo).map(Arc::new);
        self.known.insert(key, resolved.clone());
        resolved
    }

    fn look_up(&mut self, relo: &CoreRelo) -> Result<Resolved, CoreError> {
        let kind = relo.kind;
        let local_btf = self.finder.local;
        let local = Spec::parse(local_btf, relo)?;
        // What is kept of it is long where it is.
        self.finder.work.charge(WORK_PER_STEP * local.raw.len() as u64)?;
        let own = answer(local_btf, kind, &local)?;
        let expected = Some(own.value).filter(|_| own.certain);
        if kind == CoreKind::TypeIdLocal {
            return Ok(Resolved { kind, local, target: None, expected, value: Some(own.value), access: Access::Same });
        }
        let name = local_btf.name(relo.type_id);
        if name.is_empty() {
            return Err(CoreError::Anonymous { id: relo.type_id });
        }
        let found = self.agreed(kind, &local, relo.type_id, name, &own)?;
        Ok(match found {
            Some(found) => Resolved {
                kind,
                local,
                target: Some(found.spec),
                expected,
                value: Some(found.answer.value),
                access: found.access,
            },
            None => Resolved { kind, local, target: None, expected, value: absent(kind), access: Access::Same },
        })
    }

    /// What the candidates that have the part say; they must all say the same.
    fn agreed(
        &mut self,
        kind: CoreKind,
        local: &Spec,
        local_id: TypeId,
        name: &str,
        own: &Answer,
    ) -> Result<Option<Found>, CoreError> {
        let (local_btf, target_btf) = (self.finder.local, self.target.btf());
        let local_kind = local_btf.get(local_id)?.kind();
        let candidates = self.target.candidates(name, local_kind, &mut self.finder.work)?;
        let mut agreed: Option<Found> = None;
        for candidate in candidates {
            let Some(spec) = self.finder.find(kind, local, candidate)? else {
                continue;
            };
            let answer = answer(target_btf, kind, &spec)?;
            let access = access(local_btf, own, target_btf, &answer)?;
            match &agreed {
                None => agreed = Some(Found { spec, answer, access }),
                Some(first) => {
                    if first.spec.bit_offset != spec.bit_offset || first.answer.value != answer.value {
                        return Err(CoreError::Ambiguous {
                            name: shown(essential(name)),
                            first: told(target_btf, &first.spec, kind, &first.answer),
                            second: told(target_btf, &spec, kind, &answer),
                        });
                    }
                }
            }
        }
        Ok(agreed)
    }
}

/// What one candidate says.
struct Found {
    spec: Spec,
    answer: Answer,
    access: Access,
}

/// A candidate's answer for people.
fn told(btf: &Btf, spec: &Spec, kind: CoreKind, answer: &Answer) -> Arc<str> {
    shown(&format!("{} {} ({} {})", spec.root, spec.describe(btf), kind.name(), answer.value))
}
