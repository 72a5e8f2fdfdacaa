//! A command as any login shell takes it, and its output between marks.
//!
//! The exit status that libssh2 gives is 0 when there was none, and a channel that ends tells nothing
//! about why. So the shell itself says where its output begins and ends, and with which status.

use std::fmt::{self, Debug, Formatter, Write as _};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::coprocess::Coprocess;

/// A shell script to run, with the marks around its output.
#[derive(Debug, Clone)]
pub struct Command {
    line: String,
    begin: Vec<u8>,
    end: Vec<u8>,
    input: Option<Input>,
    coprocess: Option<Arc<Coprocess>>,
}

/// What a command reads from its standard input: often a secret. Many hosts share it.
#[derive(Clone)]
struct Input(Arc<Zeroizing<Vec<u8>>>);

impl Debug for Input {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Input(..)")
    }
}

impl Command {
    /// `script` is for a POSIX shell. `mark` is a word that nothing prints by chance; it is made of
    /// letters and digits.
    #[must_use]
    pub fn new(script: &str, mark: &str) -> Self {
        // `$?` in a trap on 0 is the status of the shell, also after `exit 3` and `set -e`
        // (POSIX, Shell Command Language, trap).
        let whole = format!("t(){{ echo \"@@ {mark} end $?\";}};trap t 0;echo \"@@ {mark} begin\";{script}");
        Self::between(portable(&whole), mark)
    }

    /// `script`, of one line, is for `coprocess`, which the session begins where it has none. It reads no more
    /// of its standard input than [`with_input`](Self::with_input) gives it, and all of that: what it leaves
    /// ends the coprocess, as does a status other than 0.
    #[must_use]
    pub fn told(coprocess: &Arc<Coprocess>, script: &str, mark: &str) -> Self {
        let line = format!("(echo \"@@ {mark} begin\";{script});echo \"@@ {mark} end $?\"");
        Self { coprocess: Some(Arc::clone(coprocess)), ..Self::between(line, mark) }
    }

    fn between(line: String, mark: &str) -> Self {
        let begin = format!("@@ {mark} begin\n").into_bytes();
        Self { line, begin, end: format!("@@ {mark} end ").into_bytes(), input: None, coprocess: None }
    }

    /// The same with `bytes` as its standard input, and the end of input behind them. This is the way
    /// for secrets: no list of processes shows them, here or there, and they are wiped from memory
    /// with the last copy of the command. What the script leaves unread is lost without a word. Without
    /// this, the input of a command stays open and empty.
    #[must_use]
    pub fn with_input(self, bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self { input: Some(Input(Arc::new(bytes.into()))), ..self }
    }

    /// A word for `new`, another one with each call.
    #[must_use]
    pub fn mark() -> String {
        format!("{:012x}", fastrand::u64(..) >> 16)
    }

    /// What is sent.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Whom it is told; `None`: it has a shell of its own.
    pub(crate) fn coprocess(&self) -> Option<&Coprocess> {
        self.coprocess.as_deref()
    }

    /// What its standard input gets; `None` leaves that open.
    pub(crate) fn input(&self) -> Option<&[u8]> {
        self.input.as_ref().map(|Input(bytes)| bytes.as_slice())
    }
}

/// `script` as one argument of `/bin/sh -c` that means the same to sh, csh and fish.
///
/// Between single quotes csh still sees `!` and ends at a newline, and fish sees backslashes; a
/// single quote needs one. What holds none of these goes as it is. The rest goes with every other
/// character than letters and digits as the octal escape of printf's `%b`, within double quotes of
/// sh, where `\0` means nothing; fish, too, leaves a backslash before a zero alone.
pub(crate) fn portable(script: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'!' | b'\\');
    if script.bytes().all(is_plain) {
        return format!("exec /bin/sh -c '{script}'");
    }
    let mut octal = String::with_capacity(script.len() * 2);
    for byte in script.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b' ' | b'/' | b'.' | b',' | b':' | b';' | b'=' | b'_' | b'-' => {
                octal.push(char::from(byte));
            }
            // A digit could be taken for one more of an escape before it.
            _ => {
                let _strings_never_refuse = write!(octal, "\\0{byte:03o}");
            }
        }
    }
    format!("exec /bin/sh -c 'eval \"$(printf %b \"{octal}\")\"'")
}

/// The output of one command as it comes in.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// Whether the command may have been sent.
    pub(crate) was_asked_for: bool,
    /// Whether the mark of the beginning has been seen; it and all before it is gone then.
    pub(crate) has_begun: bool,
    /// Where the output ends, and the status.
    end: Option<(usize, i32)>,
    searched: usize,
    /// How much came before the beginning.
    pub(crate) noise: usize,
}

/// What is kept of the noise before the beginning, for messages.
const NOISE: usize = 4096;

impl Output {
    /// Takes more bytes; true when the end has been seen.
    pub(crate) fn take(&mut self, bytes: &[u8], command: &Command) -> bool {
        self.bytes.extend_from_slice(bytes);
        if !self.has_begun {
            self.find_beginning(&command.begin);
        }
        if self.has_begun && self.end.is_none() {
            self.find_end(&command.end);
        }
        self.end.is_some()
    }

