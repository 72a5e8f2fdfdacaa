//! Three answers, where most programs know two: yes, no, and nobody knows.
//!
//! A target that is out of reach has refused nothing, and a check that could not be made has found
//! nothing. Whoever takes that for a no rolls back a good rotation; for a yes, cuts off a consumer.

/// What came of a question to a target or a consumer, or of asking it to do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T = ()> {
    /// It is so; it is done, durably.
    Yes(T),
    /// It is not so, or it was refused: for a definite reason, which is told. Asking again would not help.
    No(String),
    /// It could not be found out, or it may or may not be done: why.
    Unknown(String),
}

impl<T> Answer<T> {
    /// Whether it is a yes.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// What a yes brings.
    pub fn yes(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) | Self::Unknown(_) => None,
        }
    }

    /// What a yes brings, made into something else.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Yes(value) => Answer::Yes(make(value)),
            Self::No(why) => Answer::No(why),
            Self::Unknown(why) => Answer::Unknown(why),
        }
    }

    /// The next question, which only a yes leads to.
    pub fn and_then<U>(self, ask: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Self::Yes(value) => ask(value),
            Self::No(why) => Answer::No(why),
            Self::Unknown(why) => Answer::Unknown(why),
        }
    }

    /// The same with `place` before the reason.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Yes(value) => Self::Yes(value),
            Self::No(why) => Self::No(format!("{place}: {why}")),
            Self::Unknown(why) => Self::Unknown(format!("{place}: {why}")),
        }
    }
}

impl Answer {
    /// One answer for several places: a no of one is a no, then an unknown is an unknown; the reasons
    /// of that kind are all told.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let (mut refused, mut unknown) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Self::Yes(()) => {}
                Self::No(why) => refused.push(why),
                Self::Unknown(why) => unknown.push(why),
            }
        }
        if !refused.is_empty() {
            Self::No(refused.join("; "))
        } else if !unknown.is_empty() {
            Self::Unknown(unknown.join("; "))
        } else {
            Self::Yes(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_neither_yes_nor_no() {
        let check = |answers: &[Answer], want: Answer| assert_eq!(Answer::all(answers.to_vec()), want);
        let (no, unknown) = (Answer::No("a: refused".into()), Answer::Unknown("b: out of reach".into()));
        check(&[], Answer::Yes(()));
        check(&[Answer::Yes(()), Answer::Yes(())], Answer::Yes(()));
        check(&[Answer::Yes(()), unknown.clone()], unknown.clone());
        check(&[unknown, no.clone(), no.clone()], Answer::No("a: refused; a: refused".into()));
    }

    #[test]
    fn the_place_stands_before_the_reason() {
        assert_eq!(Answer::<u8>::No("refused".into()).at("web03"), Answer::No("web03: refused".into()));
        assert_eq!(Answer::Yes(1).at("web03").map(|n| n + 1), Answer::Yes(2));
        assert_eq!(
            Answer::Yes(1).and_then(|_| Answer::<u8>::Unknown("late".into())),
            Answer::Unknown("late".into())
        );
    }
}
