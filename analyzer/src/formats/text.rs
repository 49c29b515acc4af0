//! The text of console programs: from bytes in whatever encoding to Unicode.
//!
//! Programs such as `netstat` write in the OEM code page of the system when their output goes to
//! a file; PowerShell writes UTF-16 with a byte-order mark. Every code page that Windows uses for
//! a console keeps ASCII, so digits and structure survive even a wrong guess.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, IBM866, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874,
    WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255,
    WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

/// The upper half of code page 437 (United States), from byte 0x80, after the mapping that
/// unicode.org publishes as `MAPPINGS/VENDORS/MICSFT/PC/CP437.TXT`.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The upper half of code page 850 (Western Europe), after `CP850.TXT`.
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// The upper half of code page 852 (Central Europe), after `CP852.TXT`.
const CP852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č\
    áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
    └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
    ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

/// A decoded text and how it was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without byte-order mark.
    pub text: String,
    /// The encoding that was used (`UTF-16LE`, `cp850`, `GBK`, …).
    pub encoding: String,
    /// Whether bytes that mean nothing in that encoding became U+FFFD.
    pub replaced: bool,
}

/// Decodes the output of a console program: by its byte-order mark; else in the code page with
/// the number `oem_code_page` (`GetOEMCP`); else, and where that number is not known here, as
/// UTF-8 where it is valid UTF-8, and with U+FFFD for every byte above 0x7F where it is not.
pub fn decode(bytes: &[u8], oem_code_page: Option<u32>) -> Decoded {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return with(encoding, bytes.get(mark..).unwrap_or_default());
    }
    match oem_code_page {
        Some(437) => by_table(bytes, CP437, "cp437"),
        // 858 is 850 with the euro sign in place of the dotless i.
        Some(850) => by_table(bytes, CP850, "cp850"),
        Some(858) => by_table(bytes, &CP850.replace('ı', "€"), "cp858"),
        Some(852) => by_table(bytes, CP852, "cp852"),
        Some(number) => match encoding(number) {
            Some(encoding) => with(encoding, bytes),
            None => undeclared(bytes),
        },
        None => undeclared(bytes),
    }
}

/// Decodes a file that a program wrote: by its byte-order mark; else as UTF-8 where it is valid
/// UTF-8; else in the code page with the number `ansi_code_page` (`GetACP`), as [`decode`] does.
pub fn decode_file(bytes: &[u8], ansi_code_page: Option<u32>) -> Decoded {
    let is_utf_8 = std::str::from_utf8(bytes).is_ok();
    decode(bytes, ansi_code_page.filter(|_| !is_utf_8))
}

/// The encoding behind a Windows code page number.
fn encoding(code_page: u32) -> Option<&'static Encoding> {
    Some(match code_page {
        866 => IBM866,
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 => EUC_KR,
        950 => BIG5,
        1200 => UTF_16LE,
        1201 => UTF_16BE,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        1252 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        65001 => UTF_8,
        _ => return None,
    })
}

fn with(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    Decoded {
        text: text.into_owned(),
        encoding: encoding.name().to_owned(),
        replaced,
    }
}

fn by_table(bytes: &[u8], upper: &str, name: &str) -> Decoded {
    let upper: Vec<char> = upper.chars().collect();
    let mut replaced = false;
    let text = bytes
        .iter()
        .map(|byte| match byte.checked_sub(0x80) {
            None => char::from(*byte),
            Some(index) => upper.get(usize::from(index)).copied().unwrap_or_else(|| {
                replaced = true;
                char::REPLACEMENT_CHARACTER
            }),
        })
        .collect();
    Decoded {
        text,
        encoding: name.to_owned(),
        replaced,
    }
}

fn undeclared(bytes: &[u8]) -> Decoded {
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded {
            text: text.to_owned(),
            encoding: "UTF-8".to_owned(),
            replaced: false,
        },
        Err(_) => by_table(bytes, "", "ASCII"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], code_page: u32) -> String {
        decode(bytes, Some(code_page)).text
    }

    #[test]
    fn a_byte_order_mark_beats_the_code_page() {
        assert_eq!(text(b"\xFF\xFEA\0\xD6\0", 850), "AÖ");
        assert_eq!(text(b"\xFE\xFF\0A\0\xD6", 850), "AÖ");
        assert_eq!(text(b"\xEF\xBB\xBFA\xC3\x96", 850), "AÖ");
        assert_eq!(decode(b"\xFF\xFEA\0", None).encoding, "UTF-16LE");
    }

    #[test]
    fn the_code_pages_of_consoles() {
        assert_eq!(text(b"ABH\x99REN", 850), "ABHÖREN");
        assert_eq!(text(b"ABH\x99REN", 437), "ABHÖREN");
        assert_eq!(text(b"\xD5", 858), "€");
        assert_eq!(text(b"NAS\x9DUCHIWANIE", 852), "NASŁUCHIWANIE");
        assert_eq!(text(b"\x88\xAC\xEF", 866), "Имя");
        assert_eq!(text(b"\xD0\xAD\xD2\xE9", 936), "协议");
        assert_eq!(text(b"\x8F\xF3\x91\xD4", 932), "状態");
        assert_eq!(text(b"\xC9tat", 1252), "État");
    }

    #[test]
    fn a_file_may_be_in_utf_8_or_in_the_code_page() {
        let text = |bytes: &[u8]| decode_file(bytes, Some(1252)).text;
        assert_eq!(text(b"Verf\xFCgbar"), "Verfügbar");
        assert_eq!(text("Verfügbar".as_bytes()), "Verfügbar");
        assert_eq!(text(b"\xFF\xFEA\0\xFC\0"), "Aü");
    }

    #[test]
    fn every_table_is_whole() {
        let all: Vec<u8> = (0..=255).collect();
        for code_page in [437, 850, 852, 858] {
            let decoded = decode(&all, Some(code_page));
            assert_eq!(decoded.text.chars().count(), 256, "{code_page}");
            assert!(!decoded.replaced);
            let ascii: String = (0..128_u8).map(char::from).collect();
            assert!(decoded.text.starts_with(&ascii));
        }
    }

    #[test]
    fn an_unknown_code_page_keeps_digits_and_structure() {
        let line = b"  TCP  0.0.0.0:3389  0.0.0.0:0  ABH\x99REN  4";
        let decoded = decode(line, Some(30_000));
        assert_eq!(
            decoded.text,
            "  TCP  0.0.0.0:3389  0.0.0.0:0  ABH\u{FFFD}REN  4"
        );
        assert!(decoded.replaced);
        assert_eq!(decode(line, None), decoded);
        assert_eq!(decode("ABHÖREN".as_bytes(), None).text, "ABHÖREN");
    }

    #[test]
    fn odd_bytes_are_replaced_and_said_to_be() {
        assert!(decode(b"\xFF\xFEA", None).replaced);
        assert!(decode(b"\x81", Some(936)).replaced);
        assert_eq!(decode(b"", Some(936)).text, "");
    }
}