    fn find_beginning(&mut self, begin: &[u8]) {
        if let Some(at) = find(&self.bytes, begin, self.searched) {
            self.noise += at;
            self.bytes.drain(..at + begin.len());
            self.has_begun = true;
            self.searched = 0;
            return;
        }
        // The head of endless noise says what it is; of the rest only what a mark may begin in.
        let keep = begin.len() - 1;
        if self.bytes.len() > NOISE + keep {
            let middle = NOISE..self.bytes.len() - keep;
            self.noise += middle.len();
            self.bytes.drain(middle);
        }
        self.searched = self.bytes.len().saturating_sub(keep).min(NOISE);
    }

    fn find_end(&mut self, end: &[u8]) {
        let mut from = self.searched;
        while let Some(at) = find(&self.bytes, end, from) {
            let rest = &self.bytes[at + end.len()..];
            let Some(line) = rest.iter().position(|&byte| byte == b'\n') else {
                // Its number is not whole yet.
                self.searched = at;
                return;
            };
            let status = std::str::from_utf8(&rest[..line]).ok().and_then(|text| text.parse().ok());
            if let Some(status) = status {
                self.end = Some((at, status));
                return;
            }
            from = at + end.len();
        }
        self.searched = from.max(self.bytes.len().saturating_sub(end.len()));
    }

    /// How many bytes of it came, the noise before it included.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.noise
    }

    /// What is kept of it: the output, or the noise when it has not begun.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The status, when it has ended.
    pub(crate) fn status(&self) -> Option<i32> {
        self.end.map(|(_, status)| status)
    }

    /// The output between the marks, as far as it came; the noise when it never began.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        if let Some((at, _)) = self.end {
            self.bytes.truncate(at);
        }
        self.bytes
    }
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(bytes.get(from..)?, what).map(|at| at + from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pieces: &[&str], want: &str, status: Option<i32>) {
        let command = Command::new("true", "m");
        let mut output = Output::default();
        for piece in pieces {
            output.take(piece.as_bytes(), &command);
        }
        assert_eq!(output.status(), status, "{pieces:?}");
        assert_eq!(String::from_utf8(output.into_bytes()).unwrap(), want, "{pieces:?}");
    }

    #[test]
    fn no_input_is_printed() {
        let command = Command::new("cat", "m").with_input(b"hunter2".to_vec());
        let printed = format!("{command:?}");
        assert!(printed.contains("Input(..)") && !printed.contains("hunter2"), "{printed}");
        let as_list = format!("{:?}", b"hunter2");
        assert!(!printed.contains(as_list.trim_matches(['[', ']'])), "{printed}");
        assert!(!command.line().contains("hunter2"));
    }

    #[test]
    fn only_what_stands_between_the_marks_is_output() {
        check(&["hello\n@@ m begin\na\n@@ m end 0\nrest"], "a\n", Some(0));
        check(&["@@ m be", "gin\na", "b@@ m en", "d 1", "2\n"], "ab", Some(12));
        check(&["@@ m begin\n@@ m end 0\n"], "", Some(0));
        check(&["@@ m begin\n@@ x end 0\n@@ m end x\n@@ m end 3\n"], "@@ x end 0\n@@ m end x\n", Some(3));
        check(&["@@ m begin\npartial"], "partial", None);
        check(&["@@ m begin\n@@ m end 0"], "@@ m end 0", None);
        check(&["This account is not available.\n"], "This account is not available.\n", None);
        check(&["@@ m end 0\n"], "@@ m end 0\n", None);
    }

    #[test]
    fn endless_noise_takes_no_memory() {
        let command = Command::new("true", "m");
        let mut output = Output::default();
        for _ in 0..1000 {
            output.take(&[b'x'; 999], &command);
            assert!(output.bytes.len() < 2 * NOISE);
        }
        output.take(b"@@ m begin\nA@@ m end 0\n", &command);
        assert_eq!((output.status(), output.noise), (Some(0), 999_000));
        assert_eq!(output.into_bytes(), b"A");
    }

    #[test]
    fn a_script_with_quotes_goes_in_octal() {
        let check = |script: &str, want: &str| assert_eq!(portable(script), want);
        check("a \"$b\" %", "exec /bin/sh -c 'a \"$b\" %'");
        check("a!1", "exec /bin/sh -c 'eval \"$(printf %b \"a\\0041\\0061\")\"'");
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(
            noise in "[a@ \n]{0,40}", text in "[a@m \n]{0,40}", status in 0..256i32, cut in 1usize..9,
        ) {
            let whole = format!("{noise}@@ m begin\n{text}@@ m end {status}\n");
            let command = Command::new("true", "m");
            let mut output = Output::default();
            for piece in whole.as_bytes().chunks(cut) {
                output.take(piece, &command);
            }
            prop_assert_eq!(output.status(), Some(status));
            prop_assert_eq!(output.into_bytes(), text.as_bytes());
        }

        #[test]
        fn any_script_survives_the_shell(script in "[ -~\n]{0,20}") {
            let whole = format!("printf %s {}", quoted(&script));
            let line = portable(&whole);
            let got = std::process::Command::new("/bin/sh").arg("-c").arg(&line).output().unwrap();
            // A substitution takes trailing newlines away, and the quote around them stands behind.
            prop_assert_eq!(String::from_utf8(got.stdout).unwrap(), script);
        }
    }

    fn quoted(text: &str) -> String {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
