//! Any tree and any text.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn at<T>(make: impl Fn(Place) -> T) -> T {
    make(Place::default())
}

fn column() -> impl Strategy<Value = Reference> {
    let name = prop_oneof!["[a-c]{1,2}", "and|now|true|3|\\$3|a b|a`b|`|ä|len|", any::<String>()];
    prop_oneof![(1_usize..999).prop_map(Reference::Position), name.prop_map(Reference::Name)]
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![Just(Change::Lower), Just(Change::Upper), Just(Change::Trim)];
    (column(), vec(text, 0..3), any::<bool>()).prop_map(|(column, mut changes, is_length)| {
        changes.extend(is_length.then_some(Change::Length));
        let place = Place::default();
        Value { place, column, column_place: place, changes }
    })
}

fn literal(kind: u8) -> BoxedStrategy<Literal> {
    let given = match kind {
        0 => "[+-]?[0-9]{1,20}(\\.[0-9]{0,3})?(e[+-]?[0-9])?".prop_map(Given::Number).boxed(),
        1 => any::<String>().prop_map(Given::Text).boxed(),
        _ => "2026-0[1-9](-[0-2][0-9]([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}Z?)?)?)?|now( [+-] [1-9][hd])?"
            .prop_map(Given::Time)
            .boxed(),
    };
    given.prop_map(|given| at(|place| Literal { place, given: given.clone() })).boxed()
}

fn order() -> impl Strategy<Value = Order> {
    use Order::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    prop::sample::select(vec![Equal, NotEqual, Less, AtMost, Greater, AtLeast])
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let source = prop_oneof!["[a-c]{1,3}", r"(\\/|\\\\|\\d|[a/ ]|\[\^\]/\]){1,4}"];
    (source, "[ismx]{0,4}").prop_filter_map("no regular expression", |(source, flags)| {
        Pattern::new(&source, &flags, Place::default()).ok()
    })
}

fn leaf() -> impl Strategy<Value = Node> {
    let quality = prop_oneof![Just(Quality::Empty), Just(Quality::Number), Just(Quality::Time)];
    let part = prop_oneof![Just(Part::Anywhere), Just(Part::Beginning), Just(Part::End)];
    let side =
        prop_oneof![value().prop_map(Side::Value), (0_u8..3).prop_flat_map(literal).prop_map(Side::Literal)];
    let list = (0_u8..3).prop_flat_map(|kind| vec(literal(kind), 1..4));
    prop_oneof![
        any::<bool>().prop_map(Node::Always),
        (value(), order(), side).prop_map(|(left, order, right)| Node::Compare { left, order, right }),
        (value(), pattern()).prop_map(|(value, pattern)| Node::Matches(value, pattern)),
        (value(), list).prop_map(|(value, list)| Node::Among(value, list)),
        (value(), quality).prop_map(|(value, quality)| Node::Is(value, quality)),
        (value(), part, any::<String>()).prop_map(|(value, part, text)| Node::Has(value, part, text)),
    ]
}

fn tree() -> impl Strategy<Value = Expr> {
    let expr = |node: Node| Expr { place: Place::default(), node };
    leaf().prop_map(expr).prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Node::Not(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Node::All),
            vec(inner, 2..4).prop_map(Node::Any),
        ]
        .prop_map(expr)
    })
}

/// The words of [`nearly`].
const WORDS: &str = "a age `b c` $3 30 -1.5 2026-03-01 10:30 now - 2h \"x\" ' /x/i / ( ) , and or not in == = != < >= \
                     =~ !~ ! && || true empty( lower( contains( len( eq like \\ ä \u{201c} $ . \n \u{0}";

/// What looks like an expression and mostly is none.
fn nearly() -> impl Strategy<Value = String> {
    let words: Vec<&str> = WORDS.split(' ').collect();
    let spaced = (prop::sample::select(words), "[ ]?").prop_map(|(word, space)| word.to_owned() + &space);
    vec(spaced, 0..20).prop_map(|words| words.concat())
}

/// That a mistake is within the text, and can be shown.
fn judge(text: &str) {
    match parse(text) {
        Ok(expr) => {
            let shown = expr.to_string();
            let again = parse(&shown).map(|expr| expr.to_string());
            assert_eq!(again, Ok(shown), "{text:?}");
        }
        Err(problem) => {
            let Place { start, end } = problem.place;
            assert!(text.get(start..end).is_some(), "{text:?}: {problem} {start} {end}");
            let [line, mark] = problem.excerpt(text);
            assert!(mark.ends_with('^') && !line.contains('\n'), "{text:?}");
            assert!(
                !problem.to_string().is_empty() && problem.to_string().len() < 1000,
                "{text:?}: {problem}"
            );
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same_tree(expr in tree()) {
        let shown = expr.to_string();
        let again = parse(&shown).map(|expr| expr.to_string());
        prop_assert_eq!(again, Ok(shown));
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn what_is_nearly_an_expression_is_read_or_refused(text in nearly()) {
        judge(&text);
    }

    #[test]
    fn a_part_of_an_expression_is_read_or_refused(expr in tree(), cut in any::<prop::sample::Index>()) {
        let shown = expr.to_string();
        let chars: Vec<char> = shown.chars().collect();
        judge(&chars[..cut.index(chars.len())].iter().collect::<String>());
    }
}

#[test]
fn nesting_is_limited() {
    for (open, close) in [("(", ")"), ("not ", ""), ("!", ""), ("trim(", ")"), ("not (", ")")] {
        let nested = |depth: usize| {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let is_value = open.starts_with("trim");
            if is_value { format!("{open}a{close} = 'x'") } else { format!("{open}a = 1{close}") }
        };
        let depth = if open == "not (" { 100 } else { 200 };
        judge(&nested(depth));
        assert!(parse(&nested(depth)).is_ok(), "{open}");
        let problem = parse(&nested(depth + 1)).unwrap_err().to_string();
        assert_eq!(problem, "this is nested deeper than 200 levels", "{open}");
        judge(&nested(100_000));
    }
}

#[test]
fn a_long_expression_is_no_deep_one() {
    let text = vec!["a = 1"; 20_000].join(" or ");
    assert!(parse(&text).is_ok());
    let text = format!("a in ({})", vec!["'x'"; 20_000].join(","));
    assert!(parse(&text).is_ok());
}
