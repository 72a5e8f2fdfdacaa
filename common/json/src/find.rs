//! Where a path leads in a document.
//!
//! One pass finds the place and checks the grammar of everything around it. Where a key stands twice
//! in an object the last one counts, as for nearly every reader of JSON.

use std::ops::Range;

use crate::path::{Path, Token, index_of};
use crate::scan::{Kind, Next, Scanned, Scanner, Syntax};
use crate::string;
use crate::text::Text;

/// The way of a path through a document.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The value of the document.
    pub(crate) root: Value,
    /// The containers on the way, the outermost first: one more than tokens that were followed,
    /// unless what the last of them leads to is no container or is where the path ends.
    pub(crate) levels: Vec<Level>,
}

/// A value and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) span: Range<u64>,
}

/// A container on the way.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) is_object: bool,
    /// The offsets of its brackets.
    pub(crate) open: u64,
    pub(crate) close: u64,
    /// How many members or elements it has.
    pub(crate) count: usize,
    /// What the token of this level names.
    pub(crate) hit: Option<Item>,
    /// How often that key stands in it.
    pub(crate) twins: usize,
    pub(crate) last: Option<Item>,
}

/// A member of an object or an element of an array.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where its key begins, or the element.
    pub(crate) begin: u64,
    /// Behind the closing quote of its key.
    pub(crate) key_end: Option<u64>,
    pub(crate) value: Value,
    /// Its place among the others, from 0.
    pub(crate) index: usize,
    /// The offsets of the commas around it.
    pub(crate) comma_before: Option<u64>,
    pub(crate) comma_after: Option<u64>,
}

impl Route {
    /// The value to which the first `depth` tokens lead.
    pub(crate) fn value(&self, depth: usize) -> Option<&Value> {
        match depth.checked_sub(1) {
            None => Some(&self.root),
            Some(level) => self.levels.get(level)?.hit.as_ref().map(|item| &item.value),
        }
    }
}

/// Follows `path`, which counts no index from the end.
///
/// # Errors
/// When `text` is no JSON.
pub(crate) fn find(text: &Text, syntax: Syntax, path: &Path) -> Scanned<Route> {
    let mut walk = Walk {
        scanner: Scanner::new(text, syntax, 0),
        tokens: path.tokens(),
        open: Vec::new(),
        closed: Vec::new(),
        key: Vec::new(),
    };
    walk.scanner.begin()?;
    let begin = walk.scanner.offset();
    let kind = walk.scanner.kind()?;
    if walk.enter()? {
        walk.follow()?;
    } else {
        walk.scanner.value()?;
    }
    let root = Value { kind, span: begin..walk.scanner.offset() };
    walk.scanner.finish()?;
    walk.closed.reverse();
    Ok(Route { root, levels: walk.closed })
}

struct Walk<'a> {
    scanner: Scanner<'a>,
    tokens: &'a [Token],
    /// The containers around the place.
    open: Vec<Level>,
    /// Those on the way to what was found last, as far as they are closed, the innermost first.
    closed: Vec<Level>,
    /// The key that was read last, as it is spelled.
    key: Vec<u8>,
}

impl Walk<'_> {
    /// Goes into the container that begins here, if the path leads into it.
    fn enter(&mut self) -> Scanned<bool> {
        let open = self.scanner.offset();
        if self.open.len() >= self.tokens.len() {
            return Ok(false);
        }
        let Some(is_object) = self.scanner.open()? else { return Ok(false) };
        self.open.push(Level { is_object, open, close: open, count: 0, hit: None, twins: 0, last: None });
        Ok(true)
    }

    /// Goes through the innermost open container, until none is open.
    fn follow(&mut self) -> Scanned<()> {
        while let Some(depth) = self.open.len().checked_sub(1) {
            match self.step(depth)? {
                Next::Item { comma } => {
                    self.item(depth, Some(comma).filter(|_| self.open[depth].count > 0))?;
                }
                Next::Close { at, .. } => self.close(at),
            }
        }
        Ok(())
    }

    /// Goes to the next item of a level or behind its end.
    fn step(&mut self, depth: usize) -> Scanned<Next> {
        let is_object = self.open[depth].is_object;
        if self.open[depth].count == 0 {
            let close = self.scanner.first(is_object)?;
            return Ok(close.map_or(Next::Item { comma: 0 }, |at| Next::Close { comma: None, at }));
        }
        let next = self.scanner.next(is_object)?;
        if let Next::Item { comma } | Next::Close { comma: Some(comma), .. } = next {
            self.update(depth, |item| item.comma_after = Some(comma));
        }
        Ok(next)
    }

    /// Takes a member or an element into account, and goes into its value or over it.
    fn item(&mut self, depth: usize, comma_before: Option<u64>) -> Scanned<()> {
        let begin = self.scanner.offset();
        self.key.clear();
        let is_object = self.open[depth].is_object;
        let key_end = if is_object { Some(self.scanner.key(Some(&mut self.key))?) } else { None };
        let at = self.scanner.offset();
        let value = Value { kind: self.scanner.kind()?, span: at..at };
        let index = self.open[depth].count;
        let item = Item { begin, key_end, value, index, comma_before, comma_after: None };
        let is_hit = self.is_hit(depth, index);
        let level = &mut self.open[depth];
        level.count += 1;
        level.last = Some(item.clone());
        if is_hit {
            level.twins += 1;
            level.hit = Some(item);
            // What an earlier one of the same name led to does not count.
            self.closed.clear();
            if self.enter()? {
                return Ok(());
            }
        }
        self.scanner.value()?;
        self.ended();
        Ok(())
    }

    fn is_hit(&self, depth: usize, index: usize) -> bool {
        match (&self.tokens[depth], self.open[depth].is_object) {
            (Token::Name(name), true) => string::eq(&self.key, name),
            (Token::Name(name), false) => index_of(name) == Some(index),
            (Token::Index(wanted), false) => *wanted == index,
            _ => false,
        }
    }

    fn close(&mut self, at: u64) {
        if let Some(level) = self.open.pop() {
            self.closed.push(Level { close: at, ..level });
            self.ended();
        }
    }

    /// The value of the last item of the innermost level ends here.
    fn ended(&mut self) {
        let end = self.scanner.offset();
        if let Some(depth) = self.open.len().checked_sub(1) {
            self.update(depth, |item| item.value.span.end = end);
        }
    }

    /// Changes the last item of a level, also where it is the one that was looked for.
    fn update(&mut self, depth: usize, change: impl Fn(&mut Item)) {
        let level = &mut self.open[depth];
        let index = level.last.as_ref().map(|last| last.index);
        for item in level.last.iter_mut().chain(level.hit.as_mut().filter(|hit| Some(hit.index) == index)) {
            change(item);
        }
    }
}
