//! What cksum(1) says of bytes: every system has it, and it tells a change or a cut from the whole.

/// `CHECKSUM LENGTH`, as cksum(1) prints it for its standard input (POSIX, cksum).
pub(super) fn of(bytes: &[u8]) -> String {
    let length = bytes.len();
    let digits = (0..).map(|place| length.checked_shr(place * 8).unwrap_or(0)).take_while(|&rest| rest > 0);
    let digits = digits.map(|rest| rest.to_le_bytes()[0]);
    let sum = bytes.iter().copied().chain(digits).fold(0, step);
    format!("{} {length}", !sum)
}

fn step(sum: u32, byte: u8) -> u32 {
    (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// What the program says.
    fn check(bytes: &[u8]) {
        let mut command = Command::new("cksum");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let said = child.wait_with_output().unwrap().stdout;
        assert_eq!(String::from_utf8(said).unwrap().trim_end(), of(bytes), "{} bytes", bytes.len());
    }

    #[test]
    fn it_is_what_the_program_says() {
        assert_eq!(of(b""), "4294967295 0");
        if !testkit::has("cksum") {
            return;
        }
        check(b"");
        check(b"123456789");
        for length in [1, 255, 256, 65_535, 65_536, 100_001] {
            check(&(0..=u8::MAX).cycle().take(length).collect::<Vec<_>>());
        }
    }
}
