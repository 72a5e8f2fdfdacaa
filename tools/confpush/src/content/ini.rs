//! INI, as far as its many dialects agree: sections in brackets, `key = value` or `key: value`, keys alone,
//! comments, values that go on in the next line. A key may be there twice, as in the units of systemd.

/// Judges `bytes`.
///
/// # Errors
/// The first line that is nothing of that.
pub(super) fn judge(bytes: &[u8]) -> Result<(), String> {
    let mut may_go_on = false;
    let mut goes_on = false;
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(column) = line.iter().position(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(super::at(at + 1, column + 1, "a control character"));
        }
        let text = line.trim_ascii();
        let is_indented = line.first().is_some_and(u8::is_ascii_whitespace);
        if goes_on || text.is_empty() || matches!(text.first(), Some(b'#' | b';')) {
            goes_on = goes_on && text.ends_with(b"\\");
            continue;
        }
        if let Err(why) = entry(text)
            && !(is_indented && may_go_on)
        {
            let column = line.len() - line.trim_ascii_start().len() + 1;
            return Err(super::at(at + 1, column, why));
        }
        may_go_on = !text.starts_with(b"[");
        goes_on = text.ends_with(b"\\");
    }
    Ok(())
}

/// A line that is neither empty nor a comment.
fn entry(text: &[u8]) -> Result<(), &'static str> {
    if let Some(rest) = text.strip_prefix(b"[") {
        let Some(end) = rest.iter().rposition(|byte| *byte == b']') else {
            return Err("a section without `]`");
        };
        let behind = rest[end + 1..].trim_ascii();
        return match (rest[..end].trim_ascii(), behind.first()) {
            ([], _) => Err("a section without a name"),
            (_, None | Some(b'#' | b';')) => Ok(()),
            _ => Err("something behind a section"),
        };
    }
    match text.iter().position(|byte| matches!(byte, b'=' | b':')) {
        Some(0) => Err("a value without a key"),
        None if text.iter().any(u8::is_ascii_whitespace) => Err("neither a section nor `key = value`"),
        _ => Ok(()),
    }
}
