//! Edits of texts that nobody laid out, and of texts that are laid out to the last blank.

use proptest::prelude::*;

use super::sound::{Edit, edited};
use super::*;

fn gap(has_comments: bool) -> impl Strategy<Value = &'static str> {
    let blanks = ["", "", "", " ", "\n  ", "\n    ", "\r\n\t", "\n\n  ", "\n", "  "];
    let comments =
        [" // x\n  ", "/* x */", " /* x */ ", "\n  // x\n  ", " /* x\n y */ ", "\n  /* x */\n  ", "// x\r\n"];
    let rate = u32::from(has_comments);
    prop_oneof![4 => proptest::sample::select(blanks.to_vec()), rate => proptest::sample::select(comments.to_vec())]
}

/// Objects and arrays with any blanks, and with comments and last commas.
fn texts(has_comments: bool) -> impl Strategy<Value = String> {
    let gap = move || gap(has_comments);
    let leaf = proptest::sample::select(vec!["0", "1.50", "\"x\"", "\"é//\\\"\"", "null", "{}", "[]", "{ }"]);
    let value = leaf.prop_map(str::to_owned).prop_recursive(3, 20, 4, move |inner| {
        let item = (gap(), inner.clone(), gap()).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        let key = proptest::sample::select(vec!["\"a\"", "\"b\"", "\"c\"", "\"\\u0061\"", "\"0\"", "\"1\""]);
        let member = (gap(), key, gap(), gap(), inner, gap())
            .prop_map(|(a, b, c, d, e, f)| format!("{a}{b}{c}:{d}{e}{f}"));
        let last = move || {
            (any::<bool>(), gap()).prop_map(move |(comma, gap)| {
                if comma && has_comments { format!(",{gap}") } else { String::new() }
            })
        };
        prop_oneof![
            (proptest::collection::vec(item, 1..4), last())
                .prop_map(|(items, last)| format!("[{}{last}]", items.join(","))),
            (proptest::collection::vec(member, 1..4), last())
                .prop_map(|(items, last)| format!("{{{}{last}}}", items.join(","))),
        ]
    });
    (gap(), value, gap()).prop_map(|(a, b, c)| format!("{a}{b}{c}"))
}

fn edits() -> impl Strategy<Value = Edit> {
    let names = || {
        proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", "c", "0", "1", "2", "-"]).prop_map(str::to_owned),
            1..4,
        )
    };
    let value = || {
        proptest::sample::select(vec!["7", "\"new\"", "[]", "{\"n\": [1]}", "{\n  \"n\": [\n    1\n  ]\n}"])
            .prop_map(str::to_owned)
    };
    prop_oneof![
        2 => (names(), value()).prop_map(|(names, value)| Edit::Set(names, value)),
        1 => (names(), value()).prop_map(|(names, value)| Edit::Add(names, value)),
        2 => names().prop_map(Edit::Remove),
    ]
}

/// A value and whether it stands on one line.
#[derive(Debug, Clone)]
enum Node {
    Leaf(&'static str),
    Object(Vec<(String, Node)>, bool),
    Array(Vec<Node>, bool),
}

/// The spelling of a whole document.
#[derive(Debug, Clone)]
struct Form {
    newline: &'static str,
    unit: &'static str,
    colon: &'static str,
    comma: &'static str,
}

impl Node {
    fn is_short(&self) -> bool {
        matches!(self, Self::Object(_, true) | Self::Array(_, true))
    }

    fn is_filled(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Object(members, _) => !members.is_empty(),
            Self::Array(items, _) => !items.is_empty(),
        }
    }

    /// With everything on one line that stands in something on one line.
    fn shortened(self, is_inside: bool) -> Self {
        match self {
            Self::Leaf(text) => Self::Leaf(text),
            Self::Object(members, is_short) => {
                let is_short = is_short || is_inside;
                let members = members.into_iter().map(|(key, node)| (key, node.shortened(is_short)));
                Self::Object(members.collect(), is_short)
            }
            Self::Array(items, is_short) => {
                let is_short = is_short || is_inside;
                Self::Array(items.into_iter().map(|node| node.shortened(is_short)).collect(), is_short)
            }
        }
    }

    fn print(&self, form: &Form, depth: usize) -> String {
        let (items, brackets, is_short): (Vec<String>, _, _) = match self {
            Self::Leaf(text) => return (*text).to_owned(),
            Self::Object(members, is_short) => {
                let member = |(key, node): &(String, Self)| {
                    format!("\"{key}\"{}{}", form.colon, node.print(form, depth + 1))
                };
                (members.iter().map(member).collect(), ["{", "}"], *is_short)
            }
            Self::Array(items, is_short) => {
                (items.iter().map(|node| node.print(form, depth + 1)).collect(), ["[", "]"], *is_short)
            }
        };
        let [open, close] = brackets;
        if items.is_empty() || is_short {
            return format!("{open}{}{close}", items.join(form.comma));
        }
        let line = |depth: usize| format!("{}{}", form.newline, form.unit.repeat(depth));
        let items = items.join(&format!(",{}", line(depth + 1)));
        format!("{open}{}{items}{}{close}", line(depth + 1), line(depth))
    }

