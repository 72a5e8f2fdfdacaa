use super::*;

fn sales() -> Columns {
    let names = ["id", "amount", "country", " price", "Größe", "x,y", "id", "a`b"];
    Columns::named(names.iter().map(|name| name.as_bytes().to_vec()).collect(), "sales.csv")
}

fn find(columns: &Columns, text: &str) -> Result<usize, String> {
    columns.find(&Reference::parse(text)?)
}

fn check(text: &str, want: Result<usize, &str>) {
    assert_eq!(find(&sales(), text), want.map_err(str::to_owned), "{text}");
}

#[test]
fn a_column_has_a_name_and_a_number() {
    check("amount", Ok(1));
    check(" amount ", Ok(1));
    check("$1", Ok(0));
    check("$8", Ok(7));
    check("` price`", Ok(3));
    check("`x,y`", Ok(5));
    check("`a``b`", Ok(7));
}

#[test]
fn what_is_missing_names_what_is_near() {
    check("amout", Err("no column `amout` in sales.csv; did you mean `amount`?"));
    check("Amount", Err("no column `Amount` in sales.csv; it is written `amount` there"));
    check(
        "price",
        Err("no column `price` in sales.csv; it is written ` price` there, with white space: \
             write it in backticks"),
    );
    check("größe", Err("no column `größe` in sales.csv; it is written `Größe` there"));
    check(
        "customer",
        Err("no column `customer` in sales.csv; it has `id`, `amount`, `country`, ` price`, \
             `Größe`, `x,y` and 2 more"),
    );
    check("$9", Err("no column $9 in sales.csv, which has $1 to $8"));
    check("$0", Err("no column $0; columns are counted from $1"));
    check("$99999999999999999999", Err("no table has $99999999999999999999"));
    check("`a", Err("`a is no name; close it with a backtick"));
    check("", Err("a column has no name here; write it as a, `a b` or $3"));
}

#[test]
fn what_is_no_header_is_told() {
    let check = |names: &[&str], want: &str| {
        let columns = Columns::named(names.iter().map(|name| name.as_bytes().to_vec()).collect(), "x");
        assert_eq!(find(&columns, "a"), Err(want.into()));
    };
    check(
        &["sep=", ""],
        "no column `a` in x; `sep=` is a note for Excel and no header: pass over it with --skip 1",
    );
    check(
        &["{\"a\":1", "\"b\":2}"],
        "no column `a` in x; it has `{\"a\":1`: if that is JSON, read it with --from jsonl",
    );
}

#[test]
fn a_name_that_two_columns_have_is_none() {
    check("id", Err("`id` is the name of 2 columns in sales.csv: $1 and $7; write $1"));
    let many = Columns::named(vec![Vec::new(); 9], "t");
    let want = "`` is the name of 9 columns in t: $1, $2, $3, $4, $5, $6 and 3 more; write $1";
    assert_eq!(find(&many, "``"), Err(want.into()));
    let three = Columns::named(vec![b"a".to_vec(); 3], "t");
    assert_eq!(find(&three, "a"), Err("`a` is the name of 3 columns in t: $1, $2 and $3; write $1".into()));
}

#[test]
fn without_a_header_there_are_only_numbers() {
    let columns = Columns::counted(5, "stdin");
    assert_eq!(find(&columns, "$5"), Ok(4));
    let want = "no column `age` in stdin, which is read without a header: write $1 to $5";
    assert_eq!(find(&columns, "age"), Err(want.into()));
    let none = Columns::counted(0, "stdin");
    assert_eq!(find(&none, "age"), Err("no column `age` in stdin, which has no columns".into()));
    assert_eq!(find(&none, "$1"), Err("no column $1 in stdin, which has none".into()));
}

#[test]
fn long_names_are_cut_in_messages() {
    let name = "x".repeat(10_000);
    let message = find(&sales(), &name).unwrap_err();
    assert!(message.len() < 300, "{message}");
}

#[test]
fn a_list_of_columns_has_names_numbers_and_ranges() {
    let columns = sales();
    let check = |text: &str, want: Result<&[usize], &str>| {
        let found = parse_list(text).and_then(|list| columns.find_all(&list));
        assert_eq!(found, want.map(<[_]>::to_vec).map_err(str::to_owned), "{text}");
    };
    check("amount,country", Ok(&[1, 2]));
    check("country, amount , country", Ok(&[2, 1, 2]));
    check("`x,y`,$1", Ok(&[5, 0]));
    check("$2-$4", Ok(&[1, 2, 3]));
    check("$2-4,$7-", Ok(&[1, 2, 3, 6, 7]));
    check("$3-$3", Ok(&[2]));
    check("$4-$2", Err("$4-$2 runs backwards; write $2-$4"));
    check("$0-", Err("no column $0; columns are counted from $1"));
    check("$7-$9", Err("no column $9 in sales.csv, which has $1 to $8"));
    check("amount,,country", Err("a column has no name here; write it as a, `a b` or $3"));
    let odd = Columns::named(["a`b", "c`"].map(|name| name.as_bytes().to_vec()).into(), "odd.csv");
    assert_eq!(odd.find_all(&parse_list("a`b,c`").unwrap()), Ok(vec![0, 1]));
    let others = parse_list("$3-,id").and_then(|list| columns.find_others(&list));
    assert!(others.is_err_and(|sentence| sentence.contains("2 columns")));
    assert_eq!(columns.find_others(&parse_list("$3-").unwrap()), Ok(vec![0, 1]));
}

#[test]
fn an_assignment_is_split_behind_its_column() {
    let check = |text: &str, want: Result<(&str, &str), &str>| {
        let split = split_assignment(text).map(|(column, rest)| (column.to_string(), rest));
        let want = want.map(|(column, rest)| (column.to_owned(), rest)).map_err(str::to_owned);
        assert_eq!(split, want, "{text}");
    };
    check("age=30", Ok(("age", "30")));
    check("first name=a=b", Ok(("`first name`", "a=b")));
    check("`a=b`=c", Ok(("`a=b`", "c")));
    check("a`b=4", Ok(("`a``b`", "4")));
    check("$3=", Ok(("$3", "")));
    check("age", Err("`age` has no `=`; write COLUMN=VALUE"));
    check("=30", Err("`=30` has no column before `=`; write COLUMN=VALUE"));
}
