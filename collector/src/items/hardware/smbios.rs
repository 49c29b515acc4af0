//! SMBIOS tables as `GetSystemFirmwareTable('RSMB')` gives them: DMTF DSP0134, with the structures
//! that records need. Tables come from firmware and are often wrong; what does not fit is left out.

use snapdiag_bundle::records::{Firmware, SmbiosMemory, SmbiosProcessor};

/// Bytes of `RawSMBIOSData` before the tables: version, revision, length.
const HEADER: usize = 8;
/// Most structures read; real tables have some hundred.
const MOST: usize = 4096;
/// Type of the structure that ends the table.
const END: u8 = 127;

/// The structures of the firmware.
pub(super) struct Smbios<'a> {
    structures: Vec<Structure<'a>>,
}

/// One structure: its formatted part, header included, and the texts behind it.
struct Structure<'a> {
    kind: u8,
    formatted: &'a [u8],
    texts: &'a [u8],
}

impl<'a> Smbios<'a> {
    /// Reads the structures up to the first that does not fit.
    pub(super) fn read(raw: &'a [u8]) -> Self {
        let length = raw.get(4..HEADER).and_then(|bytes| bytes.try_into().ok());
        let length = length.map_or(0, u32::from_le_bytes) as usize;
        let tables = raw.get(HEADER..).unwrap_or_default();
        let mut rest = tables.get(..length).unwrap_or(tables);
        let mut structures = Vec::new();
        while let Some((structure, next)) = Structure::split(rest)
            && structures.len() < MOST
            && structure.kind != END
        {
            structures.push(structure);
            rest = next;
        }
        Self { structures }
    }

    /// Whether there is no structure at all.
    pub(super) fn is_empty(&self) -> bool {
        self.structures.is_empty()
    }

    fn of(&self, kind: u8) -> impl Iterator<Item = &Structure<'a>> {
        self.structures.iter().filter(move |one| one.kind == kind)
    }

    /// The texts of types 0, 1 and 3; the first structure of each counts.
    pub(super) fn firmware(&self) -> Firmware {
        let text = |kind, offset| self.of(kind).next()?.text(offset);
        Firmware {
            system_manufacturer: text(1, 0x04),
            system_product: text(1, 0x05),
            system_version: text(1, 0x06),
            system_family: text(1, 0x1A),
            system_uuid: self.of(1).next().and_then(Structure::uuid),
            bios_vendor: text(0, 0x04),
            bios_version: text(0, 0x05),
            bios_date: text(0, 0x08),
            chassis_asset_tag: text(3, 0x08),
        }
    }

    /// Type 4.
    pub(super) fn processors(&self) -> Vec<SmbiosProcessor> {
        self.of(4)
            .map(|one| {
                let status = one.byte(0x18).unwrap_or(0);
                SmbiosProcessor {
                    socket: one.text(0x04),
                    populated: status & 0x40 != 0,
                    status: status & 0x07,
                    cores: one.count(0x23, 0x2A),
                    enabled_cores: one.count(0x24, 0x2C),
                    threads: one.count(0x25, 0x2E),
                }
            })
            .collect()
    }

    /// Types 17 and 19, in the order of the firmware.
    pub(super) fn memory(&self) -> Vec<SmbiosMemory> {
        let memory = self.structures.iter().filter_map(|one| match one.kind {
            17 => Some(SmbiosMemory::Device {
                size_kib: one.device_kib(),
                locator: one.text(0x10),
            }),
            19 => one.mapped(),
            _ => None,
        });
        memory.collect()
    }
}

