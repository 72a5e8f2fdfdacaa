use proptest::prelude::*;

use super::*;
use crate::report::fixtures::{failed, host, sample};

fn commands() -> Vec<String> {
    vec!["errors".into(), "queue".into()]
}

fn parse(text: &str) -> Result<Rule, Problem> {
    Rule::parse(text, &commands())
}

#[test]
fn a_rule_is_a_name_a_comparison_and_a_number() {
    let check = |text: &str, want: &str| assert_eq!(parse(text).unwrap().to_string(), want);
    check("cpu_percent>90", "cpu_percent>90");
    check("  mem_percent >= 95.5 ", "mem_percent>=95.5");
    check("disk_percent>90%", "disk_percent>90");
    check("mem_available_bytes<1G", "mem_available_bytes<1073741824");
    check("errors>0", "errors>0");
    check("queue.depth != 1e3", "queue.depth!=1000");
    check("unreachable>10 %", "unreachable>10%");
    check("failed==0", "failed==0");
    check("load1 > -1", "load1>-1");
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    let check = |text: &str, sentence: &str, marks: &str| {
        let problem = parse(text).unwrap_err();
        assert_eq!(
            (problem.to_string().as_str(), problem.excerpt()[1].as_str()),
            (sentence, marks),
            "{text}"
        );
    };
    let example = "a rule is a name, a comparison and a number, such as `cpu_percent>90`";
    check("cpu", &format!("no comparison; {example}"), "^^^");
    check("", &format!("no comparison; {example}"), "^");
    check(">90", &format!("no name before the comparison; {example}"), "^");
    check("load1 => 3", "this is no comparison; there are > >= < <= == and !=", "      ^^");
    check("load1>", "no number behind the comparison", "      ^");
    check("load1>many", "this is no number; write 90, 0.5, 10% or 4G", "      ^^^^");
    check("load1>inf", "this is no number; write 90, 0.5, 10% or 4G", "      ^^^");
    check("load1>10%", "load1 is no percentage; write a plain number", "      ^^^");
    check("cpu_precent>9", "no value `cpu_precent`; did you mean `cpu_percent`?", "^^^^^^^^^^^");
    check("error>9", "no value `error`; did you mean `errors`?", "^^^^^");
    check("ä>9", "no value `ä`; it is neither a metric nor the NAME of a --command", "^");
    check("disk_mount==1", "disk_mount is text; a rule compares numbers", "^^^^^^^^^^");
    let shown = parse("cpu>\u{1b}").unwrap_err().usage();
    assert_eq!((shown.status(), shown.excerpt()[0].as_str()), (2, "cpu>\\u{1b}"));
}

fn tripped(text: &str) -> Vec<String> {
    Rules::new(vec![parse(text).unwrap()]).host(&host("web03", sample()))
}

#[test]
fn what_tripped_is_told() {
    let check = |text: &str, want: &[&str]| assert_eq!(tripped(text), want, "{text}");
    check("cpu_percent>17.5", &["web03: cpu_percent is 18, over 17.5"]);
    check("cpu_percent>18", &[]);
    check("cpu_percent>=18", &["web03: cpu_percent is 18, at least 18"]);
    check("disk_percent>80", &["web03: disk_percent of / is 88.889, over 80"]);
    check("errors==3", &["web03: errors is 3, equal to 3"]);
    check("queue.depth<8", &["web03: queue.depth is 7, under 8"]);
    check("queue.state>0", &[]);
    check("io_percent>=0", &[]);
}

#[test]
fn a_value_that_no_host_told_is_warned_of() {
    let warned = |rule: &str, hosts: &[Polled]| {
        let mut rules = Rules::new(vec![parse(rule).unwrap()]);
        let mut summary = Summary::default();
        for one in hosts {
            summary.add(one);
            rules.host(one);
        }
        rules.round(&summary).warnings
    };
    let hosts = [host("a", sample()), failed("b")];
    assert_eq!(
        warned("io_percent>5", &hosts),
        [
            "--fail-on 'io_percent>5' judged nothing: no host told io_percent; it needs two samples: give --interval"
        ]
    );
    assert_eq!(warned("cpu_percent>99", &hosts), [""; 0]);
    assert_eq!(warned("io_percent>5", &hosts[1..]), [""; 0], "nobody answered, which is told elsewhere");
}

#[test]
fn rounds_are_judged_by_what_failed() {
    let hosts = [host("a", sample()), host("b", sample()), failed("c")];
    let check = |text: &str, want: &[&str]| {
        let mut summary = Summary::default();
        for one in &hosts {
            summary.add(one);
        }
        assert_eq!(Rules::new(vec![parse(text).unwrap()]).round(&summary).tripped, want, "{text}");
    };
    check("unreachable>10%", &["unreachable is 33.3%, over 10% (1 of 3 hosts)"]);
    check("unreachable>1", &[]);
    check("failed>0", &["failed is 1, over 0 (1 of 3 hosts)"]);
    let empty = Rules::new(vec![parse("failed>0%").unwrap()]).round(&Summary::default());
    assert_eq!(empty, Verdict::default());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
        if let Err(problem) = parse(&text) {
            prop_assert!(problem.excerpt()[1].contains('^'));
        }
    }

    #[test]
    fn what_is_printed_is_read_back(
        name in prop::sample::select(vec!["cpu_percent", "load1", "errors", "queue.a b", "unreachable", "failed"]),
        sign in prop::sample::select(vec![">", ">=", "<", "<=", "==", "!="]),
        limit in -1e9..1e9f64,
    ) {
        let rule = parse(&format!(" {name} {sign} {limit}")).unwrap();
        let again = parse(&rule.to_string()).unwrap();
        prop_assert_eq!((again.to_string(), again.limit), (rule.to_string(), limit));
    }
}
