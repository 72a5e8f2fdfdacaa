//! From tokens to a tree.

use super::function::Function;
use super::operand::{Operand, Whence};
use super::problem::clip;
use super::token::{Lexed, Token, lex};
use super::{Expr, Given, Node, Place, Problem, Side, Value, habit};
use crate::filter::Order;

/// How deep parentheses, functions and `not` may stand in each other: what the stack of a thread
/// bears many times over, and no one reads.
const DEEPEST: usize = 200;

pub(super) fn parse(text: &str) -> Result<Expr, Problem> {
    let tokens = lex(text)?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    if matches!(parser.token(), Token::End) {
        let sentence = "the expression is empty; write a condition such as age >= 30, or true for every row";
        return Err(Problem::new(parser.place(), sentence));
    }
    let expr = parser.any()?;
    match parser.token() {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected()),
    }
}

pub(super) struct Parser<'t> {
    text: &'t str,
    /// The last is the end, and `at` never goes beyond it.
    tokens: Vec<Lexed>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        self.ahead(0)
    }

    /// The token that stands `by` behind the next one.
    pub(super) fn ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).map_or(&Token::End, |lexed| &lexed.token)
    }

    pub(super) fn place(&self) -> Place {
        self.tokens.get(self.at).map_or_else(Place::default, |lexed| lexed.place)
    }

    /// Goes on to the next token; gives the place of this one.
    pub(super) fn advance(&mut self) -> Place {
        let place = self.place();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        place
    }

    /// The place of the token before this one.
    pub(super) fn before(&self) -> Place {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or_else(Place::default, |lexed| lexed.place)
    }

    /// What stands at a place, as a sentence shows it.
    pub(super) fn source(&self, place: Place) -> String {
        clip(self.text.get(place.start..place.end).unwrap_or_default())
    }

    pub(super) fn enter(&mut self) -> Result<(), Problem> {
        if self.depth == DEEPEST {
            let sentence = format!("this is nested deeper than {DEEPEST} levels");
            return Err(Problem::new(self.place(), sentence));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    fn any(&mut self) -> Result<Expr, Problem> {
        let first = self.all()?;
        let mut parts = vec![first];
        while matches!(self.token(), Token::Or) {
            self.advance();
            parts.push(self.all()?);
        }
        Ok(joined(parts, Node::Any))
    }

    fn all(&mut self) -> Result<Expr, Problem> {
        let first = self.not()?;
        let mut parts = vec![first];
        while matches!(self.token(), Token::And) {
            self.advance();
            parts.push(self.not()?);
        }
        Ok(joined(parts, Node::All))
    }

    fn not(&mut self) -> Result<Expr, Problem> {
        if !matches!(self.token(), Token::Not) {
            return self.condition();
        }
        self.enter()?;
        let place = self.advance();
        let inner = self.not()?;
        self.leave();
        Ok(Expr { place: place.to(inner.place), node: Node::Not(Box::new(inner)) })
    }

    fn condition(&mut self) -> Result<Expr, Problem> {
        let is_call = matches!(self.ahead(1), Token::Open);
        match self.token().clone() {
            Token::Open => self.group(),
            Token::Bool(value) => Ok(Expr { place: self.advance(), node: Node::Always(value) }),
            Token::Word(name) if is_call => match self.function(&name)? {
                Function::Change(_) => self.comparison(),
                Function::Is(quality) => self.is(quality),
                Function::Has(part) => self.has(part),
            },
            _ => self.comparison(),
        }
    }

    /// The function of this name, which stands here.
    pub(super) fn function(&self, name: &str) -> Result<Function, Problem> {
        Function::named(name).map_err(|sentence| Problem::new(self.place(), sentence))
    }

    fn group(&mut self) -> Result<Expr, Problem> {
        self.enter()?;
        let open = self.advance();
        let inner = self.any()?;
        match self.token() {
            Token::Close => {}
            Token::End => {
                return Err(Problem::new(open, "this `(` is never closed; close it with `)`"));
            }
            _ => return Err(self.unexpected()),
        }
        let close = self.advance();
        self.leave();
        Ok(Expr { place: open.to(close), node: inner.node })
    }

    fn comparison(&mut self) -> Result<Expr, Problem> {
        let left = self.operand(Whence::Left)?;
        match self.token() {
            Token::Order(order) => {
                let order = *order;
                self.compare(left, order)
            }
            Token::Matches => self.matches(left, false),
            Token::Differs => self.matches(left, true),
            Token::In => self.among(left, false),
            Token::Not if matches!(self.ahead(1), Token::In) => {
                self.advance();
                self.among(left, true)
            }
            _ => Err(self.no_condition(&left)),
        }
    }

    fn compare(&mut self, left: Operand, order: Order) -> Result<Expr, Problem> {
        let operator = self.advance();
        let right = self.operand(Whence::Behind(operator))?;
        let place = left.place().to(right.place());
        if let Token::Order(_) = self.token() {
            return Err(self.chained(place, &right));
        }
        let node = match (left, right) {
            (Operand::Value(left), Operand::Value(right)) => {
                Node::Compare { left, order, right: Side::Value(right) }
            }
            (Operand::Value(left), Operand::Literal(right)) => {
                Node::Compare { left, order, right: Side::Literal(right) }
            }
            (Operand::Literal(left), Operand::Value(right)) => {
                Node::Compare { left: right, order: turned(order), right: Side::Literal(left) }
            }
            (Operand::Literal(_), Operand::Literal(_)) => {
                let sentence = "no column is compared here; a bare word is a column, and one that is \
                                called like a number or a text stands in backticks";
                return Err(Problem::new(place, sentence));
            }
        };
        Ok(Expr { place, node })
    }

    /// `18 <= age < 65`
    fn chained(&mut self, pair: Place, middle: &Operand) -> Problem {
        let operator = self.advance();
        let last = self.operand(Whence::Behind(operator));
        let (Ok(last), Operand::Value(_)) = (last, middle) else {
            return Problem::new(operator, "a comparison has two sides; join two of them with `and`");
        };
        let [pair_text, middle, last_text] =
            [pair, middle.place(), last.place()].map(|place| self.source(place));
        let sign = self.source(operator);
        let sentence =
            format!("a comparison has two sides; write {pair_text} and {middle} {sign} {last_text}");
        Problem::new(pair.to(last.place()), sentence)
    }

    fn matches(&mut self, left: Operand, is_not: bool) -> Result<Expr, Problem> {
        let operator = self.advance();
        let sign = self.source(operator);
        let value = value_of(left, &sign)?;
        let Token::Pattern(pattern) = self.token().clone() else {
            let (place, way_out) = match self.token() {
                Token::Literal(Given::Text(text)) => (self.place(), format!("write /{}/", clip(text))),
                _ => (operator, "write x =~ /regex/".into()),
            };
            return Err(Problem::new(place, format!("behind `{sign}` stands a pattern; {way_out}")));
        };
        let place = value.place.to(self.advance());
        Ok(negated(Expr { place, node: Node::Matches(value, pattern) }, is_not))
    }

    fn among(&mut self, left: Operand, is_not: bool) -> Result<Expr, Problem> {
        let operator = self.advance();
        let value = value_of(left, "in")?;
        let list = self.list(operator)?;
        let place = value.place.to(self.before());
        Ok(negated(Expr { place, node: Node::Among(value, list) }, is_not))
    }

    /// What stands where an operator is wanted.
    fn no_condition(&self, left: &Operand) -> Problem {
        let shown = self.source(left.place());
        let word = match self.token() {
            Token::Word(word) => word.as_str(),
            Token::Not => return self.no_negation(&shown),
            Token::Close if self.is_compared_behind() => {
                let sentence = format!("parentheses stand around conditions; write {shown} without them");
                return Problem::new(left.place(), sentence);
            }
            _ => return Problem::new(left.place(), left.alone(&shown)),
        };
        if let Some(way_out) = habit::instead_of(word) {
            return Problem::new(self.place(), format!("`{}` is no operator; {way_out}", clip(word)));
        }
        let whole = self.source(left.place().to(self.place()));
        let sentence = format!(
            "an operator is missing before `{}`; if it is one name, write `{whole}` in backticks",
            clip(word)
        );
        Problem::new(self.place(), sentence)
    }

    /// `name not like "x"`
    fn no_negation(&self, shown: &str) -> Problem {
        let way_out = match self.ahead(1) {
            Token::Word(word) => habit::instead_of(word).map(|way_out| (way_out, word)),
            _ => None,
        };
        let sentence = match way_out {
            Some((way_out, word)) => {
                format!("`not {}` is no operator; {way_out}, with not before it all", clip(word))
            }
            None => format!("behind {shown} stands an operator, or `not in`"),
        };
        Problem::new(self.place(), sentence)
    }

    /// Whether `)` stands here and is compared: `(age) > 30`.
    fn is_compared_behind(&self) -> bool {
        let is_operator =
            matches!(self.ahead(1), Token::Order(_) | Token::Matches | Token::Differs | Token::In);
        is_operator && matches!(self.token(), Token::Close)
    }

    /// What stands behind a whole condition and does not belong there.
    fn unexpected(&self) -> Problem {
        let shown = self.source(self.place());
        let sentence = match (self.token(), self.before_is_number()) {
            (Token::Close, _) => "this `)` closes nothing; take it away".into(),
            (Token::Comma, true) => "a number has no comma in it; write 1000 for 1,000".into(),
            (Token::Comma, false) => {
                "`,` stands only in a list and in a function; write `and` or `or`".into()
            }
            (Token::Order(_) | Token::Matches | Token::Differs | Token::In, _) => {
                format!("what stands before `{shown}` is a condition already, and is not compared")
            }
            _ => format!("`and` or `or` is missing before `{shown}`"),
        };
        Problem::new(self.place(), sentence)
    }

    fn before_is_number(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        matches!(before.map(|lexed| &lexed.token), Some(Token::Literal(Given::Number(_))))
    }
}

fn value_of(operand: Operand, sign: &str) -> Result<Value, Problem> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Literal(literal) => {
            let sentence =
                format!("before `{sign}` stands a column; a bare word is one, and any name in backticks");
            Err(Problem::new(literal.place, sentence))
        }
    }
}

fn joined(mut parts: Vec<Expr>, node: impl Fn(Vec<Expr>) -> Node) -> Expr {
    let ends = parts.first().zip(parts.last()).map(|(first, last)| first.place.to(last.place));
    match (parts.len(), parts.pop(), ends) {
        (1, Some(only), _) => only,
        (_, last, ends) => {
            parts.extend(last);
            Expr { place: ends.unwrap_or_default(), node: node(parts) }
        }
    }
}

fn negated(expr: Expr, is_not: bool) -> Expr {
    if is_not { Expr { place: expr.place, node: Node::Not(Box::new(expr)) } } else { expr }
}

/// What `30 <= age` says of the age.
fn turned(order: Order) -> Order {
    match order {
        Order::Less => Order::Greater,
        Order::AtMost => Order::AtLeast,
        Order::Greater => Order::Less,
        Order::AtLeast => Order::AtMost,
        Order::Equal | Order::NotEqual => order,
    }
}
