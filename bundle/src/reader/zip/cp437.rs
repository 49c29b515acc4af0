//! Code page 437, the character set of zip names without the UTF-8 flag.

/// Characters 128 to 255.
const UPPER: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The text of bytes in code page 437; control characters stay what they are.
pub(super) fn decode(bytes: &[u8]) -> String {
    let upper: Vec<char> = UPPER.chars().collect();
    bytes
        .iter()
        .map(|&byte| match byte.checked_sub(128) {
            None => char::from(byte),
            Some(index) => upper
                .get(usize::from(index))
                .copied()
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{UPPER, decode};

    #[test]
    fn the_table_is_whole_and_known_letters_are_right() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(
            decode(b"ABH\x99REN \x80\xe1\xff"),
            "ABH\u{d6}REN \u{c7}\u{df}\u{a0}"
        );
    }
}
