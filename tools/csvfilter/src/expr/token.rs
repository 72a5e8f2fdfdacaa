//! The words and marks of an expression.

use super::problem::clip;
use super::{Given, Pattern, Place, Problem, habit, literal};
use crate::columns::{Reference, position};
use crate::filter::Order;

/// A word or mark.
#[derive(Debug, Clone)]
pub(super) enum Token {
    /// A bare name: of a column, or of a function before `(`.
    Word(String),
    /// A column that cannot be anything else: `$3`, or in backticks.
    Column(Reference),
    Literal(Given),
    Pattern(Pattern),
    Bool(bool),
    And,
    Or,
    Not,
    In,
    Order(Order),
    /// `=~`
    Matches,
    /// `!~`
    Differs,
    Open,
    Close,
    Comma,
    /// Behind the last one.
    End,
}

/// A token and its place.
#[derive(Debug, Clone)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) place: Place,
}

/// The marks, longer ones before those that they begin with.
const MARKS: [(&str, Token); 16] = [
    ("==", Token::Order(Order::Equal)),
    ("=~", Token::Matches),
    ("=", Token::Order(Order::Equal)),
    ("!=", Token::Order(Order::NotEqual)),
    ("!~", Token::Differs),
    ("!", Token::Not),
    ("<=", Token::Order(Order::AtMost)),
    ("<", Token::Order(Order::Less)),
    (">=", Token::Order(Order::AtLeast)),
    (">", Token::Order(Order::Greater)),
    ("&&", Token::And),
    ("||", Token::Or),
    ("(", Token::Open),
    (")", Token::Close),
    (",", Token::Comma),
    ("\u{ff0c}", Token::Comma),
];

/// Cuts an expression into tokens; the last one is [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Lexed>, Problem> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.take_while(char::is_whitespace);
        let start = lexer.at;
        let token = lexer.token()?;
        let is_end = matches!(token, Token::End);
        tokens.push(Lexed { token, place: lexer.since(start) });
        if is_end {
            return Ok(tokens);
        }
    }
}

/// Whether a column of this name can be written without backticks.
pub(crate) fn is_bare(name: &str) -> bool {
    name.starts_with(begins_word)
        && name.chars().all(is_in_word)
        && keyword(name).is_none()
        && name != "now"
        && name != "NOW"
}

fn begins_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Combining accents belong to the letter before them.
fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '\u{300}'..='\u{36f}')
}

/// The token that a word is unless it is a name. In capitals too, as SQL is often written.
fn keyword(word: &str) -> Option<Token> {
    Some(match word {
        "and" | "AND" => Token::And,
        "or" | "OR" => Token::Or,
        "not" | "NOT" => Token::Not,
        "in" | "IN" => Token::In,
        "true" | "TRUE" => Token::Bool(true),
        "false" | "FALSE" => Token::Bool(false),
        _ => return None,
    })
}

/// Reads tokens from the left.
pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn since(&self, start: usize) -> Place {
        Place { start, end: self.at }
    }

    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    pub(super) fn problem(&self, start: usize, sentence: impl Into<String>) -> Problem {
        Problem::new(self.since(start), sentence)
    }

    fn token(&mut self) -> Result<Token, Problem> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        match first {
            '"' | '\'' => literal::text(self, first).map(|text| Token::Literal(Given::Text(text))),
            '`' => self.backticked(),
            '/' => literal::pattern(self).map(Token::Pattern),
            '$' => self.dollar(),
            _ if literal::begins_measure(rest) => literal::measure(self).map(Token::Literal),
            _ if begins_word(first) => self.word(),
            _ => self.mark(first),
        }
    }

    fn backticked(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let mut name = String::new();
        self.at += 1;
        loop {
            name.push_str(self.take_while(|c| c != '`'));
            if !self.rest().starts_with('`') {
                return Err(Problem::new(
                    Place { start, end: start + 1 },
                    "this backtick is never closed; a name stands between two: `first name`",
                ));
            }
            self.at += 1;
            if !self.rest().starts_with('`') {
                return Ok(Token::Column(Reference::Name(name)));
            }
            self.at += 1;
            name.push('`');
        }
    }

    fn dollar(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        self.at += 1;
        let word = self.take_while(is_in_word);
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            let found = position(word).map_err(|sentence| self.problem(start, sentence))?;
            return Ok(Token::Column(Reference::Position(found)));
        }
        let way_out = match word {
            "" => "write a column as name or $3".into(),
            _ => format!("write a column as {} or $3", Reference::Name(clip(word))),
        };
        Err(self.problem(start, format!("behind `$` stands the number of a column; {way_out}")))
    }

    fn word(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let word = self.take_while(is_in_word);
        if matches!(word, "now" | "NOW") {
            return literal::now(self, start).map(Token::Literal);
        }
        if let Some(token) = keyword(word) {
            return Ok(token);
        }
        let mut behind = self.rest().chars();
        if behind.next() == Some('-') && behind.next().is_some_and(is_in_word) {
            let name = self.take_while(|c| is_in_word(c) || c == '-');
            let text = clip(&format!("{word}{name}"));
            let name = Reference::Name(text.clone());
            let sentence =
                format!("`-` is no part of a bare name; write {name} for a column, \"{text}\" for a text");
            return Err(self.problem(start, sentence));
        }
        Ok(Token::Word(word.to_owned()))
    }

    fn mark(&mut self, first: char) -> Result<Token, Problem> {
        let start = self.at;
        let rest = self.rest();
        if let Some((mark, way_out)) = habit::FOREIGN.iter().find(|(mark, _)| rest.starts_with(mark)) {
            self.at += mark.len();
            return Err(self.problem(start, format!("`{mark}` is no operator; {way_out}")));
        }
        if let Some((mark, token)) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark)) {
            self.at += mark.len();
            return Ok(token.clone());
        }
        self.at += first.len_utf8();
        Err(self.problem(
            start,
            match first {
                '&' => "`&` is no operator; write `and` or `&&`".into(),
                '|' => "`|` is no operator; write `or` or `||`".into(),
                _ => habit::about(first),
            },
        ))
    }
}
