//! A JSON document that is edited in its bytes.
//!
//! An edit finds its place and splices the text there; everything else keeps its bytes. What is new
//! is laid out like what stands around it. Each edit sees what the ones before it left.

mod complaint;
mod insert;
mod remove;
mod strings;
mod surroundings;

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

use common::{Error, Result};

use crate::find::{Item, Level, Route, find};
use crate::path::{Path, Token, index_of};
use crate::same::{Numbers, same};
use crate::scan::{Fault, Kind, Scanned, Syntax};
use crate::text::Text;
use complaint::Tone;

/// A document and its name in messages.
///
/// ```
/// # fn main() -> common::Result<()> {
/// # use json::{Document, Path, Syntax, Text};
/// let text = b"{\n  \"key\": \"old\", // ours\n  \"port\": 80,\n  \"accepted\": [\"old\"]\n}\n";
/// let [key, accepted, previous] = [&["key"], &["accepted"], &["previous"]].map(|names| Path::pointer(names));
/// let mut document =
///     Document::new(Text::new(text.to_vec()), Syntax::Comments, "app.json".as_ref()).discreet();
///
/// document.push_string(&accepted, "new")?;
/// if let Some(old) = document.string(&key)? {
///     document.set_string(&previous, &old)?;
///     document.set_string(&key, "new")?;
///     document.remove_string(&accepted, &old)?;
/// }
/// document.remove(&previous)?;
///
/// let want = b"{\n  \"key\": \"new\", // ours\n  \"port\": 80,\n  \"accepted\": [\"new\"]\n}\n";
/// assert_eq!(document.text().all()?, want);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    text: Text,
    syntax: Syntax,
    name: PathBuf,
    tone: Tone,
    /// What was found last, as long as the text is the same: the first pass is not made twice.
    found: Option<(Path, Route)>,
}

/// How far a path leads.
enum Reach {
    /// To a value.
    Here,
    /// So many tokens lead to a container that does not have the next one.
    Gap(usize),
    /// So many tokens lead to a value that contains nothing.
    Blocked(usize),
}

impl Document {
    /// A document that was not looked at yet.
    #[must_use]
    pub fn new(text: Text, syntax: Syntax, name: &FilePath) -> Self {
        Self { text, syntax, name: name.into(), tone: Tone::default(), found: None }
    }

    /// The same where `flag` is how the caller's user allows comments: messages name it.
    #[must_use]
    pub fn with_way_out(mut self, flag: &'static str) -> Self {
        self.tone.flag = Some(flag);
        self
    }

    /// The same where values are secret: messages have the line and the column of a place, and show
    /// nothing of the text.
    #[must_use]
    pub fn discreet(mut self) -> Self {
        self.tone.is_discreet = true;
        self
    }

    /// Its bytes as they are now.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Its bytes as they are now.
    #[must_use]
    pub fn into_text(self) -> Text {
        self.text
    }

    /// What is allowed in it.
    #[must_use]
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Checks the grammar of all of it, and finds `path` while doing so.
    ///
    /// # Errors
    /// When it is no JSON or cannot be read.
    pub fn check(&mut self, path: &Path) -> Scanned<()> {
        let route = find(&self.text, self.syntax, path)?;
        self.found = Some((path.clone(), route));
        Ok(())
    }

    /// What the value at `path` is; `None` where there is none.
    ///
    /// # Errors
    /// When the document is no JSON or cannot be read.
    pub fn kind(&mut self, path: &Path) -> Result<Option<Kind>> {
        let (path, route) = self.route(path)?;
        Ok(route.value(path.tokens().len()).map(|value| value.kind))
    }

    /// The value at `path` as it is written; `None` where there is none.
    ///
    /// # Errors
    /// As [`Document::kind`].
    pub fn get(&mut self, path: &Path) -> Result<Option<Vec<u8>>> {
        let (path, route) = self.route(path)?;
        route.value(path.tokens().len()).map(|value| self.text.read(value.span.clone())).transpose()
    }

    /// Makes `value`, which is valid JSON, the value at `path`: replaces what is there, or adds it
    /// with the objects and arrays that are missing on the way. Where an equal value is, in
    /// whatever spelling but for numbers, nothing changes.
    ///
    /// # Errors
    /// When the path leads through a value that is no container, or past the end of an array.
    pub fn set(&mut self, path: &Path, value: &[u8]) -> Result<()> {
        let (path, route) = self.route(path)?;
        match reach(&route, path.tokens()) {
            Reach::Here => self.replace(&path, &route, value),
            Reach::Gap(depth) => self.append(&path, &route, depth, value),
            Reach::Blocked(depth) => Err(self.blocked("set", &path, &route, depth)),
        }
    }

