//! The C program that asks the compiler: it includes every public header and prints, for each question, its number and
//! the answer. A name that is missing altogether is a compiler error, which is printed.

use crate::facts::{self, Member};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A question to the compiler.
struct Question {
    /// "layout", "constant", "prototype", ...: for the summary.
    kind: &'static str,
    /// What the person reads.
    subject: String,
    /// A C statement that prints the answer with `%lld`.
    statement: String,
    /// The answer of the reference.
    expected: String,
}

#[derive(Default)]
struct Questions(Vec<Question>);

impl Questions {
    fn ask(&mut self, kind: &'static str, subject: impl Into<String>, expression: &str, expected: impl ToString) {
        let statement = format!("answer((long long)({expression}));");
        self.0.push(Question { kind, subject: subject.into(), statement, expected: expected.to_string() });
    }

    fn same_type(&mut self, kind: &'static str, subject: impl Into<String>, expression: &str, c_type: &str) {
        let c_type = c_type.replace("_Bool", "bool");
        self.ask(kind, subject, &format!("__builtin_types_compatible_p(__typeof__({expression}), {c_type})"), 1);
    }

    fn defined(&mut self, name: &str) {
        let statement = format!("\n#ifdef {name}\n    answer(1);\n#else\n    answer(0);\n#endif");
        self.0.push(Question { kind: "macro", subject: format!("{name} is defined"), statement, expected: "1".into() });
    }

    fn expands_to(&mut self, name: &str, token: &str) {
        self.ask("macro", format!("{name} stands for {token}"), &format!("strcmp(TEXT({name}), \"{token}\")"), 0);
    }
}

/// Compiles the program, runs it, prints the differences and a summary; returns the number of differences.
pub fn check(tables: &Path, include: &Path) -> Result<usize, String> {
    let mut questions = Questions::default();
    let structs = facts::read_json(&tables.join("structs.json"))?;
    let functions = facts::read_table(&tables.join("functions.tsv"))?;
    ask_layouts(&mut questions, &structs);
    ask_constants(&mut questions, &facts::read_table(&tables.join("constants.tsv"))?);
    ask_functions(&mut questions, &functions)?;
    ask_header_only(&mut questions, &facts::read_table(&tables.join("inline.tsv"))?);

    let mut headers: Vec<&str> = functions.iter().map(|line| line[0].as_str()).filter(|h| h.ends_with(".h")).collect();
    headers.sort_unstable();
    headers.dedup();
    // daos/debug.h chooses the log facilities before libgurt's own headers would.
    headers.insert(0, "daos/common.h");
    let answers = run(&program(&questions, &headers), include)?;
    if answers.len() != questions.0.len() {
        return Err(format!("the probe gave {} answers to {} questions", answers.len(), questions.0.len()));
    }
    Ok(compare(&questions, &answers))
}

fn compare(questions: &Questions, answers: &[String]) -> usize {
    let mut tally: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (question, answer) in questions.0.iter().zip(answers) {
        let (asked, differing) = tally.entry(question.kind).or_default();
        *asked += 1;
        if *answer != question.expected {
            *differing += 1;
            println!("differs: {} {}: {answer}, not {}", question.kind, question.subject, question.expected);
        }
    }
    for (kind, (asked, differing)) in &tally {
        println!("headers: {kind}: {asked} compared, {differing} differing");
    }
    tally.values().map(|(_, differing)| differing).sum()
}

fn ask_layouts(questions: &mut Questions, structs: &Value) {
    for (name, record) in structs["records"].as_object().into_iter().flatten() {
        let number = |key: &str| record[key].as_u64().unwrap_or(0);
        questions.ask("layout", format!("sizeof {name}"), &format!("sizeof({name})"), number("size"));
        questions.ask("layout", format!("alignment of {name}"), &format!("_Alignof({name})"), number("align"));
        for member in facts::members(record) {
            ask_member(questions, name, &member);
        }
    }
    for (name, alias) in structs["typedefs"].as_object().into_iter().flatten() {
        if let Some(size) = alias["size"].as_u64().filter(|size| *size > 0) {
            questions.ask("layout", format!("sizeof {name}"), &format!("sizeof({name})"), size);
        }
        let underlying = alias["underlying"].as_str().unwrap_or_default();
        if matches!(alias["kind"].as_str(), Some("scalar" | "pointer" | "function pointer")) {
            questions.same_type("layout", format!("{name} is {underlying}"), &format!("({name})0"), underlying);
        }
    }
    for (name, record) in structs["enums"].as_object().into_iter().flatten() {
        questions.ask(
            "layout",
            format!("sizeof {name}"),
            &format!("sizeof({name})"),
            record["size"].as_u64().unwrap_or(0),
        );
    }
}

fn ask_member(questions: &mut Questions, record: &str, member: &Member) {
    let Member { path, c_type, offset, size, bits } = member;
    if let Some((at, width)) = bits {
        for (what, function, expected) in [("first bit", "first_bit", at), ("width", "bit_count", width)] {
            let statement = format!(
                "{{ {record} probe; memset(&probe, 0, sizeof(probe)); probe.{path} = -1; \
                 answer({function}(&probe, sizeof(probe))); }}"
            );
            let subject = format!("{what} of {record}.{path}");
            questions.0.push(Question { kind: "layout", subject, statement, expected: expected.to_string() });
        }
        return;
    }
    questions.ask("layout", format!("offset of {record}.{path}"), &format!("offsetof({record}, {path})"), offset);
    if let Some(size) = size {
        let expression = format!("sizeof((({record} *)0)->{path})");
        questions.ask("layout", format!("size of {record}.{path}"), &expression, size);
    }
    if let Some(c_type) = c_type {
        let subject = format!("{record}.{path} is {c_type}");
        questions.same_type("layout", subject, &format!("(({record} *)0)->{path}"), c_type);
    }
}

