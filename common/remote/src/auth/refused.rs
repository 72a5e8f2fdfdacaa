//! The sentence about a login that failed.

use crate::failure::{Class, Failure, Phase};

/// What was tried, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Keys that the host does not want.
    pub(super) keys: Vec<String>,
    /// Keys that it took for a part of the login.
    pub(super) parts: Vec<String>,
    /// Sentences about what could not be tried.
    pub(super) others: Vec<String>,
    /// What the host takes, as it says it: names with commas between them.
    pub(super) methods: Option<String>,
}

/// More is no list of methods.
const LONGEST: usize = 200;

impl Refused {
    /// When the host said goodbye after `last` was offered: it allows no more tries.
    pub(super) fn sent_away(&self, last: &str) -> Failure {
        let count = self.keys.len() + 1;
        let keys = if count == 1 { "one key".to_owned() } else { format!("{count} keys") };
        let tried: Vec<&str> = self.keys.iter().map(String::as_str).chain([last]).collect();
        let what = format!(
            "it ended the connection after {keys} ({}): it allows no more tries (MaxAuthTries); name the \
             right key with --key, first or with --no-agent",
            tried.join(", ")
        );
        Failure::new(Class::Auth, Phase::Auth, what)
    }

    /// When all that was to be tried was refused.
    pub(super) fn told(&self, user: &str) -> Failure {
        let mut what = match (self.parts.as_slice(), self.keys.as_slice()) {
            ([], []) => format!("there is no key that could be tried for user {user}"),
            ([], keys) => format!("it does not let user {user} in with {}", keys.join(", ")),
            (parts, _) => format!("it took {} of user {user}, and wants more than that", parts.join(", ")),
        };
        let takes_keys =
            self.methods.as_ref().is_none_or(|methods| methods.split(',').any(|one| one == "publickey"));
        let wants = match &self.methods {
            Some(methods) if !self.parts.is_empty() => {
                format!(" ({}); an account for machines must do with one key", shortened(methods))
            }
            Some(methods) if !takes_keys => {
                format!("; it takes only {}, and keys alone are used here", shortened(methods))
            }
            _ => String::new(),
        };
        what += &wants;
        for other in &self.others {
            what += "; ";
            what += other;
        }
        let refuses_keys = !self.keys.is_empty() && self.parts.is_empty() && self.others.is_empty();
        Failure { refuses_keys, ..Failure::new(Class::Auth, Phase::Auth, what) }
    }
}

fn shortened(methods: &str) -> String {
    methods.replace(',', ", ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[&str], parts: &[&str], methods: Option<&str>, want: &str) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let refused = Refused {
            keys: owned(keys),
            parts: owned(parts),
            others: owned(&["b has a passphrase"]),
            methods: methods.map(str::to_owned),
        };
        assert_eq!(refused.told("me").what, want);
    }

    #[test]
    fn the_sentence_says_what_was_tried_and_what_would_do() {
        check(&[], &[], None, "there is no key that could be tried for user me; b has a passphrase");
        check(
            &["a", "agent key `x`"],
            &[],
            Some("publickey,password"),
            "it does not let user me in with a, agent key `x`; b has a passphrase",
        );
        check(
            &["a"],
            &[],
            Some("password,keyboard-interactive"),
            "it does not let user me in with a; it takes only password, keyboard-interactive, and keys alone \
             are used here; b has a passphrase",
        );
        check(
            &[],
            &["a"],
            Some("publickey"),
            "it took a of user me, and wants more than that (publickey); an account for machines must do with \
             one key; b has a passphrase",
        );
    }

    #[test]
    fn only_a_no_to_every_key_is_a_refusal() {
        let check = |keys: &[&str], parts: &[&str], others: &[&str], want: bool| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            let (keys, parts, others) = (owned(keys), owned(parts), owned(others));
            let refused = Refused { keys, parts, others, methods: None };
            let mut failure = refused.told("me");
            assert_eq!(failure.is_refusal(), want, "{failure}");
            // A jump host's no is none of the host behind it.
            failure.phase = Phase::Connect;
            assert!(!failure.is_refusal());
            assert!(!refused.sent_away("z").is_refusal());
        };
        check(&["a"], &[], &[], true);
        check(&["a", "b"], &[], &[], true);
        check(&[], &[], &[], false);
        check(&["a"], &["b"], &[], false);
        check(&["a"], &[], &["b is damaged"], false);
    }

    #[test]
    fn a_host_that_allows_no_more_tries_is_told_as_such() {
        let check = |keys: &[&str], want: &str| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            let what = Refused { keys, ..Refused::default() }.sent_away("c").what;
            assert_eq!(
                what,
                format!(
                    "it ended the connection after {want}: it allows no more tries (MaxAuthTries); name the right \
                 key with --key, first or with --no-agent"
                )
            );
        };
        check(&[], "one key (c)");
        check(&["a", "b"], "3 keys (a, b, c)");
    }
}
