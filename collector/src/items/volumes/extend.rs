//! The little of a FILE record that must be read to find the children of `$Extend`: the folder that
//! a file is in, and what a small folder lists. Layout: libfsntfs documentation ("New Technologies
//! File System (NTFS)", sections on MFT entries and attributes). Whatever does not fit reads as
//! nothing; the analyzer judges the records.

const FILE_NAME: u32 = 0x30;
const INDEX_ROOT: u32 = 0x90;
/// The last attribute of a record.
const END: u32 = 0xFFFF_FFFF;
/// The bits of a reference that are the number of a record.
const NUMBER: u64 = 0xFFFF_FFFF_FFFF;
/// Of an index entry: it ends the list and names nothing.
const LAST_ENTRY: u32 = 2;

/// The folder that the file of a record is in, by record number, and the file's name.
pub(super) fn place(record: &[u8]) -> Option<(u64, String)> {
    let name = contents(record, FILE_NAME).next()?;
    let folder = number(name, 0, 8)? & NUMBER;
    let length = usize::from(*name.get(0x40)?) * 2;
    let (units, _) = name.get(0x42..0x42 + length)?.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Some((folder, String::from_utf16_lossy(&units)))
}

/// The files that a folder lists in its own record, by record number. A large folder lists them
/// elsewhere.
pub(super) fn listed(folder: &[u8]) -> Vec<u64> {
    contents(folder, INDEX_ROOT)
        .flat_map(|root| entries(root.get(0x10..).unwrap_or_default()))
        .collect()
}

fn entries(index: &[u8]) -> impl Iterator<Item = u64> {
    let mut at = number(index, 0, 4).and_then(|first| usize::try_from(first).ok());
    std::iter::from_fn(move || {
        let entry = index.get(at?..)?;
        let flags = number(entry, 0xC, 4)?;
        if flags & u64::from(LAST_ENTRY) != 0 {
            return None;
        }
        let length = usize::try_from(number(entry, 8, 2)?).ok()?;
        // An entry has at least its header; a smaller one would repeat for ever.
        at = Some(at? + (length >= 0x10).then_some(length)?);
        Some(number(entry, 0, 8)? & NUMBER)
    })
}

/// The contents of the attributes of a kind that stand in the record itself.
fn contents(record: &[u8], kind: u32) -> impl Iterator<Item = &[u8]> {
    let mut at = number(record, 0x14, 2).and_then(|first| usize::try_from(first).ok());
    let attributes = std::iter::from_fn(move || {
        let attribute = record.get(at?..)?;
        let found = number(attribute, 0, 4)?;
        if found == u64::from(END) {
            return None;
        }
        let length = usize::try_from(number(attribute, 4, 4)?).ok()?;
        at = Some(at? + (length >= 0x18).then_some(length)?);
        Some((found, attribute.get(..length)?))
    });
    attributes.filter_map(move |(found, attribute)| {
        let resident = *attribute.get(8)? == 0;
        (found == u64::from(kind) && resident).then_some(())?;
        let length = usize::try_from(number(attribute, 0x10, 4)?).ok()?;
        let start = usize::try_from(number(attribute, 0x14, 2)?).ok()?;
        attribute.get(start..start.checked_add(length)?)
    })
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record with one resident attribute.
    fn record(kind: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x38];
        bytes[..4].copy_from_slice(b"FILE");
        bytes[0x14] = 0x38;
        let length = u32::try_from(0x18 + content.len()).unwrap();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        bytes.extend([0x18, 0, 0, 0]);
        bytes.extend(content);
        bytes.extend(END.to_le_bytes());
        bytes
    }

    /// The record of a file in a folder.
    pub(in crate::items::volumes) fn named(folder: u64, name: &str) -> Vec<u8> {
        let mut content = vec![0; 0x42];
        // A reference has a sequence number above that of the record.
        content[..8].copy_from_slice(&(folder | 3 << 48).to_le_bytes());
        content[0x40] = u8::try_from(name.len()).unwrap();
        content.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        record(FILE_NAME, &content)
    }

    /// The record of a folder that lists files.
    pub(in crate::items::volumes) fn folder(files: &[u64]) -> Vec<u8> {
        let mut content = vec![0; 0x20];
        content[0x10] = 0x10;
        let last = [(0, LAST_ENTRY)];
        for (file, flags) in files.iter().map(|file| (*file, 0)).chain(last) {
            content.extend((file | 1 << 48).to_le_bytes());
            content.extend([0x18, 0, 0, 0]);
            content.extend(flags.to_le_bytes());
            content.extend([0; 8]);
        }
        record(INDEX_ROOT, &content)
    }

    #[test]
    fn a_file_names_its_folder() {
        let whole = named(11, "$J");
        assert_eq!(place(&whole), Some((11, "$J".to_owned())));
        for end in 0..whole.len() - 4 {
            assert_eq!(place(&whole[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn a_small_folder_lists_its_files() {
        let whole = folder(&[30, 31]);
        assert_eq!(listed(&whole), [30, 31]);
        assert_eq!(listed(&named(11, "$J")), Vec::<u64>::new());
        // An entry without a length ends the list.
        let mut broken = whole;
        broken[0x38 + 0x18 + 0x20 + 8] = 0;
        assert_eq!(listed(&broken), Vec::<u64>::new());
    }
}