    /// Sets a leaf where that can be done; false where it cannot.
    fn set(&mut self, names: &[String], leaf: &'static str, fills_short: bool) -> bool {
        let Some((name, further)) = names.split_first() else {
            *self = Self::Leaf(leaf);
            return true;
        };
        let is_short = if self.is_filled() { self.is_short() } else { fills_short };
        match self {
            Self::Leaf(_) => false,
            Self::Object(members, shortness) => {
                if let Some((_, node)) = members.iter_mut().find(|(key, _)| key == name) {
                    return node.set(further, leaf, is_short);
                }
                let Some(new) = Self::made(further, leaf, is_short) else { return false };
                *shortness = is_short;
                members.push((name.clone(), new));
                true
            }
            Self::Array(items, shortness) => {
                let fills_short =
                    is_short || items.last().is_some_and(|last| last.is_short() && last.is_filled());
                let index = index_of(name).or((name == "-").then_some(items.len()));
                match index {
                    Some(index) if index < items.len() => items[index].set(further, leaf, fills_short),
                    Some(index) if index == items.len() => {
                        let Some(new) = Self::made(further, leaf, fills_short) else { return false };
                        *shortness = is_short;
                        items.push(new);
                        true
                    }
                    _ => false,
                }
            }
        }
    }

    fn made(names: &[String], leaf: &'static str, is_short: bool) -> Option<Self> {
        names.iter().rev().try_fold(Self::Leaf(leaf), |inner, name| match index_of(name) {
            Some(_) => None,
            None if name == "-" => Some(Self::Array(vec![inner], is_short)),
            None => Some(Self::Object(vec![(name.clone(), inner)], is_short)),
        })
    }

    fn remove(&mut self, names: &[String]) {
        let Some((name, further)) = names.split_first() else { return };
        match self {
            Self::Object(members, _) if further.is_empty() => members.retain(|(key, _)| key != name),
            Self::Object(members, _) => {
                members.iter_mut().filter(|(key, _)| key == name).for_each(|(_, node)| node.remove(further));
            }
            Self::Array(items, _) => match index_of(name).filter(|index| *index < items.len()) {
                Some(index) if further.is_empty() => drop(items.remove(index)),
                Some(index) => items[index].remove(further),
                None => {}
            },
            Self::Leaf(_) => {}
        }
    }
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = proptest::sample::select(vec!["0", "\"x, {y}\"", "1.50", "true"]).prop_map(Node::Leaf);
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        let members = proptest::collection::btree_map("[a-c]", inner.clone(), 0..4);
        prop_oneof![
            (members, any::<bool>())
                .prop_map(|(members, is_short)| Node::Object(members.into_iter().collect(), is_short)),
            (proptest::collection::vec(inner, 0..4), any::<bool>())
                .prop_map(|(items, is_short)| Node::Array(items, is_short)),
        ]
    });
    // The first member shows how keys are written.
    (proptest::collection::btree_map("[a-c]", value, 0..3), proptest::bool::weighted(0.2)).prop_map(
        |(members, is_short)| {
            let members = [("first".to_owned(), Node::Leaf("1"))].into_iter().chain(members).collect();
            Node::Object(members, is_short).shortened(false)
        },
    )
}

fn forms() -> impl Strategy<Value = Form> {
    let newline = proptest::sample::select(vec!["\n", "\r\n"]);
    let unit = proptest::sample::select(vec!["  ", "    ", "\t", "   "]);
    (newline, unit, any::<bool>()).prop_map(|(newline, unit, is_tight)| {
        let (colon, comma) = if is_tight { (":", ",") } else { (": ", ", ") };
        Form { newline, unit, colon, comma }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_edits_change_what_they_are_to_change(text in texts(false), edits in proptest::collection::vec(edits(), 1..6)) {
        edits.iter().fold(text.into_bytes(), |text, edit| edited(&text, Syntax::Strict, edit));
    }

    #[test]
    fn any_edits_among_comments_change_what_they_are_to_change(text in texts(true), edits in proptest::collection::vec(edits(), 1..6)) {
        edits.iter().fold(text.into_bytes(), |text, edit| edited(&text, Syntax::Comments, edit));
    }

    #[test]
    fn what_is_appended_and_removed_again_leaves_no_trace(text in texts(false), names in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "0", "1"]), 0..3)) {
        let before = document(&text, Syntax::Strict);
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let route = find(before.text(), Syntax::Strict, &Path::pointer(&[names.clone(), vec!["new".to_owned()]].concat())).unwrap();
        if let Some(level) = route.levels.get(names.len()).filter(|level| level.count > 0) {
            names.push(if level.is_object { "new".to_owned() } else { level.count.to_string() });
            let with = edited(text.as_bytes(), Syntax::Strict, &Edit::Set(names.clone(), "7".into()));
            let without = edited(&with, Syntax::Strict, &Edit::Remove(names));
            prop_assert_eq!(String::from_utf8(without).unwrap(), text, "by way of\n{}", String::from_utf8(with).unwrap());
        }
    }

    #[test]
    fn a_text_in_good_order_stays_so(node in nodes(), form in forms(), edits in proptest::collection::vec(edits(), 1..8)) {
        let mut node = node;
        let mut text = node.print(&form, 0);
        for edit in edits {
            let (Edit::Set(names, _) | Edit::Add(names, _) | Edit::Remove(names)) = &edit;
            let mut edited = document(&text, Syntax::Strict);
            let path = Path::pointer(names);
            if let Edit::Remove(_) = edit {
                edited.remove(&path).unwrap();
                node.remove(names);
            } else {
                let is_set = edited.set(&path, b"7").is_ok();
                prop_assert_eq!(node.set(names, "7", false), is_set);
            }
            prop_assert_eq!(text_of(&edited), node.print(&form, 0), "by {:?} from\n{}", edit, text);
            text = text_of(&edited);
        }
    }
}
