//! Puts a new item into a container.

use common::{Error, Result};

use super::surroundings::is_blank;
use super::{Document, Item, Level, Path, Route, Syntax, Token, index_of};
use crate::layout::Style;

impl Document {
    /// Adds `value` behind the last item of the container that `depth` tokens lead to, inside of the
    /// objects and arrays that further tokens name.
    pub(super) fn append(&mut self, path: &Path, route: &Route, depth: usize, value: &[u8]) -> Result<()> {
        self.warn_of_twins(&path.prefix(depth), route);
        let level = &route.levels[depth];
        let key = self.key_of_new(path, level, depth)?;
        let further = &path.tokens()[depth + 1..];
        if let Some(token) = further.iter().find(|token| !makes_container(token)) {
            let why = format!(
                "`{}` does not exist, and `{}` does not say whether it is to be an object or an array",
                path.prefix(depth + 1),
                Path::of(std::slice::from_ref(token))
            );
            return Err(self.refuse("set", path, &why));
        }
        let style = self.style(route, depth)?;
        let item = self.item((route, depth), key.as_deref(), (further, value))?;
        match &level.last {
            Some(last) => self.put_behind(level, last, &style, &item),
            None => self.fill(level, &style, &item),
        }
    }

    /// The key under which a container gets its new item; `None` for an array.
    fn key_of_new(&self, path: &Path, level: &Level, depth: usize) -> Result<Option<String>> {
        let (token, here) = (&path.tokens()[depth], path.prefix(depth));
        let refused = |why: String| -> Error { self.refuse("set", path, &why) };
        match (token, level.is_object) {
            (Token::Name(name), true) => Ok(Some(name.clone())),
            (_, true) => Err(refused(format!("`{here}` is an object, not an array"))),
            (Token::End, false) => Ok(None),
            (Token::Name(name), false) if name == "-" => Ok(None),
            (token, false) => {
                let index = match token {
                    Token::Index(index) => Some(*index),
                    Token::Name(name) => index_of(name),
                    _ => Some(usize::MAX),
                };
                match index {
                    Some(index) if index == level.count => Ok(None),
                    Some(_) => Err(refused(format!("`{here}` is an array of {}", level.count))),
                    None => Err(refused(format!("`{here}` is an array, not an object"))),
                }
            }
        }
    }

    /// The text of a new item: its key, and `value` inside of the containers that `further` names.
    fn item(
        &self,
        (route, depth): (&Route, usize),
        key: Option<&str>,
        (further, value): (&[Token], &[u8]),
    ) -> Result<Vec<u8>> {
        let (level, style) = (&route.levels[depth], self.style(route, depth)?);
        if style.lines.is_some() && !self.has_short_items(level)? {
            return Ok(style.item(key, further, value));
        }
        let short = Style { lines: None, ..style.clone() };
        // The lines of a value are indented also where its first one begins within a line.
        let place = level.last.as_ref().map_or(level.open, |last| last.begin);
        let is_indented = value.contains(&b'\n') && !self.indent_of_line(place)?.is_empty();
        let value =
            if is_indented { self.style_of_line(place, route)?.value(value, 0) } else { value.to_vec() };
        Ok(short.item(key, further, &value))
    }

    fn put_behind(&mut self, level: &Level, last: &Item, style: &Style, item: &[u8]) -> Result<()> {
        let end = last.comma_after.map_or(last.value.span.end, |comma| comma + 1);
        let (place, ends_line) = self.behind_comments(end, level.close)?;
        if let Some(comma) = self.comma_in_front(level, last)? {
            return self.splice(place..place, [&comma, item].concat());
        }
        let mut new = match &style.lines {
            Some(lines) => lines.begin(0),
            None if ends_line => [b"\n", &self.indent_of_line(last.begin)?[..]].concat(),
            None if place > end => b" ".to_vec(),
            None => style.space.clone(),
        };
        new.extend_from_slice(item);
        if last.comma_after.is_some() {
            new.push(b',');
            return self.splice(place..place, new);
        }
        if place == end {
            new.insert(0, b',');
            return self.splice(end..end, new);
        }
        self.splice(place..place, new)?;
        self.splice(end..end, b",".to_vec())
    }

