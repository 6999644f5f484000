//! Debug types of big-endian objects, brought into little-endian order: but
//! for the magic number and the strings, they are words of 32 bits.

/// Bytes of the part that is not words: magic number, version, flags.
const PREFIX: usize = 4;

/// `.BTF` in little-endian order: header and types are words, strings are not.
pub(crate) fn types(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    let word = |at: usize| data.get(at..at + 4).and_then(|w| w.try_into().ok()).map_or(0, u32::from_be_bytes);
    let (header, offset, len) = (word(4) as usize, word(8) as usize, word(12) as usize);
    let types = header.saturating_add(offset).min(data.len());
    let end = types.saturating_add(len).min(data.len());
    magic(&mut out);
    swap(out.get_mut(PREFIX..header.clamp(PREFIX, data.len().max(PREFIX))).unwrap_or(&mut []));
    // What overlaps the header is refused by the reader either way.
    swap(&mut out[types..end]);
    out
}

/// `.BTF.ext` in little-endian order: all of it is words.
pub(crate) fn records(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    magic(&mut out);
    swap(out.get_mut(PREFIX..).unwrap_or(&mut []));
    out
}

fn magic(bytes: &mut [u8]) {
    if let Some(magic) = bytes.get_mut(..2) {
        magic.reverse();
    }
}

fn swap(bytes: &mut [u8]) {
    bytes.as_chunks_mut::<4>().0.iter_mut().for_each(|word| word.reverse());
}