fn ask_constants(questions: &mut Questions, constants: &[Vec<String>]) {
    for line in constants {
        let [_, name, kind, target, c_type, value, ..] = &line[..] else { continue };
        match kind.as_str() {
            "enum" => questions.ask("constant", name, name, value),
            "macro integer" => {
                // Printed as signed: the table's unsigned values beyond that are brought there too.
                let expected = value.parse::<u64>().map_or_else(|_| value.clone(), |v| (v as i64).to_string());
                questions.ask("constant", name, name, expected);
                questions.same_type("constant", format!("{name} is {c_type}"), name, c_type);
            }
            "macro string" => questions.ask("constant", name, &format!("strcmp({name}, {value})"), 0),
            "macro compound" => {
                let size = c_type.chars().filter(char::is_ascii_digit).collect::<String>();
                questions.ask("constant", format!("sizeof {name}"), &format!("sizeof({name})"), size);
            }
            "macro alias" => match target.split_once(' ') {
                // O_RDONLY and the like expand further.
                Some(("token", token)) if token.starts_with("O_") => {
                    questions.ask("constant", name, &format!("{name} == {token}"), 1);
                }
                Some((_, token)) => questions.expands_to(name, token),
                None => questions.defined(name),
            },
            _ => questions.defined(name),
        }
    }
}

fn ask_functions(questions: &mut Questions, functions: &[Vec<String>]) -> Result<(), String> {
    for line in functions {
        let [header, _, symbol, source_name, kind, c_type, parameters, _] = &line[..] else {
            return Err(format!("functions.tsv: 8 columns expected: {line:?}"));
        };
        if !header.ends_with(".h") {
            continue;
        }
        match kind.as_str() {
            "function" | "static inline" => {
                let pointer = format!("{c_type} (*)({})", facts::parameter_types(parameters));
                let subject = format!("{symbol} is {pointer}");
                questions.same_type("prototype", subject, &format!("&{symbol}"), &pointer);
            }
            "data object" => questions.same_type("prototype", format!("{symbol} is {c_type}"), symbol, c_type),
            "function-like macro" => questions.defined(source_name),
            _ => {}
        }
    }
    Ok(())
}

fn ask_header_only(questions: &mut Questions, names: &[Vec<String>]) {
    for line in names {
        if line.len() >= 4 && line[0] == "header-only name" && line[3].contains("macro") {
            questions.defined(&line[1]);
        }
    }
}

fn program(questions: &Questions, headers: &[&str]) -> String {
    let mut text = String::new();
    for header in headers {
        writeln!(text, "#include <{header}>").expect("a String takes everything");
    }
    text.push_str(
        r#"
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
static void answer(long long value) { printf("%lld\n", value); }
static int bit(const void *p, size_t at) { return ((const unsigned char *)p)[at / 8] >> (at % 8) & 1; }
static int first_bit(const void *p, size_t size) {
    for (size_t at = 0; at < size * 8; at++) if (bit(p, at)) return (int)at;
    return -1;
}
static int bit_count(const void *p, size_t size) {
    int count = 0;
    for (size_t at = 0; at < size * 8; at++) count += bit(p, at);
    return count;
}
"#,
    );
    // In parts, since compilers take long over one long function.
    let parts: Vec<&[Question]> = questions.0.chunks(500).collect();
    for (number, part) in parts.iter().enumerate() {
        writeln!(text, "static void part{number}(void) {{").expect("a String takes everything");
        for question in *part {
            writeln!(text, "    {}", question.statement).expect("a String takes everything");
        }
        text.push_str("}\n");
    }
    text.push_str("int main(void) {\n    (void)first_bit; (void)bit_count;\n");
    for number in 0..parts.len() {
        writeln!(text, "    part{number}();").expect("a String takes everything");
    }
    text.push_str("    return 0;\n}\n");
    text
}

/// The lines that the program prints. Inline functions of the headers call libgurt: nothing here does, so what they
/// leave undefined may stay so.
fn run(program: &str, include: &Path) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().map_err(|e| format!("can't make a temporary folder: {e}"))?;
    let (source, binary) = (folder.path().join("probe.c"), folder.path().join("probe"));
    std::fs::write(&source, program).map_err(|e| format!("{}: {e}", source.display()))?;
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = Command::new(&compiler)
        .args(["-std=gnu11", "-w", "-O0", "-Wl,--unresolved-symbols=ignore-all"])
        .arg("-I")
        .arg(include)
        .arg(&source)
        .arg("-o")
        .arg(&binary)
        .output()
        .map_err(|e| format!("can't run {compiler}: {e}"))?;
    if !compiled.status.success() {
        let messages = String::from_utf8_lossy(&compiled.stderr);
        let first: Vec<&str> = messages.lines().filter(|l| l.contains("error")).take(40).collect();
        return Err(format!("the headers lack something, or don't compile:\n{}", first.join("\n")));
    }
    let output = Command::new(&binary).output().map_err(|e| format!("can't run the probe: {e}"))?;
    if !output.status.success() {
        return Err(format!("the probe failed: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}