    /// Adds `value` as RFC 6902, section 4.1 has it: before the element that an array has there, in
    /// the place of the member that an object has, or behind the last one.
    ///
    /// # Errors
    /// When what should contain it does not exist; and as [`Document::set`].
    pub fn add(&mut self, path: &Path, value: &[u8]) -> Result<()> {
        let (path, route) = self.route(path)?;
        let last = path.tokens().len().wrapping_sub(1);
        match (reach(&route, path.tokens()), route.levels.get(last)) {
            (Reach::Here, Some(Level { is_object: false, hit: Some(item), .. })) => {
                self.insert_before(&route, last, &item.clone(), value)
            }
            (Reach::Here, _) => self.replace(&path, &route, value),
            (Reach::Gap(depth), _) if depth == last => self.append(&path, &route, depth, value),
            (Reach::Gap(depth), _) => {
                let missing = path.prefix(depth + 1);
                Err(self.refuse("add", &path, &format!("there is no `{missing}`")))
            }
            (Reach::Blocked(depth), _) => Err(self.blocked("add", &path, &route, depth)),
        }
    }

    /// Removes the value at `path`, every one where its key stands more than once; false where there
    /// is none.
    ///
    /// # Errors
    /// When the path is that of the whole document.
    pub fn remove(&mut self, path: &Path) -> Result<bool> {
        if path.is_root() {
            return Err(self.refuse("delete", path, "it is the whole document"));
        }
        let mut is_removed = false;
        loop {
            let (path, route) = self.route(path)?;
            let level = route.levels.get(path.tokens().len() - 1);
            let Some((level, item)) = level.and_then(|level| Some((level, level.hit.as_ref()?))) else {
                return Ok(is_removed);
            };
            let twins = level.twins;
            self.cut(level, item)?;
            is_removed = true;
            if twins < 2 {
                return Ok(true);
            }
        }
    }

    /// Follows `path`; the returned one counts from no end.
    fn route(&mut self, path: &Path) -> Result<(Path, Route)> {
        let path = self.count_from_the_front(path)?;
        let route = self.find(&path)?;
        Ok((path, route))
    }

    fn find(&mut self, path: &Path) -> Result<Route> {
        if let Some((known, route)) = &self.found
            && known == path
        {
            return Ok(route.clone());
        }
        let route = find(&self.text, self.syntax, path).map_err(|fault| self.complain(fault))?;
        self.found = Some((path.clone(), route.clone()));
        Ok(route)
    }

    fn count_from_the_front(&mut self, path: &Path) -> Result<Path> {
        let mut tokens = path.tokens().to_vec();
        while let Some(place) = tokens.iter().position(|token| matches!(token, Token::Last(_))) {
            let Token::Last(back) = tokens[place] else { break };
            // No array is so long, so the level is reached and nothing in it is hit.
            tokens[place] = Token::Index(usize::MAX);
            let route = self.find(&Path::of(&tokens[..=place]))?;
            let count = route.levels.get(place).map_or(0, |level| level.count);
            // One before the first is left as it is: it leads nowhere, and errors show it.
            let Some(index) = count.checked_sub(back) else { return Ok(path.clone()) };
            tokens[place] = Token::Index(index);
        }
        Ok(Path::of(&tokens))
    }

    fn replace(&mut self, path: &Path, route: &Route, value: &[u8]) -> Result<()> {
        self.warn_of_twins(path, route);
        let Some(old) = route.value(path.tokens().len()) else { return Ok(()) };
        if same(&self.text.read(old.span.clone())?, value, Numbers::Spelled) {
            return Ok(());
        }
        let new = if value.contains(&b'\n') {
            self.style_of_line(old.span.start, route)?.value(value, 0)
        } else {
            value.to_vec()
        };
        self.splice(old.span.clone(), new)
    }

    fn splice(&mut self, range: Range<u64>, new: Vec<u8>) -> Result<()> {
        self.found = None;
        self.text.splice(range, new)
    }

    fn warn_of_twins(&self, path: &Path, route: &Route) {
        for (depth, level) in route.levels.iter().enumerate().filter(|(_, level)| level.twins > 1) {
            let (name, key, twins) = (self.name.display(), path.prefix(depth + 1), level.twins);
            log::warn!("`{key}` stands {twins} times in {name}; the last one counts");
        }
    }

    fn blocked(&self, verb: &str, path: &Path, route: &Route, depth: usize) -> Error {
        let kind = route.value(depth).map_or("value", |value| value.kind.name());
        let wanted = match path.tokens()[depth] {
            Token::Name(_) => "an object",
            _ => "an array",
        };
        self.refuse(verb, path, &format!("`{}` is a {kind}, not {wanted}", path.prefix(depth)))
    }

    /// `cannot VERB PATH in FILE: REASON`.
    #[must_use]
    pub fn refuse(&self, verb: &str, path: &Path, why: &str) -> Error {
        Error::failed(format!("cannot {verb} `{path}` in {}: {why}", self.name.display()))
    }

    /// The sentence for the operator, with the line and a mark under the place.
    #[must_use]
    pub fn complain(&self, fault: Fault) -> Error {
        complaint::of(fault, &self.text, &self.name, self.tone)
    }
}

fn reach(route: &Route, tokens: &[Token]) -> Reach {
    for depth in 0..tokens.len() {
        match route.levels.get(depth) {
            None => return Reach::Blocked(depth),
            Some(Level { hit: None, .. }) => return Reach::Gap(depth),
            Some(_) => {}
        }
    }
    Reach::Here
}

#[cfg(test)]
mod tests;
