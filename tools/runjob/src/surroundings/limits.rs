//! Resource limits of COMMAND: setrlimit(2), the soft ones.

use common::{Error, Result, near, units};
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// What is limited, and whether that is a size.
const NAMES: [(&str, Resource, bool); 10] = [
    ("as", Resource::RLIMIT_AS, true),
    ("core", Resource::RLIMIT_CORE, true),
    ("cpu", Resource::RLIMIT_CPU, false),
    ("data", Resource::RLIMIT_DATA, true),
    ("fsize", Resource::RLIMIT_FSIZE, true),
    ("locks", Resource::RLIMIT_LOCKS, false),
    ("memlock", Resource::RLIMIT_MEMLOCK, true),
    ("nofile", Resource::RLIMIT_NOFILE, false),
    ("nproc", Resource::RLIMIT_NPROC, false),
    ("stack", Resource::RLIMIT_STACK, true),
];

/// What is limited, and to how much.
#[derive(Debug, Default)]
pub(super) struct Limits(Vec<(&'static str, Resource, rlim_t)>);

impl Limits {
    /// `nofile=1024`, `as=4GiB`.
    ///
    /// # Errors
    /// When there is no such limit, or it is above the hard one.
    pub(super) fn of(texts: &[String]) -> Result<Self> {
        texts.iter().map(|text| limit(text)).collect::<Result<_>>().map(Self)
    }

    /// Calls `start` with them; they are afterwards what they were.
    pub(super) fn during<T>(&self, start: impl FnOnce() -> T) -> Result<T> {
        let mut before = Vec::with_capacity(self.0.len());
        let set = self.0.iter().try_for_each(|(name, resource, soft)| {
            let (was, hard) = getrlimit(*resource).map_err(|cause| cannot(name, cause))?;
            setrlimit(*resource, *soft, hard).map_err(|cause| cannot(name, cause))?;
            before.push((*resource, was, hard));
            Ok(())
        });
        let started = set.map(|()| start());
        for (resource, was, hard) in before {
            // What was so before may be so again.
            let _always = setrlimit(resource, was, hard);
        }
        started
    }
}

fn cannot(name: &str, cause: nix::Error) -> Error {
    Error::failed(format!("cannot set --rlimit {name}")).because(cause)
}

fn limit(text: &str) -> Result<(&'static str, Resource, rlim_t)> {
    let (name, number) = text.split_once('=').unwrap_or((text, ""));
    let Some((name, resource, is_size)) = NAMES.into_iter().find(|(known, ..)| *known == name) else {
        let hint = near::did_you_mean(name, NAMES.iter().map(|(known, ..)| *known));
        return Err(Error::failed(format!("--rlimit {text}: there is no limit `{name}`{hint}")));
    };
    let wrong = |what: String| Error::failed(format!("--rlimit {text}: {what}"));
    let soft = match number.parse() {
        Ok(number) => number,
        Err(_) if is_size => units::size(number).map_err(wrong)?,
        Err(_) => return Err(wrong("is to be NAME=N".into())),
    };
    let (_, hard) = getrlimit(resource).map_err(|cause| cannot(name, cause))?;
    if soft > hard {
        return Err(wrong(format!("the hard limit is {hard}")));
    }
    Ok((name, resource, soft))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_a_name_and_a_number() {
        let check = |text: &str, want: std::result::Result<rlim_t, &str>| match (limit(text), want) {
            (Ok((_, _, soft)), Ok(want)) => assert_eq!(soft, want),
            (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
            (got, _) => panic!("{text}: {got:?}"),
        };
        check("nofile=16", Ok(16));
        check("as=4GiB", Ok(4 << 30));
        check("core=0", Ok(0));
        check("nofle=16", Err("did you mean `nofile`?"));
        check("nofile=4K", Err("is to be NAME=N"));
        check("nofile", Err("is to be NAME=N"));
        check("nofile=18446744073709551615", Err("the hard limit is"));
    }

    #[test]
    fn they_hold_for_a_moment() {
        let soft = || getrlimit(Resource::RLIMIT_CORE).unwrap().0;
        let before = soft();
        let limits = Limits::of(&["core=0".into()]).unwrap();
        assert_eq!(limits.during(soft).unwrap(), 0);
        assert_eq!(soft(), before);
    }
}
