//! Text within a JSON string.

/// What a row has that cannot be copied into strings as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    Nothing,
    /// Quotes, backslashes, control characters, or what is no UTF-8.
    Something,
}

/// Looks through the content of a row.
#[inline]
pub(super) fn marks(content: &[u8], quote: u8) -> Marks {
    // No branches: then the compiler makes one comparison of sixteen bytes of each.
    let mark = |byte: u8| {
        let is_special = [byte < 0x20, byte == b'"', byte == b'\\', byte == quote];
        is_special.iter().fold(byte & 0x80, |mark, is| mark | u8::from(*is))
    };
    let (chunks, rest) = content.as_chunks::<16>();
    let mut found = [0_u8; 16];
    for chunk in chunks {
        found.iter_mut().zip(chunk).for_each(|(found, byte)| *found |= mark(*byte));
    }
    let found = rest.iter().fold(0, |found, byte| found | mark(*byte)) | found.iter().fold(0, |a, b| a | b);
    if found == 0 || found == 0x80 && simdutf8::basic::from_utf8(content).is_ok() {
        Marks::Nothing
    } else {
        Marks::Something
    }
}

/// Appends a text with escapes; what is no UTF-8 becomes U+FFFD.
pub(super) fn escape(value: &[u8], out: &mut Vec<u8>) {
    match simdutf8::basic::from_utf8(value) {
        Ok(text) => escape_utf8(text.as_bytes(), out),
        Err(_) => escape_utf8(String::from_utf8_lossy(value).as_bytes(), out),
    }
}

fn escape_utf8(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| NEEDS_ESCAPE[*byte as usize]) {
        let (plain, [byte, after @ ..]) = rest.split_at(at) else { break };
        out.extend_from_slice(plain);
        escape_byte(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// The bytes that JSON wants escaped.
static NEEDS_ESCAPE: [bool; 256] = {
    let mut needs = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        needs[byte] = true;
        byte += 1;
    }
    needs[b'"' as usize] = true;
    needs[b'\\' as usize] = true;
    needs
};

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0');
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