impl<'a> Structure<'a> {
    /// The first structure and what follows it. Its texts end with two zeros; a structure cut off
    /// within them ends where the table does.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (kind, length) = (*bytes.first()?, usize::from(*bytes.get(1)?));
        if length < 4 {
            return None;
        }
        let (formatted, rest) = bytes.split_at_checked(length)?;
        let end = rest.windows(2).position(|pair| pair == [0, 0]);
        let (texts, next) = match end {
            Some(end) => (rest.get(..end)?, rest.get(end + 2..)?),
            None => (rest, &[][..]),
        };
        let structure = Self {
            kind,
            formatted,
            texts,
        };
        Some((structure, next))
    }

    fn byte(&self, offset: usize) -> Option<u8> {
        self.formatted.get(offset).copied()
    }

    fn bytes<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.formatted.get(offset..)?.first_chunk().copied()
    }

    fn word(&self, offset: usize) -> Option<u16> {
        self.bytes(offset).map(u16::from_le_bytes)
    }

    fn long(&self, offset: usize) -> Option<u32> {
        self.bytes(offset).map(u32::from_le_bytes)
    }

    fn quad(&self, offset: usize) -> Option<u64> {
        self.bytes(offset).map(u64::from_le_bytes)
    }

    /// The text whose number, from 1, stands at `offset`; `None` for an empty one.
    fn text(&self, offset: usize) -> Option<String> {
        let number = usize::from(self.byte(offset)?).checked_sub(1)?;
        let text = self.texts.split(|byte| *byte == 0).nth(number)?;
        let text = String::from_utf8_lossy(text).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// The UUID of type 1, its first three fields little-endian as Windows reads them. All zeros
    /// and all ones mean that there is none.
    fn uuid(&self) -> Option<String> {
        let uuid: [u8; 16] = self.bytes(0x08)?;
        if uuid == [0; 16] || uuid == [0xFF; 16] {
            return None;
        }
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut text = String::with_capacity(36);
        for (place, index) in order.into_iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let byte = uuid.get(index).copied().unwrap_or_default();
            for half in [byte >> 4, byte & 0x0F] {
                text.extend(char::from_digit(half.into(), 16));
            }
        }
        Some(text)
    }

    /// A count of type 4: a byte, or the word that SMBIOS 3.0 added when it is 255. 0 means
    /// unknown.
    fn count(&self, byte: usize, word: usize) -> Option<u32> {
        let count = match (self.byte(byte)?, self.word(word)) {
            (0xFF, Some(0xFFFF)) => None,
            (0xFF, Some(word)) => Some(u32::from(word)),
            (byte, _) => Some(u32::from(byte)),
        };
        count.filter(|count| *count > 0)
    }

    /// The size of type 17, KiB: 0 for an empty socket, `None` for unknown.
    fn device_kib(&self) -> Option<u64> {
        match self.word(0x0C)? {
            0xFFFF => None,
            // The size is in the longer field of SMBIOS 2.7, in MiB; its top bit is reserved.
            0x7FFF => Some(u64::from(self.long(0x1C)? & 0x7FFF_FFFF) * 1024),
            kib if kib & 0x8000 != 0 => Some(u64::from(kib & 0x7FFF)),
            mib => Some(u64::from(mib) * 1024),
        }
    }

    /// The range of type 19: in KiB, or in bytes in the longer fields of SMBIOS 2.7.
    fn mapped(&self) -> Option<SmbiosMemory> {
        let (start_kib, end_kib) = match (self.long(0x04)?, self.long(0x08)?) {
            (u32::MAX, _) => (self.quad(0x0F)? / 1024, self.quad(0x17)? / 1024),
            (start, end) => (start.into(), end.into()),
        };
        Some(SmbiosMemory::MappedAddress { start_kib, end_kib })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A structure: its type, what follows the header, its texts.
    pub(in super::super) fn structure(kind: u8, body: &[u8], texts: &[&str]) -> Vec<u8> {
        let mut bytes = vec![kind, u8::try_from(body.len() + 4).unwrap(), 0, 0];
        bytes.extend(body);
        for text in texts {
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        bytes.resize(bytes.len() + if texts.is_empty() { 2 } else { 1 }, 0);
        bytes
    }

    /// The tables with their header.
    pub(in super::super) fn raw(structures: &[Vec<u8>]) -> Vec<u8> {
        let tables = structures.concat();
        let mut raw = vec![0, 3, 2, 0];
        raw.extend(u32::try_from(tables.len()).unwrap().to_le_bytes());
        raw.extend(tables);
        raw
    }

    /// A body of zeros with bytes at offsets counted from the structure's start.
    pub(in super::super) fn body(length: usize, at: &[(usize, &[u8])]) -> Vec<u8> {
        let mut body = vec![0; length];
        for (offset, bytes) in at {
            body[offset - 4..offset - 4 + bytes.len()].copy_from_slice(bytes);
        }
        body
    }

    #[test]
    fn the_texts_tell_the_cloud() {
        let uuid: Vec<u8> = (0..16).collect();
        let system = body(0x17, &[(4, &[1, 2, 0]), (8, &uuid), (0x1A, &[3])]);
        let raw = raw(&[
            structure(
                0,
                &body(8, &[(4, &[1, 2]), (8, &[3])]),
                &["V", "1.0", "04/01/2014"],
            ),
            structure(1, &system, &["Tencent Cloud", " CVM ", "F"]),
            structure(3, &body(9, &[(8, &[1])]), &["7783-7084"]),
            structure(END, &[], &[]),
            structure(1, &system, &["behind the end"]),
        ]);
        let firmware = Smbios::read(&raw).firmware();
        assert_eq!(
            firmware.system_manufacturer.as_deref(),
            Some("Tencent Cloud")
        );
        assert_eq!(firmware.system_product.as_deref(), Some("CVM"));
        assert_eq!(firmware.system_version, None);
        assert_eq!(firmware.system_family.as_deref(), Some("F"));
        let uuid = firmware.system_uuid.as_deref();
        assert_eq!(uuid, Some("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        assert_eq!(firmware.bios_date.as_deref(), Some("04/01/2014"));
        assert_eq!(firmware.chassis_asset_tag.as_deref(), Some("7783-7084"));
    }

    #[test]
    fn a_uuid_of_zeros_or_ones_is_none() {
        for byte in [0, 0xFF] {
            let system = body(0x17, &[(8, &[byte; 16])]);
            let raw = raw(&[structure(1, &system, &[])]);
            assert_eq!(Smbios::read(&raw).firmware().system_uuid, None);
        }
    }

    #[test]
    fn sizes_of_memory_have_four_forms() {
        let device = |size: u16, extended: u32| {
            let body = body(
                0x1C,
                &[
                    (0x0C, &size.to_le_bytes()),
                    (0x10, &[1]),
                    (0x1C, &extended.to_le_bytes()),
                ],
            );
            structure(17, &body, &["DIMM 0"])
        };
        let short = structure(17, &body(0x11, &[(0x0C, &0x7FFF_u16.to_le_bytes())]), &[]);
        let raw = raw(&[
            device(0, 0),
            device(0xFFFF, 0),
            device(2048, 0),
            device(0x8280, 0),
            device(0x7FFF, 0x8004_0000),
            short,
        ]);
        let sizes: Vec<Option<u64>> = Smbios::read(&raw)
            .memory()
            .into_iter()
            .map(|memory| match memory {
                SmbiosMemory::Device { size_kib, .. } => size_kib,
                SmbiosMemory::MappedAddress { .. } => panic!("no range"),
            })
            .collect();
        let expected = [
            Some(0),
            None,
            Some(2 << 20),
            Some(640),
            Some(256 << 20),
            None,
        ];
        assert_eq!(sizes, expected);
    }

    #[test]
    fn ranges_are_in_kib_or_in_bytes() {
        let short = body(0x0B, &[(4, &[0, 0, 0, 0, 0xFF, 0xFF, 0x2F, 0])]);
        let long = body(
            0x1B,
            &[
                (4, &[0xFF; 8]),
                (0x0F, &(4_u64 << 40).to_le_bytes()),
                (0x17, &((5_u64 << 40) - 1).to_le_bytes()),
            ],
        );
        let raw = raw(&[structure(19, &short, &[]), structure(19, &long, &[])]);
        let range = |start_kib, end_kib| SmbiosMemory::MappedAddress { start_kib, end_kib };
        assert_eq!(
            Smbios::read(&raw).memory(),
            [range(0, 0x002F_FFFF), range(4 << 30, (5 << 30) - 1)]
        );
    }

    #[test]
    fn processors_count_beyond_a_byte() {
        let socket = |at: &[(usize, &[u8])]| structure(4, &body(0x2C, at), &["CPU 0"]);
        let wide = 300_u16.to_le_bytes();
        let raw = raw(&[
            socket(&[(4, &[1]), (0x18, &[0x41]), (0x23, &[8, 8, 16])]),
            socket(&[
                (0x18, &[0x41]),
                (0x23, &[0xFF; 3]),
                (0x2A, &wide),
                (0x2C, &wide),
                (0x2E, &[0xFF; 2]),
            ]),
            socket(&[]),
            structure(4, &body(0x16, &[(0x18, &[0x44])]), &[]),
        ]);
        let processors = Smbios::read(&raw).processors();
        let counts: Vec<_> = processors
            .iter()
            .map(|one| (one.populated, one.status, one.cores, one.threads))
            .collect();
        let expected = [
            (true, 1, Some(8), Some(16)),
            (true, 1, Some(300), None),
            (false, 0, None, None),
            (true, 4, None, None),
        ];
        assert_eq!(counts, expected);
        assert_eq!(processors[0].socket.as_deref(), Some("CPU 0"));
    }

    #[test]
    fn a_table_cut_anywhere_is_read_as_far_as_it_goes() {
        let full = raw(&[
            structure(1, &body(0x17, &[(4, &[1])]), &["Maker"]),
            structure(
                17,
                &body(0x1C, &[(0x0C, &[0, 8]), (0x10, &[1])]),
                &["DIMM 0"],
            ),
        ]);
        let whole = Smbios::read(&full).structures.len();
        assert_eq!(whole, 2);
        for end in 0..full.len() {
            let cut = Smbios::read(&full[..end]);
            assert!(cut.structures.len() <= whole);
            let _ = (cut.firmware(), cut.memory(), cut.processors());
        }
        // A length of the header that lies, and a structure shorter than its own header.
        let mut lying = full.clone();
        lying[4..8].fill(0xFF);
        assert_eq!(Smbios::read(&lying).structures.len(), whole);
        lying[9] = 3;
        assert!(Smbios::read(&lying).is_empty());
        assert!(Smbios::read(&[]).is_empty());
    }
}
