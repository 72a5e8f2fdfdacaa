//! Mistakes, what is said of them, and the mark below them.

use super::*;

/// Each an expression and, below it, the mark and the sentence.
const MISTAKES: &str = r#"
age > and b = 1
    ^  a value is missing behind `>`
age >
    ^  a value is missing behind `>`
> 3
^  a column is missing before `>`
age == thirty and
                 ^  a condition is missing behind `and`
and a = 1
^^^  a condition is missing before `and`
a = 1 or
        ^  a condition is missing behind `or`
a = 1 b = 2
      ^  `and` or `or` is missing before `b`
a = 1)
     ^  this `)` closes nothing; take it away
(a = 1
^  this `(` is never closed; close it with `)`
a = 1 & b = 2
      ^  `&` is no operator; write `and` or `&&`
a = 1 | b = 2
      ^  `|` is no operator; write `or` or `||`
age eq 30
    ^^  `eq` is no operator; write `==`
age ne 30
    ^^  `ne` is no operator; write `!=`
age <> 30
    ^^  `<>` is no operator; write `!=`
name like '%x'
     ^^^^  `like` is no operator; write =~ /regex/, or contains(x, "s")
name contains 'x'
     ^^^^^^^^  `contains` is no operator; write contains(x, "s")
name is null
     ^^  `is` is no operator; write `==`, or empty(x) for one without a value
a between 1 and 2
  ^^^^^^^  `between` is no operator; write x >= 1 and x <= 9
a === 1
  ^^^  `===` is no operator; write `==`
a => 1
  ^^  `=>` is no operator; write `>=`
a =< 1
  ^^  `=<` is no operator; write `<=`
a ~ /x/
  ^  `~` is no operator; write `=~`
a ≥ 1
  ^  `≥` is no operator; write `>=`
name == “x”
        ^  `“` is a typographic quote; write a text in "..." or '...'
name == "x
        ^  the text that begins here is never closed; close it with "
name == 'x
        ^  the text that begins here is never closed; close it with '
name =~ /x
        ^  the pattern that begins here is never closed; close it with /, and write \/ for a slash in it
name =~ /(x/
         ^  `(x` is no regular expression: unclosed group
name =~ /x/g
           ^  behind a pattern stand the flags i, s, m and x; write \/ for a slash in it, and a text in quotes
name =~ "x"
        ^^^  behind `=~` stands a pattern; write /x/
name =~ x
     ^^  behind `=~` stands a pattern; write x =~ /regex/
name == /x/
        ^^^  a pattern stands behind `=~` or `!~`; write x =~ /regex/
path == /var/log
             ^^^  behind a pattern stand the flags i, s, m and x; write \/ for a slash in it, and a text in quotes
`a = 1
^  this backtick is never closed; a name stands between two: `first name`
a = 1 and `b
          ^  this backtick is never closed; a name stands between two: `first name`
lenght(a) > 5
^^^^^^  no function `lenght`; write len(x)
length(a) > 5
^^^^^^  no function `length`; write len(x)
foo(a)
^^^  no function `foo`; there are contains, empty, ends, len, lower, number, starts, time, trim, upper
18 <= age < 65
^^^^^^^^^^^^^^  a comparison has two sides; write 18 <= age and age < 65
a < b < c
^^^^^^^^^  a comparison has two sides; write a < b and b < c
active
^^^^^^  active is a column and no condition; write active == "true", or not empty(active)
active and a = 1
^^^^^^  active is a column and no condition; write active == "true", or not empty(active)
not active
    ^^^^^^  active is a column and no condition; write active == "true", or not empty(active)
lower(a)
^^^^^^^^  lower(a) is a text and no condition; write lower(a) == "text"
len(a)
^^^^^^  len(a) is a number and no condition; write len(a) > 5
"x"
^^^  "x" is no condition; compare a column with it
30 and a = 1
^^  30 is no condition; compare a column with it
active == true
          ^^^^  a value is no truth but a text; write == "true"
a in 1
  ^^  behind `in` stands a list in parentheses; write in ("a", "b") or in (1, 2)
a in "x"
  ^^  behind `in` stands a list in parentheses; write in ("a", "b") or in (1, 2)
a in ()
      ^  a value is missing in the list; write in ("a", "b") or in (1, 2)
a in (1, "x")
         ^^^  a list of numbers has no texts in it; if all are texts, write "1"
a in ("x", 1)
           ^  a list of texts has no numbers in it; if all are texts, write "1"
a in (1, 2026-03-01)
         ^^^^^^^^^^  a list of numbers has no times in it; write two lists and join them with `or`
a in (DE, FR)
      ^^  a text in a list stands in quotes: "DE"
a in (true)
      ^^^^  a text in a list stands in quotes: "true"
a in (1 2)
        ^  `,` is missing before this in the list
a in (1, 2
     ^  this list is never closed; close it with `)`
a in (1,)
        ^  a value is missing in the list; write in ("a", "b") or in (1, 2)
a in (b, c)
      ^  a text in a list stands in quotes: "b"
a in ($1)
      ^^  a list has no columns; write x == y or x == z
user-id == 3
^^^^^^^  `-` is no part of a bare name; write `user-id` for a column, "user-id" for a text
a > 03/04/2026
    ^^^^^^^^^^  `03/04/2026` is no time, as nobody knows its month; write 2026-03-01
first name == "x"
      ^^^^  an operator is missing before `name`; if it is one name, write `first name` in backticks
3rd == 1
^^^  `3rd` is no number and no time; a text stands in quotes, a column that begins with a digit in backticks
1_000 < a
^^^^^  `1_000` is no number; write 1000
a > 1,000
     ^  a number has no comma in it; write 1000 for 1,000
a > 0x30
    ^^^^  `0x30` is no number and no time; a text stands in quotes, a column that begins with a digit in backticks
a > 2h
    ^^  `2h` is a duration; write a time as now - 2h
a > now - 2
          ^  `2` is no duration; write it as 500ms, 30s, 5m, 1h30m, 2d or 1w
a > now -
    ^^^^^  behind `now -` stands a duration, as in now - 2h
a > now()
    ^^^  `now` takes no parentheses; write now - 2h
a > now - 2y
          ^^  `2y` is no duration; write it as 500ms, 30s, 5m, 1h30m, 2d or 1w
a + b > 3
  ^  `+` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in backticks
a > b + 3
      ^  `+` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in backticks
a * 2 > 3
  ^  `*` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in backticks
$age > 3
^^^^  behind `$` stands the number of a column; write a column as age or $3
$ > 3
^  behind `$` stands the number of a column; write a column as name or $3
$0 > 3
^^  no column $0; columns are counted from $1
$99999999999999999999999 > 1
^^^^^^^^^^^^^^^^^^^^^^^^  no table has $99999999999999999999999
1 < 2
^^^^^  no column is compared here; a bare word is a column, and one that is called like a number or a text stands in backticks
"a" == "b"
^^^^^^^^^^  no column is compared here; a bare word is a column, and one that is called like a number or a text stands in backticks
empty(a) == true
         ^^  what stands before `==` is a condition already, and is not compared
empty(a, b)
       ^  empty() takes nothing more; write empty(x)
empty()
     ^  empty() takes a column; write empty(x)
empty(
     ^  empty() takes a column; write empty(x)
empty("x")
      ^^^  empty() takes a column; write empty(x)
contains(a)
^^^^^^^^  contains() takes a column and a text; write contains(x, "s")
contains(a, b)
            ^  contains() looks for a text; write "b"
contains(a, 5)
            ^  contains() looks for a text; write "5"
contains(a, /x/)
            ^^^  contains() looks for a text; write x =~ /regex/
contains("x", a)
         ^^^  contains() takes a column; write contains(x, "s")
contains(a, "x"
               ^  contains( is never closed; write contains(x, "s")
number(a) > 3
^^^^^^^^^  number() asks whether it is a number; to compare it, write a alone
lower(len(a)) == "x"
^^^^^  len() makes a number, and lower() takes a text
a == lower("X")
           ^^^  lower() takes a column; write lower(x)
a == empty(b)
     ^^^^^  empty() is a condition and no value; write it by itself
a == "\d"
      ^^  `\d` means nothing in a text; write \\ for a backslash
a == "x\
       ^  the expression ends behind `\`; write \\ for a backslash
a not like 'x'
  ^^^  `not like` is no operator; write =~ /regex/, or contains(x, "s"), with not before it all
a not 3
  ^^^  behind a stands an operator, or `not in`
a == (3)
     ^  `(` begins a list only behind `in`, and there is no arithmetic; write the value itself
(age) > 30
 ^^^  parentheses stand around conditions; write age without them
(a + b) > 3
   ^  `+` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in backticks
a = 1; b = 2
     ^  `;` is no operator; write `and` or `or` between two conditions
a[1] = 2
 ^  `[` is no operator; a list stands in parentheses: in ("a", "b")
a in ["x"]
     ^  `[` is no operator; a list stands in parentheses: in ("a", "b")
a = 1 and
         ^  a condition is missing behind `and`
not
   ^  a condition is missing behind `not`
!
 ^  a condition is missing behind `!`
(
 ^  a condition is missing behind `(`
()
 ^  a condition is missing before `)`
a == 1 == 1
       ^^  a comparison has two sides; join two of them with `and`
a =~ /x/ =~ /y/
         ^^  what stands before `=~` is a condition already, and is not compared
{a} = 1
^  `{` is no operator; a list stands in parentheses: in ("a", "b")
@a = 1
^  `@` means nothing here; a text stands in quotes, an odd name in backticks
a = 10%
      ^  `%` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in backticks
a ? b
  ^  `?` means nothing here; a text stands in quotes, an odd name in backticks
a = 1 and and b = 2
          ^^^  a condition is missing before `and`
a == == 1
  ^^  a value is missing behind `==`
"x" in ("x", "y")
^^^  before `in` stands a column; a bare word is one, and any name in backticks
a = 1 # comment
      ^  `#` means nothing here; a text stands in quotes, an odd name in backticks
a =~ //
     ^^  an empty pattern matches everything; write /regex/
a =~ /\p{Foo}/
      ^^^^^^^  `\p{Foo}` is no regular expression: Unicode property not found
a =~ /x{1000}{1000}{1000}/
      ^^^^^^^^^^^^^^^^^^^  the pattern needs too much memory; repeat less with {n,m}
"#;

#[test]
fn a_mistake_is_shown_with_the_way_out() {
    let lines: Vec<&str> = MISTAKES.trim_start_matches('\n').lines().collect();
    for case in lines.chunks(2) {
        let [text, want] = case else { panic!("{case:?}") };
        let problem = parse(text).expect_err(text);
        let [line, mark] = problem.excerpt(text);
        assert_eq!((line.as_str(), format!("{mark}  {problem}").as_str()), (*text, *want));
    }
}

#[test]
fn a_mistake_in_what_is_no_line_is_shown() {
    let check = |text: &str, want: [&str; 3]| {
        let problem = parse(text).expect_err(text);
        let [line, mark] = problem.excerpt(text);
        assert_eq!([problem.to_string().as_str(), line.as_str(), mark.as_str()], want);
    };
    let empty = "the expression is empty; write a condition such as age >= 30, or true for every row";
    check("", [empty, "", "^"]);
    check(" \n", [empty, " \\n", "   ^"]);
    check("a = 1\nb = 2", ["`and` or `or` is missing before `b`", "a = 1\\nb = 2", "       ^"]);
    let hidden = "`\u{200b}` (U+200B) means nothing here; a text stands in quotes, an odd name in backticks";
    check("a = \u{200b}1", [hidden, "a = \u{200b}1", "    ^"]);
}

#[test]
fn a_mistake_in_a_shortcut_is_shown() {
    let check = |found: Result<Expr, Problem>, text: &str, want: [&str; 2]| {
        let problem = found.expect_err(text);
        let [_, mark] = problem.excerpt(text);
        assert_eq!([problem.to_string().as_str(), mark.as_str()], want, "{text}");
    };
    let number = "`thirty` is no number and no time; write COLUMN=30 or COLUMN=2026-03-01";
    check(at_least("age=thirty"), "age=thirty", [number, "    ^^^^^^"]);
    check(at_most("age"), "age", ["`age` has no `=`; write COLUMN=VALUE", "^^^"]);
    check(equals("=x"), "=x", ["`=x` has no column before `=`; write COLUMN=VALUE", "^^"]);
    check(equals("`a=x"), "`a=x", ["``a=x` has no `=`; write COLUMN=VALUE", "^^^^"]);
    check(matches("a=x("), "a=x(", ["`x(` is no regular expression: unclosed group", "   ^"]);
    check(matches("a="), "a=", ["an empty pattern matches everything; write COLUMN=REGEX", "  ^"]);
}
