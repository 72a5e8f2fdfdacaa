//! The tree as an expression: what is parsed from it is the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use super::function::Function;
use super::{Expr, Given, Literal, Node, Pattern, Side, Value};
use crate::filter::Order;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Always(value) => write!(f, "{value}"),
            Node::Not(inner) => match &inner.node {
                Node::Matches(value, pattern) => write!(f, "{value} !~ {pattern}"),
                Node::Among(value, list) => write!(f, "{value} not in ({})", Listed(list)),
                _ => write!(f, "not {}", Inner(inner)),
            },
            Node::All(parts) => joined(f, parts, " and "),
            Node::Any(parts) => joined(f, parts, " or "),
            Node::Compare { left, order, right } => write!(f, "{left} {} {right}", sign(*order)),
            Node::Matches(value, pattern) => write!(f, "{value} =~ {pattern}"),
            Node::Among(value, list) => write!(f, "{value} in ({})", Listed(list)),
            Node::Is(value, quality) => write!(f, "{}({value})", Function::Is(*quality).name()),
            Node::Has(value, part, text) => {
                write!(f, "{}({value}, {})", Function::Has(*part).name(), Quoted(text))
            }
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expr], between: &str) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        write!(f, "{}", Inner(part))?;
    }
    Ok(())
}

pub(super) fn sign(order: Order) -> &'static str {
    match order {
        Order::Equal => "==",
        Order::NotEqual => "!=",
        Order::Less => "<",
        Order::AtMost => "<=",
        Order::Greater => ">",
        Order::AtLeast => ">=",
    }
}

/// A part of a condition: in parentheses where it has parts of its own.
struct Inner<'e>(&'e Expr);

impl Display for Inner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.node {
            Node::All(_) | Node::Any(_) => write!(f, "({})", self.0),
            _ => write!(f, "{}", self.0),
        }
    }
}

struct Listed<'e>(&'e [Literal]);

impl Display for Listed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, literal) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{literal}")?;
        }
        Ok(())
    }
}

/// A text in quotes, with escapes.
pub(crate) struct Quoted<'e>(pub(crate) &'e str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '\\' | '"' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                _ => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl Display for Side {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Literal(literal) => write!(f, "{literal}"),
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for change in self.changes.iter().rev() {
            write!(f, "{}(", Function::Change(*change).name())?;
        }
        write!(f, "{}", self.column)?;
        self.changes.iter().try_for_each(|_| f.write_char(')'))
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.given {
            Given::Number(spelling) | Given::Time(spelling) => f.write_str(spelling),
            Given::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

impl Display for Pattern {
    /// The source stands as it was written: its slashes are escaped already, or are escaped now.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('/')?;
        let mut is_escaped = false;
        for c in self.source.chars() {
            if c == '/' && !is_escaped {
                f.write_char('\\')?;
            }
            is_escaped = c == '\\' && !is_escaped;
            f.write_char(c)?;
        }
        write!(f, "/{}", self.flags)
    }
}
