//! What a host says to a command: the text of a template, between the marks of the command.

/// The word of a template in whose place the random word of a command comes.
const WORD: &str = "MARK";

/// The text of the template, cut at its marks.
#[derive(Debug)]
pub(crate) struct Answer {
    template: String,
    /// Without the lines of the marks: for commands that know none.
    plain: String,
}

impl Answer {
    /// The template is the output of a real command in which its word was replaced by `MARK`.
    pub(crate) fn new(template: &[u8]) -> Self {
        let template = String::from_utf8_lossy(template).into_owned();
        let is_mark = |line: &&str| line.starts_with("@@ MARK");
        let plain = template.split_inclusive('\n').filter(|line| !is_mark(line)).collect();
        Self { template, plain }
    }

    /// The output of `command`.
    pub(crate) fn to(&self, command: &[u8]) -> Vec<u8> {
        let command = decoded(&String::from_utf8_lossy(command));
        match word(&command) {
            Some(word) => self.template.replace(WORD, word).into_bytes(),
            None => self.plain.clone().into_bytes(),
        }
    }
}

/// The word between `@@ ` and ` begin`.
fn word(command: &str) -> Option<&str> {
    let (before, _) = command.split_once(" begin")?;
    let (_, word) = before.rsplit_once("@@ ")?;
    (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(word)
}

/// `command` with the escapes `\0ooo` of printf's `%b` as what they stand for.
fn decoded(command: &str) -> String {
    let mut pieces = command.split("\\0");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                whole.push(char::from(code));
                whole.push_str(&piece[3..]);
            }
            None => whole.push_str(piece),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(command: &str, want: &str) {
        let answer = Answer::new(b"@@ MARK begin\n@@ MARK load\n0.5\n@@ MARK end 0\n");
        assert_eq!(String::from_utf8_lossy(&answer.to(command.as_bytes())), want, "{command}");
    }

    #[test]
    fn a_command_with_a_word_gets_its_marks() {
        let want = "@@ a1 begin\n@@ a1 load\n0.5\n@@ a1 end 0\n";
        check("exec /bin/sh -c 't(){ echo \"@@ a1 end $?\";};trap t 0;echo \"@@ a1 begin\";true'", want);
        check("eval \"$(printf %b \"echo \\0042\\0100\\0100 a\\0061 begin\\0042\")\"", want);
    }

    #[test]
    fn a_command_without_one_gets_the_text_alone() {
        check("cat /proc/loadavg", "0.5\n");
        check("echo @@ !! begin", "0.5\n");
    }
}