    /// The line break, the comma and the blanks before the last item, where the comma begins its line
    /// and none follows the item.
    fn comma_in_front(&self, level: &Level, last: &Item) -> Result<Option<Vec<u8>>> {
        let (Some(comma), None) = (last.comma_before, last.comma_after) else { return Ok(None) };
        let blank = self.text.read(comma + 1..last.begin)?;
        let indent = self.line_begun_by(comma, level)?.filter(|_| blank.iter().all(|byte| *byte == b' '));
        let Some(indent) = indent else { return Ok(None) };
        Ok(Some([self.newline()?, &indent, b",", &blank].concat()))
    }

    /// Where the comments end that stand behind an item on its line, and whether a line break must
    /// follow.
    fn behind_comments(&self, from: u64, close: u64) -> Result<(u64, bool)> {
        let gap = self.text.read(from..close)?;
        let line = gap.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.syntax == Syntax::Strict || is_blank(line) {
            return Ok((from, false));
        }
        // A comment that goes on in the next line belongs to what follows.
        let mut rest = line;
        loop {
            rest = rest.trim_ascii_start();
            let Some(comment) = rest.strip_prefix(b"/*") else { break };
            let Some(length) = comment.windows(2).position(|two| two == b"*/") else { break };
            rest = &comment[length + 2..];
        }
        let ends_line = rest.starts_with(b"//");
        let length = if ends_line { line.trim_ascii_end().len() } else { line.len() - rest.len() };
        let length = line[..length].trim_ascii_end().len();
        Ok((from + length as u64, ends_line))
    }

    /// Puts the first item into a container that may hold comments.
    fn fill(&mut self, level: &Level, style: &Style, item: &[u8]) -> Result<()> {
        let inside = self.text.read(level.open + 1..level.close)?;
        let comments = inside.trim_ascii_end().len() as u64;
        if comments > 0 {
            let place = level.open + 1 + comments;
            let mut new = style.lines.as_ref().map_or_else(|| b" ".to_vec(), |lines| lines.begin(0));
            new.extend_from_slice(item);
            if !self.has_newline(place..level.close)? && style.lines.is_some() {
                new.extend([b"\n", &self.indent_of_line(level.open)?[..]].concat());
            }
            return self.splice(place..place, new);
        }
        let (before, after) = match &style.lines {
            Some(lines) => (lines.begin(0), [lines.newline, &self.indent_of_line(level.open)?[..]].concat()),
            None => (inside.clone(), inside),
        };
        self.splice(level.open + 1..level.close, [&before, item, &after].concat())
    }

    /// Puts `value` before an element of an array.
    pub(super) fn insert_before(
        &mut self,
        route: &Route,
        depth: usize,
        next: &Item,
        value: &[u8],
    ) -> Result<()> {
        let (level, style) = (&route.levels[depth], self.style(route, depth)?);
        let item = self.item((route, depth), None, (&[], value))?;
        let Some(lines) = &style.lines else {
            return self.splice(next.begin..next.begin, [&item, &b","[..], &style.space].concat());
        };
        let gap = next.comma_before.unwrap_or(level.open) + 1;
        if is_blank(&self.text.read(gap..next.begin)?) {
            return self.splice(next.begin..next.begin, [&item, &b","[..], &lines.begin(0)].concat());
        }
        // A comment in a line before an element is about that element.
        let (place, _) = self.behind_comments(gap, next.begin)?;
        self.splice(place..place, [&lines.begin(0), &item, &b","[..]].concat())
    }
}

/// Whether a token says what kind of container it wants: a number could be a key or an index.
fn makes_container(token: &Token) -> bool {
    match token {
        Token::Name(name) => index_of(name).is_none(),
        Token::Index(index) => *index == 0,
        Token::End => true,
        Token::Last(_) => false,
    }
}
