//! Finding in a type of the target what the object's spec says.

use super::name::essential;
use super::spec::{Spec, Step};
use super::work::Work;
use super::{CoreError, MAX_COMPARE_DEPTH, MAX_STEPS, Subject};
use crate::error::BtfError;
use crate::ext::CoreKind;
use crate::types::{Btf, Type, TypeId};

/// Compares types of the object with types of the target.
pub(super) struct Finder<'a> {
    pub(super) local: &'a Btf,
    pub(super) target: &'a Btf,
    pub(super) work: Work,
}

/// A type of each side behind typedefs and qualifiers.
pub(super) struct Pair<'a> {
    pub(super) local: &'a Type,
    pub(super) target: &'a Type,
}

impl<'a> Finder<'a> {
    /// The way in the candidate that `local` is in the object, if it has one.
    pub(super) fn find(&mut self, kind: CoreKind, local: &Spec, candidate: TypeId) -> Result<Option<Spec>, CoreError> {
        let mut spec = Spec::at(candidate);
        let found = match kind.subject() {
            Subject::Type => {
                spec.raw.push(0);
                match kind {
                    CoreKind::TypeMatches => self.types_match(local.root, candidate, false, 0)?,
                    _ => self.types_compatible(local.root, candidate, 0)?,
                }
            }
            Subject::EnumValue => self.enumerator(local, &mut spec)?,
            Subject::Field => self.field(local, &mut spec)?,
        };
        Ok(found.then_some(spec))
    }

    fn enumerator(&mut self, local: &Spec, spec: &mut Spec) -> Result<bool, CoreError> {
        let holder = self.target.resolve(spec.root)?;
        let Some(Step::Enumerator { holder: local_holder, index }) = local.steps.last() else {
            return Ok(false);
        };
        let wanted = self.local.enumeration(*local_holder).and_then(|e| e.values.get(*index as usize));
        let (Some(wanted), Some(e)) = (wanted, self.target.enumeration(holder)) else {
            return Ok(false);
        };
        let name = self.local.str(wanted.name);
        for (index, value) in (0..).zip(&e.values) {
            if self.essential_equal(name, self.target.str(value.name))? {
                spec.step(Step::Enumerator { holder, index }, index);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn field(&mut self, local: &Spec, spec: &mut Spec) -> Result<bool, CoreError> {
        let mut id = self.target.resolve(spec.root)?;
        for (i, step) in local.steps.iter().enumerate() {
            match *step {
                Step::Member { holder, index } => match self.member(holder, index, id, spec, 0)? {
                    Some(next) => id = self.target.resolve(next)?,
                    None => return Ok(false),
                },
                Step::Element { index, .. } => {
                    // The first number counts whole types from where the pointer points.
                    if i > 0 {
                        let Type::Array(array) = self.target.get(id)? else { return Ok(false) };
                        if index >= array.len && !spec.is_flexible(self.target, array) {
                            return Ok(false);
                        }
                        id = self.target.resolve(array.elem)?;
                    }
                    if spec.raw.len() >= MAX_STEPS {
                        return Err(self.too_deep(local.root));
                    }
                    spec.element(self.target, id, index)?;
                }
                Step::Enumerator { .. } => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Looks in a structure for the member that the local one is, in anonymous
    /// members too, and goes there. Gives its type.
    fn member(
        &mut self,
        local_holder: TypeId,
        local_index: u32,
        holder: TypeId,
        spec: &mut Spec,
        depth: u32,
    ) -> Result<Option<TypeId>, CoreError> {
        let (local_btf, target_btf) = (self.local, self.target);
        self.work.charge_type()?;
        let holder = target_btf.resolve(holder)?;
        let wanted = local_btf.composite(local_holder).and_then(|t| t.members.get(local_index as usize));
        let (Some(wanted), Type::Struct(t) | Type::Union(t)) = (wanted, target_btf.get(holder)?) else {
            return Ok(None);
        };
        if spec.raw.len() >= MAX_STEPS || depth >= MAX_COMPARE_DEPTH {
            return Err(self.too_deep(local_holder));
        }
        let name = local_btf.str(wanted.name);
        for (index, member) in (0..).zip(&t.members) {
            self.work.charge_names(&[name])?;
            let before = (spec.raw.len(), spec.bit_offset);
            if member.name.is_anonymous() {
                spec.raw.push(index);
                spec.advance(holder, member.bit_offset.into())?;
                let found = self.member(local_holder, local_index, member.target, spec, depth + 1)?;
                if found.is_some() {
                    return Ok(found);
                }
                spec.raw.truncate(before.0);
                spec.bit_offset = before.1;
            } else if target_btf.str_is(member.name, name) {
                spec.step(Step::Member { holder, index }, index);
                spec.advance(holder, member.bit_offset.into())?;
                let fits = self.fields_compatible(wanted.target, member.target)?;
                return Ok(fits.then_some(member.target));
            }
        }
        Ok(None)
    }

    /// Both types behind typedefs and qualifiers.
    pub(super) fn resolve(&self, local: TypeId, target: TypeId) -> Result<Pair<'a>, BtfError> {
        Ok(Pair { local: self.local.resolved(local)?, target: self.target.resolved(target)? })
    }

    /// Their names without flavours.
    pub(super) fn names(&mut self, pair: &Pair<'_>) -> Result<(&'a str, &'a str), CoreError> {
        let (a, b) = (self.local.str(pair.local.name()), self.target.str(pair.target.name()));
        self.work.charge_names(&[a, b])?;
        Ok((essential(a), essential(b)))
    }

    /// Whether names are the same but for their flavours.
    pub(super) fn essential_equal(&mut self, a: &str, b: &str) -> Result<bool, CoreError> {
        self.work.charge_names(&[a, b])?;
        Ok(essential(a) == essential(b))
    }

    pub(super) fn too_deep(&self, id: TypeId) -> CoreError {
        CoreError::Btf(BtfError::TooDeep { id })
    }
}
